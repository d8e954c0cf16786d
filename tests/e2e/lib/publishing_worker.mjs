// A process that publishes over several connections, as much as is acknowledged or as much as it is told to, and takes the time of each answer
// (publish_overload.test.mjs).
import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { now } from './light_clients.mjs';
import { serveActions } from './worker.mjs';
import { HANDSHAKE } from './wire.mjs';
import { TEXT, frame } from '../websocket_conformance/frames.mjs';

const FIRST_ID = 100_000_000;
const TICK_MS = 5;
const UNMASKED = { mask: [0, 0, 0, 0] };
// What waits in this process for the kernel to take it is not offered to anybody.
const WAITING_BYTES = 65_536;

// Times of so many publications of a connection are kept (8 MiB; in an overload of 80,000 a second 13 s), and one of so many is weighed. An answer later than that
// is counted: its time is another's.
const KEPT = 1 << 20;
const SAMPLE = 8;

class Publisher {
  sent = 0;
  acked = 0;
  refused = {};
  latencies = [];
  unweighed = 0;
  over = false;
  waiting = 0;
  #times = new Float64Array(KEPT);
  #id = FIRST_ID;
  #rest = '';

  constructor(port, channel, payload) {
    this.socket = net.connect({ host: '127.0.0.1', port, noDelay: true });
    this.socket.on('error', () => {});
    this.socket.on('close', () => { this.over = true; });
    this.template = frame(TEXT, `{"id":${FIRST_ID},"publish":{"channel":"${channel}","data":"${'x'.repeat(payload)}"}}`, UNMASKED);
    this.at = this.template.indexOf(String(FIRST_ID));
  }

  async open() {
    await once(this.socket, 'connect');
    this.socket.write(Buffer.concat([Buffer.from(HANDSHAKE), frame(TEXT, '{"id":1,"connect":{}}', UNMASKED)]));
    for (let text = ''; !text.includes('{"id":1,'); text += (await once(this.socket, 'data'))[0].latin1Slice());
    this.socket.on('data', (bytes) => this.#read(bytes));
  }

  publish(count) {
    if (count <= 0 || this.over) return;
    const size = this.template.length;
    const out = Buffer.alloc(count * size, this.template);
    const at = now();
    for (let i = 0; i < count; i += 1) {
      this.#id += 1;
      out.latin1Write(String(this.#id), i * size + this.at);
      this.#times[this.#id % KEPT] = at;
    }
    this.socket.write(out);
    this.sent += count;
    this.waiting += count;
  }

  #read(bytes) {
    // A reply is found by its text, which no frame's head looks like; pings of the server are not answered, there is time enough.
    const text = this.#rest + bytes.latin1Slice();
    const at = now();
    let from = 0;
    for (;;) {
      const found = text.indexOf('"id":', from);
      if (found < 0 || found + (text[found + 16] === 'e' ? 34 : 17) > text.length) break;
      from = found + 16;
      this.waiting -= 1;
      if (text[found + 16] === 'e') {
        const code = text.slice(found + 31, found + 34);
        this.refused[code] = (this.refused[code] ?? 0) + 1;
      } else {
        this.acked += 1;
        if (this.acked % SAMPLE === 0) this.#weigh(Number(text.slice(found + 5, found + 14)), at);
      }
    }
    this.#rest = text.slice(Math.max(from, text.length - 44));
  }

  #weigh(id, at) {
    if (this.#id - id < KEPT) this.latencies.push(at - this.#times[id % KEPT]);
    else this.unweighed += 1;
  }
}

let publishers = [];

/** What was answered since it was asked the last time. */
function take(ms) {
  const latencies = Float64Array.from(publishers.flatMap((publisher) => publisher.latencies.splice(0))).sort();
  const refused = {};
  let [sent, acked, unweighed] = [0, 0, 0];
  for (const publisher of publishers) {
    for (const [code, n] of Object.entries(publisher.refused)) refused[code] = (refused[code] ?? 0) + n;
    sent += publisher.sent;
    acked += publisher.acked;
    unweighed += publisher.unweighed;
    Object.assign(publisher, { refused: {}, sent: 0, acked: 0, unweighed: 0 });
  }
  const part = (p) => latencies[Math.floor(latencies.length * p)] ?? null;
  return { ms, sent, acked, refused, unweighed, p50: part(0.5), p99: part(0.99), most: latencies.at(-1) ?? null, over: publishers.filter(({ over }) => over).length };
}

serveActions({
  async open({ port, channels, payload }) {
    publishers = channels.map((channel) => new Publisher(port, channel, payload));
    await Promise.all(publishers.map((publisher) => publisher.open()));
  },
  /** So many at a time on each connection, the next when half are answered. */
  async saturate({ window, ms }) {
    const begun = now();
    while (now() - begun < ms) {
      for (const publisher of publishers) if (publisher.waiting <= window / 2) publisher.publish(window - publisher.waiting);
      await new Promise((resolve) => { setImmediate(resolve); });
    }
    const result = take(now() - begun);
    while (publishers.some(({ waiting, over }) => waiting > 0 && !over)) await pause(5);
    take(0);
    return result;
  },
  /** So many a second over all, answered or not; what a connection does not take is not sent, and counted. */
  async offer({ rate, ms }) {
    const begun = now();
    let [due, unsent] = [0, 0];
    while (now() - begun < ms) {
      const owed = Math.floor(((now() - begun) / 1000) * rate) - due;
      const each = Math.floor(owed / publishers.length);
      for (const publisher of publishers) {
        if (publisher.socket.writableLength < WAITING_BYTES) publisher.publish(each);
        else unsent += each;
      }
      due += each * publishers.length;
      await pause(TICK_MS);
    }
    return { ...take(now() - begun), unsent };
  },
  /** What is answered of that when no more is offered. */
  async drain() {
    const begun = now();
    while (publishers.some(({ waiting, over }) => waiting > 0 && !over) && now() - begun < 45_000) await pause(20);
    return { ...take(now() - begun), unanswered: publishers.reduce((all, { waiting }) => all + waiting, 0) };
  },
});
