// A process that does nothing but send the same requests and drop the answers, so that what it takes of a processor is what sending takes
// (amplification.test.mjs).
import net from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { serveActions } from './worker.mjs';

// Of requests, and of their answers, that may be under way: as much as no server calls a client slow for.
const WRITE_BYTES = 64 * 1024;
const ANSWER_BYTES = 256 * 1024;
const PATIENCE_MS = 100;

class Line {
  received = 0;
  over = false;
  #wake = () => {};

  constructor(port) {
    this.socket = net.connect({ host: '127.0.0.1', port, noDelay: true });
    this.socket.on('error', () => {});
    this.socket.on('close', () => { this.over = true; this.#wake(); });
    this.socket.on('data', (bytes) => { this.received += bytes.length; this.#wake(); });
  }

  /** Until so many bytes have come, the line is over, or nothing has come for a while. */
  async until(bytes) {
    for (let last = -1; this.received < bytes && !this.over && last !== this.received;) {
      last = this.received;
      const timer = setTimeout(() => this.#wake(), PATIENCE_MS);
      await new Promise((resolve) => { this.#wake = resolve; });
      clearTimeout(timer);
    }
  }

  /** Until the answer to what was just sent is whole, for all one can tell; how many bytes it has. */
  async answer() {
    const before = this.received;
    await this.until(before + 1);
    for (let last = -1; last !== this.received && !this.over;) {
      last = this.received;
      await pause(15);
    }
    return this.received - before;
  }
}

/** One connection; as many at a time as it takes answers for. */
async function overOne({ port, first, requests, ms }) {
  const line = new Line(port);
  if (first) {
    line.socket.write(first);
    await line.answer();
  }
  line.socket.write(requests[0]);
  const size = await line.answer();
  const [request] = requests;
  const times = Math.max(1, Math.min(Math.floor(WRITE_BYTES / request.length), size > 0 ? Math.floor(ANSWER_BYTES / size) : Infinity));
  const bytes = Buffer.concat(Array(times).fill(request));
  const cpu = process.cpuUsage();
  let sent = 0;
  for (const end = performance.now() + ms; performance.now() < end && !line.over; sent += times) {
    const wanted = line.received + times * size;
    line.socket.write(bytes);
    if (size > 0) await line.until(wanted);
    else await new Promise((resolve) => { line.socket.write('', resolve); });
  }
  const { user, system } = process.cpuUsage(cpu);
  line.socket.destroy();
  return { sent, size, over: line.over, seconds: (user + system) / 1e6 };
}

/** A connection for each, since it takes only one. */
async function overMany({ port, requests, ms }) {
  const cpu = process.cpuUsage();
  let sent = 0;
  let size = 0;
  for (const end = performance.now() + ms; performance.now() < end; sent += 1) {
    const line = new Line(port);
    line.socket.write(requests[sent % requests.length]);
    await line.until(1);
    size = line.received;
    line.socket.resetAndDestroy();
  }
  const { user, system } = process.cpuUsage(cpu);
  return { sent, size, over: false, seconds: (user + system) / 1e6 };
}

serveActions({
  /**
   * Sends for so many milliseconds, each request over a connection of its own if they are `single`. Resolves with how often that was, what an answer
   * had, whether the server ended the connection, and the seconds of processor that it took.
   */
  flood({ port, first, requests, ms, single }) {
    const bytes = (text) => text && Buffer.from(text, 'base64');
    return (single ? overMany : overOne)({ port, first: bytes(first), requests: requests.map(bytes), ms });
  },
});
