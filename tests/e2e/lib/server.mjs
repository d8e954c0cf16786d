// Starts the server under test. Every end-to-end test takes it from here.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const READY_MS = 10_000;
const STOP_MS = 10_000;
const STDERR_CHARS = 20_000;

/** A port that nobody listens on at this moment. */
export async function freePort() {
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

/** PARLEY_BIN is for the tests; the server would warn of it. */
const environment = (more) => ({ ...process.env, PARLEY_BIN: undefined, ...more });

class Server {
  #child;
  #stdout = '';
  #stderr = '';
  #ended;

  constructor(port, command, args, env = {}) {
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
    this.#child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: environment(env) });
    this.#child.stdout.setEncoding('utf8').on('data', (text) => { this.#stdout += text; });
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

  get stdout() {
    return this.#stdout;
  }

  /** Resolves with {code, how} when the server has ended. */
  get ended() {
    return this.#ended;
  }

  /** What the server holds in memory now, in bytes. */
  async memory() {
    const status = await readFile(`/proc/${this.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)[1]) * 1024;
  }

  /** Resolves when /health/ready answers 200, or `isUp` says so. */
  async ready(isUp = isReady) {
    let ended;
    this.#ended.then((end) => { ended = end; });
    for (const deadline = Date.now() + READY_MS; Date.now() < deadline && !ended; await pause(20)) {
      if (await isUp(this.url)) return;
    }
    await this.kill();
    throw new Error(`the server did not become ready: ${ended?.how ?? `no answer in ${READY_MS} ms`}\n${this.#stderr}`);
  }

  signal(name) {
    this.#child.kill(name);
  }

  /** The signal, and a failure unless the server then ends by itself with exit code 0. */
  async stop(signal = 'SIGTERM') {
    this.#child.kill(signal);
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

function binary() {
  const command = process.env.PARLEY_BIN;
  if (!command) throw new Error('PARLEY_BIN is not set: run this test with tools/run-e2e');
  return command;
}

/** The command under bash, which first lowers a limit: ulimited(200, [...]) */
const ulimited = (files, command) => ['bash', '-c', `ulimit -n ${files} && exec "$@"`, 'bash', ...command];

/**
 * Runs `parley dev` of PARLEY_BIN until stop() or kill(), on a free port unless it is given; `args` are further
 * options, `files` is the number of open files that it is allowed.
 * @returns {Promise<Server>} with url, port, pid, stderr, ended, memory(), stop(), kill()
 */
export async function startServer({ shards = 2, args = [], port, files } = {}) {
  const chosen = port ?? await freePort();
  let command = [binary(), 'dev', '--listen', `127.0.0.1:${chosen}`, '--shards', String(shards), ...args];
  if (files !== undefined) command = ulimited(files, command);
  const server = new Server(chosen, command[0], command.slice(1));
  await server.ready();
  return server;
}

const answers = (url) => fetch(url).then(() => true, () => false);

/**
 * Runs `parley serve` on a configuration file until stop() or kill(), on a free port of loopback unless it is given.
 * @returns {Promise<Server>}
 */
export async function startServe(file, { args = [], env, shards = 2, files, port: wanted } = {}) {
  const port = wanted ?? await freePort();
  let command = [binary(), 'serve', '--config', file, '--listen', `127.0.0.1:${port}`, '--set', `shards=${shards}`, ...args];
  if (files !== undefined) command = ulimited(files, command);
  const server = new Server(port, command[0], command.slice(1), env);
  await server.ready(answers);
  return server;
}

/**
 * Runs `parley serve` with this configuration, an object, until stop() or kill(), on a free port unless it is given. An `address` other than that
 * of loopback must include it.
 * @returns {Promise<Server>} as startServer does
 */
export async function startConfigured(config, { shards = 2, port: wanted, address = '127.0.0.1', files } = {}) {
  const port = wanted ?? await freePort();
  const folder = await mkdtemp(path.join(os.tmpdir(), 'parley-e2e-'));
  try {
    const file = path.join(folder, 'parley.json');
    await writeFile(file, JSON.stringify({ ...config, health: { enabled: true } }));
    let command = [binary(), 'serve', '--config', file, '--listen', `${address}:${port}`, '--shards', String(shards)];
    if (files !== undefined) command = ulimited(files, command);
    const server = new Server(port, command[0], command.slice(1));
    await server.ready();
    return server;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Runs PARLEY_BIN with these arguments to its end.
 * @returns {Promise<{code: number, stdout: string, stderr: string}>}
 */
export async function runParley(args, { files, env = {}, ms = 10_000 } = {}) {
  let command = [binary(), ...args];
  if (files !== undefined) command = ulimited(files, command);
  const child = spawn(command[0], command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'], env: environment(env), timeout: ms, killSignal: 'SIGKILL' });
  const result = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr']) child[stream].setEncoding('utf8').on('data', (text) => { result[stream] += text; });
  const [code, signal] = await once(child, 'close');
  if (signal) throw new Error(`parley ${args.join(' ')} had not ended after ${ms} ms\n${result.stderr}`);
  return { ...result, code };
}
