// The Centrifuge protocol as it is on the wire, without an SDK in between.
import { once } from 'node:events';
import net from 'node:net';
import WebSocket from 'ws';
import { websocketUrl } from './clients.mjs';
import { until, within } from './wait.mjs';

/** A WebSocket that speaks the Centrifuge protocol only as far as the test does. */
export class Wire {
  /** Every reply and push, in order; empty ones are pings. */
  received = [];
  #socket;
  #closed;
  #id = 0;

  constructor(url, options) {
    this.#socket = new WebSocket(websocketUrl(url), 'centrifuge-json', { perMessageDeflate: false, ...options });
    this.#socket.on('message', (text) => {
      for (const line of String(text).split('\n')) this.received.push(JSON.parse(line));
    });
    this.#socket.on('error', (error) => { this.error = error; });
    this.#closed = new Promise((resolve) => {
      this.#socket.on('close', (code, reason) => resolve({ code, reason: String(reason) }));
    });
  }

  async opened() {
    if (this.#socket.readyState === WebSocket.CONNECTING) await within(once(this.#socket, 'open'), 'open WebSocket');
    return this;
  }

  /** Sends text as one message; objects become a line each. */
  send(...commands) {
    this.#socket.send(commands.map((command) => (typeof command === 'string' ? command : JSON.stringify(command))).join('\n'));
  }

  /** The TCP connection, to write what no WebSocket library would. */
  get raw() { return this.#socket._socket; }
  get socket() { return this.#socket; }

  /** Sends a command with the next id, and resolves with its reply. */
  async ask(command) {
    this.#id += 1;
    const id = this.#id;
    this.send({ id, ...command });
    return this.reply(id);
  }

  reply(id, ms) {
    return until(() => this.received.find((reply) => reply.id === id), () => `the reply to command ${id}; there is ${JSON.stringify(this.received)}`, ms);
  }

  connect(request = {}) { return this.ask({ connect: request }); }

  pushes(kind) { return this.received.filter(({ push }) => push?.[kind]).map(({ push }) => push); }

  closed(ms = 5_000) { return within(this.#closed, 'the end of the connection', ms); }
  terminate() { this.#socket.terminate(); }
}

export async function openWire(url, options) {
  return new Wire(url, options).opened();
}

export const HANDSHAKE = [
  'GET /connection/websocket HTTP/1.1', 'Host: 127.0.0.1', 'Upgrade: websocket', 'Connection: Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Protocol: centrifuge-json', '', '',
].join('\r\n');

/** A bare TCP connection with a record of what came. */
export class Tcp {
  text = '';
  constructor(port) {
    this.socket = net.connect({ host: '127.0.0.1', port });
    this.socket.on('data', (bytes) => { this.text += bytes.toString('latin1'); });
    this.socket.on('error', (error) => { this.error = error; });
    this.ended = new Promise((resolve) => { this.socket.once('close', resolve); });
  }

  async connected() {
    if (this.socket.connecting) await once(this.socket, 'connect');
    return this;
  }

  write(bytes) { this.socket.write(bytes); }
  /** Resolves when the text has what is wanted. */
  async has(wanted, ms) {
    await until(() => this.text.includes(wanted), () => `${JSON.stringify(wanted)} in ${JSON.stringify(this.text.slice(-500))}`, ms);
  }
  /** Vanishes without a goodbye. */
  reset() { this.socket.resetAndDestroy(); }
}

export async function openTcp(port) {
  return new Tcp(port).connected();
}
