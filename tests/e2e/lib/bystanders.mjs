// Readers of a channel of their own, in a process of their own, beside whatever else goes on: how long each publication takes to them.
import assert from 'node:assert/strict';
import { Crowd, SteadyPublisher } from './crowd.mjs';
import { p99 } from './visitor.mjs';

const CHANNEL = 'bystanders';
const READERS = 50;
const RATE = 50;
// What they may wait: twice what they wait otherwise, or so little that it is the machine's noise.
const TIMES_LONGER = 2;
const NOISE_MS = 5;

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

export class Bystanders {
  #crowd = new Crowd(1);
  #publisher;
  #quietly = [];
  #loudly = [];

  async open(server) {
    await this.#crowd.open(server.port, { kind: 'websocket', count: READERS, channels: [CHANNEL], atOnce: 10, timed: true });
    this.#publisher = new SteadyPublisher(server, [CHANNEL], RATE, 20);
  }

  async #during(action) {
    await this.#crowd.latencies();
    const result = await action();
    return { result, waited: p99(await this.#crowd.latencies()) };
  }

  /** Notes what they wait for 99 % of their publications while `action` lasts and nothing else does. */
  async quietly(action) {
    const { result, waited } = await this.#during(action);
    this.#quietly.push(waited);
    return result;
  }

  /** ... and while something does. */
  async loudly(action) {
    const { result, waited } = await this.#during(action);
    this.#loudly.push(waited);
    return result;
  }

  get p99s() {
    const round = (numbers) => numbers.map((ms) => +ms.toFixed(2));
    return { quietly_ms: round(this.#quietly), loudly_ms: round(this.#loudly), ratio: +(median(this.#loudly) / median(this.#quietly)).toFixed(2) };
  }

  /** They have missed nothing. */
  async assertServed() {
    const last = await this.#publisher.stop();
    assert.equal(await this.#crowd.lacking(last, 5_000), 0);
    const { lost, doubled, live } = await this.#crowd.counts();
    assert.deepEqual({ lost, doubled, live }, { lost: 0, doubled: 0, live: READERS });
  }

  /** ... and waited, in the median of all times, at most twice as long. */
  async assertUnharmed() {
    await this.assertServed();
    const bound = Math.max(TIMES_LONGER * median(this.#quietly), NOISE_MS);
    assert.ok(median(this.#loudly) <= bound, `p99 ${median(this.#loudly)} ms, at most ${bound}`);
  }

  async end() {
    await this.#publisher?.stop().catch(() => {});
    this.#crowd.end();
  }
}
