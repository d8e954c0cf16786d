// Deltas: whatever is published, the npm client puts together what was published.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { connectCentrifuge } from './lib/clients.mjs';
import { api } from './lib/http.mjs';
import { startProxy } from './lib/proxy.mjs';
import { Random, takeSeed } from './lib/random.mjs';
import { assertSameList } from './lib/same_list.mjs';
import { startConfigured, startServer } from './lib/server.mjs';
import { until } from './lib/wait.mjs';
import { openWire } from './lib/wire.mjs';

let server;
let proxy;
let closers;
let channel;
let channels = 0;

before(async () => { server = await startServer({ shards: 2 }); });
after(() => server?.stop());
beforeEach(async () => {
  channels += 1;
  channel = `delta:${channels}`;
  closers = [];
  proxy = await startProxy(server.port);
});
afterEach(async () => {
  for (const close of closers) close();
  await proxy.close();
});

const publish = (data, delta = true) => api(server, 'publish', { channel, data, delta });

async function subscriber(options = { delta: 'fossil' }) {
  const client = await connectCentrifuge(proxy.url);
  closers.push(() => client.close());
  return client.subscribe(channel, options);
}

/** A match whose score changes: what deltas are for. */
const match = (minute) => ({ home: 'Málaga', away: 'Saint-Étienne', score: [minute % 3, 1], minute, text: '進行中 😀'.repeat(20) });

/** Values that grow, shrink and change anywhere, with characters of all lengths. */
function* values(random, count) {
  const letters = ['a', 'é', '€', '😀', '"', '\\', '\n', ' '];
  const word = () => Array.from({ length: random.integer(0, 29) }, () => random.pick(letters)).join('');
  const words = Array.from({ length: 20 }, word);
  for (let i = 0; i < count; i += 1) {
    const at = random.integer(0, words.length - 1);
    if (words.length > 5 && random.integer(0, 4) === 0) words.splice(at, 1);
    if (random.integer(0, 1) === 0) words.splice(at, 0, word());
    words[random.integer(0, words.length - 1)] = word();
    yield { i, words: [...words] };
  }
}

test('the SDK applies our deltas to whatever is published', async () => {
  const random = new Random(takeSeed('delta'));
  const all = [...values(random, 300)];
  const deltas = await subscriber();
  const plain = await subscriber({});
  for (const value of all) await publish(value, random.integer(0, 9) > 0);
  await deltas.count(all.length);
  await plain.count(all.length);
  assertSameList(deltas.data, all, 'with delta');
  assertSameList(plain.data, all, 'without delta');
  assert.deepEqual(deltas.errors, []);
});

test('on the wire: first the whole as a string, then changes', async () => {
  const wire = await openWire(server.url);
  closers.push(() => wire.terminate());
  await wire.connect();
  const { subscribe } = await wire.ask({ subscribe: { channel, delta: 'fossil' } });
  assert.equal(subscribe.delta, true);
  for (const minute of [1, 2, 3]) await publish(match(minute));
  await publish(match(4), false);
  await publish({ other: true });
  await until(() => wire.pushes('pub').length === 5, () => '5 publications');
  const pubs = wire.pushes('pub').map(({ pub }) => pub);
  assert.deepEqual(pubs.map(({ delta }) => delta ?? false), [false, true, true, false, false]);
  assert.deepEqual(JSON.parse(pubs[0].data), match(1));
  assert.ok(pubs[1].data.length < 60, pubs[1].data);
  assert.deepEqual(JSON.parse(pubs[3].data), match(4));
});

test('recovered publications are a chain, and live ones go on in it', async () => {
  const record = await subscriber();
  const expected = [];
  const round = async (count) => {
    for (let i = 0; i < count; i += 1) {
      expected.push(match(expected.length));
      await publish(expected.at(-1));
    }
  };
  await round(3);
  for (let i = 0; i < 3; i += 1) {
    proxy.breakDown();
    await round(5);
    proxy.restore();
    await record.count(expected.length);
    await round(2);
    await record.count(expected.length);
  }
  assertSameList(record.data, expected, 'publications');
  assert.ok(record.subscribed.slice(1).every(({ recovered }) => recovered));
});

test('cache recovery: the newest whole, then changes of it, also after a broken connection', async () => {
  const cached = await startConfigured({
    client: { insecure: true },
    http_api: { insecure: true },
    channel: { namespaces: [{ name: 'delta', history_size: 10, history_ttl: '60s', force_recovery: true, force_recovery_mode: 'cache', allowed_delta_types: ['fossil'], delta_publish: true }] },
  });
  const through = await startProxy(cached.port);
  closers.push(() => through.close(), () => cached.stop());
  const say = (minute) => api(cached, 'publish', { channel, data: match(minute) });
  for (const minute of [1, 2, 3]) await say(minute);
  const client = await connectCentrifuge(through.url);
  closers.unshift(() => client.close());
  const record = await client.subscribe(channel, { delta: 'fossil', since: {} });
  await record.count(1);
  await say(4);
  await record.count(2);
  through.breakDown();
  for (const minute of [5, 6]) await say(minute);
  through.restore();
  await record.count(3);
  await say(7);
  await record.count(4);
  assertSameList(record.data, [3, 4, 6, 7].map(match), 'publications');
  assert.deepEqual(record.errors, []);
  const { numFullPayloads, numDeltaPayloads } = record.subscription.deltaStats();
  assert.deepEqual([numFullPayloads, numDeltaPayloads], [2, 2]);
});
