// Readers that never read beside as many that do, on one channel and on channels of their own: those that read get everything, the memory of the
// server knows nothing of the others, and each of these is given what its policy says when it wakes up. 1,000 of each with LONG=1, and
// then 2,000 with `parley bench`, once quietly and once with those that never read.
import assert from 'node:assert/strict';
import os from 'node:os';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { api, metrics } from './lib/http.mjs';
import { moveApart } from './lib/process.mjs';
import { runParley, startConfigured } from './lib/server.mjs';
import { sleepers } from './lib/sleepers.mjs';
import { until } from './lib/wait.mjs';
import { openWire } from './lib/wire.mjs';

const EACH = process.env.LONG ? 1_000 : 60;
const MESSAGES = 600;
const FILLER = 'x'.repeat(8_000);
const LIMIT = 262_144;
const MIB = 1_048_576;
// What the allocator has free goes back within a second.
const SETTLED_MS = 1_500;

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

/** What a server holds that nobody asks for anything: of whom have left it gives memory back for some time yet. */
async function settledMemory(server) {
  let [least, since] = [Infinity, 0];
  await until(async () => {
    const now = await server.memory();
    if (now < least - MIB / 4) [least, since] = [now, performance.now()];
    return performance.now() - since >= SETTLED_MS;
  }, 'memory that falls no more', 60_000);
  return least;
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
  const before = await settledMemory(server);
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
  const before = await settledMemory(server);
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

// --- 2,000 of each, with `parley bench`: it counts what is lost, doubled or disordered, and takes the times

const CROWD = 2_000;
const RATE = 20;
const PAYLOAD = 1_024;
// Who sleeps longest is further behind than a tail (1 MiB) and its kernel hold together, and has to read history.
const PAYLOAD_KEPT = 4_096;
// Until what never reads has its kernel full, it is read for by that, and a reader like any other.
const WARM_S = 4;
const QUIET_S = 10;
const LOUD_S = 60;
const SLEEPERS = 60;
const SLEEP_MS = [5_000, 26_000];
// The limit in publications lies between: each costs its payload and something more.
const LIMIT_IN_PUBLICATIONS = [LIMIT / (PAYLOAD + 512), LIMIT / PAYLOAD];
const SECOND = RATE;
// Who skips nothing too, although it is first given all that it missed, 2 MB at most.
const NEWEST_MS = 1_000;
const TIMES_LONGER = 2;
const NOISE_MS = 5;
const STALL_S = 30;
const GAPS = { flow: 'overflow', state: 'conflated', kept: 'retention' };
const CROWD_CONFIG = {
  ...CONFIG,
  channel: { namespaces: [
    { name: 'flow', overflow: 'drop_oldest', overflow_max_bytes: LIMIT }, { name: 'state', overflow: 'latest', overflow_max_bytes: LIMIT },
    { name: 'kept', overflow: 'resume', history_size: 1_000, history_ttl: '5m' },
  ] },
};

/** One server with one shard, that has a processor of its own; the load has the others. */
let measured;
async function measuredServer() {
  if (measured) return measured;
  measured = await startConfigured(CROWD_CONFIG, { shards: 1 });
  await moveApart(measured.pid);
  return measured;
}
after(() => measured?.stop());

/** What `parley bench` says of so many seconds behind the first. */
async function bench(server, seconds, args) {
  const run = await runParley(['bench', ...args, '--seconds', seconds, '--warm', WARM_S, '--json', '--url', server.url, '--pid', server.pid].map(String), { ms: (seconds + 60) * 1_000 });
  assert.ok(run.stdout, run.stderr);
  const result = JSON.parse(run.stdout);
  assert.ok(result.ok, `${args.join(' ')}: ${JSON.stringify(result.faults)} ${result.reason ?? ''}`);
  return result;
}

/**
 * Looks at the server twice a second until the promise is settled: the most memory, and, while the load lasts, when sessions were ended for taking
 * nothing. Either the server sees it or, where the window stayed closed, the kernel (`TCP_USER_TIMEOUT`): then the peer is not told, and cannot count it.
 */
async function watched(server, promise, memory) {
  const ended = async () => {
    const all = await metrics(server);
    return ['slow', 'transport_lost'].reduce((sum, reason) => sum + (all.get(`parley_sessions_ended_total{reason="${reason}"}`) ?? 0), 0);
  };
  const begun = performance.now();
  const before = await ended();
  const seen = { memory, first: null, last: null };
  let settled = false;
  promise.catch(() => {}).finally(() => { settled = true; });
  for (let count = before; !settled; await pause(500)) {
    seen.memory = Math.max(seen.memory, await server.memory());
    const now = await ended();
    const seconds = (performance.now() - begun) / 1_000;
    // The load's own end closes its connections.
    if (now === count || seconds > WARM_S + LOUD_S) continue;
    seen.last = +seconds.toFixed(1);
    seen.first ??= seen.last;
    count = now;
    seen.ended = count - before;
  }
  return { result: await promise, grown: seen.memory - memory, ended: seen.ended ?? 0, first: seen.first, last: seen.last };
}

/** The one channel of a load, when all are there. */
async function channelOf(server, prefix, clients) {
  return until(async () => {
    const { channels } = await api(server, 'channels', { pattern: `${prefix}-*` });
    return Object.entries(channels).find(([, { num_clients: n }]) => n >= clients)?.[0];
  }, () => `${clients} in ${prefix}`, 60_000);
}

/** Quietly, loudly, quietly: the results of the load without those that never read, and what there was to see with them. */
async function quietAndLoud(server, quiet, loud, meanwhile = () => {}) {
  const one = await bench(server, QUIET_S, quiet);
  const memory = await settledMemory(server);
  const running = bench(server, LOUD_S, loud);
  const seeing = watched(server, running, memory);
  // Who fails first is told.
  const more = await Promise.race([meanwhile(), running.then(() => pause(60_000, undefined, { ref: false }))]);
  const seen = await seeing;
  const two = await bench(server, QUIET_S, quiet);
  const p99 = (one.latency_ms.p99 + two.latency_ms.p99) / 2;
  return {
    more, seen, row: {
      quiet_p99_ms: [one, two].map(({ latency_ms: { p99: ms } }) => +ms.toFixed(1)), loud_p99_ms: +seen.result.latency_ms.p99.toFixed(1), loud_p50_ms: +seen.result.latency_ms.p50.toFixed(1),
      ratio: +(seen.result.latency_ms.p99 / p99).toFixed(2), deliveries_per_second: Math.round(seen.result.deliveries_per_second), server_us_per_delivery: +seen.result.cpu.process_us.toFixed(2),
      grown_mib: +(seen.grown / MIB).toFixed(1), ended: seen.ended, ended_from_to_s: [seen.first, seen.last], load: os.loadavg().map((n) => +n.toFixed(1)),
    },
  };
}

/** `endedAtLeast`: sessions that ended, whoever ended them. */
function assertUnharmed({ seen, row }, most, endedAtLeast) {
  assert.ok(seen.grown <= most, `grew by ${row.grown_mib} MiB`);
  assert.ok(row.loud_p99_ms <= Math.max(NOISE_MS, (TIMES_LONGER * (row.quiet_p99_ms[0] + row.quiet_p99_ms[1])) / 2), JSON.stringify(row));
  assert.ok(seen.ended >= endedAtLeast, `${seen.ended} of ${endedAtLeast} ended, those that take nothing for ${STALL_S} s among them`);
}

/**
 * Where a sleeper went on says what its kernel held, and so from which publication on the limit was exceeded; who never went beyond it has all, who was
 * a second beyond it has been judged.
 */
function assertJudged(policy, slept) {
  for (const one of slept) {
    assert.ok(one.took <= NEWEST_MS, `${one.took} ms until the newest`);
    assert.ok(one.jumps.length <= 1 && one.skipped >= 0, JSON.stringify(one));
  }
  const jumped = slept.filter(({ jumps }) => jumps.length === 1);
  if (policy === 'kept') return assert.equal(jumped.length, 0, 'history and tail have all');
  const held = Math.max(...jumped.map(({ from, jumps: [{ before }] }) => before - from));
  const [least, most] = policy === 'state' ? [SECOND / 2, 2 * SECOND] : LIMIT_IN_PUBLICATIONS;
  assert.ok(jumped.length >= slept.length / 4, `${jumped.length} of ${slept.length} were judged`);
  for (const { top, jumps: [{ before, behind }] } of jumped) {
    assert.ok(top - before >= least, `judged when ${top - before} behind`);
    assert.ok(behind >= top - (policy === 'state' ? 1 : most), `goes on with ${behind} of ${top}`);
  }
  for (const { from, top, jumps } of slept) if (jumps.length === 0) assert.ok(top - from <= held + most + SECOND, `not judged, ${top - from} behind with at most ${held} in kernels`);
  return undefined;
}

for (const policy of process.env.LONG ? Object.keys(GAPS) : []) {
  test(`${CROWD} that never read beside ${CROWD} that do, one channel, ${policy}`, { timeout: 300_000 }, async () => {
    const server = await measuredServer();
    const counted = async (name = `parley_gaps_total{reason="${GAPS[policy]}"}`) => (await metrics(server)).get(name);
    const prefix = `${policy}:loud`;
    const readers = ['--subscribers', CROWD, '--rate', RATE, '--payload', policy === 'kept' ? PAYLOAD_KEPT : PAYLOAD];
    const [gaps, pages] = [await counted(), await counted('parley_history_page_reads_total')];
    const run = await quietAndLoud(server, ['fanout', ...readers, '--prefix', `${policy}:quiet`], ['slow', ...readers, '--slow', CROWD, '--prefix', prefix], async () =>
      sleepers(server.port, await channelOf(server, prefix, 2 * CROWD), SLEEPERS, ...SLEEP_MS));
    const jumped = run.more.filter(({ jumps }) => jumps.length > 0);
    const took = run.more.map((one) => one.took).sort((a, b) => a - b);
    const read = await counted('parley_history_page_reads_total') - pages;
    console.log(JSON.stringify({
      test: 'slow_crowd_2000_shared', policy, ...run.row, sleepers: SLEEPERS, judged: jumped.length, history_pages_read: read, newest_after_ms: [took[SLEEPERS / 2], took.at(-1)].map((ms) => +ms.toFixed(1)),
      held_in_kernels: jumped.length > 0 ? [Math.min, Math.max].map((of) => of(...jumped.map(({ from, jumps: [{ before }] }) => before - from))) : null,
    }));
    assertJudged(policy, run.more);
    if (policy === 'kept') assert.ok(read >= SLEEPERS / 4, `${read} pages of history read: their lag was in the tail`);
    assert.equal(await counted() - gaps, jumped.length, 'what was skipped was told or counted as a gap');
    // The sleepers and who watched with them go by themselves, and count alike.
    assertUnharmed(run, 64 * MIB, CROWD + SLEEPERS + 1);
  });
}

test(`... each on a channel of its own, beside one that reads`, { skip: !process.env.LONG, timeout: 300_000 }, async () => {
  const server = await measuredServer();
  // As many publications as deliveries: half the rate leaves the load room.
  const load = ['--channels', CROWD, '--subscribers', 1, '--rate', (CROWD * RATE) / 2, '--publishers', 20, '--payload', PAYLOAD];
  const run = await quietAndLoud(server, ['channels', ...load, '--prefix', 'flow:quiet'], ['slow', ...load, '--slow', CROWD, '--prefix', 'flow:loud']);
  console.log(JSON.stringify({ test: 'slow_crowd_2000_private', ...run.row }));
  assertUnharmed(run, CROWD * (LIMIT + 16_384), CROWD);
});
