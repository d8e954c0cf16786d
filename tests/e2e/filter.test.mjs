// Filters over tags, with the npm client.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { connectCentrifuge } from './lib/clients.mjs';
import { api } from './lib/http.mjs';
import { startProxy } from './lib/proxy.mjs';
import { startServer } from './lib/server.mjs';
import { until } from './lib/wait.mjs';

let server;
let proxy;
let closers;
let channel;
let channels = 0;

before(async () => { server = await startServer({ shards: 2 }); });
after(() => server?.stop());
beforeEach(async () => {
  channels += 1;
  channel = `filter:${channels}`;
  closers = [];
  proxy = await startProxy(server.port);
});
afterEach(async () => {
  for (const close of closers) close();
  await proxy.close();
});

async function client() {
  const made = await connectCentrifuge(proxy.url);
  closers.push(() => made.close());
  return made;
}
const publish = (data, tags) => api(server, 'publish', { channel, data, tags });

test('only what matches comes, live and recovered, without a gap', async () => {
  const tagsFilter = { op: 'and', nodes: [{ key: 'ticker', cmp: 'in', vals: ['A', 'B'] }, { key: 'price', cmp: 'gte', val: '99.5' }] };
  const record = await (await client()).subscribe(channel, { tagsFilter });
  const other = await (await client()).subscribe(channel);
  await publish(1, { ticker: 'A', price: '100' });
  await publish(2, { ticker: 'A', price: '9' });
  await publish(3, { ticker: 'C', price: '100' });
  await publish(4);
  await publish(5, { ticker: 'B', price: '99.50' });
  await other.count(5);
  await record.count(2);
  proxy.breakDown();
  await publish(6, { ticker: 'A', price: '1e3' });
  await publish(7, { ticker: 'A', price: 'much' });
  proxy.restore();
  await other.count(7);
  await publish(8, { ticker: 'B', price: '200' });
  await record.count(4);
  await other.count(8);
  assert.deepEqual(record.data, [1, 5, 6, 8]);
  assert.deepEqual(record.offsets, [1, 5, 6, 8]);
  assert.deepEqual(record.publications[0].tags, { ticker: 'A', price: '100' });
  assert.equal(record.subscribed.at(-1).recovered, true);
  assert.deepEqual(record.unsubscribed, []);
});

test('a filter that makes no sense is error 107', async () => {
  const { client: sdk } = await client();
  const subscription = sdk.newSubscription(channel, { tagsFilter: { key: 'k', cmp: 'about', val: '1' } });
  const ends = [];
  subscription.on('unsubscribed', (context) => ends.push(context));
  subscription.subscribe();
  await until(() => ends.length > 0, () => 'the end of the subscription');
  assert.equal(ends[0].code, 107);
});
