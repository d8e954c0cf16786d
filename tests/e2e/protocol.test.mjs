// The Centrifuge protocol and its WebSocket on the wire: what is wrong gets its exact code, and harms nobody else.
// Runs beside other files: it waits more than it works.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { connectCentrifuge } from './lib/clients.mjs';
import { api } from './lib/http.mjs';
import { startServer } from './lib/server.mjs';
import { until } from './lib/wait.mjs';
import { HANDSHAKE, openTcp, openWire } from './lib/wire.mjs';

const BAD_REQUEST = { code: 3501, reason: 'bad request' };

let server;
let watcher;
let watched;
let wires;
let said = 0;

before(async () => {
  server = await startServer({ shards: 1 });
  watcher = await connectCentrifuge(server.url);
  watched = await watcher.subscribe('watched');
});

after(async () => {
  watcher?.close();
  await server?.stop();
});

beforeEach(() => { wires = []; });

/** Whatever has happened: a well-behaved client still hears everything on its one connection. */
afterEach(async () => {
  for (const one of wires) one.terminate();
  said += 1;
  await api(server, 'publish', { channel: 'watched', data: said });
  await watched.count(said);
  assert.equal(watched.data.at(-1), said);
  assert.equal(watcher.connected.length, 1);
  assert.equal(watched.subscribed.length, 1);
});

async function wire(options) {
  const one = await openWire(server.url, options);
  wires.push(one);
  return one;
}

async function connected() {
  const one = await wire();
  const { connect } = await one.connect();
  assert.match(connect.client, /^[0-9a-f-]{36}$/);
  return one;
}

test('a connect is answered with the terms of the connection', async () => {
  const one = await wire();
  const { connect } = await one.connect({ name: 'test' });
  assert.deepEqual({ ...connect, client: '', version: '' }, { client: '', version: '', ping: 25, pong: true });
  assert.equal(one.socket.protocol, 'centrifuge-json');
});

test('several commands in one frame are answered in their order', async () => {
  const one = await wire();
  one.send({ id: 1, connect: {} }, { id: 2, subscribe: { channel: 'a' } }, { id: 3, publish: { channel: 'a', data: 1 } },
    { id: 4, unsubscribe: { channel: 'a' } });
  await one.reply(4);
  assert.deepEqual(one.received.filter(({ id }) => id).map(({ id }) => id).sort(), [1, 2, 3, 4]);
  assert.equal((await one.reply(3)).error, undefined);
});

const FATAL = {
  'a subscribe before connect': ['{"id":1,"subscribe":{"channel":"a"}}'],
  'a publish before connect': ['{"id":1,"publish":{"channel":"a","data":1}}'],
  'a pong before connect': ['{}'],
  'a connect without id': ['{"connect":{}}'],
  'malformed JSON': ['{"id":1,"connect":'],
  'no JSON at all': ['hello'],
  'a JSON list': ['[]'],
  'an unknown command before connect': ['{"id":1,"conquer":{}}'],
  'an id that is no number': ['{"id":"1","connect":{}}'],
  'a negative id': ['{"id":-1,"connect":{}}'],
  'deep JSON': [`{"id":1,"connect":{"data":${'['.repeat(200)}${']'.repeat(200)}}}`],
  'very deep JSON': [`{"id":1,"connect":{"data":${'['.repeat(16_000)}${']'.repeat(16_000)}}}`],
  'an empty frame': [''],
};
for (const [what, messages] of Object.entries(FATAL)) {
  test(`${what} ends the connection with 3501`, async () => {
    const one = await wire();
    for (const message of messages) one.send(message);
    assert.deepEqual(await one.closed(), BAD_REQUEST);
  });
}

const FATAL_CONNECTED = {
  'deeper JSON': `{"id":2,"publish":{"channel":"a","data":${'['.repeat(30_000)}${']'.repeat(30_000)}}}`,
  'a second connect': '{"id":7,"connect":{}}',
  'a subscribe without id': '{"subscribe":{"channel":"a"}}',
  'a subscribe without channel': '{"id":7,"subscribe":{}}',
  'a publish without channel': '{"id":7,"publish":{"data":1}}',
  'a history without channel': '{"id":7,"history":{}}',
  'a presence without channel': '{"id":7,"presence":{}}',
  'an unknown command': '{"id":7,"conquer":{}}',
  'a pong that no ping asked for': '{}',
  'a refresh without token': '{"id":7,"refresh":{}}',
};
for (const [what, message] of Object.entries(FATAL_CONNECTED)) {
  test(`${what} ends the connection with 3501, after connect`, async () => {
    const one = await connected();
    one.send(message);
    assert.deepEqual(await one.closed(), BAD_REQUEST);
  });
}

test('send ends the connection with 3508, since nobody takes it', async () => {
  const one = await connected();
  one.send({ send: { data: 1 } });
  assert.deepEqual(await one.closed(), { code: 3508, reason: 'not available' });
});

const REFUSED = {
  'rpc': [{ rpc: { method: 'm', data: 1 } }, 108, 'not available'],
  'a subscribe to a name that is too long': [{ subscribe: { channel: 'x'.repeat(256) } }, 107, 'bad request'],
  'a subscribe to a name beyond ASCII': [{ subscribe: { channel: 'ü' } }, 107, 'bad request'],
  'a subscribe to a map': [{ subscribe: { channel: 'a', type: 1 } }, 103, 'permission denied'],
  'a publish without data': [{ publish: { channel: 'a' } }, 107, 'bad request'],
  'a history from another epoch': [{ history: { channel: 'a', since: { epoch: 'other', offset: 1 } } }, 112, 'unrecoverable position'],
};
for (const [what, [command, code, message]] of Object.entries(REFUSED)) {
  test(`${what} is refused with ${code}, and the connection goes on`, async () => {
    const one = await connected();
    assert.deepEqual((await one.ask(command)).error, { code, message });
    assert.ok((await one.ask({ subscribe: { channel: 'good' } })).subscribe);
  });
}

test('a second subscribe to one channel is refused with 105', async () => {
  const one = await connected();
  assert.ok((await one.ask({ subscribe: { channel: 'a' } })).subscribe);
  assert.deepEqual((await one.ask({ subscribe: { channel: 'a' } })).error, { code: 105, message: 'already subscribed' });
});

test('subscriptions above the limit are refused with 106', async () => {
  const one = await connected();
  for (let i = 0; i < 128; i += 1) assert.ok((await one.ask({ subscribe: { channel: `limit:${i}` } })).subscribe);
  assert.deepEqual((await one.ask({ subscribe: { channel: 'limit:more' } })).error, { code: 106, message: 'limit exceeded' });
});

test('an unsubscribe from what was never subscribed is answered all the same', async () => {
  const one = await connected();
  assert.deepEqual(await one.ask({ unsubscribe: { channel: 'never' } }), { id: 1 + 1, unsubscribe: {} });
});

test('a connect above 56 KiB ends the connection with 1009, whose reason says what to set', async () => {
  const one = await wire();
  one.send({ id: 1, connect: { token: 'x'.repeat(56 * 1024) } });
  assert.deepEqual(await one.closed(), { code: 1009, reason: 'message too big before connect: client.message_size_limit_before_connect' });
});

test('a message of 60 KiB may come right behind the connect', async () => {
  const one = await wire();
  one.send({ id: 1, connect: {} });
  one.send({ id: 2, publish: { channel: 'a', data: 'x'.repeat(60 * 1024) } });
  assert.equal((await one.reply(2)).error, undefined);
});

test('a message above 64 KiB ends the connection with 1009, whose reason says what to set', async () => {
  const one = await connected();
  one.send({ id: 9, publish: { channel: 'a', data: 'x'.repeat(64 * 1024) } });
  assert.deepEqual(await one.closed(), { code: 1009, reason: 'message too big: message_size_limit of websocket or uni_websocket' });
});

test('a message that announces 2^62 bytes ends the connection with 1009 at once', async () => {
  const one = await connected();
  one.raw.write(Buffer.from([0x81, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]));
  assert.equal((await one.closed()).code, 1009);
});

const mask = (bytes) => Buffer.concat([Buffer.from([0x80 | bytes.length, 0, 0, 0, 0]), Buffer.from(bytes)]);

/** [bytes of a frame, close code] */
const BROKEN = {
  'an unmasked frame': [Buffer.concat([Buffer.from([0x81, 2]), Buffer.from('{}')]), 1002],
  'a reserved bit': [Buffer.concat([Buffer.from([0xc1]), mask(Buffer.from('{}'))]), 1002],
  'a reserved opcode': [Buffer.concat([Buffer.from([0x83]), mask(Buffer.from('{}'))]), 1002],
  'a fragmented ping': [Buffer.concat([Buffer.from([0x09]), mask(Buffer.from(''))]), 1002],
  'a continuation of nothing': [Buffer.concat([Buffer.from([0x80]), mask(Buffer.from('{}'))]), 1002],
  'invalid UTF-8': [Buffer.concat([Buffer.from([0x81]), mask(Buffer.from([0x22, 0xff, 0x22]))]), 1007],
  'a close code that does not exist': [Buffer.concat([Buffer.from([0x88]), mask(Buffer.from([0x03, 0xed]))]), 1002],
};
for (const [what, [frame, code]] of Object.entries(BROKEN)) {
  test(`${what} ends the connection with ${code}`, async () => {
    const tcp = await openTcp(server.port);
    tcp.write(HANDSHAKE);
    await tcp.has('\r\n\r\n');
    assert.match(tcp.text, /^HTTP\/1\.1 101 /);
    const head = tcp.text.length;
    tcp.write(frame);
    await tcp.ended;
    const close = Buffer.from(tcp.text.slice(head), 'latin1');
    assert.equal(close[0], 0x88, 'a close frame');
    assert.equal(close.readUInt16BE(2), code);
  });
}

test('a close is answered with its own code', async () => {
  const one = await connected();
  one.socket.close(4321, 'enough');
  assert.equal((await one.closed()).code, 4321);
});

test('a ping of WebSocket is answered with its payload', async () => {
  const one = await connected();
  const pong = new Promise((resolve) => { one.socket.once('pong', resolve); });
  one.socket.ping('payload');
  assert.equal(String(await pong), 'payload');
});

test('a message in fragments with a ping in between is one message', async () => {
  const one = await wire();
  one.socket.send('{"id":1,', { fin: false });
  one.socket.ping();
  one.socket.send('"connect":', { fin: false });
  one.socket.send('{}}', { fin: true });
  assert.ok((await one.reply(1)).connect);
});

const HANDSHAKES = {
  'without a key': [HANDSHAKE.replace(/Sec-WebSocket-Key.*\r\n/, ''), 400],
  'of another version': [HANDSHAKE.replace('Version: 13', 'Version: 12'), 426],
  'without an upgrade': ['GET /connection/websocket HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n', 426],
  'by POST': [HANDSHAKE.replace('GET', 'POST').replace('Host:', 'Content-Length: 0\r\nHost:'), 405],
};
for (const [what, [request, status]] of Object.entries(HANDSHAKES)) {
  test(`a handshake ${what} is refused with ${status}`, async () => {
    const tcp = await openTcp(server.port);
    tcp.write(request);
    await tcp.has('\r\n\r\n');
    assert.match(tcp.text, new RegExp(`^HTTP/1\\.1 ${status} `));
    tcp.reset();
  });
}

test('a publisher sees its publication before the reply to it', async () => {
  const one = await connected();
  await one.ask({ subscribe: { channel: 'self' } });
  for (let i = 0; i < 50; i += 1) await one.ask({ publish: { channel: 'self', data: i } });
  const order = one.received.flatMap(({ id, push }) => (push?.pub ? [`pub ${push.pub.data}`] : id > 2 ? [`reply ${id - 3}`] : []));
  assert.deepEqual(order, Array.from({ length: 50 }, (_, i) => [`pub ${i}`, `reply ${i}`]).flat());
});

test('who does not connect within 10 s is ended with 3502', { timeout: 20_000 }, async () => {
  const one = await wire();
  const since = Date.now();
  assert.deepEqual(await one.closed(15_000), { code: 3502, reason: 'stale' });
  assert.ok(Date.now() - since > 9_000);
});

test('pings come every 25 s, and who does not answer one within 8 s is ended with 3012', { timeout: 60_000 }, async () => {
  const silent = await connected();
  const answering = await connected();
  const seen = () => answering.received.filter((reply) => Object.keys(reply).length === 0).length;
  const answer = until(() => seen() > 0, 'a ping', 30_000).then(() => answering.send('{}'));
  assert.deepEqual(await silent.closed(40_000), { code: 3012, reason: 'no pong' });
  await answer;
  assert.ok((await answering.ask({ subscribe: { channel: 'a' } })).subscribe);
});

for (const signal of ['SIGTERM', 'SIGINT']) {
  test(`${signal} ends every connection with 3001, every stream with a retry, and the server with exit code 0`, async () => {
    const other = await startServer({ shards: 2 });
    const ends = [];
    for (let i = 0; i < 20; i += 1) {
      const one = await openWire(other.url);
      if (i % 2 === 0) await one.connect();
      ends.push(one.closed(10_000));
    }
    const stream = await openTcp(other.port);
    stream.write('GET /sse/news HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
    await stream.has('retry: ');
    const since = Date.now();
    await other.stop(signal);
    assert.ok(Date.now() - since < 3_000, `${Date.now() - since} ms`);
    for (const end of await Promise.all(ends)) assert.deepEqual(end, { code: 3001, reason: 'shutdown' });
    await stream.ended;
    assert.match(stream.text, /: end shutdown[\s\S]*retry: \d+/);
  });
}
