// What goes in by one door comes out of every other: the same value, in the same order, with the same offset.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { connectCentrifuge, openEventSource } from './lib/clients.mjs';
import { api, pub } from './lib/http.mjs';
import { startServer } from './lib/server.mjs';
import { until } from './lib/wait.mjs';

const JSON_TYPE = { 'Content-Type': 'application/json' };
const TEXT_TYPE = { 'Content-Type': 'text/plain' };
const BINARY_TYPE = { 'Content-Type': 'application/octet-stream' };

let server;
let clients;
let channel;
let channels = 0;

before(async () => {
  server = await startServer({ shards: 2 });
  clients = [];
});

after(async () => {
  for (const client of clients ?? []) client.close();
  await server?.stop();
});

beforeEach(() => {
  channels += 1;
  channel = `doors:${channels}`;
});

async function sdk() {
  const client = await connectCentrifuge(server.url);
  clients.push(client);
  return client;
}

async function eventSource(name, options) {
  const source = await openEventSource(server.url, name, options);
  clients.push(source);
  return source;
}

const VALUES = {
  'an object': { text: 'hello', n: 1, deep: { list: [1, [2, [3, {}]], null, true, false, ''] } },
  'a string': 'just text',
  'an empty string': '',
  'a number': -12.5e-7,
  'false': false,
  'an empty list': [],
  'unicode': { 'ключ': 'Grüße, 世界, 🎉, \u0000\u001f\u007f\u2028\u2029, e\u0301', '': 'empty key' },
  'newlines and quotes in strings': 'a\nb\r\nc\rd\t"quoted" \\ back',
  'deep nesting': JSON.parse('['.repeat(50) + ']'.repeat(50)),
  '60 KiB': { text: 'ÿ🎉'.repeat(10_000) },
};

/** The doors that carry any JSON value. */
const JSON_DOORS = {
  'the SDK': async (value, publisher) => publisher.publish(channel, value),
  'POST /pub': async (value) => pub(server, channel, JSON.stringify(value), JSON_TYPE),
  'POST /api/publish': async (value) => api(server, 'publish', { channel, data: value }),
};

for (const [door, publish] of Object.entries(JSON_DOORS)) {
  test(`JSON values through ${door} are the same for the SDK, EventSource and history`, async () => {
    const publisher = await sdk();
    const one = await (await sdk()).subscribe(channel);
    const two = await (await sdk()).subscribe(channel);
    const source = await eventSource(channel);
    const values = Object.values(VALUES);
    for (const value of values) await publish(value, publisher);

    const offsets = values.map((_, i) => i + 1);
    for (const reader of [one, two, source]) {
      await reader.count(values.length);
      assert.deepEqual(reader.offsets, offsets);
    }
    for (const [i, name] of Object.keys(VALUES).entries()) {
      assert.deepEqual(one.data[i], values[i], `${name} at the SDK`);
      assert.deepEqual(two.data[i], values[i], `${name} at another SDK`);
      assert.deepEqual(source.values[i], values[i], `${name} at EventSource`);
    }
    const { publications, offset, epoch } = await api(server, 'history', { channel, limit: -1 });
    assert.deepEqual(publications.map(({ data }) => data), values);
    assert.equal(offset, values.length);
    assert.ok(source.events.every((event) => event.epoch === epoch));
    const asked = await one.subscription.history({ limit: 100 });
    assert.deepEqual(asked.publications.map(({ data }) => data), values);
    assert.equal(asked.epoch, epoch);
    assert.deepEqual(source.gaps, []);
  });
}

test('JSON text is passed on as it was written: large numbers, escapes, spaces', async () => {
  const texts = ['12345678901234567890123456789', '0.1000000000000000000001', '1E400', '{"a":1,"a":2}', '"\\u0041\\/"', '{ "spaced" :\t[ 1 , 2 ] }'];
  const source = await eventSource(channel);
  const reader = await (await sdk()).subscribe(channel);
  for (const text of texts) await pub(server, channel, text, JSON_TYPE);
  for (const text of texts) {
    const answer = await fetch(`${server.url}/api/publish`, { method: 'POST', body: `{"channel":"${channel}","data":${text}}` });
    assert.deepEqual(Object.keys(await answer.json()), ['result']);
  }
  await source.count(2 * texts.length);
  assert.deepEqual(source.data, [...texts, ...texts]);
  await reader.count(2 * texts.length);
  assert.deepEqual(reader.data, [...texts, ...texts].map((text) => JSON.parse(text)));
});

test('newlines between the tokens of JSON harm no line-based protocol', async () => {
  const source = await eventSource(channel);
  const reader = await (await sdk()).subscribe(channel);
  const value = { a: [1, { b: 'c\nd' }], e: null };
  const pretty = JSON.stringify(value, null, 2);
  await pub(server, channel, `\n${pretty}\n\n`, JSON_TYPE);
  await pub(server, channel, pretty.replaceAll('\n', '\r\n'), JSON_TYPE);
  await pub(server, channel, pretty.replaceAll('\n', '\r'), JSON_TYPE);
  await pub(server, channel, '1', JSON_TYPE);
  for (const record of [source, reader]) await record.count(4);
  assert.deepEqual(reader.data, [value, value, value, 1]);
  assert.deepEqual(source.values, [value, value, value, 1]);
  assert.deepEqual(reader.offsets, [1, 2, 3, 4]);
  const { publications } = await (await sdk()).client.history(channel, { limit: 10 });
  assert.deepEqual(publications.map(({ data }) => data), [value, value, value, 1]);
});

test('text arrives as text: as a string at the SDK, as its lines at EventSource', async () => {
  const texts = ['plain', '42', 'two\nlines', 'trailing newline\n', '\n\n', ' leading space', 'data: not a field\nid: 7\n\nevent: gap', '"quoted" \\ 🎉'];
  const source = await eventSource(channel);
  const reader = await (await sdk()).subscribe(channel);
  for (const text of texts) await pub(server, channel, text, TEXT_TYPE);
  for (const record of [source, reader]) {
    await record.count(texts.length);
    assert.deepEqual(record.data, texts);
    assert.deepEqual(record.offsets, texts.map((_, i) => i + 1));
  }
  assert.deepEqual(source.gaps, []);
  const { publications } = await api(server, 'history', { channel, limit: -1 });
  assert.deepEqual(publications.map(({ data }) => data), texts);
});

test('a carriage return in text is a line end for EventSource, as HTML says', async () => {
  const source = await eventSource(channel);
  const reader = await (await sdk()).subscribe(channel);
  await pub(server, channel, 'a\r\nb\rc', TEXT_TYPE);
  for (const record of [source, reader]) await record.count(1);
  assert.deepEqual(reader.data, ['a\r\nb\rc']);
  assert.deepEqual(source.data, ['a\nb\nc']);
});

test('binary data arrive in base64 at the SDK and as a named gap at EventSource', async () => {
  const bytes = Buffer.from([0, 1, 0xff, 0xfe, 0x0a, 0x80]);
  const source = await eventSource(channel);
  const reader = await (await sdk()).subscribe(channel);
  await pub(server, channel, bytes, BINARY_TYPE);
  await api(server, 'publish', { channel, b64data: bytes.toString('base64') });
  await pub(server, channel, '"after"', JSON_TYPE);
  await reader.count(3);
  const wrapped = { base64: bytes.toString('base64') };
  assert.deepEqual(reader.data, [wrapped, wrapped, 'after']);
  await source.count(1);
  assert.deepEqual(source.offsets, [3]);
  assert.deepEqual(source.gaps.map(({ from, to, reason }) => [from, to, reason]), [[1, 1, 'unsupported'], [2, 2, 'unsupported']]);
  const { publications } = await api(server, 'history', { channel, limit: -1 });
  assert.deepEqual(publications.map(({ b64data, data }) => b64data ?? data), [wrapped.base64, wrapped.base64, 'after']);
});

test('what curl posts without a type is what it looks like', async () => {
  const reader = await (await sdk()).subscribe(channel);
  await pub(server, channel, '{"text":"hello"}');
  await pub(server, channel, 'hello');
  await pub(server, channel, Buffer.from([0xff, 0xfe]));
  await reader.count(3);
  assert.deepEqual(reader.data, [{ text: 'hello' }, 'hello', { base64: '//4=' }]);
});

test('what is not what it says it is, is refused and not published', async () => {
  const reader = await (await sdk()).subscribe(channel);
  for (const [body, headers] of [['{"a":', JSON_TYPE], ['', JSON_TYPE], [Buffer.from([0xff]), TEXT_TYPE], [Buffer.from([0x22, 0xff, 0x22]), JSON_TYPE]]) {
    const answer = await fetch(`${server.url}/pub/${channel}`, { method: 'POST', body, headers });
    assert.equal(answer.status, 400);
    assert.ok((await answer.json()).error.message);
  }
  for (const body of ['', '[]', '{}', '{"channel":""}', `{"channel":"${channel}"}`, `{"channel":"${channel}","data":}`]) {
    const answer = await fetch(`${server.url}/api/publish`, { method: 'POST', body });
    assert.ok(answer.status === 400 || (await answer.json()).error, `${answer.status} for ${body}`);
  }
  await pub(server, channel, '"good"', JSON_TYPE);
  await reader.count(1);
  assert.deepEqual(reader.data, ['good']);
  assert.deepEqual(reader.offsets, [1]);
});

test('an event name given to POST /pub is the event that EventSource dispatches', async () => {
  const source = await eventSource(channel, { names: ['created'] });
  await pub(server, channel, '{"id":7}', { 'Parley-Event': 'created' });
  await pub(server, channel, '{"id":8}', { 'Parley-Event': 'gap' });
  await source.count(2);
  assert.deepEqual(source.events.map(({ name, data }) => [name, data]), [['created', '{"id":7}'], [undefined, '{"id":8}']]);
  assert.deepEqual(source.gaps, []);
});

test('the same idempotency key publishes once, with the same answer', async () => {
  const reader = await (await sdk()).subscribe(channel);
  const key = { 'Idempotency-Key': 'order-7' };
  const first = await pub(server, channel, '{"id":7}', key);
  assert.deepEqual(await pub(server, channel, '{"id":7}', key), first);
  const once = await api(server, 'publish', { channel, data: 8, idempotency_key: 'a' });
  assert.deepEqual(await api(server, 'publish', { channel, data: 8, idempotency_key: 'a' }), once);
  await pub(server, channel, '"end"');
  await reader.count(3);
  assert.deepEqual(reader.data, [{ id: 7 }, 8, 'end']);
});

test('publishers are named by the SDK, tags come from the server API', async () => {
  const publisher = await sdk();
  const reader = await (await sdk()).subscribe(channel);
  await publisher.publish(channel, 1);
  await api(server, 'publish', { channel, data: 2, tags: { colour: 'blue' } });
  await reader.count(2);
  assert.equal(reader.publications[0].info.client, publisher.id);
  assert.equal(reader.publications[1].info, undefined);
  assert.deepEqual(reader.publications[1].tags, { colour: 'blue' });
});

test('a publisher that is subscribed hears itself, in order with the others', async () => {
  const one = await sdk();
  const other = await sdk();
  const mine = await one.subscribe(channel);
  const its = await other.subscribe(channel);
  await Promise.all(Array.from({ length: 100 }, (_, i) => [one.publish(channel, `one ${i}`), other.publish(channel, `other ${i}`)]).flat());
  await Promise.all([mine.count(200), its.count(200)]);
  assert.deepEqual(mine.data, its.data);
  assert.deepEqual(mine.offsets, Array.from({ length: 200 }, (_, i) => i + 1));
  for (const name of ['one', 'other']) {
    const own = mine.data.filter((text) => text.startsWith(`${name} `));
    assert.deepEqual(own, Array.from({ length: 100 }, (_, i) => `${name} ${i}`));
  }
});

test('broadcast and batch publish to channels of all shards', async () => {
  const names = Array.from({ length: 20 }, (_, i) => `${channel}:${i}`);
  const reader = await sdk();
  const records = [];
  for (const name of names) records.push(await reader.subscribe(name));
  await api(server, 'broadcast', { channels: names, data: { to: 'all' } });
  const answer = await fetch(`${server.url}/api/batch`, { method: 'POST',
    body: JSON.stringify({ commands: names.map((name) => ({ publish: { channel: name, data: name } })) }) });
  assert.equal((await answer.json()).replies.length, names.length);
  for (const [i, record] of records.entries()) {
    await record.count(2);
    assert.deepEqual(record.data, [{ to: 'all' }, names[i]]);
  }
});

test('channel names with any printable letter work through every door', async () => {
  const name = `${channel}:a/b%c?d#e&f=g+h~"'<>{}|\\^\``;
  const source = await eventSource(name);
  const client = await sdk();
  const reader = await client.subscribe(name);
  await client.publish(name, 1);
  await pub(server, name, '2');
  await api(server, 'publish', { channel: name, data: 3 });
  for (const record of [source, reader]) await record.count(3);
  assert.deepEqual(reader.data, [1, 2, 3]);
  assert.deepEqual(source.values, [1, 2, 3]);
});

test('history pages forward and backward, through the SDK and the server API alike', async () => {
  for (let i = 1; i <= 10; i += 1) await pub(server, channel, String(i));
  const { client } = await sdk();
  const { epoch } = await client.history(channel, { limit: 0 });
  const since = { offset: 5, epoch };
  for (const [options, expected] of [
    [{ limit: 3 }, [1, 2, 3]], [{ limit: 3, reverse: true }, [10, 9, 8]], [{ limit: 3, since }, [6, 7, 8]],
    [{ limit: 3, since, reverse: true }, [4, 3, 2]], [{ limit: 100, since }, [6, 7, 8, 9, 10]], [{ limit: 0 }, []],
  ]) {
    const told = await client.history(channel, options);
    const asked = await api(server, 'history', { channel, ...options });
    for (const page of [told, asked]) {
      assert.deepEqual((page.publications ?? []).map(({ data }) => data), expected, JSON.stringify(options));
      assert.equal(page.offset, 10);
      assert.equal(page.epoch, epoch);
    }
  }
});

test('presence counts and lists SDK clients on all shards, and tells joins and leaves', async () => {
  const watcher = await sdk();
  const watched = await watcher.subscribe(channel, { joinLeave: true });
  const members = [];
  for (let i = 0; i < 8; i += 1) {
    const member = await sdk();
    await member.subscribe(channel);
    members.push(member);
  }
  const everyone = [watcher, ...members].map(({ id }) => id).sort();
  await until(() => watched.joins.length >= 9, () => `9 joins; ${watched.joins.length}`);
  assert.deepEqual(watched.joins.map(({ client }) => client).sort(), everyone);
  const { clients: told } = await watched.subscription.presence();
  assert.deepEqual(Object.keys(told).sort(), everyone);
  const { presence } = await api(server, 'presence', { channel });
  assert.deepEqual(Object.keys(presence).sort(), everyone);
  assert.deepEqual(await watched.subscription.presenceStats(), { numClients: 9, numUsers: 1 });
  assert.deepEqual(await api(server, 'presence_stats', { channel }), { num_clients: 9, num_users: 1 });

  for (const member of members.slice(0, 4)) member.close();
  for (const member of members.slice(4)) member.client.getSubscription(channel).unsubscribe();
  await until(() => watched.leaves.length >= 8, () => `8 leaves; ${watched.leaves.length}`);
  assert.deepEqual(watched.leaves.map(({ client }) => client).sort(), members.map(({ id }) => id).sort());
  assert.deepEqual(await api(server, 'presence_stats', { channel }), { num_clients: 1, num_users: 1 });
});

test('the server API lists the channels that somebody follows', async () => {
  const reader = await sdk();
  const names = Array.from({ length: 10 }, (_, i) => `${channel}:listed:${i}`);
  for (const name of names) await reader.subscribe(name);
  const { channels: listed } = await api(server, 'channels', { pattern: `${channel}:listed:*` });
  assert.deepEqual(Object.keys(listed).sort(), names);
  assert.ok(Object.values(listed).every(({ num_clients: n }) => n === 1));
});
