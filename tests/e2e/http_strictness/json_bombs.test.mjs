// JSON that is deep, wide, huge or says a thing twice, at every door that reads it: refused at the limits in the door's own words, and the
// server is there for others.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { exchange, inParallel, median, parseAnswers } from '../lib/raw_http.mjs';
import { runParley, startServer } from '../lib/server.mjs';
import { openWire } from '../lib/wire.mjs';

let server;
before(async () => { server = await startServer({ shards: 1 }); });
after(() => server.stop());

const nested = (depth, open = '[', close = ']') => open.repeat(depth) + (open === '{"a":' ? '1' : '') + close.repeat(depth);
const keys = (count, of = (i) => `k${i}`) => `{${Array.from({ length: count }, (_, i) => `"${of(i)}":0`).join(',')}}`;
const MANY = keys(1_000_000);

// [name, text, is it JSON as an opaque value, is it a command that says nothing else]
const BOMBS = [
  ['a million ways down', '['.repeat(1_000_000), false],
  ['a million ways down and up', nested(500_000), false],
  ['objects, 100,000 deep', nested(100_000, '{"a":', '}'), false],
  ['65 deep', nested(65), false],
  ['64 deep', nested(64), true],
  ['objects, 64 deep', nested(64, '{"a":', '}'), true],
  ['a million keys', MANY, 'too large'],
  ['80,000 keys', keys(80_000), true],
  ['80,000 equal keys', keys(80_000, () => 'k'), true],
  ['a number of 100,000 digits', '9'.repeat(100_000), true],
  ['an exponent of 100,000 digits', `1e${'9'.repeat(100_000)}`, true],
  ['1e999999', '1e999999', true],
  ['-0', '-0', true],
  ['2^64', '18446744073709551616', true],
  ['01', '01', false],
  ['+1', '+1', false],
  ['NaN', 'NaN', false],
  ['Infinity', '-Infinity', false],
  // Grammar allows them (RFC 8259 8.2), and data go through as they came.
  ['a lone high surrogate', '"\\ud800"', true],
  ['a lone low surrogate', '"\\udc00x"', true],
  ['surrogates the wrong way round', '"\\udc00\\ud800"', true],
  ['a surrogate in UTF-8', Buffer.from('22eda08022', 'hex'), false],
  ['a NUL', '"\0"', false],
  ['a byte order mark', '\ufeff1', false],
  ['a comma too many', '[1,]', false],
  ['a comment', '1/**/', false],
  ['a string without an end', `"${'a'.repeat(100_000)}`, false],
  ['half a million escapes', `"${'\\n'.repeat(500_000)}"`, true],
];

const post = (target, body, headers = '') => {
  const bytes = Buffer.from(body);
  const head = `POST ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${headers}Content-Length: ${bytes.length}\r\n\r\n`;
  // What is announced as far too large is refused before it comes; who sends on regardless is cut off.
  return Buffer.concat([Buffer.from(head), bytes.length > 2 * 1024 * 1024 ? bytes.subarray(0, 64 * 1024) : bytes]);
};
const times = [];

/** One answer, and right behind it one to somebody else. */
async function ask(bytes) {
  const { text, ms } = await exchange(server.port, bytes);
  const [answer, ...more] = parseAnswers(text);
  assert.deepEqual(more, []);
  const started = performance.now();
  assert.equal((await fetch(`${server.url}/health/live`)).status, 200);
  times.push({ ms, others: performance.now() - started });
  return answer;
}

const told = (expected, body) => (expected === 'too large' || body.length > 1024 * 1024 ? 413 : expected ? 200 : 400);

test('at /pub, JSON is data: whole or refused', async () => {
  for (const [name, text, fine] of BOMBS) {
    const { status, body } = await ask(post('/pub/bombs', text, 'Content-Type: application/json\r\n'));
    assert.equal(status, told(fine, text), `${name}: ${body}`);
    if (status === 400) assert.match(body, /^\{"error":\{"code":107,"message":"the body is not JSON[^"]*"\}\}$/, name);
  }
});

test('at /api, data is data and a command says a thing once', async () => {
  for (const [name, text, fine] of BOMBS) {
    const bytes = Buffer.concat([Buffer.from('{"channel":"bombs","data":'), Buffer.from(text), Buffer.from('}')]);
    const { status } = await ask(post('/api/publish', bytes));
    // The command around it takes one of the 64.
    const deep = /64 deep/.test(name);
    assert.equal(status, deep ? 400 : told(fine, bytes), name);
  }
  for (const [body, status] of [
    ['{"channel":"bombs","channel":"other","data":1}', 400],
    ['{"channel":"bombs","data":1,"d\\u0061ta":2}', 400],
    ['{"channel":"bombs","data":1,"tags":{"a":"1","a":"2"}}', 400],
    [`{"channel":"bombs","data":1,"x":${keys(70_000)}}`, 200],
    [keys(80_000, () => 'channel'), 400],
    ['{"channel":"bombs","data":1,"x":{"a":1,"a":2}}', 200],
    ['{"channel":"bombs","limit":99999999999999999999}', 400],
    ['{"channel":"bombs","limit":1e3}', 400],
    ['{"channel":"bombs","limit":-99999999999999999999}', 400],
    ['{"channel":"\\ud800","data":1}', 400],
    ['{"channel":"bombs","data":1,"idempotency_key":"\\udc00"}', 400],
    ['{"channel":"bombs","data":1,"tags":{"\\ud800":"1"}}', 400],
  ]) assert.equal((await ask(post(body.includes('limit') ? '/api/history' : '/api/publish', body))).status, status, body.slice(0, 80));
});

test('at the Centrifuge WebSocket, a frame is read or the connection ends', async () => {
  for (const [name, text, fine] of BOMBS) {
    const wire = await openWire(server.url);
    await wire.connect();
    const frame = Buffer.concat([Buffer.from('{"id":2,"publish":{"channel":"bombs","data":'), Buffer.from(text), Buffer.from('}}')]);
    const started = performance.now();
    wire.socket.send(frame, { binary: false });
    if (frame.length > 65_536) {
      // Who sends megabytes more is cut off without having read why.
      assert.ok([1009, ...(frame.length > 2 * 1024 * 1024 ? [1006] : [])].includes((await wire.closed()).code), name);
    } else if (Buffer.isBuffer(text)) {
      assert.equal((await wire.closed()).code, 1007, name);
    } else if (!fine || /64 deep/.test(name)) {
      assert.equal((await wire.closed()).code, 3501, name);
    } else {
      assert.equal((await wire.reply(2)).error, undefined, name);
    }
    times.push({ ms: performance.now() - started });
    wire.terminate();
  }
  for (const command of ['{"id":2,"id":3,"ping":{}}', '{"id":2,"publish":{"channel":"a","channel":"b","data":1}}', `{"id":2,"x":${nested(60_000).slice(0, 60_000)}}`,
    `{"id":2,"publish":${keys(5_000, () => 'channel')}}`, '{"id":99999999999999999999,"publish":{}}']) {
    const wire = await openWire(server.url);
    await wire.connect();
    wire.send(command);
    assert.equal((await wire.closed()).code, 3501, command.slice(0, 80));
  }
});

test('a configuration file is refused with its place', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'parley-e2e-'));
  try {
    // A string is a name like any other; half a character is none.
    const bad = BOMBS.filter(([name]) => name !== 'half a million escapes');
    // As the file, and as what is wrong in a file that is fine otherwise.
    const files = [...bad, ['a key twice', '{"shards":1,"shards":2}'], ['a key twice, escaped', '{"shards":1,"sh\\u0061rds":2}'], ['a key twice, deep', '{"client":{"token":{"issuer":"a","issuer":"b"}}}']]
      .flatMap(([name, text]) => [[name, Buffer.from(text)], [`${name}, inside`, Buffer.concat([Buffer.from('{"node":{"name":'), Buffer.from(text), Buffer.from('}}')])]]);
    await inParallel(2, files, async ([name, text], row) => {
      const file = path.join(folder, `${row}.json`);
      await writeFile(file, text);
      const { code, stderr } = await runParley(['check', file]);
      assert.equal(code, 1, `${name}: ${stderr.slice(0, 300)}`);
      assert.match(stderr, text.length > 4 * 1024 * 1024 ? /4194304 are allowed/ : /\d\.json:\d+/, `${name}: ${stderr.slice(0, 300)}`);
      assert.ok(stderr.length < 10_000, `${name}: ${stderr.length} characters`);
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('nobody waited long', () => {
  const others = times.map((time) => time.others).filter((ms) => ms !== undefined);
  console.log(JSON.stringify({ answers: times.length, median_ms: median(times.map(({ ms }) => ms)).toFixed(2), others_median_ms: median(others).toFixed(2), others_most_ms: Math.max(...others).toFixed(1) }));
  assert.ok(median(others) < 100);
});
