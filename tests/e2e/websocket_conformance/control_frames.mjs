// Pings and pongs, and control frames among fragments (RFC 6455 5.5).
import { BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, binary, close, closing, fragments, frame, hex, last, more, ping, pong, text } from './frames.mjs';

const NAMES = { [CLOSE]: 'close', [PING]: 'ping', [PONG]: 'pong' };
const start = (bytes) => frame(TEXT, bytes, { fin: false });

const SIZES = [0, 1, 2, 3, 4, 7, 8, 15, 16, 63, 64, 65, 100, 123, 124, 125];
const pings = SIZES.map((size) => ({ name: `a ping of ${size} bytes`, send: ping(Buffer.alloc(size, 0x70)), get: [{ pong: Buffer.alloc(size, 0x70) }] }));
const pongs = [0, 1, 64, 124, 125].map((size) => ({ name: `an unasked pong of ${size} bytes`, send: pong(Buffer.alloc(size, 0x71)), get: [] }));

const tooLong = [CLOSE, PING, PONG].flatMap((opcode) => [126, 127, 128, 1000, 65535, 65536].map((size) => ({
  name: `a ${NAMES[opcode]} of ${size} bytes`, send: frame(opcode, Buffer.concat([closing(1000), Buffer.alloc(size - 2, 0x61)])), close: 1002,
})));
const longHeaders = [CLOSE, PING, PONG].flatMap((opcode) => [
  { name: `the header of a ${NAMES[opcode]} with a 16-bit length, and nothing behind it`, send: Buffer.from([0x80 | opcode, 0x80 | 126]), close: 1002, stricter: 'told as early as it can be known' },
  { name: `the header of a ${NAMES[opcode]} with a 64-bit length, and nothing behind it`, send: Buffer.from([0x80 | opcode, 0x80 | 127]), close: 1002, stricter: 'told as early as it can be known' },
]);

const split = [CLOSE, PING, PONG].flatMap((opcode) => [
  { name: `a ${NAMES[opcode]} that is not final`, send: frame(opcode, opcode === CLOSE ? closing(1000) : 'p', { fin: false }), close: 1002 },
  { name: `an empty ${NAMES[opcode]} that is not final`, send: frame(opcode, '', { fin: false }), close: 1002 },
  { name: `a ${NAMES[opcode]} in two frames`, send: [frame(opcode, opcode === CLOSE ? closing(1000) : 'p', { fin: false }), last('q')], close: 1002 },
  { name: `a ${NAMES[opcode]} that is not final, inside of a message`, send: [start('a'), frame(opcode, '', { fin: false }), last('b')], close: 1002 },
  { name: `a ${NAMES[opcode]} that is not final, behind a good message`, send: [text('good'), frame(opcode, '', { fin: false })], get: ['good'], close: 1002 },
]);

const payloads = [
  ['bytes that are no text', hex('00 ff fe fd fc fb 00 ff')],
  ['a part of a character', hex('e4 b8')],
  ['zeros', Buffer.alloc(125)],
  ['what looks like a frame', hex('81 05 48 65 6c 6c 6f')],
  ['text', Buffer.from('Grüße')],
].map(([what, payload]) => ({ name: `a ping that carries ${what}`, send: ping(payload), get: [{ pong: payload }] }));

const many = [2, 10, 100].flatMap((count) => {
  const numbers = Array.from({ length: count }, (_, i) => `ping ${i}`);
  return [
    { name: `${count} pings one behind the other`, send: numbers.map((one) => ping(one)), get: numbers.map((one) => ({ pong: one })) },
    { name: `${count} unasked pongs one behind the other`, send: numbers.map((one) => pong(one)), get: [] },
    { name: `${count} pings, and a text behind each`, send: numbers.flatMap((one) => [ping(one), text(one)]), get: numbers.flatMap((one) => [{ pong: one }, one]) },
  ];
});

const among = [
  { name: 'a ping between two fragments', send: [start('ab'), ping('p'), last('cd')], get: [{ pong: 'p' }, 'abcd'] },
  { name: 'an empty ping between two fragments', send: [start('ab'), ping(''), last('cd')], get: [{ pong: '' }, 'abcd'] },
  { name: 'a pong between two fragments', send: [start('ab'), pong('p'), last('cd')], get: ['abcd'] },
  { name: 'pings and pongs between all fragments', send: [start('a'), ping('1'), more('b'), pong('x'), more('c'), ping('2'), last('d')], get: [{ pong: '1' }, { pong: '2' }, 'abcd'] },
  { name: 'a ping in the middle of a character', send: [start(hex('e4b8')), ping('p'), last(hex('96'))], get: [{ pong: 'p' }, '世'] },
  { name: 'a ping of 125 bytes between fragments of a binary message', send: [frame(BINARY, 'ab', { fin: false }), ping(Buffer.alloc(125, 1)), last('c')], get: [{ pong: Buffer.alloc(125, 1) }, Buffer.from('abc')] },
  { name: 'ten pings between two fragments', send: [start('a'), ...Array.from({ length: 10 }, (_, i) => ping(`${i}`)), last('b')], get: [...Array.from({ length: 10 }, (_, i) => ({ pong: `${i}` })), 'ab'] },
  { name: 'a ping before, among and behind a message', send: [ping('1'), start('a'), ping('2'), last('b'), ping('3')], get: [{ pong: '1' }, { pong: '2' }, { pong: '3' }, 'ab'] },
  { name: 'a ping among empty fragments', send: [start(''), ping('1'), more(''), ping('2'), last('')], get: [{ pong: '1' }, { pong: '2' }, ''] },
  { name: 'a close between two fragments', send: [start('a'), close(1000), last('b')], close: 1000 },
  { name: 'an empty close between two fragments', send: [start('a'), close()], close: null },
  { name: 'a long ping between two fragments', send: [start('a'), ping(Buffer.alloc(126)), last('b')], close: 1002 },
  { name: 'a reserved bit on a ping between two fragments', send: [start('a'), ping('p', { rsv: 2 }), last('b')], close: 1002 },
  { name: 'a ping, and the same as text', send: [ping('same'), text('same')], get: [{ pong: 'same' }, 'same'] },
  { name: 'a pong, and a ping with the same payload', send: [pong('same'), ping('same')], get: [{ pong: 'same' }] },
  { name: 'a ping behind a large message', send: [binary(Buffer.alloc(200_000, 3)), ping('p')], get: [{ pong: 'p' }, Buffer.alloc(200_000, 3)] },
  { name: 'a ping among large fragments', send: [frame(BINARY, Buffer.alloc(70_000, 3), { fin: false }), ping('p'), frame(CONTINUATION, Buffer.alloc(70_000, 4))], get: [{ pong: 'p' }, Buffer.concat([Buffer.alloc(70_000, 3), Buffer.alloc(70_000, 4)])] },
  { name: 'a ping, then a broken frame', send: [ping('p'), frame(3)], get: [{ pong: 'p' }], close: 1002 },
  { name: 'a message in fragments, then a ping', send: [...fragments(TEXT, ['a', 'b']), ping('p')], get: [{ pong: 'p' }, 'ab'] },
];

export const controlFrames = [...pings, ...pongs, ...tooLong, ...longHeaders, ...split, ...payloads, ...many, ...among];
