// A server's frames, read as strictly as a client may (RFC 6455 5, RFC 7692 7): what breaks a rule is a fault.
import zlib from 'node:zlib';
import { BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT } from './frames.mjs';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const TAIL = Buffer.from([0, 0, 0xff, 0xff]);

export function isText(bytes) {
  try {
    utf8.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** Codes that a close frame may carry. */
export const mayBeSent = (code) => (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || (code >= 3000 && code <= 4999);

/** Inflates the messages of one direction of a connection. */
class Inflater {
  #window = Buffer.alloc(0);  // the last 32 KiB of what was inflated
  constructor({ takeover, bits }) {
    this.takeover = takeover;
    this.bits = bits;
  }

  inflate(payload) {
    const dictionary = this.#window.length > 0 ? this.#window : undefined;
    const out = zlib.inflateRawSync(Buffer.concat([payload, TAIL]), { windowBits: this.bits, dictionary, finishFlush: zlib.constants.Z_SYNC_FLUSH });
    if (this.takeover) this.#window = Buffer.concat([this.#window, out]).subarray(-(2 ** this.bits));
    return out;
  }
}

/** Bytes in, {messages, pongs, close, fault} out. */
export class FrameReader {
  messages = [];  // {binary, bytes, compressed}
  pongs = [];
  pings = [];
  close;  // {code, reason}; code undefined: the frame was empty
  fault;
  #bytes = Buffer.alloc(0);
  #chunks = [];
  #waiting = 0;
  #wanted = 2;
  #open;  // the message of which not all fragments are there
  #inflater;

  /** `deflate`: what the server's direction was agreed to, {takeover, bits}; none without compression. */
  constructor(deflate) {
    if (deflate) this.#inflater = new Inflater(deflate);
  }

  feed(bytes) {
    this.#chunks.push(bytes);
    this.#waiting += bytes.length;
    if (this.#waiting < this.#wanted) return;
    this.#bytes = Buffer.concat(this.#chunks);
    while (!this.fault && this.#next());
    this.#chunks = [this.#bytes];
    this.#waiting = this.#bytes.length;
  }

  get compresses() { return this.#inflater !== undefined; }

  /** Whether nothing but whole frames has come. */
  get atBorder() { return this.#waiting === 0; }

  #fail(what) {
    this.fault ??= what;
    return false;
  }

  #next() {
    const bytes = this.#bytes;
    this.#wanted = 2;
    if (bytes.length < 2) return false;
    if (this.close) return this.#fail('bytes behind the close frame');
    const seven = bytes[1] & 0x7f;
    const size = seven < 126 ? 2 : seven === 126 ? 4 : 10;
    this.#wanted = size;
    if (bytes.length < size) return false;
    const length = seven < 126 ? seven : seven === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
    if (bytes[1] & 0x80) return this.#fail('a masked frame');
    if ((seven === 126 && length < 126) || (seven === 127 && length < 65536)) return this.#fail(`length ${length} in ${size} bytes`);
    this.#wanted = size + length;
    if (bytes.length < size + length) return false;
    const header = { fin: (bytes[0] & 0x80) !== 0, rsv: bytes[0] >> 4 & 7, opcode: bytes[0] & 0xf };
    this.#bytes = bytes.subarray(size + length);
    this.#frame(header, bytes.subarray(size, size + length));
    return !this.fault;
  }

  #frame({ fin, rsv, opcode }, payload) {
    const first = opcode === TEXT || opcode === BINARY;
    if (rsv !== 0 && !(rsv === 4 && first && this.#inflater)) return this.#fail(`reserved bits ${rsv}`);
    if (opcode & 8) {
      if (!fin || payload.length > 125) return this.#fail('a long or split control frame');
      return this.#control(opcode, payload);
    }
    if (first && this.#open) return this.#fail('a message inside of another');
    if (opcode === CONTINUATION && !this.#open) return this.#fail('a continuation of nothing');
    if (!first && opcode !== CONTINUATION) return this.#fail(`opcode ${opcode}`);
    this.#open ??= { binary: opcode === BINARY, compressed: rsv === 4, parts: [] };
    this.#open.parts.push(payload);
    return fin ? this.#message() : undefined;
  }

  #message() {
    const { binary, compressed, parts } = this.#open;
    this.#open = undefined;
    let bytes = Buffer.concat(parts);
    try {
      if (compressed) bytes = this.#inflater.inflate(bytes);
    } catch (error) {
      return this.#fail(`not to be inflated: ${error.message}`);
    }
    if (!binary && !isText(bytes)) return this.#fail('text that is not UTF-8');
    return this.messages.push({ binary, bytes, compressed });
  }

  #control(opcode, payload) {
    if (opcode === PING) return this.pings.push(payload);
    if (opcode === PONG) return this.pongs.push(payload);
    if (opcode !== CLOSE) return this.#fail(`opcode ${opcode}`);
    if (payload.length === 1) return this.#fail('a close frame of one byte');
    this.close = payload.length === 0 ? {} : { code: payload.readUInt16BE(0), reason: payload.subarray(2) };
    if (payload.length > 0 && !mayBeSent(this.close.code)) return this.#fail(`close code ${this.close.code}`);
    if (payload.length > 0 && !isText(this.close.reason)) return this.#fail('a close reason that is not UTF-8');
    return undefined;
  }
}
