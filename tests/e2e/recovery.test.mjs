// What comes back after an absence, and what is told when it cannot.
// Runs beside other files: it waits more than it works.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { connectCentrifuge, openEventSource, EventSourceClient } from './lib/clients.mjs';
import { api, pub } from './lib/http.mjs';
import { startProxy } from './lib/proxy.mjs';
import { Random, takeSeed } from './lib/random.mjs';
import { assertSameList } from './lib/same_list.mjs';
import { freePort, startServer } from './lib/server.mjs';
import { until } from './lib/wait.mjs';

const HISTORY = 1000;
const RECOVERY_LIMIT = 300;

let server;
let proxy;
let closers;
let channel;
let channels = 0;

before(async () => { server = await startServer({ shards: 2 }); });
after(() => server?.stop());

beforeEach(async () => {
  channels += 1;
  channel = `recovery:${channels}`;
  closers = [];
  proxy = await startProxy(server.port);
});

afterEach(async () => {
  for (const close of closers) close();
  await proxy.close();
});

async function sdk(url = proxy.url) {
  const client = await connectCentrifuge(url);
  closers.push(() => client.close());
  return client;
}

async function eventSource(options) {
  const source = await openEventSource(proxy.url, channel, options);
  closers.push(() => source.close());
  return source;
}

/** Publishes `count` numbers, from `first` on. */
async function publish(first, count, name = channel) {
  const commands = Array.from({ length: count }, (_, i) => ({ publish: { channel: name, data: first + i } }));
  const answer = await fetch(`${server.url}/api/batch`, { method: 'POST', body: JSON.stringify({ commands }) });
  const { replies } = await answer.json();
  assert.equal(replies.length, count);
  assert.ok(replies.every((reply) => !reply.error));
}

const numbers = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** Cuts everybody off, lets `missed` happen, and lets them come back. */
async function away(missed) {
  proxy.breakDown();
  await missed();
  proxy.restore();
}

test('the SDK recovers all that it missed, and then hears what is new', async () => {
  const client = await sdk();
  const record = await client.subscribe(channel);
  await publish(1, 5);
  await record.count(5);
  await away(() => publish(6, RECOVERY_LIMIT));
  await record.count(5 + RECOVERY_LIMIT);
  await publish(306, 1);
  await record.count(306);
  assertSameList(record.data, numbers(1, 306), 'publications');
  assertSameList(record.offsets, numbers(1, 306), 'offsets');
  const { wasRecovering, recovered, hasRecoveredPublications } = record.subscribed.at(-1);
  assert.deepEqual({ wasRecovering, recovered, hasRecoveredPublications }, { wasRecovering: true, recovered: true, hasRecoveredPublications: true });
});

test('the SDK recovers when it missed nothing, and in a channel where nothing ever was published', async () => {
  const client = await sdk();
  const record = await client.subscribe(channel);
  const empty = await client.subscribe(`${channel}:empty`);
  await publish(1, 3);
  await record.count(3);
  await away(async () => {});
  for (const one of [record, empty]) {
    await until(() => one.subscribed.length === 2, 'the second subscribed');
    assert.deepEqual([one.subscribed[1].wasRecovering, one.subscribed[1].recovered], [true, true]);
  }
  await publish(4, 1);
  await publish(1, 1, `${channel}:empty`);
  await record.count(4);
  await empty.count(1);
  assert.deepEqual(record.data, [1, 2, 3, 4]);
});

test('what is published first while nobody is there is recovered from the beginning', async () => {
  const client = await sdk();
  const record = await client.subscribe(channel);
  const source = await eventSource();
  await away(() => publish(1, 3));
  await record.count(3);
  await source.count(3);
  assert.deepEqual(record.data, [1, 2, 3]);
  assert.deepEqual(source.values, [1, 2, 3]);
  assert.equal(record.subscribed.at(-1).recovered, true);
});

test('the SDK is told when it missed more than a recovery holds', async () => {
  const client = await sdk();
  const record = await client.subscribe(channel);
  await publish(1, 1);
  await record.count(1);
  await away(() => publish(2, RECOVERY_LIMIT + 1));
  await until(() => record.subscribed.length === 2, 'the second subscribed');
  const { wasRecovering, recovered, streamPosition } = record.subscribed[1];
  assert.deepEqual([wasRecovering, recovered, streamPosition.offset], [true, false, RECOVERY_LIMIT + 2]);
  await publish(1000, 1);
  await record.count(2);
  assert.deepEqual(record.data, [1, 1000]);
});

test('the SDK is told when history no longer has what it missed', async () => {
  const client = await sdk();
  const record = await client.subscribe(channel);
  await publish(1, 1);
  await record.count(1);
  await away(async () => {
    await publish(2, HISTORY);
    await publish(HISTORY + 2, 10);
  });
  await until(() => record.subscribed.length === 2, 'the second subscribed');
  assert.deepEqual([record.subscribed[1].wasRecovering, record.subscribed[1].recovered], [true, false]);
  await publish(5000, 1);
  await record.count(2);
  assert.deepEqual(record.data, [1, 5000]);
});

test('EventSource gets all that history has, in one go', async () => {
  const source = await eventSource();
  await publish(1, 1);
  await source.count(1);
  await away(() => publish(2, HISTORY));
  await source.count(1 + HISTORY);
  assertSameList(source.values, numbers(1, HISTORY + 1), 'events');
  assert.deepEqual(source.gaps, []);
});

test('EventSource is told the gap that history no longer covers, once, and gets the rest', async () => {
  const source = await eventSource();
  await publish(1, 1);
  await source.count(1);
  await away(async () => {
    await publish(2, HISTORY);
    await publish(HISTORY + 2, 10);
  });
  await until(() => source.values.at(-1) === HISTORY + 11, 'the newest message');
  // The shard that still follows the channel may hold more than history keeps: then nothing is missed, and no gap is told.
  const gaps = source.gaps.map(({ from, to, reason }) => ({ from, to, reason }));
  assert.deepEqual(gaps, gaps.length === 0 ? [] : [{ from: 2, to: 11, reason: 'retention' }]);
  assertSameList(source.values, [1, ...numbers(gaps.length === 0 ? 2 : 12, HISTORY + 11)], 'events');
  proxy.cut();
  await source.opened(3);
  await publish(2000, 1);
  await until(() => source.values.at(-1) === 2000, 'the message behind it');
  assert.equal(source.gaps.length, gaps.length);
});

test('a history that is removed keeps its position for those who missed nothing', async () => {
  const client = await sdk();
  const record = await client.subscribe(channel);
  const source = await eventSource();
  await publish(1, 5);
  for (const one of [record, source]) await one.count(5);
  await away(() => api(server, 'history_remove', { channel }));
  await until(() => record.subscribed.length === 2, 'the second subscribed');
  assert.equal(record.subscribed[1].recovered, true);
  assert.equal(record.subscribed[1].streamPosition.offset, 5);
  await source.opened(2);
  await publish(6, 1);
  for (const one of [record, source]) await one.count(6);
  assert.deepEqual(record.offsets, [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(source.gaps, []);
});

test('what was removed from history is told to those who missed it', async () => {
  const { epoch } = await pub(server, channel, '1');
  await publish(2, 2);
  await api(server, 'history_remove', { channel });
  await publish(4, 1);
  const client = await sdk();
  const record = await client.subscribe(channel, { since: { epoch, offset: 1 } });
  const { wasRecovering, recovered, streamPosition } = record.subscribed[0];
  assert.deepEqual([wasRecovering, recovered, streamPosition], [true, false, { epoch, offset: 4 }]);
  const source = await eventSource({ since: `${epoch}.1` });
  await source.count(1);
  assert.deepEqual(source.values, [4]);
  assert.deepEqual(source.gaps.map(({ from, to, reason }) => ({ from, to, reason })), [{ from: 2, to: 3, reason: 'retention' }]);
});

test('a server that comes back has a new epoch, and says so to everybody', async () => {
  const port = await freePort();
  const line = await startProxy(port);
  let other = await startServer({ port, shards: 2 });
  const client = await sdk(line.url);
  const record = await client.subscribe(channel);
  const source = await openEventSource(line.url, channel);
  closers.push(() => source.close());
  try {
    for (const data of [1, 2, 3]) await api(other, 'publish', { channel, data });
    for (const one of [record, source]) await one.count(3);
    const { epoch } = record.subscribed[0].streamPosition;
    line.breakDown();
    other.kill();
    await other.ended;
    other = await startServer({ port, shards: 2 });
    await api(other, 'publish', { channel, data: 10 });
    line.restore();
    await until(() => record.subscribed.length === 2, 'the second subscribed', 20_000);
    const { wasRecovering, recovered, streamPosition } = record.subscribed[1];
    assert.deepEqual([wasRecovering, recovered, streamPosition.offset], [true, false, 1]);
    assert.notEqual(streamPosition.epoch, epoch);
    await until(() => source.gaps.length === 1, 'a gap', 20_000);
    const [{ id, to, reason }] = source.gaps;
    assert.deepEqual([id, to, reason], [`${streamPosition.epoch}.1`, 1, 'epoch_changed']);
    await api(other, 'publish', { channel, data: 11 });
    await source.count(4);
    assert.deepEqual(source.values, [1, 2, 3, 11]);
    await record.count(4);
    assert.deepEqual(record.data, [1, 2, 3, 11]);
  } finally {
    await line.close();
    await other.stop();
  }
});

test('an id that never was is told as a gap once, an id of a page reload resumes', async () => {
  const { epoch } = await pub(server, channel, '1');
  await publish(2, 4);
  const stranger = await eventSource({ since: 'nonsense' });
  await until(() => stranger.gaps.length === 1, 'a gap');
  assert.deepEqual([stranger.gaps[0].to, stranger.gaps[0].reason], [5, 'epoch_changed']);
  proxy.cut();
  await stranger.opened(2);
  await publish(6, 1);
  await stranger.count(1);
  assert.deepEqual(stranger.values, [6]);
  assert.equal(stranger.gaps.length, 1);
  const again = await eventSource({ since: `${epoch}.3` });
  await again.count(3);
  assert.deepEqual(again.values, [4, 5, 6]);
  assert.deepEqual(again.gaps, []);
});

test('an EventSource whose line is cut before its first event misses nothing', async () => {
  const source = await eventSource();
  const { offset } = await api(server, 'history', { channel, limit: 0 });
  assert.equal(offset, 0);
  for (let round = 0; round < 3; round += 1) {
    await away(() => publish(10 * round, 1));
    await source.count(round + 1);
  }
  assert.deepEqual(source.values, [0, 10, 20]);
});

test('an EventSource that is cut off at every place inside what it missed gets each message once', async () => {
  const { epoch } = await pub(server, channel, '1');
  await publish(2, 99);
  const sources = [];
  for (let bytes = 1; bytes < 4_000; bytes = Math.ceil(1.5 * bytes) + 7) {
    const line = await startProxy(server.port);
    // The request itself has about 300 bytes.
    line.cutNext(300 + bytes);
    const source = new EventSourceClient(line.url, channel, { since: `${epoch}.0` });
    sources.push({ bytes, source, line });
    closers.push(() => source.close(), () => line.close());
  }
  for (const { bytes, source, line } of sources) {
    await source.count(100, 20_000);
    assertSameList(source.offsets, numbers(1, 100), `cut off after ${bytes} bytes`);
    assert.deepEqual(source.gaps, []);
    assert.ok(line.accepted >= 2, `${line.accepted} connections after ${bytes} bytes`);
  }
});

test('two subscriptions of one client recover each its own', async () => {
  const client = await sdk();
  const one = await client.subscribe(`${channel}:1`);
  const two = await client.subscribe(`${channel}:2`);
  await publish(1, 2, `${channel}:1`);
  await publish(1, 1, `${channel}:2`);
  await away(async () => {
    await publish(3, 10, `${channel}:1`);
    await publish(2, 400, `${channel}:2`);
  });
  await one.count(12);
  await until(() => two.subscribed.length === 2, 'the second subscribed');
  assert.equal(one.subscribed[1].recovered, true);
  assert.equal(two.subscribed[1].recovered, false);
  assert.deepEqual(one.data, numbers(1, 12));
});

test('a subscription that paused resumes from where it stood', async () => {
  const client = await sdk();
  const record = await client.subscribe(channel);
  for (let round = 0; round < 20; round += 1) {
    await publish(10 * round + 1, 5);
    await record.count(10 * round + 5);
    record.subscription.unsubscribe();
    await publish(10 * round + 6, 5);
    record.subscription.subscribe();
    await record.count(10 * round + 10);
  }
  assertSameList(record.data, numbers(1, 200), 'publications');
});

test('racing subscribe, unsubscribe and publish commands end in the state last asked for', async () => {
  const random = new Random(takeSeed('racing'));
  const client = await sdk();
  const watcher = await sdk();
  const watched = await watcher.subscribe(channel);
  const record = await client.subscribe(channel);
  const published = [];
  for (let round = 0; round < 200; round += 1) {
    record.subscription.unsubscribe();
    published.push(watcher.publish(channel, round).then(() => true, () => false));
    record.subscription.subscribe();
    if (random.next() < 0.2) await record.subscription.ready(10_000);
    if (random.next() < 0.1) proxy.cut();
  }
  const acknowledged = (await Promise.all(published)).filter(Boolean).length;
  await record.subscription.ready(10_000);
  await watched.subscription.ready(10_000);
  await publish(1_000, 1);
  await until(() => record.data.at(-1) === 1_000 && watched.data.at(-1) === 1_000, 'the last message');
  const { publications, offset } = await api(server, 'history', { channel, limit: -1 });
  assertSameList(watched.data, publications.map(({ data }) => data), 'the watcher');
  assertSameList(record.data, publications.map(({ data }) => data), 'who raced');
  assert.equal(offset, publications.length);
  assert.ok(publications.length > acknowledged, 'acknowledged is published');
  assert.deepEqual(await api(server, 'presence_stats', { channel }), { num_clients: 2, num_users: 1 });
});

test('a client that goes away in the middle of everything leaves nothing behind', async () => {
  const clients = await Promise.all(Array.from({ length: 20 }, () => sdk()));
  const names = Array.from({ length: 10 }, (_, i) => `${channel}:${i}`);
  for (const { client } of clients) {
    for (const name of names) {
      const subscription = client.newSubscription(name);
      subscription.subscribe();
      subscription.publish(1).catch(() => {});
    }
    setImmediate(() => client.disconnect());
  }
  for (const name of names) {
    await until(async () => (await api(server, 'presence_stats', { channel: name })).num_clients === 0, `an empty ${name}`);
  }
  const { channels: listed } = await api(server, 'channels', { pattern: `${channel}:*` });
  assert.deepEqual(listed, {});
});
