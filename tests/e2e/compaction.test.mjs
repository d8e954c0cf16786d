// Channel compaction: the npm client offers it, and finds its channels by number.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { Centrifuge as ProtobufCentrifuge } from 'centrifuge/build/protobuf';
import { connectCentrifuge } from './lib/clients.mjs';
import { api } from './lib/http.mjs';
import { startServer } from './lib/server.mjs';
import { until } from './lib/wait.mjs';
import { openWire } from './lib/wire.mjs';

let server;
let closers = [];

before(async () => { server = await startServer({ shards: 2 }); });
after(() => server?.stop());
afterEach(() => {
  for (const close of closers) close();
  closers = [];
});

const publish = (channel, data) => api(server, 'publish', { channel, data });

test('the SDK tells channels apart, also after it left and came back', async () => {
  const client = await connectCentrifuge(server.url);
  closers.push(() => client.close());
  const names = Array.from({ length: 20 }, (_, i) => `compaction:${i}`);
  const records = await Promise.all(names.map((name) => client.subscribe(name, { joinLeave: true })));
  await Promise.all(names.map((name) => publish(name, name)));
  await Promise.all(records.map((record) => record.count(1)));
  records[3].subscription.unsubscribe();
  records[3].subscription.subscribe();
  await records[3].subscription.ready(10_000);
  await Promise.all(names.map((name) => publish(name, `${name} again`)));
  await Promise.all(records.map((record) => record.count(2)));
  records.forEach((record, i) => assert.deepEqual(record.data, [names[i], `${names[i]} again`]));
  assert.ok(records.every((record) => record.joins.length > 0));
});

test('on the wire: a number where it was offered, the name where not', async () => {
  const pushes = [];
  for (const flag of [1, 0]) {
    const wire = await openWire(server.url);
    closers.push(() => wire.terminate());
    await wire.connect();
    const { subscribe } = await wire.ask({ subscribe: { channel: 'compaction:wire', flag } });
    await publish('compaction:wire', flag);
    await until(() => wire.pushes('pub').length === 1, () => 'the publication');
    const [push] = wire.pushes('pub');
    pushes.push({ id: subscribe.id, push: { ...push, pub: push.pub.data } });
  }
  const { id } = pushes[0];
  assert.ok(id > 0);
  assert.deepEqual(pushes, [{ id, push: { id, pub: 1 } }, { id: undefined, push: { channel: 'compaction:wire', pub: 0 } }]);
});

// Why there is none over Protobuf: a client cannot be seen to have `long`, and one that has it would lose every publication in silence.
test('the SDK with long reads a channel number as an object, so Protobuf is given none', async () => {
  const reader = new ProtobufCentrifuge(server.url.replace('http', 'ws'));
  const [{ push }] = reader._codec.decodeReplies(new Uint8Array([4, 0x22, 2, 8, 1]));
  assert.equal(String(push.id), '1');
  assert.equal(typeof push.id, 'object');
  assert.equal(new Map([[reader._codec.decodeReplies(new Uint8Array([4, 0x22, 2, 8, 1]))[0].push.id, 'news']]).get(push.id), undefined);
  const client = await connectCentrifuge(server.url, { Sdk: ProtobufCentrifuge });
  closers.push(() => client.close());
  const record = await client.subscribe('compaction:protobuf');
  await publish('compaction:protobuf', 1);
  await record.count(1);
});
