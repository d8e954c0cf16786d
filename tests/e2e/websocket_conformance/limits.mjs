// Messages at the limit of /echo, 16 MiB, and above it (RFC 6455 7.4.1: 1009, and 10.4).
import { BINARY, CONTINUATION, TEXT, binary, frame, more, ping, text } from './frames.mjs';

const LIMIT = 16 * 1024 * 1024;
const NAMES = { [TEXT]: 'text', [BINARY]: 'binary' };
const HEADER = 14;
/** The header of a frame that announces `length` bytes, without them. */
const announced = (opcode, length, options) => frame(opcode, '', { length, width: 64, ...options }).subarray(0, HEADER);

const ABOVE = [
  ['one byte more than the limit', LIMIT + 1], ['twice the limit', 2 * LIMIT], ['2^31 - 1 bytes', 2 ** 31 - 1], ['2^31 bytes', 2 ** 31], ['2^32 - 1 bytes', 2 ** 32 - 1],
  ['2^32 bytes', 2 ** 32], ['2^32 + 1 bytes', 2 ** 32 + 1], ['2^53 bytes', 2 ** 53], ['2^62 bytes', 2n ** 62n], ['2^63 - 1 bytes', 2n ** 63n - 1n],
];
const above = ABOVE.flatMap(([what, length]) => [TEXT, BINARY].flatMap((opcode) => [
  { name: `a ${NAMES[opcode]} of ${what}`, send: announced(opcode, length), close: 1009 },
  { name: `a ${NAMES[opcode]} of ${what}, as the first fragment`, send: announced(opcode, length, { fin: false }), close: 1009 },
  { name: `a ${NAMES[opcode]} of ${what}, as the second fragment`, send: [frame(opcode, 'a', { fin: false }), announced(CONTINUATION, length)], close: 1009 },
]));

const big = Buffer.alloc(LIMIT, 'parley: ');
const half = big.subarray(0, LIMIT / 2);
const around = [
  { name: 'a text of as many bytes as the limit, in two fragments and an empty one, a ping among them', send: [frame(TEXT, half, { fin: false }), ping('p'), more(half), frame(CONTINUATION, '')], get: [{ pong: 'p' }, big.toString()], cuts: 1 },
  { name: 'fragments that come to one byte more than the limit', send: [frame(BINARY, half, { fin: false }), more(half), frame(CONTINUATION, 'x')], close: 1009, cuts: 1 },
  { name: 'a second fragment that would come to one byte more', send: [frame(BINARY, half, { fin: false }), announced(CONTINUATION, LIMIT / 2 + 1)], close: 1009, cuts: 1 },
  { name: 'a binary of as many bytes as the limit, and a small message behind it', send: [binary(big), text('small')], get: [big, 'small'], cuts: 1 },
  { name: '2,000 small messages', send: Array.from({ length: 2000 }, (_, i) => text(`${i}`)), get: Array.from({ length: 2000 }, (_, i) => `${i}`) },
  { name: '1,000 fragments of 100 bytes', send: [frame(BINARY, half.subarray(0, 100), { fin: false }), ...Array(998).fill(more(half.subarray(0, 100))), frame(CONTINUATION, half.subarray(0, 100))], get: [Buffer.concat(Array(1000).fill(half.subarray(0, 100)))] },
];

export const limits = [...above, ...around];
