// The closing handshake (RFC 6455 5.5.1, 7.1 and 7.4).
import { BINARY, CLOSE, TEXT, binary, close, closing, frame, hex, last, ping, pong, text } from './frames.mjs';

// Defined by the RFC, or registered with IANA since.
const REGISTERED = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014];
const OPEN = [3000, 3001, 3333, 3999, 4000, 4001, 4321, 4998, 4999];
// Must not be on the wire, reserved, or not defined at all.
const FORBIDDEN = [1004, 1005, 1006, 1015];
const UNDEFINED = [0, 1, 2, 99, 100, 500, 998, 999, 1016, 1017, 1100, 1999, 2000, 2001, 2500, 2998, 2999, 5000, 5001, 9999, 10000, 32767, 32768, 65534, 65535];

const good = [...REGISTERED, ...OPEN].flatMap((code) => [
  { name: `close ${code} is answered with it`, send: close(code), close: code },
  { name: `close ${code} with a reason is answered with it`, send: close(code, 'because'), close: code },
]);
const bad = [...FORBIDDEN, ...UNDEFINED].flatMap((code) => [
  { name: `close ${code} is not a code to send`, send: close(code), close: 1002 },
  { name: `close ${code} with a reason is not a code to send`, send: close(code, 'because'), close: 1002 },
]);

const REASONS = [
  ['empty', ''], ['of one byte', 'x'], ['of 122 bytes', 'x'.repeat(122)], ['of 123 bytes, the longest', 'x'.repeat(123)],
  ['in several scripts', 'Grüße 世界 😀'], ['of 41 characters of three bytes', '世'.repeat(41)], ['with a NUL', 'a\0b'], ['with U+FFFF', '\uffff'],
  ['with the last code point', '\u{10ffff}'],
].map(([what, reason]) => ({ name: `a reason ${what}`, send: close(1000, reason), close: 1000 }));

const BAD_REASONS = [
  ['ff', 'ff'], ['a continuation byte', '80'], ['an overlong slash', 'c0af'], ['a surrogate', 'eda080'], ['half a character', 'e4b8'], ['f4 90', 'f4908080'],
  ['text, then ff', '686579ff'], ['121 letters and half a character', `${'61'.repeat(121)}c3`],
].map(([what, digits]) => ({ name: `a reason that is not UTF-8: ${what}`, send: close(1000, hex(digits)), close: [1007, 1002] }));

const sizes = [
  { name: 'a close without a payload', send: close(), close: null },
  { name: 'a close of one byte', send: frame(CLOSE, [3]), close: 1002 },
  { name: 'a close of one byte that is 0', send: frame(CLOSE, [0]), close: 1002 },
  { name: 'a close of 125 bytes', send: frame(CLOSE, closing(1000, 'x'.repeat(123))), close: 1000 },
  { name: 'a close of 126 bytes', send: frame(CLOSE, closing(1000, 'x'.repeat(124))), close: 1002 },
  { name: 'a close of 126 bytes that announces 125', send: [frame(CLOSE, closing(1000, 'x'.repeat(123))), hex('78')], close: 1000 },
];

// Nothing behind a close frame is looked at, good or bad (1.4).
const BEHIND = [
  ['a text', text('late')], ['a binary', binary('late')], ['a ping', ping('late')], ['a pong', pong('late')], ['another close', close(1001)],
  ['a close with a bad code', close(1005)], ['an unknown opcode', frame(7)], ['a reserved bit', text('x', { rsv: 1 })], ['an unmasked frame', text('x', { mask: null })],
  ['half a header', Buffer.from([0x81])], ['bytes without sense', hex('ffffffffffff')], ['a continuation of nothing', last('x')], ['bad UTF-8', text(hex('ff'))],
  ['ten thousand texts', Buffer.concat(Array(10_000).fill(text('late')))],
];
const behind = BEHIND.flatMap(([what, bytes]) => [
  { name: `${what} behind a close`, send: [close(1000), bytes], close: 1000 },
  { name: `${what} behind a close without a code`, send: [close(), bytes], close: null },
]);
const behindFailure = BEHIND.map(([what, bytes]) => ({ name: `${what} behind a frame that ended the connection`, send: [frame(3), bytes], close: 1002 }));

const before = [
  { name: 'a text, and a close at once', send: [text('last words'), close(1000)], get: ['last words'], close: 1000 },
  { name: 'a ping, and a close at once', send: [ping('p'), close(1000)], get: [{ pong: 'p' }], close: 1000 },
  { name: 'a hundred texts, and a close at once', send: [...Array.from({ length: 100 }, (_, i) => text(`${i}`)), close(3000)], get: Array.from({ length: 100 }, (_, i) => `${i}`), close: 3000 },
  { name: 'a message of 200,000 bytes, and a close at once', send: [binary(Buffer.alloc(200_000, 5)), close(1000)], get: [Buffer.alloc(200_000, 5)], close: 1000 },
  { name: 'the first fragment of a text, and a close', send: [frame(TEXT, 'a', { fin: false }), close(1000)], close: 1000 },
  { name: 'the first fragment of a binary, and a close with a bad code', send: [frame(BINARY, 'a', { fin: false }), close(1006)], close: 1002 },
  { name: 'an unasked pong, and a close', send: [pong('x'), close(1000)], close: 1000 },
];

export const closes = [...good, ...bad, ...REASONS, ...BAD_REASONS, ...sizes, ...behind, ...behindFailure, ...before];
