// The first two bytes of a frame: reserved bits, opcodes, the mask (RFC 6455 5.1 and 5.2). No extension is agreed on here.
import { BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, binary, close, closing, fragments, frame, last, masked, ping, text } from './frames.mjs';

const NAMES = { [CONTINUATION]: 'continuation', [TEXT]: 'text', [BINARY]: 'binary', [CLOSE]: 'close', [PING]: 'ping', [PONG]: 'pong' };
const OPCODES = Object.keys(NAMES).map(Number);
const first = (bytes = 'a') => frame(TEXT, bytes, { fin: false });

/** What a frame of this opcode carries, and what must be sent before it so that nothing but `options` is wrong with it. */
function sample(opcode, options) {
  const payload = opcode === CLOSE ? closing(1000) : 'hello';
  const before = opcode === CONTINUATION ? [first()] : [];
  return [...before, frame(opcode, payload, options)];
}

const BITS = ['', 'RSV3', 'RSV2', 'RSV2 and RSV3', 'RSV1', 'RSV1 and RSV3', 'RSV1 and RSV2', 'all reserved bits'];
const reserved = OPCODES.flatMap((opcode) => [1, 2, 3, 4, 5, 6, 7].map((rsv) => ({
  name: `${BITS[rsv]} on a ${NAMES[opcode]} frame`, send: sample(opcode, { rsv }), close: 1002,
})));

const UNKNOWN = [3, 4, 5, 6, 7, 0xb, 0xc, 0xd, 0xe, 0xf];
const unknown = UNKNOWN.flatMap((opcode) => [
  { name: `opcode ${opcode}, empty`, send: frame(opcode), close: 1002 },
  { name: `opcode ${opcode}, with a payload`, send: frame(opcode, 'hello'), close: 1002 },
  { name: `opcode ${opcode}, not final`, send: frame(opcode, 'hello', { fin: false }), close: 1002 },
  { name: `opcode ${opcode}, inside of a fragmented message`, send: [first(), frame(opcode, 'b'), last('c')], close: 1002 },
  { name: `opcode ${opcode}, behind a good message`, send: [text('good'), frame(opcode)], get: ['good'], close: 1002 },
]);

const unmasked = OPCODES.flatMap((opcode) => [
  { name: `an unmasked ${NAMES[opcode]} frame`, send: sample(opcode, { mask: null }), close: 1002 },
  { name: `an unmasked ${NAMES[opcode]} frame without a payload`, send: [...(opcode === CONTINUATION ? [first()] : []), frame(opcode, '', { mask: null })], close: 1002 },
  { name: `an unmasked ${NAMES[opcode]} frame behind a good message`, send: [text('good'), ...sample(opcode, { mask: null })], get: ['good'], close: 1002 },
]);
const unmaskedLong = [126, 65535, 65536].map((size) => (
  { name: `an unmasked text of ${size} bytes`, send: text('x'.repeat(size), { mask: null }), close: 1002 }
));

const KEYS = [[0, 0, 0, 0], [255, 255, 255, 255], [1, 2, 3, 4], [0, 0, 0, 1], [128, 0, 0, 0], [0xff, 0, 0xff, 0]];
const hex = (key) => Buffer.from(key).toString('hex');
const keys = KEYS.flatMap((mask) => [
  { name: `text under the mask ${hex(mask)}`, send: text('Grüße, 世界', { mask }), get: ['Grüße, 世界'] },
  { name: `1,000 bytes under the mask ${hex(mask)}`, send: binary(Buffer.alloc(1000, 0x5a), { mask }), get: [Buffer.alloc(1000, 0x5a)] },
]);
// The mask begins anew with each frame, whatever the length of the one before.
const offsets = [1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17].map((size) => ({
  name: `masked payloads of ${size} bytes, a new key for each frame`,
  send: [1, 2, 3].map((n) => text('abcdefghijklmnopq'.slice(0, size), { mask: [n, n + 10, n + 100, n + 200] })),
  get: [1, 2, 3].map(() => 'abcdefghijklmnopq'.slice(0, size)),
}));
const maskCases = [
  { name: 'fragments under different masks', send: [frame(TEXT, 'abc', { fin: false, mask: [1, 2, 3, 4] }), frame(CONTINUATION, 'defgh', { fin: false, mask: [9, 8, 7, 6] }), last('i', { mask: [0, 0, 0, 0] })], get: ['abcdefghi'] },
  { name: 'a ping under a mask of its own between fragments', send: [frame(TEXT, 'abc', { fin: false, mask: [1, 2, 3, 4] }), ping('p', { mask: [5, 6, 7, 8] }), last('d', { mask: [1, 2, 3, 4] })], get: [{ pong: 'p' }, 'abcd'] },
  { name: 'an empty frame with a mask', send: text('', { mask: [1, 2, 3, 4] }), get: [''] },
  { name: 'a payload equal to its mask', send: binary([1, 2, 3, 4], { mask: [1, 2, 3, 4] }), get: [Buffer.from([1, 2, 3, 4])] },
  { name: 'bytes that are text only unmasked', send: text(masked('hello', [0x80, 0x80, 0x80, 0x80]), { mask: [0x80, 0x80, 0x80, 0x80] }), close: 1007 },
  { name: 'the example of RFC 6455 5.7', send: Buffer.from('818537fa213d7f9f4d5158', 'hex'), get: ['Hello'] },
  { name: 'the masked ping of RFC 6455 5.7', send: Buffer.from('898537fa213d7f9f4d5158', 'hex'), get: [{ pong: 'Hello' }] },
  { name: 'the unmasked example of RFC 6455 5.7', send: Buffer.from('810548656c6c6f', 'hex'), close: 1002 },
  { name: 'an unmasked close', send: close(1000, '', { mask: null }), close: 1002 },
  { name: 'an unmasked fragment in the middle', send: fragments(TEXT, ['a', 'b', 'c']).with(1, frame(CONTINUATION, 'b', { fin: false, mask: null })), close: 1002 },
];

export const headers = [...reserved, ...unknown, ...unmasked, ...unmaskedLong, ...keys, ...offsets, ...maskCases];
