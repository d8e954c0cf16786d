// Bytes that are no UTF-8 (RFC 3629; the sequences follow Markus Kuhn's decoder test): 1007 as text (RFC 6455 8.1), harmless as binary.
import { BINARY, TEXT, binary, fragments, frame, hex, last, more, ping, text } from './frames.mjs';

// What is wrong, and the bytes. None of them becomes valid by what follows.
const SEQUENCES = [
  ['a continuation byte alone, the first', '80'],
  ['a continuation byte alone, the last', 'bf'],
  ['two continuation bytes', '80bf'],
  ['six continuation bytes', '80bf80bf80bf'],
  ['every continuation byte', Array.from({ length: 64 }, (_, i) => (0x80 + i).toString(16)).join('')],
  ['c0 80: NUL in two bytes', 'c080'],
  ['c0 af: a slash in two bytes', 'c0af'],
  ['c1 bf: the largest overlong of two bytes', 'c1bf'],
  ['e0 80 80: NUL in three bytes', 'e08080'],
  ['e0 80 af: a slash in three bytes', 'e080af'],
  ['e0 9f bf: the largest overlong of three bytes', 'e09fbf'],
  ['f0 80 80 80: NUL in four bytes', 'f0808080'],
  ['f0 80 80 af: a slash in four bytes', 'f08080af'],
  ['f0 8f bf bf: the largest overlong of four bytes', 'f08fbfbf'],
  ['f8 80 80 80 af: a slash in five bytes', 'f8808080af'],
  ['fc 80 80 80 80 af: a slash in six bytes', 'fc80808080af'],
  ['f8 87 bf bf bf: the largest overlong of five bytes', 'f887bfbfbf'],
  ['fc 83 bf bf bf bf: the largest overlong of six bytes', 'fc83bfbfbfbf'],
  ['U+D800, the first surrogate', 'eda080'],
  ['U+DB7F', 'edadbf'],
  ['U+DB80', 'edae80'],
  ['U+DBFF, the last high surrogate', 'edafbf'],
  ['U+DC00, the first low surrogate', 'edb080'],
  ['U+DF80', 'edbe80'],
  ['U+DFFF, the last surrogate', 'edbfbf'],
  ['a pair of surrogates', 'eda080edb080'],
  ['another pair of surrogates', 'edafbfedbfbf'],
  ['an emoji as surrogates (CESU-8)', 'eda0bdedb880'],
  ['U+110000, behind the last code point', 'f4908080'],
  ['U+13FFFF', 'f4bfbfbf'],
  ['f5, which begins nothing', 'f5808080'],
  ['f6, which begins nothing', 'f6808080'],
  ['f7 bf bf bf: the largest of four bytes', 'f7bfbfbf'],
  ['f8: the smallest of five bytes', 'f888808080'],
  ['fb bf bf bf bf: the largest of five bytes', 'fbbfbfbfbf'],
  ['fc: the smallest of six bytes', 'fc8480808080'],
  ['fd bf bf bf bf bf: the largest of six bytes', 'fdbfbfbfbfbf'],
  ['fe', 'fe'],
  ['ff', 'ff'],
  ['fe fe ff ff', 'fefeffff'],
  ['text in Latin-1', Buffer.from('Gr\xfc\xdfe', 'latin1').toString('hex')],
  ['text in UTF-16', Buffer.from('Hé', 'utf16le').toString('hex')],
  ['an interrupted character of two bytes', 'c341'],
  ['an interrupted character of three bytes', 'e4b841'],
  ['an interrupted character of four bytes', 'f09f9841'],
  ['a character that another interrupts', 'e4c3a4'],
  ['a wrong second byte', 'e441b8'],
  ['a wrong third byte', 'f09f41'],
  ['one continuation byte too many', 'c3a480'],
  ['three bytes, one continuation byte too many', 'e4b89696'],
];
// Valid beginnings: wrong only because the message ends there.
const CUT_SHORT = ['c3', 'df', 'e0a0', 'e4', 'e4b8', 'ed9f', 'efbf', 'f0', 'f09f', 'f09f98', 'f48fbf', 'f4'];

const around = (bytes) => Buffer.concat([Buffer.from('κόσμε'), bytes, Buffer.from('edited')]);

const whole = SEQUENCES.flatMap(([what, digits]) => [
  { name: `text that is ${what}`, send: text(hex(digits)), close: 1007 },
  { name: `text in which is ${what}`, send: text(around(hex(digits))), close: 1007 },
  { name: `binary in which is ${what}`, send: binary(around(hex(digits))), get: [around(hex(digits))] },
]);
const cutShort = CUT_SHORT.flatMap((digits) => [
  { name: `text that ends within a character: ${digits}`, send: text(hex(digits)), close: 1007 },
  { name: `text behind which a character has begun: ${digits}`, send: text(Buffer.concat([Buffer.from('abc'), hex(digits)])), close: 1007 },
  { name: `fragments that end within a character: ${digits}`, send: fragments(TEXT, ['abc', hex(digits)]), close: 1007 },
  { name: `fragments, the last empty, that end within a character: ${digits}`, send: fragments(TEXT, ['abc', hex(digits), '']), close: 1007 },
]);

const split = SEQUENCES.map(([what, digits]) => ({
  name: `fragments, cut within ${what}`, send: fragments(TEXT, Array.from(hex(digits), (byte) => Buffer.from([byte]))), close: 1007,
}));

// Without waiting for the end: the message never ends, and the answer comes all the same.
const stricter = 'the RFC does not say when; we say at the first wrong byte';
const FAST = SEQUENCES.filter((_, i) => i % 3 === 0);
const fast = FAST.flatMap(([what, digits]) => [
  { name: `told at once, in a message that is not over: ${what}`, send: frame(TEXT, hex(digits), { fin: false }), close: 1007, stricter },
  { name: `told at once, in a frame that is not over: ${what}`, send: text(Buffer.concat([hex(digits), Buffer.alloc(100)])).subarray(0, -100), close: 1007, stricter },
]);

const others = [
  { name: 'a good text, then a bad one', send: [text('good'), text(hex('ff'))], get: ['good'], close: 1007 },
  { name: 'a good first fragment, then a bad one', send: [frame(TEXT, 'good', { fin: false }), more(hex('ff')), last('x')], close: 1007 },
  { name: 'a character that begins in one message and ends in the next', send: [text(hex('e4b8')), text(hex('96'))], close: 1007 },
  { name: 'a character cut by a ping, and not finished', send: [frame(TEXT, hex('e4b8'), { fin: false }), ping('p'), last('x')], get: [{ pong: 'p' }], close: 1007 },
  { name: 'a binary message of half a character, then text that has the rest', send: [binary(hex('e4b8')), text(hex('96'))], get: [hex('e4b8')], close: 1007 },
  { name: 'a bad byte behind 100,000 good ones', send: text(Buffer.concat([Buffer.alloc(100_000, 0x61), hex('ff')])), close: 1007 },
  { name: 'a surrogate pair over two fragments', send: fragments(TEXT, [hex('eda0bd'), hex('edb880')]), close: 1007 },
  { name: 'binary fragments of bad bytes', send: fragments(BINARY, [hex('ff'), hex('c0'), hex('80')]), get: [hex('ffc080')] },
];

export const utf8Invalid = [...whole, ...cutShort, ...split, ...fast, ...others];
