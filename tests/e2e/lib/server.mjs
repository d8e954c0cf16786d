// Starts the server under test. Every end-to-end test takes it from here.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

const READY_MS = 10_000;
const STOP_MS = 10_000;
const STDERR_CHARS = 20_000;

/** A port that nobody listens on at this moment. */
async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

async function isReady(url) {
  try {
    return (await fetch(`${url}/health/ready`)).status === 200;
  } catch {
    return false;
  }
}

class Server {
  #child;
  #stderr = '';
  #ended;

  constructor(port, command, args) {
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
    this.#child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child.stderr.setEncoding('utf8').on('data', (text) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_CHARS);
    });
    this.#ended = new Promise((resolve) => {
      this.#child.once('error', (error) => resolve({ how: error.message }));
      this.#child.once('close', (code, signal) => resolve({ code, how: signal ? `killed by ${signal}` : `exit code ${code}` }));
    });
  }

  get pid() {
    return this.#child.pid;
  }

  /** What the server has written to stderr, at most the last 20,000 characters. */
  get stderr() {
    return this.#stderr;
  }

  /** Resolves when /health/ready answers 200. */
  async ready() {
    let ended;
    this.#ended.then((end) => { ended = end; });
    for (const deadline = Date.now() + READY_MS; Date.now() < deadline && !ended; await pause(20)) {
      if (await isReady(this.url)) return;
    }
    await this.kill();
    throw new Error(`the server did not become ready: ${ended?.how ?? `no answer in ${READY_MS} ms`}\n${this.#stderr}`);
  }

  /** SIGTERM, and a failure unless the server then ends by itself with exit code 0. */
  async stop() {
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.kill(), STOP_MS);
    const end = await this.#ended;
    clearTimeout(timer);
    if (end.code !== 0) throw new Error(`the server ended badly: ${end.how}\n${this.#stderr}`);
  }

  /** SIGKILL: for tests of crashes. Resolves when the server is gone. */
  async kill() {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }
}

/**
 * Runs `parley dev` of PARLEY_BIN until stop() or kill(), on a free port unless one is named; `args` are further options.
 * @returns {Promise<Server>} with url, port, pid, stderr, stop(), kill()
 */
export async function startServer({ port, shards = 2, args = [] } = {}) {
  const command = process.env.PARLEY_BIN;
  if (!command) throw new Error('PARLEY_BIN is not set: run this test with tools/run-e2e');
  const on = port ?? await freePort();
  const server = new Server(on, command, ['dev', '--listen', `127.0.0.1:${on}`, '--shards', String(shards), ...args]);
  await server.ready();
  return server;
}
