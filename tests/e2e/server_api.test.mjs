// What an application's backend does to living connections, and the corners of the HTTP API, with real clients.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { connectCentrifuge, openEventSource } from './lib/clients.mjs';
import { api } from './lib/http.mjs';
import { startServer } from './lib/server.mjs';
import { until } from './lib/wait.mjs';

let server;
let clients = [];
let channel;
let channels = 0;

before(async () => { server = await startServer({ shards: 2 }); });
after(async () => { await server?.stop(); });

beforeEach(() => {
  channels += 1;
  channel = `api:${channels}`;
});

afterEach(() => {
  for (const client of clients) client.close();
  clients = [];
});

/** So many SDK clients; the kernel spreads them over the shards. */
async function connect(count) {
  const made = await Promise.all(Array.from({ length: count }, () => connectCentrifuge(server.url)));
  clients.push(...made);
  return made;
}

/** POST /api<path> as it is. */
async function post(path, body, headers = {}) {
  const answer = await fetch(`${server.url}/api${path}`, { method: 'POST', body, headers });
  return { status: answer.status, text: await answer.text() };
}

test('unsubscribe ends the client-side subscription of the client it names', async () => {
  const [one, two] = await connect(2);
  const [first, second] = [await one.subscribe(channel), await two.subscribe(channel)];
  assert.deepEqual(await api(server, 'unsubscribe', { user: '', client: one.id, channel }), {});
  await until(() => first.unsubscribed.length === 1, 'the first is told');
  const { code, reason } = first.unsubscribed[0];
  assert.deepEqual({ code, reason }, { code: 2000, reason: 'server unsubscribe' });
  // It is out when the API has answered.
  assert.deepEqual(await api(server, 'presence_stats', { channel }), { num_clients: 1, num_users: 1 });
  await api(server, 'publish', { channel, data: 1 });
  await second.count(1);
  assert.equal(second.unsubscribed.length, 0);
  assert.equal(first.publications.length, 0);
  // It may come back.
  first.subscription.subscribe();
  await first.subscription.ready(10_000);
});

test('unsubscribe without a client reaches every connection of the user, on every shard', async () => {
  const all = await connect(8);
  const records = await Promise.all(all.map((client) => client.subscribe(channel)));
  await api(server, 'unsubscribe', { user: 'somebody else', channel });
  assert.deepEqual(await api(server, 'presence_stats', { channel }), { num_clients: 8, num_users: 1 });
  await api(server, 'unsubscribe', { channel });
  assert.deepEqual(await api(server, 'presence_stats', { channel }), { num_clients: 0, num_users: 0 });
  await until(() => records.every(({ unsubscribed }) => unsubscribed.length === 1), 'all are told');
});

test('disconnect closes with the code and reason it was given', async () => {
  const [final, again, usual] = await connect(3);
  assert.deepEqual(await api(server, 'disconnect', { client: final.id, disconnect: { code: 4501, reason: 'not paid' } }), {});
  await until(() => final.disconnected.length === 1, 'a final disconnect');
  assert.deepEqual(final.disconnected[0], { code: 4501, reason: 'not paid' });

  const before = again.id;
  await api(server, 'disconnect', { client: before, disconnect: { code: 4001, reason: 'moved' } });
  await until(() => again.connected.length === 2, 'it reconnects');
  const { code, reason } = again.connecting.at(-1);
  assert.deepEqual({ code, reason }, { code: 4001, reason: 'moved' });
  assert.notEqual(again.id, before);

  await api(server, 'disconnect', { client: usual.id });
  await until(() => usual.disconnected.length === 1, 'the default is final');
  assert.deepEqual(usual.disconnected[0], { code: 3503, reason: 'force disconnect' });
});

test('disconnect spares the whitelist', async () => {
  const all = await connect(8);
  const [kept, ...others] = all;
  await api(server, 'disconnect', { user: '', whitelist: [kept.id] });
  await until(() => others.every(({ disconnected }) => disconnected.length === 1), 'the others are gone');
  const record = await kept.subscribe(channel);
  await api(server, 'publish', { channel, data: 'still here' });
  await record.count(1);
  assert.equal(kept.connected.length, 1);
});

test('an EventSource is ended by both', async () => {
  const [one, two] = [await openEventSource(server.url, channel), await openEventSource(server.url, `${channel}b`)];
  clients.push(one, two);
  await api(server, 'unsubscribe', { channel });
  await until(() => one.errors.length > 0, 'its channel is taken away');
  assert.equal(two.errors.length, 0);
  await api(server, 'disconnect', {});
  await until(() => two.errors.length > 0, 'it is disconnected');
});

test('info counts users, not connections', async () => {
  await connect(3);
  const { nodes: [node] } = await api(server, 'info');
  assert.ok(node.num_clients >= 3);
  assert.equal(node.num_users, 1);
});

test('statuses: 405, 400, 404 in transport mode', async () => {
  assert.equal((await fetch(`${server.url}/api/info`)).status, 405);
  assert.deepEqual(await post('/info', '{'), { status: 400, text: '' });
  assert.deepEqual(await post('/rpc', '{"method":"x"}'), { status: 200, text: '{"error":{"code":104,"message":"not found"}}' });
  assert.deepEqual(await post('/rpc', '{"method":"x"}', { 'X-Centrifugo-Error-Mode': 'transport' }),
    { status: 404, text: '{"code":104,"message":"not found"}' });
});

test('the legacy route takes several commands and answers them in order', async () => {
  const { status, text } = await post('', [
    JSON.stringify({ id: 1, method: 'publish', params: { channel, data: { a: 1 } } }),
    JSON.stringify({ id: 2, method: 'disconnect', params: { user: 'nobody' } }),
    JSON.stringify({ id: 3, method: 'presence_stats', params: { channel } }),
  ].join('\n'));
  assert.equal(status, 200);
  const replies = text.trimEnd().split('\n').map((line) => JSON.parse(line));
  assert.deepEqual(replies.map(({ id }) => id), [1, 2, 3]);
  assert.equal(replies[0].result.offset, 1);
  assert.deepEqual(replies.slice(1), [{ id: 2, result: {} }, { id: 3, result: { num_clients: 0, num_users: 0 } }]);
});

test('a version that is not new is left out', async () => {
  const [client] = await connect(1);
  const record = await client.subscribe(channel);
  for (const version of [2, 1, 2, 3]) await api(server, 'publish', { channel, data: version, version });
  await record.count(2);
  assert.deepEqual(record.data, [2, 3]);
  assert.deepEqual(record.offsets, [1, 2]);
});
