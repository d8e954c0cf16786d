// A process of its own for a part of a test: it is asked one thing at a time, and answers.
import { fork } from 'node:child_process';
import { once } from 'node:events';

export class Worker {
  #child;
  #ended;

  /**
   * @param {URL} script that calls `serveActions`
   * @param {{ownNetwork?: boolean}} options `ownNetwork`: in a network namespace of its own, where there is nothing but loopback, and that down
   */
  constructor(script, { ownNetwork = false } = {}) {
    this.#child = fork(script, ownNetwork ? { execPath: 'unshare', execArgv: ['--net', process.execPath] } : {});
    this.#ended = once(this.#child, 'exit').then(([code, signal]) => [{ error: `a worker ended with ${code ?? signal}` }]);
  }

  get pid() { return this.#child.pid; }

  async ask(action, argument) {
    this.#child.send({ action, argument });
    const answered = new AbortController();
    const [{ error, result }] = await Promise.race([once(this.#child, 'message', { signal: answered.signal }), this.#ended]);
    answered.abort();
    if (error) throw new Error(error);
    return result;
  }

  end() { this.#child.kill('SIGKILL'); }
}

/** In the worker: answers what it is asked. Without its parent it has nothing to do. */
export function serveActions(actions) {
  process.on('message', async ({ action, argument }) => {
    try {
      process.send({ result: await actions[action](argument) });
    } catch (error) {
      process.send({ error: error.stack });
    }
  });
  process.on('disconnect', () => process.exit());
}
