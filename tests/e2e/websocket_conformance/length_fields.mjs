// Every length field of a frame with the values at which things break, and what must come of each (RFC 6455 5.2, 5.5, 7.4.1).
import { BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, closing, frame } from './frames.mjs';

export const LIMIT = 16 * 1024 * 1024;  // of a message at /echo
const WIDTHS = [7, 16, 64];
const LARGEST = { 7: 125n, 16: 0xffffn, 64: 2n ** 64n - 1n };
const VALUES = [0, 1, 2, 124, 125, 126, 127, 65534, 65535, 65536, LIMIT - 1, LIMIT, LIMIT + 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32].map(BigInt)
  .concat(2n ** 53n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n);
const NAMES = { [CONTINUATION]: 'continuation', [TEXT]: 'text', [BINARY]: 'binary', [CLOSE]: 'close', [PING]: 'ping', [PONG]: 'pong' };
const SMALL = 65536n;  // up to here the payload is sent too

const LEAST = { 7: 0n, 16: 126n, 64: 65536n };

/** The codes with which the server may end it; undefined: it waits for the payload. */
function verdict(opcode, width, value) {
  if (opcode >= CLOSE) return width === 7 ? undefined : [1002];
  if (value < LEAST[width]) return [1002];
  if (value >= 2n ** 63n) return [1002, 1009];
  return value > LIMIT ? [1009] : undefined;
}

function row(opcode, width, value) {
  const ends = verdict(opcode, width, value);
  const whole = ends === undefined && value <= SMALL;
  let payload = whole ? Buffer.alloc(Number(value), 'x') : Buffer.alloc(0);
  // A close frame of one byte, or with a bad code, is wrong for other reasons than its length.
  if (opcode === CLOSE && whole && value >= 2n) payload = closing(1000, payload.subarray(2));
  const bytes = frame(opcode, payload, { length: value, width });
  const before = opcode === CONTINUATION ? [frame(TEXT, '', { fin: false })] : [];
  return {
    name: `${NAMES[opcode]}: ${value} in ${width} bits`, opcode, payload, whole,
    send: Buffer.concat([...before, bytes]),
    close: opcode === CLOSE && whole ? [value === 0n ? undefined : value === 1n ? 1002 : 1000] : ends,
  };
}

export const lengthFields = [CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG].flatMap((opcode) => (
  WIDTHS.flatMap((width) => VALUES.filter((value) => value <= LARGEST[width]).map((value) => row(opcode, width, value)))
));
