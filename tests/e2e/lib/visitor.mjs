// A client like any other beside those of a test, in a process of its own, so that it does not wait for the test's own work.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const WORKER = fileURLToPath(new URL('visitor_worker.mjs', import.meta.url));

export class Visitor {
  #child = fork(WORKER);

  /** Begins to ask the server at this port. */
  constructor(port) { this.#child.send({ port }); }

  /** How many milliseconds each answer took, in order, since it began or was last asked; a failure if one was not 200. */
  async taken() {
    this.#child.send({ take: true });
    const [{ waits, trouble }] = await once(this.#child, 'message');
    if (trouble) throw new Error(`a visitor: ${trouble}`);
    return waits;
  }

  leave() { this.#child.disconnect(); }
}

/** The value below which 99 % of the numbers are. */
export const p99 = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length * 0.99)];
