// Frames of every size, and every way to write a length (RFC 6455 5.2).
import { BINARY, CONTINUATION, TEXT, binary, frame, hex, last, ping, text } from './frames.mjs';

const letters = (size) => 'parley, '.repeat(Math.ceil(size / 8)).slice(0, size);
const bytes = (size) => Buffer.from(Array.from({ length: size }, (_, i) => (i * 7 + 128) & 0xff));

const SIZES = [0, 1, 2, 3, 124, 125, 126, 127, 128, 255, 256, 1000, 4095, 4096, 16384, 65534, 65535, 65536, 65537, 131072];

const echoes = SIZES.flatMap((size) => [
  { name: `text of ${size} bytes`, send: text(letters(size)), get: [letters(size)] },
  { name: `binary of ${size} bytes`, send: binary(bytes(size)), get: [bytes(size)] },
]);

// "The minimal number of bytes MUST be used to encode the length": a frame that does not is broken.
const stricter = 'the RFC binds the sender; a receiver may be lenient';
const NOT_MINIMAL = [
  [16, 0], [16, 1], [16, 124], [16, 125],
  [64, 0], [64, 1], [64, 125], [64, 126], [64, 127], [64, 65535],
];
const notMinimal = NOT_MINIMAL.flatMap(([width, size]) => [
  { name: `text of ${size} bytes, its length in ${width} bits`, send: text(letters(size), { width }), close: 1002, stricter },
  { name: `binary of ${size} bytes, its length in ${width} bits`, send: binary(bytes(size), { width }), close: 1002, stricter },
  { name: `continuation of ${size} bytes, its length in ${width} bits`, send: [frame(TEXT, 'a', { fin: false }), last(letters(size), { width })], close: 1002, stricter },
]);

// The most significant bit of a 64-bit length must be 0.
const TOP_BIT = ['8000000000000000', '8000000000000005', 'ffffffffffffffff', '80000000ffffffff'];
const topBit = TOP_BIT.flatMap((length) => [TEXT, BINARY].map((opcode) => ({
  name: `${opcode === TEXT ? 'text' : 'binary'} whose length is 0x${length}`,
  send: [Buffer.from([0x80 | opcode, 0xff]), hex(length), hex('00000000')],
  close: [1002, 1009],
})));

// Several frames, one behind the other, all answered in order.
const sequences = [2, 3, 10, 100].flatMap((count) => {
  const texts = Array.from({ length: count }, (_, i) => `message ${i}`);
  return [
    { name: `${count} texts one behind the other`, send: texts.map((one) => text(one)), get: texts },
    { name: `${count} empty texts one behind the other`, send: texts.map(() => text('')), get: texts.map(() => '') },
    {
      name: `${count} texts and binaries in turn`,
      send: texts.map((one, i) => frame(i % 2 ? BINARY : TEXT, one)),
      get: texts.map((one, i) => (i % 2 ? Buffer.from(one) : one)),
    },
  ];
});

const mixed = [
  { name: 'sizes around the borders in one stream', send: [125, 126, 65535, 65536, 0, 1].map((size) => binary(bytes(size))), get: [125, 126, 65535, 65536, 0, 1].map(bytes) },
  { name: 'a large message between small ones', send: [text('a'), binary(bytes(100_000)), text('b')], get: ['a', bytes(100_000), 'b'] },
  { name: 'text with a NUL', send: text('a\0b'), get: ['a\0b'] },
  { name: 'text that looks like a frame', send: text(Buffer.from([0x01, 0x05, 0x48])), get: ['\x01\x05H'] },
  { name: 'binary of all bytes', send: binary(Buffer.from(Array.from({ length: 256 }, (_, i) => i))), get: [Buffer.from(Array.from({ length: 256 }, (_, i) => i))] },
  { name: 'binary of 0xff', send: binary(Buffer.alloc(300, 0xff)), get: [Buffer.alloc(300, 0xff)] },
  { name: 'binary of 0x00', send: binary(Buffer.alloc(300)), get: [Buffer.alloc(300)] },
  { name: 'a fragment whose length takes 16 bits', send: [frame(TEXT, letters(1000), { fin: false }), last(letters(1000))], get: [letters(1000) + letters(1000)] },
  { name: 'a fragment whose length takes 64 bits', send: [frame(BINARY, bytes(70_000), { fin: false }), frame(CONTINUATION, bytes(70_000))], get: [Buffer.concat([bytes(70_000), bytes(70_000)])] },
  { name: 'a ping whose length takes 16 bits', send: ping('abc', { width: 16 }), close: 1002 },
  { name: 'a ping whose length takes 64 bits', send: ping('abc', { width: 64 }), close: 1002 },
];

export const lengths = [...echoes, ...notMinimal, ...topBit, ...sequences, ...mixed];
