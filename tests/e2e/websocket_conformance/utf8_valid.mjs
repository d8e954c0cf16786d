// Text that is UTF-8 (RFC 3629), whole and cut within its characters (RFC 6455 8.1).
import { TEXT, fragments, hex, text } from './frames.mjs';

const TEXTS = [
  ['ASCII', 'Hello, world'],
  ['every ASCII character', String.fromCharCode(...Array.from({ length: 128 }, (_, i) => i))],
  ['Latin', 'Grüße aus Köln, à bientôt, señor'],
  ['Greek', 'κόσμε'],
  ['Cyrillic', 'Привет, мир'],
  ['Hebrew and Arabic', 'שלום سلام'],
  ['Devanagari', 'नमस्ते दुनिया'],
  ['Chinese, Japanese, Korean', '世界 こんにちは 안녕하세요'],
  ['an emoji', '😀'],
  ['emoji joined to a family', '👨‍👩‍👧‍👦'],
  ['a flag', '🇩🇪'],
  ['combining accents', 'é́̂'],
  ['a byte order mark', '\ufeffx'],
  ['only a byte order mark', '\ufeff'],
  ['Gothic', '𐌰𐌱𐌲'],
  ['mathematical letters', '𝒽𝑒𝓁𝓁ℴ'],
  ['lengths of one to four bytes', '$¢€𐍈'],
  ['lengths of four to one bytes', '𐍈€¢$'],
  ['line ends of all kinds', 'a\r\nb\nc\rd\u2028e\u2029f\u0085g'],
  ['the replacement character', '\ufffd'],
];

// The first and the last code point of each length, and what borders on the surrogates.
const POINTS = [
  0x00, 0x01, 0x7f, 0x80, 0x81, 0xbf, 0xc0, 0xff, 0x100, 0x7fe, 0x7ff, 0x800, 0x801, 0xfff, 0x1000, 0x1fff, 0x2000, 0xcfff, 0xd000, 0xd7fe, 0xd7ff,
  0xe000, 0xe001, 0xfdd0, 0xfdef, 0xfeff, 0xfffc, 0xfffd, 0xfffe, 0xffff, 0x10000, 0x10001, 0x1fffe, 0x1ffff, 0x2fffe, 0x2ffff, 0x3ffff, 0x40000,
  0x7ffff, 0x80000, 0xbfffe, 0xbffff, 0xeffff, 0xfffff, 0x100000, 0x10fffd, 0x10fffe, 0x10ffff,
];
const name = (point) => `U+${point.toString(16).toUpperCase().padStart(4, '0')}`;

const bytewise = (bytes) => Array.from(bytes, (_, i) => bytes.subarray(i, i + 1));

const whole = [
  ...TEXTS.map(([what, it]) => ({ name: `text: ${what}`, send: text(it), get: [it] })),
  ...POINTS.map((point) => ({ name: `text: ${name(point)}`, send: text(String.fromCodePoint(point)), get: [String.fromCodePoint(point)] })),
];
const cut = [
  ...TEXTS.map(([what, it]) => ({ name: `text, a fragment for each byte: ${what}`, send: fragments(TEXT, bytewise(Buffer.from(it))), get: [it] })),
  ...POINTS.filter((point) => point >= 0x80).map((point) => {
    const it = `a${String.fromCodePoint(point)}b`;
    return { name: `text, a fragment for each byte: ${name(point)} between letters`, send: fragments(TEXT, bytewise(Buffer.from(it))), get: [it] };
  }),
];

const HALVES = [
  ['two bytes', 'c3', 'a4'], ['three bytes behind the first', 'e4', 'b896'], ['three bytes behind the second', 'e4b8', '96'],
  ['four bytes behind the first', 'f0', '9f9880'], ['four bytes behind the second', 'f09f', '9880'], ['four bytes behind the third', 'f09f98', '80'],
];
const halves = HALVES.flatMap(([where, left, right]) => {
  const it = Buffer.concat([hex(left), hex(right)]).toString();
  return [
    { name: `a cut within a character of ${where}`, send: fragments(TEXT, [hex(left), hex(right)]), get: [it] },
    { name: `a cut within a character of ${where}, and an empty fragment there`, send: fragments(TEXT, [hex(left), '', hex(right)]), get: [it] },
    { name: `a cut within a character of ${where}, among others`, send: fragments(TEXT, [Buffer.concat([Buffer.from('añ'), hex(left)]), Buffer.concat([hex(right), Buffer.from('ñb')])]), get: [`añ${it}ñb`] },
  ];
});

const large = [
  { name: 'many characters of three bytes', send: text('世'.repeat(30_000)), get: ['世'.repeat(30_000)] },
  { name: 'many characters of four bytes in odd fragments', send: fragments(TEXT, Array.from({ length: 100 }, (_, i) => Buffer.from('😀'.repeat(2500)).subarray(i * 100, i * 100 + 100))), get: ['😀'.repeat(2500)] },
  { name: 'ASCII with one other character at the end', send: text(`${'a'.repeat(1023)}é`), get: [`${'a'.repeat(1023)}é`] },
];

export const utf8Valid = [...whole, ...cut, ...halves, ...large];
