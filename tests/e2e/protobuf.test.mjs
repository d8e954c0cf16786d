// The Centrifuge protocol in Protobuf: the unmodified client's own Protobuf build, beside JSON clients in the same channels.
// Runs beside other files: it waits more than it works.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { Centrifuge as ProtobufCentrifuge } from 'centrifuge/build/protobuf';
import WebSocket from 'ws';
import { connectCentrifuge, openEventSource, websocketUrl } from './lib/clients.mjs';
import { api, pub } from './lib/http.mjs';
import { startProxy } from './lib/proxy.mjs';
import { startServer } from './lib/server.mjs';
import { until, within } from './lib/wait.mjs';

const CONNECT = Buffer.from('0408012200', 'hex');

let server;
let proxy;
let closers;
let channel;
let channels = 0;

before(async () => { server = await startServer({ shards: 2 }); });
after(() => server?.stop());

beforeEach(async () => {
  channels += 1;
  channel = `protobuf:${channels}`;
  closers = [];
  proxy = await startProxy(server.port);
});

afterEach(async () => {
  for (const close of closers) close();
  await proxy.close();
});

async function sdk(options) {
  const client = await connectCentrifuge(proxy.url, options);
  closers.push(() => client.close());
  return client;
}
const binarySdk = () => sdk({ Sdk: ProtobufCentrifuge });

const bytes = (text) => new TextEncoder().encode(text);
const text = (data) => new TextDecoder('utf-8', { fatal: true }).decode(data);
const json = (data) => JSON.parse(text(data));

/** A WebSocket that sends and shows raw bytes. */
async function rawSocket(query, subprotocols = []) {
  const socket = new WebSocket(websocketUrl(server.url) + query, subprotocols, { perMessageDeflate: false });
  closers.push(() => socket.terminate());
  const messages = [];
  socket.on('message', (data, isBinary) => messages.push({ data, isBinary }));
  const closed = new Promise((resolve) => { socket.on('close', (code, reason) => resolve({ code, reason: String(reason) })); });
  await within(once(socket, 'open'), 'an open WebSocket');
  return { socket, messages, closed };
}

test('the SDK connects, and is told who it is', async () => {
  const { connected, id } = await binarySdk();
  assert.match(id, /^[0-9a-f-]{36}$/);
  assert.equal(connected.length, 1);
  assert.equal(connected[0].transport, 'websocket');
});

test('the subprotocol or the query chooses Protobuf, and nothing else does', async () => {
  for (const [query, subprotocols, agreed, binary] of [
    ['', [], '', false],
    ['', ['centrifuge-json'], 'centrifuge-json', false],
    ['', ['centrifuge-protobuf'], 'centrifuge-protobuf', true],
    ['', ['centrifuge-protobuf', 'centrifuge-json'], 'centrifuge-protobuf', true],
    ['?format=protobuf', [], '', true],
    ['?cf_protocol=protobuf&cf_protocol_version=v2', [], '', true],
    ['?format=json', [], '', false],
  ]) {
    const { socket, messages } = await rawSocket(query, subprotocols);
    assert.equal(socket.protocol, agreed);
    socket.send(binary ? CONNECT : '{"id":1,"connect":{}}');
    const [{ data, isBinary }] = await until(() => messages.length > 0 && messages, 'the reply to connect');
    assert.equal(isBinary, binary, `${query} ${subprotocols}`);
    if (binary) assert.equal(data[0], data.length - 1, 'its length goes before it');
    else assert.equal(JSON.parse(data).id, 1);
  }
});

test('the encoding of the session counts, and not the type of the message', async () => {
  const one = await rawSocket('?format=protobuf');
  one.socket.send(CONNECT, { binary: false });
  await until(() => one.messages.length > 0, 'the reply to Protobuf as text');
  assert.equal(one.messages[0].isBinary, true);
  const other = await rawSocket('');
  other.socket.send(Buffer.from('{"id":1,"connect":{}}'), { binary: true });
  await until(() => other.messages.length > 0, 'the reply to JSON as bytes');
  assert.equal(other.messages[0].isBinary, false);
});

const FATAL = {
  'JSON': Buffer.from('{"id":1,"connect":{}}'),
  'nothing': Buffer.alloc(0),
  'a length beyond the frame': Buffer.from('0508012200', 'hex'),
  'a length of 2 GiB': Buffer.from('ffffffff0708012200', 'hex'),
  'a length of 2^64-1': Buffer.from('ffffffffffffffffff01', 'hex'),
  'a wrong wire type': Buffer.from('0408012001', 'hex'),
  'a name that is not UTF-8': Buffer.from('07080122032201ff', 'hex'),
};
for (const [what, frame] of Object.entries(FATAL)) {
  test(`${what} ends a Protobuf connection with 3501`, async () => {
    const { socket, closed } = await rawSocket('', ['centrifuge-protobuf']);
    socket.send(frame);
    assert.deepEqual(await within(closed, 'the end of the connection'), { code: 3501, reason: 'bad request' });
  });
}

test('it subscribes, publishes, and reads history and presence', async () => {
  const client = await binarySdk();
  const record = await client.subscribe(channel);
  const { streamPosition, positioned, recoverable } = record.subscribed[0];
  assert.deepEqual([positioned, recoverable, Number(streamPosition.offset)], [true, true, 0]);
  for (let i = 1; i <= 5; i += 1) await client.publish(channel, bytes(`{"n":${i}}`));
  await record.count(5);
  assert.deepEqual(record.data.map(json), [1, 2, 3, 4, 5].map((n) => ({ n })));
  assert.deepEqual(record.offsets.map(Number), [1, 2, 3, 4, 5]);
  assert.equal(record.publications[0].info.client, client.id);

  const history = await record.subscription.history({ limit: 2, since: { offset: 1, epoch: streamPosition.epoch } });
  assert.deepEqual(history.publications.map(({ data }) => json(data)), [{ n: 2 }, { n: 3 }]);
  assert.equal(Number(history.offset), 5);
  const backwards = await client.client.history(channel, { limit: -1, reverse: true });
  assert.deepEqual(backwards.publications.map(({ offset }) => Number(offset)), [5, 4, 3, 2, 1]);

  const { clients } = await record.subscription.presence();
  assert.deepEqual(Object.keys(clients), [client.id]);
  assert.equal(clients[client.id].client, client.id);
  assert.deepEqual({ ...await record.subscription.presenceStats() }, { numClients: 1, numUsers: 1 });
});

test('errors have their codes', async () => {
  const client = await binarySdk();
  await assert.rejects(client.client.rpc('method', bytes('1')), { code: 108 });
  await assert.rejects(client.client.history(channel, { since: { epoch: 'other', offset: 1 } }), { code: 112 });
  await assert.rejects(client.publish(channel, new Uint8Array()), { code: 107 });
  const refused = client.client.newSubscription('ü');
  const end = once(refused, 'unsubscribed');
  refused.subscribe();
  const [{ code }] = await within(end, 'a refused subscription');
  assert.equal(code, 107);
});

test('joins and leaves are told between both encodings', async () => {
  const one = await binarySdk();
  const record = await one.subscribe(channel, { joinLeave: true });
  const other = await sdk();
  const seen = await other.subscribe(channel, { joinLeave: true });
  await until(() => record.joins.some(({ client }) => client === other.id), 'the join');
  const third = await binarySdk();
  const { subscription } = await third.subscribe(channel);
  await until(() => seen.joins.some(({ client }) => client === third.id), 'the join of a Protobuf client');
  subscription.unsubscribe();
  other.close();
  await until(() => record.leaves.length === 2, 'the leaves');
  assert.deepEqual(record.leaves.map(({ client }) => client).sort(), [other.id, third.id].sort());
});

test('what was missed comes after a cut, in order and once', async () => {
  const client = await binarySdk();
  const record = await client.subscribe(channel);
  await client.publish(channel, bytes('1'));
  await record.count(1);
  for (let round = 0; round < 3; round += 1) {
    proxy.breakDown();
    for (let i = 0; i < 100; i += 1) await api(server, 'publish', { channel, data: 2 + 100 * round + i });
    proxy.restore();
    await record.count(101 + 100 * round);
  }
  assert.deepEqual(record.data.map(json), Array.from({ length: 301 }, (_, i) => i + 1));
  assert.deepEqual(record.offsets.map(Number), Array.from({ length: 301 }, (_, i) => i + 1));
  assert.ok(record.subscribed.length > 1 && record.subscribed.slice(1).every(({ recovered }) => recovered));
});

test('a line that is cut anywhere inside what was missed loses nothing', async () => {
  const reader = await sdk();
  for (let i = 1; i <= 50; i += 1) await reader.publish(channel, i);
  const { epoch } = await reader.client.history(channel, { limit: 0 });
  for (const size of [300, 500, 700, 900, 1100, 1500]) {
    const line = await startProxy(server.port);
    closers.push(() => line.close());
    line.cutNext(size);
    const client = await connectCentrifuge(line.url, { Sdk: ProtobufCentrifuge }).catch(() => undefined);
    if (!client) continue;
    closers.push(() => client.close());
    const record = await client.subscribe(channel, { since: { epoch, offset: 0 } });
    await record.count(50);
    assert.deepEqual(record.data.map(json), Array.from({ length: 50 }, (_, i) => i + 1));
  }
});

test('JSON is the same value from and to either encoding, in the order of the channel', async () => {
  const binary = await binarySdk();
  const plain = await sdk();
  const seenBinary = await binary.subscribe(channel);
  const seenPlain = await plain.subscribe(channel);
  const values = [{ n: 1 }, 'text "with" quotes', -1.5e-7, false, [], { 'ключ': '🎉\n' }, ''];
  for (const value of values) {
    await binary.publish(channel, bytes(JSON.stringify(value, null, 1)));
    await plain.publish(channel, value);
    await api(server, 'publish', { channel, data: value });
  }
  for (const record of [seenBinary, seenPlain]) await record.count(3 * values.length);
  const wanted = values.flatMap((value) => [value, value, value]);
  assert.deepEqual(seenBinary.data.map(json), wanted);
  assert.deepEqual(seenPlain.data, wanted);
  assert.deepEqual(seenBinary.offsets.map(Number), seenPlain.offsets);
});

test('bytes are bytes to Protobuf clients, base64 to JSON clients, and told gaps to EventSource', async () => {
  const binary = await binarySdk();
  const other = await binarySdk();
  const plain = await sdk();
  const source = await openEventSource(server.url, channel);
  closers.push(() => source.close());
  const records = [];
  for (const client of [binary, other, plain]) records.push(await client.subscribe(channel));
  const blobs = [Uint8Array.from({ length: 256 }, (_, i) => i), Uint8Array.of(0), bytes('not JSON'), new Uint8Array(60_000).fill(255)];
  for (const blob of blobs) await binary.publish(channel, blob);
  await pub(server, channel, Uint8Array.of(0, 255), { 'Content-Type': 'application/octet-stream' });
  await pub(server, channel, 'plain text', { 'Content-Type': 'text/plain' });
  for (const record of records) await record.count(blobs.length + 2);
  for (const { data } of records.slice(0, 2)) {
    assert.deepEqual(data.slice(0, 4).map((one) => Buffer.from(one)), blobs.map((one) => Buffer.from(one)));
    assert.deepEqual([...data[4]], [0, 255]);
    assert.equal(text(data[5]), 'plain text');
  }
  assert.deepEqual(records[2].data, [...blobs.map((one) => ({ base64: Buffer.from(one).toString('base64') })), { base64: 'AP8=' }, 'plain text']);
  const { publications } = await plain.client.history(channel, { limit: 1 });
  assert.deepEqual(publications[0].data, { base64: Buffer.from(blobs[0]).toString('base64') });
  await source.count(1);
  assert.deepEqual(source.data, ['plain text']);
  assert.deepEqual(source.gaps.map(({ reason }) => reason), Array(5).fill('unsupported'));
});

test('it answers pings and stays', { timeout: 60_000 }, async () => {
  const client = await binarySdk();
  const silent = await rawSocket('', ['centrifuge-protobuf']);
  silent.socket.send(CONNECT);
  await until(() => silent.messages.length === 2, 'a ping', 30_000);
  assert.deepEqual([...silent.messages[1].data], [0]);
  assert.equal((await within(silent.closed, 'the end of who does not answer', 15_000)).code, 3012);
  await client.publish(channel, bytes('1'));
  assert.equal(client.connected.length, 1);
});
