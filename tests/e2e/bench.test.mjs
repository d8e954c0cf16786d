// `parley bench`: every scenario against the real server, and servers that lose, double, disorder and refuse.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { WebSocketServer } from 'ws';
import { runParley, startServer } from './lib/server.mjs';
import { assertTurnsAreShort } from './lib/turns.mjs';

let server;

before(async () => { server = await startServer(); });
after(async () => { await server?.stop(); });

/** What `parley bench ... --json` printed, and its exit status. */
async function bench(scenario, args = [], { url = server.url, files } = {}) {
  const run = await runParley(['bench', scenario, '--json', '--url', url, ...args], { files });
  return { ...run, ...(run.stdout ? JSON.parse(run.stdout) : {}) };
}

const NONE = { lost: 0, missing: 0, doubled: 0, disordered: 0, misrouted: 0, closed: 0, refused: 0, failed_connections: 0 };

/** Measured, and nothing wrong. */
function assertGood(run) {
  assert.equal(run.code, 0, run.stderr + run.stdout);
  assert.equal(run.stderr, '');
  assert.deepEqual(run.faults, NONE);
  assert.equal(run.ok, true);
  const { p50, p99, p999, max } = run.latency_ms;
  assert.ok(p50 > 0 && p50 <= p99 && p99 <= p999 && p999 <= max, JSON.stringify(run.latency_ms));
}

// Each publishes exactly 200 messages, so that what must arrive is known.
const PUBLISHING = [
  ['fanout', ['--subscribers', '20', '--window', '16'], 20, 21],
  ['fanout', ['--subscribers', '20', '--rate', '2000'], 20, 21],
  ['fanout', ['--subscribers', '20', '--window', '16', '--protocol', 'eventsource'], 20, 21],
  ['fanout', ['--subscribers', '20', '--window', '16', '--protocol', 'http_stream'], 20, 21],
  ['fanout', ['--subscribers', '20', '--window', '16', '--protocol', 'sse'], 20, 21],
  ['channels', ['--channels', '10', '--subscribers', '2', '--publishers', '3', '--window', '20'], 2, 23],
  ['echo', ['--connections', '5', '--window', '2'], 1, 5],
  ['ingest', ['--publishers', '2'], 1, 3],
  ['api', ['--connections', '4'], 1, 5],
  ['api', ['--connections', '2', '--batch', '25'], 1, 3],
  ['slow', ['--subscribers', '5', '--slow', '2', '--rate', '2000'], 5, 8],
  ['slow', ['--channels', '3', '--subscribers', '2', '--slow', '7', '--warm', '0.1'], 2, 14],
];

for (const [scenario, args, copies, connections] of PUBLISHING) {
  test(`${scenario} ${args.join(' ')}: each message comes once to each`, async () => {
    const run = await bench(scenario, [...args, '--count', '200', '--pid', String(server.pid)]);
    assertGood(run);
    assert.equal(run.scenario, scenario);
    assert.equal(run.connections, connections);
    assert.equal(run.published, 200);
    assert.equal(run.deliveries, 200 * copies);
    assert.ok(run.delivered_bytes > 200 * copies * 128);
    assert.ok(run.deliveries_per_second > 0 && run.messages_per_second > 0);
    assert.equal(run.cpu.per, scenario === 'api' ? 'message' : 'delivery');
    assert.ok(run.cpu.process_us > 0);
    if (scenario === 'slow') assert.deepEqual(run.slow, { readers: Number(args[args.indexOf('--slow') + 1]), cut: 0 });
  });
}

test('the turns of the loops are short under these loads', () => assertTurnsAreShort(server));

test('connect tells connections a second, idle the memory of one', async () => {
  const storm = await bench('connect', ['--connections', '50', '--at-once', '10', '--channels', '5', '--pid', String(server.pid)]);
  assertGood(storm);
  assert.equal(storm.connected, 50);
  assert.ok(storm.connected_per_second > 0);
  assert.equal(storm.cpu.per, 'connection');
  const idle = await bench('idle', ['--connections', '50', '--seconds', '1', '--pid', String(server.pid)]);
  assertGood(idle);
  assert.equal(typeof idle.memory.process_bytes_per_connection, 'number');
  assert.equal(typeof idle.memory.kernel_bytes_per_connection, 'number');
});

test('it is for people without --json, and ends by time', async () => {
  const run = await runParley(['bench', 'fanout', '--url', server.url, '--subscribers', '3', '--window', '1', '--seconds', '0.2']);
  assert.equal(run.code, 0, run.stderr);
  assert.match(run.stdout, /^fanout +4 connections over centrifuge, 1 in flight/);
  assert.match(run.stdout, /\nfaults +none\n$/);
});

test('what cannot be measured is one sentence and status 1', async () => {
  const few = await bench('fanout', ['--subscribers', '100'], { files: 64 });
  assert.equal(few.code, 1);
  assert.match(few.stderr, /^parley: 101 connections need 117 open files, but the limit is 64: .*ulimit -n 117/);
  const nobody = await bench('fanout', ['--subscribers', '2'], { url: 'http://127.0.0.1:1' });
  assert.equal(nobody.code, 1);
  assert.match(nobody.stderr, /cannot connect to 127\.0\.0\.1:1/);
  const none = await bench('fanout', ['--pid', '4194304']);
  assert.equal(none.code, 1);
  assert.match(none.stderr, /--pid/);
});

/** A server that speaks as much of the protocol as bench needs, and hands on what `mangle` makes of a list of publications. */
async function fakeServer(t, mangle, subscribed = { subscribe: {} }) {
  const fake = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(fake, 'listening');
  t.after(() => {
    fake.clients.forEach((client) => client.terminate());
    fake.close();
  });
  const pushes = [];
  fake.on('connection', (client) => client.on('message', (text) => {
    const { id, connect, subscribe, publish } = JSON.parse(text);
    if (connect) client.send(JSON.stringify({ id, connect: {} }));
    if (subscribe) {
      client.subscribed = true;
      client.send(JSON.stringify({ id, ...subscribed }));
    }
    if (!publish) return;
    pushes.push(JSON.stringify({ push: { channel: publish.channel, pub: { data: publish.data } } }));
    client.send(JSON.stringify({ id, publish: {} }));
    if (pushes.length < 10) return;
    const readers = [...fake.clients].filter((one) => one.subscribed);
    for (const push of mangle(pushes.splice(0))) readers.forEach((one) => one.send(push));
  }));
  return `http://127.0.0.1:${fake.address().port}`;
}

// Two subscribers and ten messages.
const LIARS = {
  lost: [(list) => list.filter((_, i) => i !== 3), 2],
  missing: [(list) => list.slice(0, 7), 6],
  doubled: [(list) => [...list, list[4]], 2],
  disordered: [(list) => [list[1], list[0], ...list.slice(2)], 2],
  misrouted: [(list) => [...list, list[0].replace(/b#\d{10}/, 'b#0000000000')], 2],
};

for (const [fault, [mangle, count]] of Object.entries(LIARS)) {
  test(`a server by whom messages are ${fault} is found out`, async (t) => {
    const url = await fakeServer(t, mangle);
    const run = await bench('fanout', ['--subscribers', '2', '--window', '10', '--count', '10', '--seconds', '0.7'], { url });
    assert.equal(run.code, 1);
    assert.equal(run.ok, false);
    assert.deepEqual(run.faults, { ...NONE, [fault]: count });
    assert.match(run.stderr, /see faults/);
  });
}

test('a server that refuses is quoted', async (t) => {
  const url = await fakeServer(t, (list) => list, { error: { code: 103, message: 'permission denied' } });
  const run = await bench('fanout', ['--subscribers', '2'], { url });
  assert.equal(run.code, 1);
  assert.match(run.stderr, /2 of 3 connections failed: .*permission denied/);
});
