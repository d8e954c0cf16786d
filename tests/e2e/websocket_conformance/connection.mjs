// A bare TCP connection to the endpoint under test: bytes out in pieces, bytes in as a response and frames.
import { createHash } from 'node:crypto';
import net from 'node:net';
import { within } from '../lib/wait.mjs';
import { termsOf } from './deflate.mjs';
import { FrameReader } from './frame_reader.mjs';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
export const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
export const PATIENCE_MS = 15_000;

export const acceptOf = (key) => createHash('sha1').update(key + GUID).digest('base64');

/** The usual handshake, with further header lines. */
export function handshake(path, headers = []) {
  return [`GET ${path} HTTP/1.1`, 'Host: localhost', 'Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Key: ${KEY}`,
    'Sec-WebSocket-Version: 13', ...headers, '', ''].join('\r\n');
}

/** {status, headers: Map of lower-case name to values, rest} of the bytes of a response, once its head is whole. */
export function parseHead(bytes) {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [line, ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const status = /^HTTP\/1\.1 (\d{3}) /.exec(line);
  const headers = new Map();
  for (const one of lines) {
    const colon = one.indexOf(':');
    const name = one.slice(0, colon).toLowerCase();
    headers.set(name, [...(headers.get(name) ?? []), one.slice(colon + 1).trim()]);
  }
  return { line, status: status ? Number(status[1]) : undefined, headers, rest: bytes.subarray(end + 4) };
}

export class Connection {
  head;  // of the response
  reader;
  ended = false;  // the server has ended its side
  error;
  #bytes = Buffer.alloc(0);
  #socket;
  #changed = () => {};

  constructor(port) {
    this.#socket = net.connect({ host: '127.0.0.1', port, noDelay: true });
    this.#socket.on('data', (bytes) => this.#take(bytes));
    this.#socket.on('end', () => { this.ended = true; this.#changed(); });
    this.#socket.on('error', (error) => { this.error = error; this.ended = true; this.#changed(); });
    this.#socket.on('close', () => { this.ended = true; this.#changed(); });
  }

  #take(bytes) {
    if (this.reader) {
      this.reader.feed(bytes);
    } else {
      this.#bytes = Buffer.concat([this.#bytes, bytes]);
      this.head ??= parseHead(this.#bytes);
    }
    this.#changed();
  }

  /** From here on, what comes is frames, compressed as the response says. */
  readFrames() {
    this.reader = new FrameReader(termsOf(this.head.headers.get('sec-websocket-extensions')?.[0]));
    if (this.head.rest.length > 0) this.reader.feed(this.head.rest);
  }

  /** Resolves when the kernel has the bytes; what the server does not want any more is nobody's fault. */
  write(bytes) {
    if (this.ended || this.#socket.destroyed) return Promise.resolve();
    return new Promise((resolve) => { this.#socket.write(bytes, () => resolve()); });
  }

  /** Resolves when `condition` holds or the server has ended its side; fails when neither comes. */
  async until(condition, what) {
    if (condition() || this.ended) return;
    let resolve;
    const done = new Promise((settle) => { resolve = settle; });
    this.#changed = () => { if (condition() || this.ended) resolve(); };
    await within(done, typeof what === 'function' ? what() : what, PATIENCE_MS);
    this.#changed = () => {};
  }

  pause() { this.#socket.pause(); }
  resume() { this.#socket.resume(); }
  end() { this.#socket.end(); }
  destroy() { this.#socket.destroy(); }
}

/** A connection behind a good handshake, and what was agreed on in it. */
export async function openFrames(port, path, headers) {
  const connection = new Connection(port);
  await connection.write(handshake(path, headers));
  await connection.until(() => connection.head, 'the answer to the handshake');
  if (connection.head?.status !== 101) throw new Error(`refused: ${connection.head?.line ?? connection.error?.message}`);
  connection.readFrames();
  return connection;
}
