// Readers of what `parley bench` publishes in a channel, which stop reading for a while: what each had in its kernel meanwhile, what it was given
// when it read on, and how soon.
import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { now } from './light_clients.mjs';
import { until } from './wait.mjs';
import { HANDSHAKE } from './wire.mjs';
import { TEXT, frame } from '../websocket_conformance/frames.mjs';

// The number of a message, behind the run and the stream (src/bench/payload.h).
const MESSAGE = /"b#\d{17}(\d{12})/g;
const MESSAGE_CHARS = 32;

class Sleeper {
  /** Numbers of messages, as they came. */
  heard = [];
  over = false;
  #rest = '';

  constructor(port, channel) {
    this.socket = net.connect({ host: '127.0.0.1', port, noDelay: true });
    this.socket.on('error', () => {});
    this.socket.on('close', () => { this.over = true; });
    this.channel = channel;
  }

  async open() {
    await once(this.socket, 'connect');
    this.socket.on('data', (bytes) => this.#read(bytes));
    this.socket.write(Buffer.concat([
      Buffer.from(HANDSHAKE), frame(TEXT, '{"id":1,"connect":{}}'), frame(TEXT, JSON.stringify({ id: 2, subscribe: { channel: this.channel } })),
    ]));
    await until(() => this.heard.length > 0, 'a message');
    return this;
  }

  #read(bytes) {
    const text = this.#rest + bytes.latin1Slice();
    let end = 0;
    for (const found of text.matchAll(MESSAGE)) {
      this.heard.push(Number(found[1]));
      end = found.index + MESSAGE_CHARS;
    }
    this.#rest = text.slice(Math.max(end, text.length - MESSAGE_CHARS + 1));
  }

  get last() { return this.heard.at(-1); }

  /** Sleeps for so long, and tells how it went on, in messages. `newest`: which has been published by now. */
  async sleep(ms, newest) {
    this.socket.pause();
    const from = this.last;
    await pause(ms);
    const top = newest();
    const woken = now();
    this.socket.resume();
    await until(() => this.over || this.last >= top, () => `message ${top}; it has ${this.last}`, 5_000);
    const took = now() - woken;
    await pause(500);
    this.socket.destroy();
    const jumps = this.heard.flatMap((n, i) => (i > 0 && n !== this.heard[i - 1] + 1 ? [{ before: this.heard[i - 1], behind: n }] : []));
    return { from, top, took, jumps, skipped: jumps.reduce((sum, { before, behind }) => sum + behind - before - 1, 0) };
  }
}

/** So many, of whom the first sleeps `least` ms, the last `most`, all at once. Resolves with how each went on. */
export async function sleepers(port, channel, count, least, most) {
  const watcher = await new Sleeper(port, channel).open();
  const all = await Promise.all(Array.from({ length: count }, () => new Sleeper(port, channel).open()));
  const results = await Promise.all(all.map((one, i) => one.sleep(least + ((most - least) * i) / (count - 1), () => watcher.last)));
  watcher.socket.destroy();
  return results;
}
