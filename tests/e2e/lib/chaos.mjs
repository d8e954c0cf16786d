// Runs many readers behind lines that break, publishes all the while, and writes down everything that happens.
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { openDoors } from './doors.mjs';
import { HistoryLog, logFolder } from './history_log.mjs';
import { api } from './http.mjs';
import { Random } from './random.mjs';
import { until } from './wait.mjs';
import { Worker } from './worker.mjs';

const WORKER = new URL('chaos_worker.mjs', import.meta.url);

/** Whether the server said that it does not publish; otherwise nobody knows. */
const isRefusal = (error) => error.code === 'ERR_ASSERTION' || error.code > 100;

/** One publisher at one door: writes down what it sends and what it is answered. */
class Publisher {
  sent = 0;
  acked = 0;
  #log;
  #name;
  #door;

  constructor(log, name, door) {
    this.#log = log;
    this.#name = name;
    this.#door = door;
  }

  /** Whether that was acknowledged. */
  async publish(channel, id, text = '') {
    const who = { client: this.#name, channel, value: id };
    this.sent += 1;
    this.#log.add('sent', who);
    try {
      const { epoch, offset } = await this.#door.publish(channel, { id, text });
      this.#log.add('acked', { ...who, epoch, offset });
      this.acked += 1;
      return true;
    } catch (error) {
      this.#log.add(isRefusal(error) ? 'refused' : 'unknown', who);
      return false;
    }
  }

  /** One after another, each in its time. */
  async publishAll(channel, everyMs, random, deadline) {
    let n = 0;
    for (let due = Date.now() + random.between(0, everyMs); due < deadline; due += everyMs) {
      await pause(Math.max(0, due - Date.now()));
      n += 1;
      await this.publish(channel, `${this.#name}.${channel}.${n}`, 'x'.repeat(random.integer(0, 200)));
    }
  }
}

const shareOut = (readers, workers) => Array.from({ length: workers }, (_, w) => readers.filter((_, i) => i % workers === w));

export class Chaos {
  #options;
  #log;
  #files = [];
  #workers = [];
  #doors;
  #publishers;

  /**
   * @param options name, channels, centrifuge, eventsource (how many readers), workers, doors (names; each publishes its share), rate
   *   (publications a second), seconds, drops (of each line), window (what recovery is promised for), longShare and longMs (outages that last longer)
   */
  constructor(server, options, seed) {
    this.server = server;
    this.#options = options;
    this.seed = seed;
    this.channels = Array.from({ length: options.channels }, (_, i) => `c${i}`);
  }

  #file(name) {
    const file = path.join(logFolder(this.#options.name), `${name}.jsonl`);
    this.#files.push(file);
    return file;
  }

  get files() { return this.#files; }

  note(kind, fields = {}) {
    this.#log.add(kind, fields);
  }

  /** Resolves when all readers are subscribed. */
  async start() {
    const { name, workers, centrifuge, eventsource, doors } = this.#options;
    rmSync(logFolder(name), { recursive: true, force: true });
    mkdirSync(logFolder(name), { recursive: true });
    this.#log = new HistoryLog(this.#file('run'));
    const kinds = { centrifuge, eventsource };
    const readers = Object.entries(kinds).flatMap(([kind, count]) => Array.from({ length: count }, (_, i) => (
      { name: `${kind[0]}${i}`, kind, channel: this.channels[i % this.channels.length] })));
    await Promise.all(shareOut(readers, workers).map((share, w) => {
      const worker = new Worker(WORKER);
      this.#workers.push(worker);
      const { seconds, drops, window, longShare, longMs } = this.#options;
      return worker.ask('start', { port: this.server.port, seed: this.seed + 10_000 * w, log: this.#file(`readers-${w}`), readers: share, ms: seconds * 1000, drops, window, longShare, longMs });
    }));
    this.#doors = await openDoors(this.server);
    this.#publishers = doors.map((name, i) => new Publisher(this.#log, `${name}${i}`, this.#doors.doors.find((door) => door.name === name)));
  }

  /** Publishes while lines break and `faults` does to the server what it likes. */
  async disturb(faults) {
    const deadline = Date.now() + this.#options.seconds * 1000;
    const everyMs = (this.#publishers.length * this.channels.length * 1000) / this.#options.rate;
    await this.#all('disturb');
    const begun = Date.now();
    await Promise.all([faults(), ...this.#publishers.flatMap((publisher, p) => this.channels.map(
      (channel, c) => publisher.publishAll(channel, everyMs, new Random(this.seed + 1_000_000 + 10 * c + p), deadline)))]);
    this.seconds = (Date.now() - begun) / 1000;
  }

  /** Everything whole again; one more publication in each channel shows that all has come. */
  async heal() {
    await this.#all('heal');
    this.note('healed');
    await this.#all('settle');
    const [publisher] = this.#publishers;
    const last = {};
    for (const channel of this.channels) {
      for (let n = 0; ; n += 1) {
        last[channel] = `last.${channel}.${n}`;
        if (await publisher.publish(channel, last[channel])) break;
      }
    }
    const results = await this.#all('finish', last);
    await this.#readHistories();
    await this.#readPresence(results.flatMap(({ members }) => members));
    this.note('quiet');
    this.#log.close();
    return this.#summary(results);
  }

  async #all(action, argument) {
    return Promise.all(this.#workers.map((worker) => worker.ask(action, argument)));
  }

  /** What history says now must be what everybody was told. */
  async #readHistories() {
    for (const channel of this.channels) {
      const { publications, epoch } = await api(this.server, 'history', { channel, limit: -1 });
      const who = { client: 'history', channel };
      this.note('subscribed', { ...who, epoch, offset: publications[0].offset - 1 });
      for (const { offset, data } of publications) this.note('delivered', { ...who, value: data.id, offset });
    }
  }

  async #readPresence(members) {
    for (const { channel, member } of members) this.note('entered', { channel, member });
    for (const channel of this.channels) {
      const expected = members.filter((one) => one.channel === channel).length;
      let present;
      const settled = async () => {
        const { presence } = await api(this.server, 'presence', { channel });
        present = Object.keys(presence);
        return present.length === expected;
      };
      await until(settled, 'presence', 5_000).catch(() => {});
      this.note('presence', { client: 'server', channel, members: present });
    }
  }

  #summary(results) {
    const total = {};
    for (const { counts } of results) for (const [what, n] of Object.entries(counts)) total[what] = (total[what] ?? 0) + n;
    const sum = (what) => this.#publishers.reduce((all, publisher) => all + publisher[what], 0);
    return {
      publications: sum('sent'),
      acknowledged: sum('acked'),
      publicationsPerSecond: Math.round(sum('sent') / this.seconds),
      ...total,
      lacking: results.flatMap(({ lacking }) => lacking),
      load: results.map(({ load }) => load),
    };
  }

  end() {
    this.#doors?.close();
    for (const worker of this.#workers) worker.end();
  }
}
