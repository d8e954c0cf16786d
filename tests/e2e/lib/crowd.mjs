// Thousands of light clients in a few processes, cut and brought back together.
import os from 'node:os';
import { now } from './light_clients.mjs';
import { Worker } from './worker.mjs';

const WORKER = new URL('crowd_worker.mjs', import.meta.url);
const BEHIND = os.constants.priority.PRIORITY_LOW;

export class Crowd {
  #workers;
  // Of its own: a search for a free port takes long where another crowd has just left thousands behind that are not free yet.
  #network = 1 + Math.floor(Math.random() * 254);

  /** `behind`: their own work comes after the server's and that of others here, as if they were on machines of their own. */
  constructor(workers, { behind = false } = {}) {
    this.#workers = Array.from({ length: workers }, () => new Worker(WORKER));
    if (behind) for (const { pid } of this.#workers) os.setPriority(pid, BEHIND);
  }

  /** What each worker answers, in one list. */
  async #all(action, argumentOf) {
    const answers = await Promise.all(this.#workers.map((worker, w) => worker.ask(action, argumentOf?.(w) ?? {})));
    return answers.flat();
  }

  /** `count` clients, evenly on the channels. `atOnce`: how many handshakes are under way at a time. Resolves with {at, steps, refused: how each time} of each. */
  async open(port, { kind, count, channels, atOnce = 128, timed = false }) {
    const list = Array.from({ length: count }, (_, i) => channels[i % channels.length]);
    const each = this.#workers.length;
    return this.#all('open', (w) => ({
      // An address of its own, so that there are ports enough.
      port, kind, timed, address: `127.${this.#network}.0.${2 + w}`, atOnce: Math.ceil(atOnce / each), channels: list.filter((_, i) => Math.floor(i / channels.length) % each === w),
    }));
  }

  /** All lines break at once. */
  cut() { return this.#all('cut'); }

  /** All come back, each after a random part of `jitterMs`. Resolves with {at, steps, refused: how each time} of each. */
  comeBack(jitterMs = 0) { return this.#all('comeBack', () => ({ jitterMs })); }
  caughtUp(ms) { return this.#all('caughtUp', () => ({ ms })); }
  async lacking(last, ms) { return (await this.#all('lacking', () => ({ last, ms }))).reduce((a, b) => a + b, 0); }
  /** All ask for so much history, again and again. */
  async askHistory(limit, ms) {
    const all = await this.#all('askHistory', () => ({ limit, ms }));
    return all.reduce((a, b) => ({ answers: a.answers + b.answers, lacking: a.lacking + b.lacking }));
  }

  latencies() { return this.#all('latencies'); }
  ends(ms) { return this.#all('ends', () => ({ ms })); }

  async counts() {
    const total = {};
    for (const one of await this.#all('counts')) for (const [what, n] of Object.entries(one)) total[what] = (total[what] ?? 0) + n;
    return total;
  }

  end() { for (const worker of this.#workers) worker.end(); }
}

/** Publishes {n, t} in each channel, so many times a second, until stop(). */
export class SteadyPublisher {
  /** When each round was acknowledged. */
  acked = [];
  #stopped = false;
  #done;

  constructor(server, channels, rate, tickMs = 100) {
    this.rounds = 0;
    this.#done = this.#run(server, channels, rate, tickMs);
    this.#done.catch(() => {});
    this.channels = channels;
  }

  async #run(server, channels, rate, tickMs) {
    const begun = now();
    while (!this.#stopped) {
      const due = Math.floor(((now() - begun) / 1000) * rate);
      while (this.rounds < due) {
        const n = this.rounds + 1;
        const t = now();
        const answer = await fetch(`${server.url}/api/batch`, { method: 'POST', body: JSON.stringify({ commands: channels.map((channel) => ({ publish: { channel, data: { n, t } } })) }) });
        const { replies } = await answer.json();
        const wrong = replies.find(({ publish }) => publish?.offset !== n);
        if (wrong) throw new Error(`publication ${n} was answered ${JSON.stringify(wrong)}`);
        this.rounds = n;
        this.acked.push(now());
      }
      await new Promise((resolve) => { setTimeout(resolve, tickMs / 4); });
    }
    this.seconds = (now() - begun) / 1000;
  }

  /** Resolves with the last offset of each channel. */
  async stop() {
    this.#stopped = true;
    await this.#done;
    return Object.fromEntries(this.channels.map((channel) => [channel, this.rounds]));
  }
}
