// Lines break all the time, and nobody loses, doubles or disorders a message.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { CentrifugeClient, EventSourceClient } from './lib/clients.mjs';
import { disturbLine } from './lib/disturb.mjs';
import { openDoors } from './lib/doors.mjs';
import { api } from './lib/http.mjs';
import { startProxy } from './lib/proxy.mjs';
import { Random, takeSeed } from './lib/random.mjs';
import { assertSameList } from './lib/same_list.mjs';
import { startServer } from './lib/server.mjs';
import { until } from './lib/wait.mjs';

const CLIENTS_OF_A_KIND = 8;
// What the clients of the Centrifuge SDK are carried by: half of them a WebSocket, the others what there is where that is blocked.
const TRANSPORTS = [['websocket'], ['http_stream'], ['websocket'], ['sse']];
const CHANNELS = ['alpha', 'beta', 'gamma', 'delta'];
const SECONDS = Number(process.env.CONTINUITY_SECONDS ?? 30);
const PUBLICATIONS_PER_SECOND = 100;
const MAX_OUTAGE_MS = 2_000;

/** Publishes from one door into one channel, one after another and each in its time, and counts. */
async function publishAll(door, channel, random, deadline) {
  const everyMs = (3 * CHANNELS.length * 1000) / PUBLICATIONS_PER_SECOND;
  let n = 0;
  for (let due = Date.now() + random.between(0, everyMs); due < deadline; due += everyMs) {
    await pause(Math.max(0, due - Date.now()));
    n += 1;
    await door.publish(channel, { door: door.name, n, text: 'x'.repeat(random.integer(0, 200)), nested: [{ half: n / 2 }, null] });
  }
  return n;
}

/** Breaks one client's line again and again, in every way there is. */
async function disturb(proxy, random, deadline) {
  let cuts = 0;
  for (;;) {
    await pause(random.between(300, 4_000));
    const outage = random.next() < 0.3 ? 0 : random.between(0, MAX_OUTAGE_MS);
    if (Date.now() + outage > deadline) return cuts;
    cuts += 1;
    await disturbLine(proxy, random, outage);
  }
}

/** One list per channel that a client follows: {client, channel, received: () => [{offset, message}]} */
async function openReaders(server) {
  const readers = [];
  const proxies = [];
  const closers = [];
  const opened = [];
  for (let i = 0; i < CLIENTS_OF_A_KIND; i += 1) {
    const proxy = await startProxy(server.port);
    const transports = TRANSPORTS[i % TRANSPORTS.length];
    const client = new CentrifugeClient(proxy.url, { transports, maxReconnectDelay: 1_000 });
    opened.push(client.connect().then(async () => {
      for (const channel of CHANNELS) {
        const record = await client.subscribe(channel);
        readers.push({ client: `centrifuge ${i} (${transports})`, kind: 'centrifuge', channel, record,
          received: () => record.publications.map(({ offset, data }) => ({ offset, message: data })) });
      }
    }));
    proxies.push(proxy);
    closers.push(() => client.close());
  }
  for (let i = 0; i < CLIENTS_OF_A_KIND; i += 1) {
    const proxy = await startProxy(server.port);
    const channel = CHANNELS[i % CHANNELS.length];
    const record = new EventSourceClient(proxy.url, channel);
    opened.push(record.opened().then(() => readers.push({ client: `eventsource ${i}`, kind: 'eventsource', channel, record,
      received: () => record.events.map(({ offset, data }) => ({ offset, message: JSON.parse(data) })) })));
    proxies.push(proxy);
    closers.push(() => record.close());
  }
  await Promise.all(opened);
  const close = async () => {
    for (const end of closers) end();
    for (const proxy of proxies) await proxy.close();
  };
  return { readers, proxies, close };
}

const count = (reader) => (reader.record.publications ?? reader.record.events).length;

function checkReader(reader, history) {
  const who = `${reader.client} in ${reader.channel}`;
  const received = reader.received();
  assertSameList(received, history.map(({ offset, data }) => ({ offset, message: data })), who);
  if (reader.kind === 'eventsource') {
    assert.deepEqual(reader.record.gaps, [], `${who}: gaps`);
    return;
  }
  const [first, ...again] = reader.record.subscribed;
  assert.equal(first.wasRecovering, false, who);
  for (const context of again) assert.deepEqual([context.wasRecovering, context.recovered], [true, true], `${who}: recovered`);
  assert.deepEqual(reader.record.unsubscribed, [], who);
}

async function run(shards, seed) {
  const server = await startServer({ shards });
  const { readers, proxies, close } = await openReaders(server);
  const { doors, close: closeDoors } = await openDoors(server);
  try {
    assert.equal(readers.length, CLIENTS_OF_A_KIND * (CHANNELS.length + 1));
    const deadline = Date.now() + SECONDS * 1000;
    const disturbing = proxies.map((proxy, i) => disturb(proxy, new Random(seed + i), deadline));
    const publishing = CHANNELS.map((channel, c) => Promise.all(
      doors.map((door, d) => publishAll(door, channel, new Random(seed + 100 + 10 * c + d), deadline))));
    const published = await Promise.all(publishing);
    const cuts = (await Promise.all(disturbing)).reduce((sum, n) => sum + n);

    for (const [c, channel] of CHANNELS.entries()) {
      const total = published[c].reduce((sum, n) => sum + n);
      const { publications: history } = await api(server, 'history', { channel, limit: -1 });
      assertSameList(history.map(({ offset }) => offset), Array.from({ length: total }, (_, i) => i + 1), 'all that was acknowledged stands in history');
      for (const [d, door] of doors.entries()) {
        const own = history.filter(({ data }) => data.door === door.name).map(({ data }) => data.n);
        assertSameList(own, Array.from({ length: published[c][d] }, (_, i) => i + 1), `what ${door.name} published stands in its order`);
      }
      for (const reader of readers.filter((one) => one.channel === channel)) {
        await until(() => count(reader) >= total, () => `${reader.client} has ${count(reader)} of ${total} in ${channel}`, 15_000);
        checkReader(reader, history);
      }
    }
    const all = published.flat().reduce((sum, n) => sum + n);
    const resumes = readers.reduce((sum, { record }) => sum + (record.subscribed?.length ?? record.opens) - 1, 0);
    console.log(`${shards} shards: ${all} publications, ${cuts} disturbances, ${resumes} resumed subscriptions`);
    assert.ok(all > 0.9 * PUBLICATIONS_PER_SECOND * SECONDS, `only ${all} publications`);
    assert.ok(resumes > (readers.length * SECONDS) / 15, `only ${resumes} resumed subscriptions`);
  } finally {
    closeDoors();
    await close();
    await server.stop();
  }
}

// Side by side: most of the time each of them waits.
test('16 clients behind lines that break miss, double and disorder nothing', { concurrency: true, timeout: 120_000 }, async (t) => {
  const seed = takeSeed('continuity');
  await Promise.all([1, 2, 4].map((shards) => t.test(`${shards} shards`, () => run(shards, seed + 1000 * shards))));
});
