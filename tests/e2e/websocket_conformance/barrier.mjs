// Knows when the server has read what was written before, without waiting for time to pass: it answers a later ping.
import { ping } from './frames.mjs';
import { openFrames } from './connection.mjs';

/** One for all connections to a server with one shard: whoever waits shares the next round trip with the others. */
export class Barrier {
  #connection;
  #next;  // the round trip that has not begun
  #running;
  rounds = 0;

  async open(port, path) {
    this.#connection = await openFrames(port, path);
    return this;
  }

  /** Resolves when everything written before has been read. */
  passed() {
    this.#next ??= (async () => {
      await this.#running;
      // Who comes from here on may have written after the ping.
      this.#running = this.#next;
      this.#next = undefined;
      const wanted = this.#connection.reader.pongs.length + 1;
      await this.#connection.write(ping('barrier'));
      await this.#connection.until(() => this.#connection.reader.pongs.length >= wanted, 'the pong of the barrier');
      this.rounds += 1;
    })();
    return this.#next;
  }

  close() { this.#connection?.destroy(); }
}
