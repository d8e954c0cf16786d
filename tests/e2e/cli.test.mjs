// The commands of `parley` as scripts use them, and `pub` and `sub` against a running server.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { startServer } from './lib/server.mjs';

let server;
let folder;
let channel;
let channels = 0;

before(async () => {
  server = await startServer();
  folder = await mkdtemp(path.join(tmpdir(), 'parley-cli-'));
});
after(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});
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
  for (const args of [['pub', channel], ['sub'], ['nonsense'], ['pub', channel, '{a:1}', '--as-json']]) {
    const command = new Command(args);
    assert.equal(await command.ended, 2);
    assert.notEqual(command.err, '');
  }
});

test('the help of every command has an example', async () => {
  for (const name of ['dev', 'serve', 'check', 'token', 'pub', 'sub', 'completion']) {
    const command = new Command([name, '--help']);
    assert.equal(await command.ended, 0);
    assert.match(command.out, new RegExp(`Examples:[^]*parley ${name}`));
  }
});

/** Runs a command to its end: [exit status, the lines of stdout as JSON, stderr]. */
async function asJson(...args) {
  const command = new Command([...args, '--json']);
  const status = await command.ended;
  return [status, command.out.split('\n').filter(Boolean).map((line) => JSON.parse(line)), command.err];
}

async function configuration(text) {
  const file = path.join(folder, 'parley.yaml');
  await writeFile(file, text);
  return file;
}

test('--json of pub and sub: one object a line, data exactly as they were published', async () => {
  const [status, [position]] = await asJson('pub', channel, '{"n":12345678901234567890,"text":"Grüße"}');
  assert.equal(status, 0);
  assert.deepEqual(Object.keys(position), ['channel', 'offset', 'epoch']);
  assert.deepEqual([position.channel, position.offset], [channel, 1]);
  await pub('two\nlines', '--event', 'created');
  const sub = new Command(['sub', channel, '--since', `${position.epoch}.0`, '--count', '2', '--json']);
  assert.equal(await sub.ended, 0, sub.err);
  const name = JSON.stringify(channel);
  assert.equal(sub.out, `{"channel":${name},"id":"${position.epoch}.1","event":"message","data":{"n":12345678901234567890,"text":"Grüße"}}\n`
    + `{"channel":${name},"id":"${position.epoch}.2","event":"created","data":"two\\nlines"}\n`);
  assert.equal(sub.err, '');
});

test('--json of sub tells gaps on stdout', async () => {
  await pub('1');
  const sub = new Command(['sub', channel, '--since', '1.999', '--json', '--count', '1']);
  await sub.prints('"gap"');
  await pub('later');
  assert.equal(await sub.ended, 0);
  const [first, last] = sub.out.trim().split('\n').map((line) => JSON.parse(line));
  assert.equal(first.gap.reason, 'epoch_changed');
  assert.equal(last.data, 'later');
});

test('--json of check, token and version', async () => {
  const good = await configuration('client:\n  token:\n    hmac_secret_key: secret\n');
  const [fine, [ok]] = await asJson('check', good);
  assert.equal(fine, 0);
  assert.deepEqual([ok.ok, ok.file, ok.problems], [true, good, []]);
  const [made, [token]] = await asJson('token', '--config', good, '--user', '42', '--ttl', '60');
  assert.equal(made, 0);
  assert.equal(token.user, '42');
  const claims = JSON.parse(Buffer.from(token.token.split('.')[1], 'base64url').toString());
  assert.deepEqual([claims.sub, claims.exp], ['42', token.expires_at]);

  const bad = await configuration('client:\n  ping_interval: 25\n');
  const [status, [report]] = await asJson('check', bad);
  assert.equal(status, 1);
  assert.equal(report.ok, false);
  assert.deepEqual([report.problems[0].line, report.problems[0].option], [2, 'client.ping_interval']);
  const [zero, [version]] = await asJson('version');
  assert.equal(zero, 0);
  assert.match(version.version, /^\d+\.\d+\.\d+$/);
});

test('the exit status is 1 for what failed and 2 for what makes no sense, and stderr says what to do', async () => {
  const bad = await configuration('client:\n  nonsense: 1\n');
  const nowhere = path.join(folder, 'nowhere.yaml');
  for (const [status, words, ...args] of [
    [1, /no such option/, 'check', bad], [1, /no such option/, 'serve', '--config', bad], [1, /cannot be read.*is the path right/, 'check', nowhere],
    [1, /hmac_secret_key is not set \(no --config was given\)/, 'token'], [1, /loopback only/, 'dev', '--listen', '192.0.2.1:0'],
    [1, /the server answered 400/, 'pub', 'x'.repeat(300), '1'], [1, /cannot follow .*: the server answered 400/, 'sub', 'x'.repeat(300)],
    [2, /no command; to start a server: parley dev/], [2, /no command "publish"; did you mean pub\?/, 'publish', channel, '1'],
    [2, /no command "serv"; did you mean serve/, 'serv'], [2, /no option --cuont; did you mean --count\?/, 'sub', channel, '--cuont', '1'],
    [2, /"loud" is none of debug\|info\|warn\|error/, 'dev', '--log-level', 'loud'], [2, /DATA is required/, 'pub', channel],
    [2, /quote for the shell/, 'pub', channel, 'two', 'words'], [2, /not UTF-8 text; use --binary/, 'pub', channel, '-', '--text'],
  ]) {
    const command = new Command(args, { input: Buffer.from([0xff]) });
    assert.equal(await command.ended, status, `${args}: ${command.err}`);
    assert.match(command.err, words);
    assert.equal(command.out, '');
  }
});

/** What bash offers behind these words of a command line, the last of which is being written. */
async function completed(script, ...words) {
  const bash = spawn('bash', ['-c', `set -eu; source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _parley; (IFS=$'\\n'; echo "\${COMPREPLY[*]}")`,
    script, ...words], { cwd: folder });
  let [out, err] = ['', ''];
  bash.stdout.on('data', (text) => { out += text; });
  bash.stderr.on('data', (text) => { err += text; });
  const [status] = await once(bash, 'close');
  assert.equal(status, 0, err);
  return out.split('\n').filter(Boolean).sort();
}

test('completion: a real bash completes commands, options, their values and files', async () => {
  const command = new Command(['completion', 'bash']);
  assert.equal(await command.ended, 0);
  const script = path.join(folder, 'completion.bash');
  await writeFile(script, command.out);
  const [status] = await once(spawn('bash', ['-n', script]), 'close');
  assert.equal(status, 0);
  await configuration('');
  const all = await completed(script, 'parley', '');
  for (const name of ['check', 'completion', 'dev', 'pub', 'serve', 'sub', 'token', 'version']) assert.ok(all.includes(name), name);
  assert.deepEqual(await completed(script, 'parley', 's'), ['serve', 'sub']);
  assert.deepEqual(await completed(script, 'parley', 'sub', 'news', '--ver'), ['--verbose']);
  assert.deepEqual(await completed(script, 'parley', 'dev', '--log-level', ''), ['debug', 'error', 'info', 'warn']);
  assert.deepEqual(await completed(script, 'parley', 'dev', '--log-level', '=', 'd'), ['debug']);
  assert.deepEqual(await completed(script, 'parley', 'dev', '--log-level', '='), ['debug', 'error', 'info', 'warn']);
  assert.deepEqual(await completed(script, 'parley', 'completion', 'z'), ['zsh']);
  assert.deepEqual(await completed(script, 'parley', 'check', 'par'), ['parley.yaml']);
  assert.deepEqual(await completed(script, 'parley', 'serve', '--config', 'par'), ['parley.yaml']);
  assert.deepEqual(await completed(script, 'parley', 'dev', '--listen', ''), []);
});

test('completion for zsh and fish names every command', async () => {
  for (const shell of ['zsh', 'fish']) {
    const command = new Command(['completion', shell]);
    assert.equal(await command.ended, 0);
    for (const name of ['check', 'completion', 'dev', 'pub', 'serve', 'sub', 'token', 'version']) assert.match(command.out, new RegExp(`\\b${name}\\b`));
  }
});
