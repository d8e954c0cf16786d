// Readers that never read beside as many that do, on one channel and on channels of their own: those that read get everything, the memory of the
// server knows nothing of the others, and each of these is given what its policy says when it wakes up. 1,000 of each with LONG=1.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { api, metrics } from './lib/http.mjs';
import { startConfigured } from './lib/server.mjs';
import { until } from './lib/wait.mjs';
import { openWire } from './lib/wire.mjs';

const EACH = process.env.LONG ? 1_000 : 60;
const MESSAGES = 600;
const FILLER = 'x'.repeat(8_000);
const LIMIT = 262_144;
const MIB = 1_048_576;

const CONFIG = {
  // Who does not read does not answer pings either: it is not to be ended for that here.
  http_api: { insecure: true }, prometheus: { enabled: true }, client: { insecure: true, ping_interval: '5m' },
  channel: { namespaces: [{ name: 'flow', overflow: 'drop_oldest', overflow_max_bytes: LIMIT }, { name: 'state', overflow: 'latest' }] },
};

let server;
before(async () => { server = await startConfigured(CONFIG); });
after(() => server?.stop());

async function subscriber(channel) {
  const wire = await openWire(server.url);
  await wire.connect();
  assert.equal((await wire.ask({ subscribe: { channel } })).error, undefined);
  return wire;
}

const seen = (wire) => wire.pushes('pub').map((push) => push.pub.data.n);

async function crowd(count, channelOf) {
  const wires = [];
  for (let i = 0; i < count; i += 20) wires.push(...await Promise.all(Array.from({ length: Math.min(20, count - i) }, (_, k) => subscriber(channelOf(i + k)))));
  return wires;
}

test('one channel: the memory is that of one reader', async () => {
  const channel = 'flow:shared';
  const slow = await crowd(EACH, () => channel);
  const normal = await crowd(process.env.LONG ? 50 : 10, () => channel);
  for (const wire of slow) wire.raw.pause();
  const before = await server.memory();
  const skipped = (await metrics(server)).get('parley_overflow_skipped_total{policy="drop_oldest"}');
  for (let n = 1; n <= MESSAGES; n += 20) {
    await api(server, 'batch', { commands: Array.from({ length: 20 }, (_, k) => ({ publish: { channel, data: { n: n + k, filler: FILLER } } })) });
    // The others keep up: they are not to be slow for want of the test's own time.
    await until(() => normal.every((wire) => seen(wire).at(-1) === n + 19), () => 'those that read');
  }
  const grown = await server.memory() - before;
  for (const wire of normal) assert.equal(seen(wire).length, MESSAGES);
  assert.ok(grown < (process.env.LONG ? 64 : 24) * MIB, `grew by ${(grown / MIB).toFixed(1)} MiB`);

  for (const wire of slow) wire.raw.resume();
  await until(() => slow.every((wire) => seen(wire).at(-1) === MESSAGES), () => 'the slow ones', 20_000);
  const missing = slow.map((wire) => MESSAGES - seen(wire).length);
  assert.ok(missing.every((n) => n > 0), 'each was too slow');
  const counted = (await metrics(server)).get('parley_overflow_skipped_total{policy="drop_oldest"}') - skipped;
  assert.equal(counted, missing.reduce((sum, n) => sum + n, 0), 'what is counted is what is missing');
  console.log(JSON.stringify({ test: 'slow_crowd_shared', slow: EACH, grown_mib: +(grown / MIB).toFixed(1), skipped: counted }));
  for (const wire of [...slow, ...normal]) wire.terminate();
});

test('channels of their own: the memory is within the limits, and the newest state arrives', async () => {
  const count = EACH / 2;
  const slow = await crowd(count, (i) => `state:${i}`);
  for (const wire of slow) wire.raw.pause();
  const before = await server.memory();
  // Many channels at a time: who takes nothing for 30 s is ended.
  const begun = performance.now();
  const channels = Array.from({ length: count }, (_, i) => `state:${i}`);
  for (let n = 1; n <= MESSAGES; n += 1)
    for (let i = 0; i < count; i += 50) await api(server, 'broadcast', { channels: channels.slice(i, i + 50), data: { n, filler: FILLER } });
  const published = performance.now() - begun;
  const grown = await server.memory() - before;
  // A tail is at most 1 MiB and all tails of a shard at most 64.
  assert.ok(grown < Math.min(count, 128) * 1.5 * MIB + 16 * MIB, `grew by ${(grown / MIB).toFixed(1)} MiB`);
  for (const wire of slow) wire.raw.resume();
  await until(() => slow.every((wire) => seen(wire).at(-1) === MESSAGES), () => 'the newest state', 20_000);
  console.log(JSON.stringify({ test: 'slow_crowd_private', slow: count, grown_mib: +(grown / MIB).toFixed(1), published_ms: Math.round(published) }));
  for (const wire of slow) wire.terminate();
});
