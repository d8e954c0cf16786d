// `parley pub` and `parley sub` against a running server.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { startServer } from './lib/server.mjs';

let server;
let channel;
let channels = 0;

before(async () => {
  server = await startServer();
});
after(() => server?.stop());
beforeEach(() => {
  channels += 1;
  channel = `cli/${channels}?a+b`;
});

const running = new Set();
// A failed test leaves nothing behind that would keep this file from ending.
afterEach(() => running.forEach((command) => command.kill('SIGKILL')));

/** A running `parley`, and what it has written. */
class Command {
  out = '';
  err = '';
  #child;
  #ended;

  constructor(args, { input, url = server.url } = {}) {
    this.#child = spawn(process.env.PARLEY_BIN, args, { env: { ...process.env, PARLEY_URL: url } });
    this.#child.stdout.setEncoding('utf8').on('data', (text) => { this.out += text; });
    this.#child.stderr.setEncoding('utf8').on('data', (text) => { this.err += text; });
    this.#child.stdin.end(input);
    running.add(this);
    this.#ended = once(this.#child, 'close').then(([code]) => {
      running.delete(this);
      return code;
    });
  }

  /** The exit status. */
  get ended() {
    return this.#ended;
  }

  kill(signal) {
    this.#child.kill(signal);
  }

  /** Waits until stdout holds `text`. */
  async prints(text) {
    while (!this.out.includes(text)) await once(this.#child.stdout, 'data');
  }
}

/** Repeats `action` until `condition` holds. */
async function until(condition, action) {
  const deadline = Date.now() + 20_000;
  while (!condition()) {
    assert.ok(Date.now() < deadline, `still not true: ${condition}`);
    await action();
  }
}

async function pub(...args) {
  const command = new Command(['pub', channel, ...args]);
  assert.equal(await command.ended, 0, command.err);
  return Object.fromEntries(command.out.trim().split(' ').map((part) => part.split('=')));
}

/** A `parley sub` that follows the channel: what is published from now on reaches it. */
async function following(...args) {
  const { epoch, offset } = await pub('ready');
  const command = new Command(['sub', channel, '--since', `${epoch}.${offset - 1}`, ...args]);
  await command.prints('ready');
  return command;
}

test('sub prints what pub publishes, a line per message, and ends with 0 on Ctrl-C', async () => {
  const sub = await following();
  await pub('{"a":1}');
  await pub('two\nlines');
  await pub('--text', '42');
  await sub.prints('42\n');
  assert.equal(sub.out, 'ready\n{"a":1}\ntwo\\nlines\n42\n');
  sub.kill('SIGINT');
  assert.equal(await sub.ended, 0);
  assert.equal(sub.err, '');
});

test('pub tells the position, sub takes it up there', async () => {
  const first = await pub('1');
  const second = await pub('2', '--event', 'created');
  assert.equal(first.epoch, second.epoch);
  assert.deepEqual([first.offset, second.offset], ['1', '2']);
  const sub = new Command(['sub', channel, '--since', `${first.epoch}.1`, '--count', '1', '--verbose']);
  assert.equal(await sub.ended, 0, sub.err);
  assert.equal(sub.out, `${channel}\t${first.epoch}.2\tcreated\t2\n`);
});

test('pub with a key publishes once', async () => {
  const first = await pub('1', '--key', 'k');
  assert.deepEqual(await pub('1', '--key', 'k'), first);
  assert.equal((await pub('2')).offset, '2');
});

test('pub reads stdin', async () => {
  const command = new Command(['pub', channel, '-'], { input: '{"from":"stdin"}\n' });
  assert.equal(await command.ended, 0, command.err);
  const epoch = command.out.trim().split('epoch=')[1];
  const sub = new Command(['sub', channel, '--since', `${epoch}.0`, '--count', '1']);
  assert.equal(await sub.ended, 0, sub.err);
  assert.equal(sub.out, '{"from":"stdin"}\n');
});

test('sub is told what it cannot have', async () => {
  await pub('1');
  const sub = new Command(['sub', channel, '--since', '1.999', '--count', '1']);
  await until(() => sub.err.includes('gap in'), () => new Promise((resolve) => setTimeout(resolve, 10)));
  await pub('later');
  assert.equal(await sub.ended, 0);
});

test('without a server both say what to do and end with 1', async () => {
  const url = 'http://127.0.0.1:1';
  for (const args of [['pub', channel, '1'], ['sub', channel]]) {
    const command = new Command(args, { url });
    assert.equal(await command.ended, 1);
    assert.equal(command.err, `parley: cannot reach ${url}: is the server running? start it with: parley dev\n`);
    assert.equal(command.out, '');
  }
});

test('sub waits out a crash of the server, and tells what was lost with it', async () => {
  const first = await startServer();
  const sub = new Command(['sub', channel], { url: first.url });
  const publish = (url, body) => fetch(`${url}/pub/${encodeURIComponent(channel)}`,
    { method: 'POST', body, headers: { 'Content-Type': 'text/plain' } });
  await until(() => sub.out !== '', () => publish(first.url, 'before'));
  await first.kill();
  const second = await startServer({ port: first.port });
  try {
    await until(() => sub.out.includes('after'), () => publish(second.url, 'after'));
    assert.match(sub.err, /next attempt in/);
    assert.match(sub.err, /gap in /);
    sub.kill('SIGTERM');
    assert.equal(await sub.ended, 0);
  } finally {
    await second.stop();
  }
});

test('wrong usage ends with 2 and names the help', async () => {
  for (const args of [['pub', channel], ['sub'], ['nonsense'], ['pub', channel, '{a:1}', '--json']]) {
    const command = new Command(args);
    assert.equal(await command.ended, 2);
    assert.notEqual(command.err, '');
  }
});

test('the help of every command has an example', async () => {
  for (const name of ['dev', 'serve', 'pub', 'sub']) {
    const command = new Command([name, '--help']);
    assert.equal(await command.ended, 0);
    assert.match(command.out, new RegExp(`Examples:[^]*parley ${name}`));
  }
});
