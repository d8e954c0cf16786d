// A TCP proxy on loopback that does to a line what networks do.
import { once } from 'node:events';
import net from 'node:net';

/** Does things in their order, each not before its time. */
class Delay {
  #queue = [];
  #timer;

  add(ms, action) {
    if (ms === 0 && this.#queue.length === 0) return action();
    this.#queue.push({ at: Date.now() + ms, action });
    this.#timer ??= setTimeout(() => this.#run(), ms);
  }

  #run() {
    this.#timer = undefined;
    while (this.#queue.length > 0 && this.#queue[0].at <= Date.now()) this.#queue.shift().action();
    if (this.#queue.length > 0) this.#timer = setTimeout(() => this.#run(), Math.max(1, this.#queue[0].at - Date.now()));
  }
}

/** One client's connection through the proxy, and the proxy's own to the server. */
class Line {
  #client;
  #server;
  #proxy;
  #budget = Infinity;

  constructor(proxy, client, targetPort) {
    this.#proxy = proxy;
    this.#client = client;
    this.#server = net.connect({ host: '127.0.0.1', port: targetPort });
    for (const [from, to] of [[client, this.#server], [this.#server, client]]) {
      const delay = new Delay();
      from.setNoDelay(true);
      from.on('data', (bytes) => this.#forward(from, to, bytes, delay));
      from.on('end', () => delay.add(proxy.delay, () => to.end()));
      from.on('error', () => this.cut('rst'));
      from.on('close', () => {
        proxy.lines.delete(this);
        delay.add(proxy.delay, () => to.destroySoon());
      });
    }
    if (proxy.paused) this.pause();
  }

  #forward(from, to, bytes, delay) {
    if (this.#budget < bytes.length) {
      const last = bytes.subarray(0, this.#budget);
      delay.add(this.#proxy.delay, () => to.write(last, () => this.cut('rst')));
      this.#budget = 0;
      from.pause();
      return;
    }
    this.#budget -= bytes.length;
    delay.add(this.#proxy.delay, () => {
      if (to.destroyed || to.write(bytes)) return;
      from.pause();
      to.once('drain', () => { if (!this.#proxy.paused) from.resume(); });
    });
  }

  /** 'rst' throws away what is under way, 'fin' ends both sides in order. */
  cut(how) {
    for (const socket of [this.#client, this.#server]) {
      if (how === 'fin') socket.destroySoon();
      else socket.resetAndDestroy();
    }
  }

  /** Forwards this many more bytes, in either direction, and then resets: in the middle of a frame if need be. */
  cutAfter(bytes) {
    this.#budget = bytes;
  }

  pause() {
    this.#client.pause();
    this.#server.pause();
  }

  resume() {
    this.#client.resume();
    this.#server.resume();
  }
}

class Proxy {
  lines = new Set();
  /** Milliseconds that every byte takes. */
  delay = 0;
  /** While true, whoever connects is thrown out. */
  refusing = false;
  paused = false;
  /** Connections that were let through so far. */
  accepted = 0;
  #server;
  #targetPort;
  #cutNext;

  constructor(targetPort) {
    this.#targetPort = targetPort;
    this.#server = net.createServer((client) => {
      if (this.refusing) {
        client.on('error', () => {});
        client.resetAndDestroy();
        return;
      }
      this.accepted += 1;
      const line = new Line(this, client, this.#targetPort);
      this.lines.add(line);
      if (this.#cutNext !== undefined) line.cutAfter(this.#cutNext);
      this.#cutNext = undefined;
    });
  }

  async listen() {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  get port() { return this.#server.address().port; }
  get url() { return `http://127.0.0.1:${this.port}`; }

  cut(how = 'rst') {
    for (const line of this.lines) line.cut(how);
  }

  cutAfter(bytes) {
    for (const line of this.lines) line.cutAfter(bytes);
  }

  /** The same for the next line that comes. */
  cutNext(bytes) { this.#cutNext = bytes; }

  /** Half-open: connected, and nothing goes through. */
  pause() {
    this.paused = true;
    for (const line of this.lines) line.pause();
  }

  resume() {
    this.paused = false;
    for (const line of this.lines) line.resume();
  }

  /** Cuts all lines, and lets nobody in until restore(). */
  breakDown(how = 'rst') {
    this.refusing = true;
    this.cut(how);
  }

  restore() {
    this.refusing = false;
    if (this.paused) this.resume();
  }

  async close() {
    this.refusing = true;
    this.#server.close();
    this.cut();
  }
}

/** @returns {Promise<Proxy>} a proxy in front of a port of loopback, on a port of its own */
export async function startProxy(targetPort) {
  return new Proxy(targetPort).listen();
}
