// The process: how it starts, what it refuses, what clients that misbehave can do to it, and how it ends.
// Runs beside other files: it waits more than it works.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { after, before, test } from 'node:test';
import { CentrifugeClient, connectCentrifuge, openEventSource } from './lib/clients.mjs';
import { api, metrics, pub } from './lib/http.mjs';
import { startProxy } from './lib/proxy.mjs';
import { assertSameList } from './lib/same_list.mjs';
import { freePort, runParley, startServer } from './lib/server.mjs';
import { until } from './lib/wait.mjs';
import { HANDSHAKE, openTcp, openWire } from './lib/wire.mjs';

const MIB = 1 << 20;

let server;
before(async () => { server = await startServer({ shards: 2 }); });
after(() => server?.stop());

/** Fails unless parley said one sentence and ended with this code. */
function assertRefused(result, code, pattern) {
  assert.equal(result.code, code, result.stderr);
  assert.equal(result.stdout, '');
  assert.match(result.stderr, pattern);
  assert.equal(result.stderr.trimEnd().split('\n').length, 1, result.stderr);
}

// --- starting

test('an API key file that cannot be read or is empty is told in one sentence', async () => {
  for (const [file, words] of [['/nonexistent/key', /cannot be read: No such file/], ['/', /cannot be read/], ['/dev/null', /must hold one key/]]) {
    const { code, stderr } = await runParley(['serve', '--api-key-file', file]);
    assert.equal(code, 1, file);
    assert.match(stderr, words);
    assert.equal(stderr.trim().split('\n').length, 1, stderr);
  }
});

test('pages of other machines are refused at every door of parley dev', async () => {
  const ask = (method, path, headers) => new Promise((resolve, reject) => {
    http.request({ host: '127.0.0.1', port: server.port, method, path, headers, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).on('error', reject).end(method === 'POST' ? '{"channel":"a","data":1}' : undefined);
  });
  const strangers = [{ Origin: 'https://evil.example' }, { Origin: 'null' }, { Host: 'evil.example:8000', Origin: 'http://evil.example:8000' }, { Host: 'evil.example' }];
  for (const [method, path] of [['POST', '/api/publish'], ['POST', '/pub/a'], ['GET', '/sse/a'], ['GET', '/connection/websocket'], ['GET', '/metrics'], ['GET', '/']]) {
    for (const headers of strangers) assert.equal(await ask(method, path, headers), 403, `${method} ${path} ${JSON.stringify(headers)}`);
  }
  assert.equal(await ask('POST', '/pub/a', { Origin: 'http://localhost:3000' }), 200);
});

test('a port that is in use is told in one sentence', async () => {
  const other = net.createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address();
  assertRefused(await runParley(['dev', '--listen', `127.0.0.1:${port}`]), 1, new RegExp(`^parley: .*${port}`));
  other.close();
});

test('a second parley on the port of the first is refused', async () => {
  assertRefused(await runParley(['dev', '--listen', `127.0.0.1:${server.port}`]), 1, new RegExp(`^parley: .*${server.port}`));
});

test('too few open files are refused', async () => {
  const result = await runParley(['dev', '--listen', `127.0.0.1:${await freePort()}`], { files: 200 });
  assertRefused(result, 1, /^parley: only 200 open files are allowed .*ulimit -n/);
});

test('few open files are warned of', async () => {
  const other = await startServer({ files: 5000 });
  assert.match(other.stderr, /few open files are allowed/);
  await other.stop();
});

test('more clients than open files are refused for a while, and the others go on', async () => {
  const other = await startServer({ files: 300, shards: 1 });
  const reader = await connectCentrifuge(other.url);
  const record = await reader.subscribe('news');
  const crowd = await Promise.all(Array.from({ length: 400 }, () => openTcp(other.port)));
  reader.publish('news', 1);
  await record.count(1);
  for (const one of crowd) one.reset();
  await until(() => pub(other, 'news', '2').then(() => true, () => false), 'a publish once the crowd has gone');
  await record.count(2);
  assert.equal(reader.connected.length, 1);
  reader.close();
  await other.stop();
});

test('parley dev listens on loopback only', async () => {
  for (const host of ['0.0.0.0', '[::]', '192.0.2.1']) {
    assertRefused(await runParley(['dev', '--listen', `${host}:${await freePort()}`]), 1, /^parley: .*loopback/);
  }
});

test('bad arguments end with exit code 2', async () => {
  for (const args of [['dev', '--shards', '0'], ['dev', '--shards', 'many'], ['dev', '--listen', 'nowhere'], ['dev', '--wrong'], ['wrong'], ['dev', '--log-level', 'loud'], ['dev', 'more']]) {
    const result = await runParley(args);
    assert.equal(result.code, 2, `${args.join(' ')}: ${result.stderr}`);
    assert.equal(result.stdout, '');
    assert.notEqual(result.stderr, '');
  }
});

test('parley serve denies what nobody allowed', async () => {
  const port = await freePort();
  const key = 'secret-key';
  const child = runParley(['serve', '--listen', `127.0.0.1:${port}`, '--set', 'health.enabled=true'], { env: { PARLEY_API_KEY: key }, ms: 8_000 }).catch((error) => error);
  const url = `http://127.0.0.1:${port}`;
  await until(() => fetch(`${url}/health/ready`).then(({ status }) => status === 200, () => false), 'a server that is ready');
  assert.equal((await fetch(`${url}/pub/news`, { method: 'POST', body: '1' })).status, 401);
  assert.equal((await fetch(`${url}/sse/news`)).status, 401);
  assert.equal((await fetch(`${url}/`)).status, 404);
  assert.equal((await fetch(`${url}/metrics`)).status, 404);
  assert.equal((await fetch(`${url}/api/info`, { method: 'POST', body: '{}' })).status, 401);
  assert.equal((await fetch(`${url}/api/info`, { method: 'POST', body: '{}', headers: { 'X-API-Key': 'wrong' } })).status, 401);
  assert.equal((await fetch(`${url}/api/info`, { method: 'POST', body: '{}', headers: { 'X-API-Key': key } })).status, 200);
  const one = await openWire(url);
  one.send({ id: 1, connect: {} });
  assert.deepEqual(await one.closed(), { code: 3501, reason: 'bad request' });
  await child;
});

// --- what it says about itself

test('health and metrics answer, and metrics are Prometheus text', async () => {
  for (const path of ['/health', '/health/live', '/health/ready']) assert.equal((await fetch(server.url + path)).status, 200);
  const samples = await metrics(server);
  assert.ok(samples.get('parley_io_open_sockets') > 0);
  assert.ok(samples.size > 20);
});

test('with --log-format json every line is a JSON object', async () => {
  const other = await startServer({ args: ['--log-format', 'json', '--log-level', 'debug'], files: 5000 });
  const client = await connectCentrifuge(other.url);
  await client.subscribe('news');
  await pub(other, 'news', '1');
  const bad = await openWire(other.url);
  bad.send('nonsense "quoted" \u0001');
  await bad.closed();
  client.close();
  await other.stop();
  const lines = other.stderr.trimEnd().split('\n');
  assert.ok(lines.length >= 3, other.stderr);
  for (const line of lines) {
    const entry = JSON.parse(line);
    assert.equal(typeof entry, 'object', line);
  }
  assert.ok(lines.some((line) => line.includes('listening')));
});

// --- clients that misbehave

test('a client that vanishes at any byte of its handshake or first commands leaves nothing open', async () => {
  const connect = Buffer.from('{"id":1,"connect":{}}\n{"id":2,"subscribe":{"channel":"vanishing"}}');
  const bytes = Buffer.concat([Buffer.from(HANDSHAKE), Buffer.from([0x81, 0x80 | connect.length, 0, 0, 0, 0]), connect]);
  const base = (await metrics(server)).get('parley_io_open_sockets');
  for (let length = 0; length <= bytes.length; length += 1) {
    const tcp = await openTcp(server.port);
    await new Promise((resolve) => { tcp.socket.write(bytes.subarray(0, length), resolve); });
    if (length % 3 === 0) tcp.reset();
    else if (length % 3 === 1) tcp.socket.end();
    else tcp.socket.destroy();
  }
  await until(async () => (await metrics(server)).get('parley_io_open_sockets') <= base, `${base} open sockets`);
  const samples = await metrics(server);
  assert.equal(samples.get('parley_websocket_connections'), 0);
  assert.equal((await api(server, 'presence_stats', { channel: 'vanishing' })).num_clients, 0);
});

test('a stream that is cut at any byte leaves nothing open', async () => {
  await pub(server, 'cut', '1');
  const base = (await metrics(server)).get('parley_io_open_sockets');
  const request = 'GET /sse/cut?lastEventId=0 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';
  for (let length = 0; length <= request.length; length += 1) {
    const tcp = await openTcp(server.port);
    await new Promise((resolve) => { tcp.socket.write(request.slice(0, length), resolve); });
    if (length % 2 === 0) tcp.reset();
    else tcp.socket.destroy();
  }
  await until(async () => (await metrics(server)).get('parley_io_open_sockets') <= base, `${base} open sockets`);
  assert.equal((await metrics(server)).get('parley_push_connections'), 0);
});

test('a client that does not read costs no memory and harms nobody; later it has all of history, or is told', async () => {
  const total = 10_000;
  const text = 'x'.repeat(5_000);
  let published = 0;
  const publish = async (count) => {
    const commands = Array.from({ length: count }, (_, i) => ({ publish: { channel: 'flood', data: { n: published + i + 1, text } } }));
    const { replies } = await (await fetch(`${server.url}/api/batch`, { method: 'POST', body: JSON.stringify({ commands }) })).json();
    assert.ok(replies.every((reply) => !reply.error));
    published += count;
  };
  const proxy = await startProxy(server.port);
  const fast = await connectCentrifuge(server.url);
  const heard = await fast.subscribe('flood');
  const slow = await connectCentrifuge(proxy.url);
  const slowly = await slow.subscribe('flood');
  const stream = await openEventSource(proxy.url, 'flood');
  // So that a full history is not counted.
  while (published < 1_000) await publish(100);
  for (const one of [heard, slowly, stream]) await one.count(1_000, 20_000);
  const before = await server.memory();

  proxy.pause();
  let most = 0;
  while (published < total - 100) {
    await publish(100);
    most = Math.max(most, await server.memory());
  }
  await heard.count(published, 20_000);
  assertSameList(heard.offsets, Array.from({ length: published }, (_, i) => i + 1), 'who reads');
  assert.equal(fast.connected.length, 1);
  assert.ok(most - before < 30 * MIB, `${Math.round((most - before) / MIB)} MiB more`);

  proxy.resume();
  // Whoever could not be given everything subscribes anew, and hears what comes from then on.
  await until(() => slowly.offsets.at(-1) === published || slowly.subscribed.length > 1, 'the end or a new subscription', 20_000);
  await publish(100);
  await until(() => slowly.offsets.at(-1) === total && stream.offsets.at(-1) === total,
    () => `the last message; they have ${slowly.offsets.at(-1)} and ${stream.offsets.at(-1)}`, 30_000);
  let last = 0;
  for (const offset of slowly.offsets) {
    assert.ok(offset > last, `${offset} behind ${last}`);
    const told = slowly.subscribed.some(({ recovered, streamPosition }) => !recovered && streamPosition.offset === offset - 1);
    assert.ok(offset === last + 1 || told, `a jump from ${last} to ${offset} that nobody told of`);
    last = offset;
  }
  const covered = [...stream.offsets.map((offset) => [offset, offset]), ...stream.gaps.map(({ from, to }) => [from, to])].sort(([a], [b]) => a - b);
  let next = 1;
  for (const [from, to] of covered) {
    assert.equal(from, next, 'events and gaps of the stream, without hole and overlap');
    next = to + 1;
  }
  assert.equal(next, total + 1);
  console.log(`slow readers: SDK ${slowly.offsets.length} of ${total}, EventSource ${stream.offsets.length} and ${stream.gaps.length} gaps; ${Math.round((most - before) / MIB)} MiB more`);
  for (const one of [fast, slow, stream]) one.close();
  await proxy.close();
});

test('patience ends', { concurrency: true, timeout: 60_000 }, async (t) => {
  const tests = [];
  const slowHeaders = async (write) => {
    const tcp = await openTcp(server.port);
    const since = Date.now();
    const timer = write && setInterval(() => tcp.write(write), 200);
    await tcp.ended;
    clearInterval(timer);
    assert.ok(Date.now() - since > 5_000 && Date.now() - since < 20_000, `${Date.now() - since} ms`);
  };
  tests.push(t.test('with who connects and says nothing', () => slowHeaders('')));
  tests.push(t.test('with who sends its headers byte by byte', () => slowHeaders('G')));
  tests.push(t.test('with a peer that is gone without a goodbye: it leaves the channel', async () => {
    const proxy = await startProxy(server.port);
    const client = new CentrifugeClient(proxy.url, { maxServerPingDelay: 0 });
    await client.connect();
    await client.subscribe('half-open');
    assert.equal((await api(server, 'presence_stats', { channel: 'half-open' })).num_clients, 1);
    proxy.pause();
    await until(async () => (await api(server, 'presence_stats', { channel: 'half-open' })).num_clients === 0, 'an empty channel', 45_000);
    client.close();
    await proxy.close();
  }));
  await Promise.all(tests);
});

// --- ending

test('clients that are half-open or do not read do not keep the server from ending', async () => {
  const other = await startServer({ shards: 2 });
  const proxy = await startProxy(other.port);
  const client = await connectCentrifuge(proxy.url);
  await client.subscribe('news');
  const stream = await openEventSource(proxy.url, 'news');
  const half = await openTcp(other.port);
  half.write('POST /pub/news HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 10\r\n\r\n123');
  proxy.pause();
  for (let i = 0; i < 200; i += 1) await pub(other, 'news', JSON.stringify('x'.repeat(100_000)));
  const since = Date.now();
  await other.stop();
  assert.ok(Date.now() - since < 8_000, `${Date.now() - since} ms`);
  client.close();
  stream.close();
  await proxy.close();
});

test('a server that ends while clients publish acknowledges nothing that it did not do', async () => {
  const other = await startServer({ shards: 2 });
  const reader = await connectCentrifuge(other.url);
  const record = await reader.subscribe('news');
  let acknowledged = 0;
  let running = true;
  const publishers = Array.from({ length: 4 }, async () => {
    while (running) {
      try {
        await pub(other, 'news', '1');
        acknowledged += 1;
      } catch {
        running = false;
      }
    }
  });
  await until(() => acknowledged > 200, 'some publications');
  await other.stop();
  await Promise.all(publishers);
  reader.close();
  assert.ok(record.publications.length > 0);
  assertSameList(record.offsets, Array.from({ length: record.offsets.length }, (_, i) => i + 1), 'what was heard');
});

test('who stays connected while the server ends and comes back goes on', async (t) => {
  const port = await freePort();
  let other = await startServer({ port });
  t.after(() => other.kill());
  const client = await connectCentrifuge(other.url);
  t.after(() => client.close());
  const record = await client.subscribe('news');
  const source = await openEventSource(other.url, 'news');
  t.after(() => source.close());
  await other.stop();
  other = await startServer({ port });
  await until(() => record.subscribed.length === 2, 'the second subscribed', 15_000);
  // A server that stops asks for up to 15 s.
  await source.opened(2, 20_000);
  await pub(other, 'news', '"back"');
  await record.count(1);
  await source.count(1);
  await other.stop();
});
