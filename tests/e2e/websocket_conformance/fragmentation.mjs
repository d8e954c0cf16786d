// Messages in several frames (RFC 6455 5.4).
import { BINARY, TEXT, binary, close, fragments, frame, last, more, ping, text } from './frames.mjs';

const TYPES = [['text', TEXT, (it) => it], ['binary', BINARY, (it) => Buffer.from(it)]];
const start = (bytes, options) => frame(TEXT, bytes, { fin: false, ...options });
const letters = (count) => Array.from({ length: count }, (_, i) => String.fromCharCode(97 + (i % 26)));

const COUNTS = [2, 3, 5, 10, 50, 200, 1000];
const counted = TYPES.flatMap(([type, opcode, as]) => COUNTS.map((count) => (
  { name: `${type} in ${count} fragments`, send: fragments(opcode, letters(count)), get: [as(letters(count).join(''))] }
)));

const PARTS = [
  ['all parts empty', ['', '', '']],
  ['the first part empty', ['', 'bc']],
  ['the last part empty', ['ab', '']],
  ['the middle part empty', ['ab', '', 'cd']],
  ['two empty parts', ['', '']],
  ['only the middle part not empty', ['', 'ab', '']],
  ['many empty parts before the only other', [...Array(20).fill(''), 'x']],
  ['parts of 125 and 126 bytes', ['a'.repeat(125), 'b'.repeat(126)]],
  ['parts of 65,535 and 65,536 bytes', ['a'.repeat(65535), 'b'.repeat(65536)]],
  ['one byte, then much', ['a', 'b'.repeat(10_000)]],
  ['much, then one byte', ['b'.repeat(10_000), 'a']],
];
const shaped = TYPES.flatMap(([type, opcode, as]) => PARTS.map(([what, parts]) => (
  { name: `${type} in fragments: ${what}`, send: fragments(opcode, parts), get: [as(parts.join(''))] }
)));

const sequences = TYPES.flatMap(([type, opcode, as]) => [
  { name: `two fragmented ${type} messages`, send: [...fragments(opcode, ['a', 'b']), ...fragments(opcode, ['c', 'd'])], get: [as('ab'), as('cd')] },
  { name: `a whole, a fragmented and a whole ${type} message`, send: [frame(opcode, 'a'), ...fragments(opcode, ['b', 'c', 'd']), frame(opcode, 'e')], get: [as('a'), as('bcd'), as('e')] },
  { name: `a continuation of nothing, before a ${type} message`, send: [last('x'), frame(opcode, 'a')], close: 1002 },
  { name: `a continuation of nothing that is not final, before a ${type} message`, send: [more('x'), frame(opcode, 'a')], close: 1002 },
  { name: `a continuation of nothing behind a ${type} message`, send: [frame(opcode, 'a'), last('x')], get: [as('a')], close: 1002 },
  { name: `a continuation of nothing, not final, behind a ${type} message`, send: [frame(opcode, 'a'), more('x')], get: [as('a')], close: 1002 },
  { name: `a continuation of nothing behind a fragmented ${type} message`, send: [...fragments(opcode, ['a', 'b']), last('c')], get: [as('ab')], close: 1002 },
  { name: `an empty continuation of nothing behind a ${type} message`, send: [frame(opcode, 'a'), last('')], get: [as('a')], close: 1002 },
  { name: `a ${type} message inside of a text message`, send: [start('a'), frame(opcode, 'b'), last('c')], close: 1002 },
  { name: `a ${type} message that is not final, inside of a text message`, send: [start('a'), frame(opcode, 'b', { fin: false }), last('c')], close: 1002 },
  { name: `a ${type} message inside of a binary message`, send: [frame(BINARY, 'a', { fin: false }), frame(opcode, 'b'), last('c')], close: 1002 },
  { name: `an empty ${type} message inside of a text message`, send: [start('a'), frame(opcode, '')], close: 1002 },
  { name: `a ${type} message behind the second fragment of a text`, send: [start('a'), more('b'), frame(opcode, 'c')], close: 1002 },
]);

const others = [
  { name: 'a text in fragments, then a binary in fragments', send: [...fragments(TEXT, ['a', 'b']), ...fragments(BINARY, ['c', 'd'])], get: ['ab', Buffer.from('cd')] },
  { name: 'a fragmented text and pings in turn, five times', send: Array.from({ length: 5 }, (_, i) => [start('a'), ping(`${i}`), last('b')]).flat(), get: Array.from({ length: 5 }, (_, i) => [{ pong: `${i}` }, 'ab']).flat() },
  { name: 'a continuation alone', send: last('x'), close: 1002 },
  { name: 'an empty continuation alone', send: last(''), close: 1002 },
  { name: 'a continuation that is not final, alone', send: more('x'), close: 1002 },
  { name: 'a continuation behind a ping', send: [ping('p'), last('x')], get: [{ pong: 'p' }], close: 1002 },
  { name: 'a message that never ends, and a close', send: [start('a'), more('b'), close(1000)], close: 1000 },
  { name: 'the first fragment of a binary, and a close', send: [binary('a', { fin: false }), close(1001)], close: 1001 },
  { name: 'a fragmented message that the next message is not part of', send: [...fragments(TEXT, ['a', 'b']), text('c')], get: ['ab', 'c'] },
  { name: '100 fragmented messages', send: Array.from({ length: 100 }, () => fragments(TEXT, ['x', '', 'y'])).flat(), get: Array(100).fill('xy') },
];

export const fragmentation = [...counted, ...shaped, ...sequences, ...others];
