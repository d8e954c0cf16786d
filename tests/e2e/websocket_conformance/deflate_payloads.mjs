// Compressed messages (RFC 7692 6 and 7.2), behind an agreement of which neither side keeps context.
import zlib from 'node:zlib';
import { OFFER, deflated } from './deflate.mjs';
import { BINARY, CONTINUATION, TEXT, binary, close, frame, hex, last, more, ping, text } from './frames.mjs';

const COMPRESSED = { rsv: 4 };
const open = { headers: [`${OFFER}; server_no_context_takeover; client_no_context_takeover`] };
const withBits = (bits) => ({ headers: [`${OFFER}; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=${bits}; client_max_window_bits`] });
/** Invalid data fails the connection; the RFC does not say with which code. */
const BROKEN = [1007, 1002];

const squeezed = (opcode, bytes, options) => frame(opcode, deflated(bytes, options), COMPRESSED);
/** A compressed message whose payload is cut at these places. */
function pieces(opcode, payload, places) {
  const parts = [...places, payload.length].map((place, i) => payload.subarray(i === 0 ? 0 : places[i - 1], place));
  return parts.map((part, i) => frame(i === 0 ? opcode : CONTINUATION, part, { fin: i === parts.length - 1, rsv: i === 0 ? 4 : 0 }));
}

const words = (size) => '{"channel":"news","data":{"n":12345}},'.repeat(Math.ceil(size / 38)).slice(0, size);
// Deflate cannot make these smaller.
function noise(size) {
  let state = 1;
  return Buffer.from(Array.from({ length: size }, () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return state >>> 24;
  }));
}

const SIZES = [0, 1, 2, 16, 64, 125, 126, 127, 128, 129, 255, 256, 1000, 4096, 16384, 32768, 65535, 65536, 131072];
const sizes = SIZES.flatMap((size) => [
  { name: `compressed text of ${size} bytes`, open, send: squeezed(TEXT, words(size)), get: [words(size)] },
  { name: `compressed binary of ${size} bytes`, open, send: squeezed(BINARY, words(size)), get: [Buffer.from(words(size))] },
  { name: `compressed noise of ${size} bytes`, open, send: squeezed(BINARY, noise(size)), get: [noise(size)] },
]);

const { Z_FIXED, Z_HUFFMAN_ONLY, Z_RLE, Z_FILTERED } = zlib.constants;
const MADE = [
  ['as stored blocks', { level: 0 }], ['at level 1', { level: 1 }], ['at level 9', { level: 9 }], ['with fixed codes', { strategy: Z_FIXED }],
  ['with Huffman codes only', { strategy: Z_HUFFMAN_ONLY }], ['with runs only', { strategy: Z_RLE }], ['filtered', { strategy: Z_FILTERED }],
  ...[9, 10, 11, 12, 13, 14, 15].map((windowBits) => [`with a window of ${windowBits} bits`, { windowBits }]), ['with little memory', { memLevel: 1 }],
];
const made = MADE.flatMap(([how, options]) => [
  { name: `text compressed ${how}`, open, send: squeezed(TEXT, words(5000), options), get: [words(5000)] },
  { name: `100,000 bytes compressed ${how}`, open, send: squeezed(BINARY, words(100_000), options), get: [Buffer.from(words(100_000))] },
]);

const windows = [9, 10, 11, 12, 13, 14, 15].map((bits) => (
  { name: `the server keeps to a window of ${bits} bits`, open: withBits(bits), send: [squeezed(TEXT, words(60_000)), squeezed(BINARY, Buffer.concat([noise(20_000), noise(20_000)]))], get: [words(60_000), Buffer.concat([noise(20_000), noise(20_000)])] }
));

const HELLO = hex('f248cdc9c90700');
const examples = [
  { name: 'RFC 7692 7.2.3.1: a message in one frame', open, send: text(HELLO, COMPRESSED), get: ['Hello'] },
  { name: 'RFC 7692 7.2.3.1: a message in two fragments', open, send: pieces(TEXT, HELLO, [3]), get: ['Hello'] },
  { name: 'RFC 7692 7.2.3.2: the same message again', open, send: [text(HELLO, COMPRESSED), text(HELLO, COMPRESSED)], get: ['Hello', 'Hello'] },
  { name: 'RFC 7692 7.2.3.2: a message that needs the window before, which nobody keeps', open, send: [text(HELLO, COMPRESSED), text(hex('f200110000'), COMPRESSED)], get: ['Hello'], close: BROKEN },
  { name: 'RFC 7692 7.2.3.3: a block without compression', open, send: text(hex('000500faff48656c6c6f00'), COMPRESSED), get: ['Hello'] },
  { name: 'RFC 7692 7.2.3.4: a final block', open, send: text(hex('f348cdc9c9070000'), COMPRESSED), get: ['Hello'] },
  { name: 'RFC 7692 7.2.3.5: two blocks', open, send: text(hex('f248050000 00ffff cac9c90700'), COMPRESSED), get: ['Hello'] },
  { name: 'RFC 7692 7.2.3.6: an empty message', open, send: text(hex('00'), COMPRESSED), get: [''] },
  { name: 'the masked bytes of an example', open, send: Buffer.concat([hex('c187 37fa213d'), Buffer.from(HELLO.map((byte, i) => byte ^ [0x37, 0xfa, 0x21, 0x3d][i & 3]))]), get: ['Hello'] },
];

const long = deflated(words(3000));
const cuts = [
  ...Array.from({ length: HELLO.length - 1 }, (_, i) => ({ name: `a compressed message, cut behind byte ${i + 1}`, open, send: pieces(TEXT, HELLO, [i + 1]), get: ['Hello'] })),
  { name: 'a compressed message, a fragment for each byte', open, send: pieces(TEXT, HELLO, [1, 2, 3, 4, 5, 6]), get: ['Hello'] },
  { name: 'a longer one, a fragment for each byte', open, send: pieces(BINARY, long, Array.from({ length: long.length - 1 }, (_, i) => i + 1)), get: [Buffer.from(words(3000))] },
  { name: 'an empty first fragment', open, send: pieces(TEXT, HELLO, [0]), get: ['Hello'] },
  { name: 'an empty last fragment', open, send: pieces(TEXT, HELLO, [HELLO.length]), get: ['Hello'] },
  { name: 'empty fragments in the middle', open, send: pieces(TEXT, HELLO, [3, 3, 3]), get: ['Hello'] },
  { name: 'characters cut by the end of fragments', open, send: pieces(TEXT, deflated('世界'.repeat(50), { level: 0 }), [6, 7, 8, 9, 10]), get: ['世界'.repeat(50)] },
  { name: 'fragments with pings among them', open, send: pieces(TEXT, HELLO, [2, 4]).flatMap((one, i) => (i === 0 ? [one] : [ping(`${i}`), one])), get: [{ pong: '1' }, { pong: '2' }, 'Hello'] },
  { name: 'fragments of a message of 100,000 bytes', open, send: pieces(BINARY, deflated(noise(100_000)), [10_000, 20_000, 50_000, 90_000]), get: [noise(100_000)] },
];

const mixed = [
  { name: 'a plain message where compression is agreed on', open, send: text('plain'), get: ['plain'] },
  { name: 'plain and compressed messages in turn', open, send: [text('a'), squeezed(TEXT, 'b'), binary('c'), squeezed(BINARY, 'd'), text('e')], get: ['a', 'b', Buffer.from('c'), Buffer.from('d'), 'e'] },
  { name: 'a plain message in fragments behind a compressed one', open, send: [squeezed(TEXT, 'a'), frame(TEXT, 'b', { fin: false }), last('c')], get: ['a', 'bc'] },
  { name: 'a hundred compressed messages', open, send: Array.from({ length: 100 }, (_, i) => squeezed(TEXT, words(100 + i))), get: Array.from({ length: 100 }, (_, i) => words(100 + i)) },
  { name: 'plain fragments whose bytes are deflate data', open, send: [frame(BINARY, HELLO.subarray(0, 3), { fin: false }), last(HELLO.subarray(3))], get: [HELLO] },
  { name: 'a compressed message, then a close', open, send: [squeezed(TEXT, 'a'), close(1000)], get: ['a'], close: 1000 },
  { name: 'a close within a compressed message', open, send: [frame(TEXT, HELLO.subarray(0, 3), { rsv: 4, fin: false }), close(1000)], close: 1000 },
  { name: 'many blocks', open, send: binary(Buffer.concat([...Array.from({ length: 50 }, (_, i) => zlib.deflateRawSync(words(100 + i), { finishFlush: zlib.constants.Z_SYNC_FLUSH })), hex('00')]), COMPRESSED), get: [Buffer.concat(Array.from({ length: 50 }, (_, i) => Buffer.from(words(100 + i))))] },
];

// RSV1 belongs on the first frame of a data message and nowhere else (6).
const start = frame(TEXT, HELLO.subarray(0, 3), { rsv: 4, fin: false });
const bits = [
  { name: 'RSV1 on the second fragment', open, send: [start, last(HELLO.subarray(3), COMPRESSED)], close: 1002 },
  { name: 'RSV1 on the second fragment only', open, send: [frame(TEXT, 'a', { fin: false }), last('b', COMPRESSED)], close: 1002 },
  { name: 'RSV1 on a middle fragment', open, send: [start, more('', COMPRESSED), last(HELLO.subarray(3))], close: 1002 },
  { name: 'RSV1 on a ping', open, send: ping('p', COMPRESSED), close: 1002 },
  { name: 'RSV1 on a pong', open, send: frame(0xa, 'p', COMPRESSED), close: 1002 },
  { name: 'RSV1 on a close', open, send: close(1000, '', COMPRESSED), close: 1002 },
  { name: 'RSV1 on a ping among fragments', open, send: [start, ping('p', COMPRESSED), last(HELLO.subarray(3))], close: 1002 },
  ...[1, 2, 3].flatMap((rsv) => [TEXT, BINARY].flatMap((opcode) => [
    { name: `reserved bits ${rsv} on opcode ${opcode} where compression is agreed on`, open, send: frame(opcode, 'a', { rsv }), close: 1002 },
    { name: `reserved bits ${rsv} and RSV1 on opcode ${opcode}`, open, send: frame(opcode, HELLO, { rsv: rsv | 4 }), close: 1002 },
  ])),
  ...[3, 4, 5, 6, 7].map((opcode) => ({ name: `RSV1 on the unknown opcode ${opcode}`, open, send: frame(opcode, HELLO, COMPRESSED), close: 1002 })),
  { name: 'an unmasked compressed frame', open, send: text(HELLO, { rsv: 4, mask: null }), close: 1002 },
  { name: 'RSV1 without an agreement', send: text(HELLO, COMPRESSED), close: 1002 },
  { name: 'RSV1 behind an offer that was declined', open: { headers: [`${OFFER}; nobody_knows`], declined: true }, send: text(HELLO, COMPRESSED), close: 1002 },
];

const BAD_DATA = [
  ['a block of the reserved kind', '07'], ['a block of the reserved kind behind a good one', 'f248cdc9c90700 07'], ['a stored block whose lengths differ', '000500000048656c6c6f'],
  ['a distance before the beginning', 'f200110000'], ['too many codes', 'fc000000000000000000'], ['ff', 'ffffffffffffffff'], ['half a stored block', '000500faff4865'],
  ['a dynamic block without its codes', '05'], ['text', Buffer.from('Hello, this is not compressed').toString('hex')],
];
const badData = BAD_DATA.flatMap(([what, digits]) => [
  { name: `no deflate data: ${what}`, open, send: binary(hex(digits), COMPRESSED), close: BROKEN },
  { name: `no deflate data, as text: ${what}`, open, send: text(hex(digits), COMPRESSED), close: BROKEN },
  { name: `no deflate data, in fragments: ${what}`, open, send: pieces(BINARY, hex(digits), [1]), close: BROKEN },
  { name: `no deflate data, behind a good message: ${what}`, open, send: [squeezed(TEXT, 'good'), binary(hex(digits), COMPRESSED)], get: ['good'], close: BROKEN },
]);

const BAD_TEXT = ['80', 'c0af', 'eda080', 'f4908080', 'e4b8', 'ff', `${'61'.repeat(5000)}ff`];
const badText = BAD_TEXT.flatMap((digits) => {
  const what = digits.slice(-8);
  return [
    { name: `compressed text that is not UTF-8: ${what}`, open, send: squeezed(TEXT, hex(digits)), close: 1007 },
    { name: `compressed text that is not UTF-8, in fragments: ${what}`, open, send: pieces(TEXT, deflated(hex(digits)), [1, 2]), close: 1007 },
    { name: `the same as compressed binary: ${what}`, open, send: squeezed(BINARY, hex(digits)), get: [hex(digits)] },
  ];
});

const LIMIT = 16 * 1024 * 1024;
const bomb = deflated(Buffer.alloc(LIMIT + 1));
const bombs = [
  { name: 'a message that inflates to one byte more than the limit', open, send: binary(bomb, COMPRESSED), close: 1009 },
  { name: 'a text that inflates to one byte more than the limit', open, send: squeezed(TEXT, Buffer.alloc(LIMIT + 1, 'x')), close: 1009 },
  { name: 'fragments that inflate to more than the limit', open, send: pieces(BINARY, bomb, [10, 1000]), close: 1009 },
  { name: 'a message that inflates to 64 MiB', open, send: squeezed(BINARY, Buffer.alloc(4 * LIMIT)), close: 1009 },
  { name: 'a message that inflates to the limit', open, send: squeezed(BINARY, Buffer.alloc(LIMIT)), get: [Buffer.alloc(LIMIT)], cuts: 1 },
];

export const deflatePayloads = [...sizes, ...made, ...windows, ...examples, ...cuts, ...mixed, ...bits, ...badData, ...badText, ...bombs];
