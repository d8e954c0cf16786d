// A subscriber that stops reading, by the policy of its channel's namespace, over WebSocket and as an EventSource, beside one that reads: that one
// misses nothing, and the slow one is given what its policy says.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { api, metrics } from './lib/http.mjs';
import { startConfigured } from './lib/server.mjs';
import { until } from './lib/wait.mjs';
import { openWire } from './lib/wire.mjs';

// What the sockets of both sides hold does not lag, so there must be much more than that.
const TIMES = 900;
const FILLER = 'x'.repeat(10_000);

const POLICIES = { keep: 'resume', drop: 'drop_oldest', now: 'latest' };
const CONFIG = {
  http_api: { insecure: true },
  prometheus: { enabled: true },
  client: { insecure: true },
  channel: {
    namespaces: [...Object.entries(POLICIES).map(([name, overflow]) => ({
      name, overflow, overflow_max_bytes: 500_000, allow_positioning: true,
      ...(overflow === 'resume' ? { history_size: 2 * TIMES, history_ttl: '60s' } : {}),
    })),
    { name: 'prices', overflow: 'latest', overflow_key: 'symbol', overflow_max_bytes: 500_000 },
    { name: 'jobs', overflow: 'block', overflow_max_wait: '1s', overflow_max_bytes: 500_000, allow_publish_for_client: true },
    ],
  },
};

let server;
before(async () => { server = await startConfigured(CONFIG); });
after(() => server?.stop());

/** In pieces much smaller than the limit; the next one comes when `caughtUp` has the last. */
async function publishAll(channel, caughtUp = () => true, tags = () => undefined) {
  for (let i = 1; i <= TIMES; i += 20) {
    const commands = [];
    for (let n = i; n < i + 20 && n <= TIMES; n += 1) commands.push({ publish: { channel, data: { n, filler: FILLER }, tags: tags(n) } });
    await api(server, 'batch', { commands });
    await until(() => caughtUp(Math.min(i + 19, TIMES)), () => `the quick one has not ${i + 19}`);
  }
}

/** A WebSocket subscriber: the numbers it got. */
async function webSocket(channel) {
  const wire = await openWire(server.url);
  await wire.connect();
  assert.equal((await wire.ask({ subscribe: { channel } })).error, undefined);
  const numbers = () => wire.pushes('pub').map((push) => push.pub.data.n);
  return { numbers, gaps: () => [], pause: () => wire.raw.pause(), resume: () => wire.raw.resume(), close: () => wire.terminate() };
}

/** An EventSource: the numbers and the gaps it got. */
async function eventSource(channel) {
  const events = [];
  const answer = await new Promise((resolve, reject) => {
    http.get(`${server.url}/sse/${encodeURIComponent(channel)}`, { agent: false }, resolve).on('error', reject);
  });
  let text = '';
  answer.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
    const blocks = text.split('\n\n');
    text = blocks.pop();
    for (const block of blocks) {
      const data = /^data: ?(.*)$/m.exec(block)?.[1];
      if (data) events.push({ gap: /^event: ?gap$/m.test(block), data: JSON.parse(data) });
    }
  }).on('error', () => {});
  return {
    numbers: () => events.filter(({ gap }) => !gap).map(({ data }) => data.n),
    gaps: () => events.filter(({ gap }) => gap).map(({ data }) => data),
    pause: () => { answer.pause(); answer.socket.pause(); },
    resume: () => { answer.socket.resume(); answer.resume(); },
    close: () => answer.destroy(),
  };
}

const ALL = Array.from({ length: TIMES }, (_, i) => i + 1);

for (const [name, open] of [['WebSocket', webSocket], ['EventSource', eventSource]]) {
  for (const [space, policy] of Object.entries(POLICIES)) {
    test(`${policy}, over ${name}`, async () => {
      const channel = `${space}:${name}`;
      const slow = await open(channel);
      const quick = await open(channel);
      const before = await metrics(server);
      slow.pause();
      await publishAll(channel, (n) => quick.numbers().at(-1) === n);
      assert.deepEqual(quick.numbers(), ALL);
      assert.deepEqual(quick.gaps(), []);

      slow.resume();
      await until(() => slow.numbers().at(-1) === TIMES, () => `the slow one ends at ${slow.numbers().at(-1)}`);
      const got = slow.numbers();
      const counted = await metrics(server);
      const skipped = counted.get(`parley_overflow_skipped_total{policy="${policy}"}`) - before.get(`parley_overflow_skipped_total{policy="${policy}"}`);
      if (policy === 'resume') {
        assert.deepEqual(got, ALL);
        assert.deepEqual(slow.gaps(), []);
      } else {
        assert.ok(got.length < TIMES, 'some were skipped');
        assert.equal(skipped, TIMES - got.length);
        assert.deepEqual(got, [...new Set(got)].sort((a, b) => a - b), 'in order, and once');
        // It may have woken up in between, when a socket had room again: then it has skipped more than once.
        const missing = ALL.filter((n) => !got.includes(n));
        const last = got.slice(got.findLastIndex((n, i) => n !== got[i - 1] + 1));
        if (policy === 'drop_oldest') assert.ok(last.length > 20, `${last.length} of the newest fit into the limit`);
        if (name === 'EventSource') {
          const reason = policy === 'latest' ? 'conflated' : 'overflow';
          assert.ok(slow.gaps().every((gap) => gap.reason === reason));
          assert.deepEqual(slow.gaps().flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, i) => from + i)), missing);
        }
      }
      slow.close();
      quick.close();
    });
  }
}

test('a positioned Centrifuge client is told with 2500 when the oldest are dropped, and nothing by `latest`', async () => {
  for (const space of ['drop', 'now']) {
    const channel = `${space}:positioned`;
    const wire = await openWire(server.url);
    await wire.connect();
    const reply = await wire.ask({ subscribe: { channel, positioned: true } });
    assert.equal(reply.subscribe?.positioned, true, JSON.stringify(reply));
    wire.raw.pause();
    await publishAll(channel);
    wire.raw.resume();
    if (space === 'drop') {
      await until(() => wire.pushes('unsubscribe').length === 1, () => 'the unsubscribe');
      assert.equal(wire.pushes('unsubscribe')[0].unsubscribe.code, 2500);
    } else {
      await until(() => wire.pushes('pub').at(-1)?.pub.data.n === TIMES, () => 'the newest publication');
      assert.equal(wire.pushes('unsubscribe').length, 0);
    }
    wire.terminate();
  }
});

// Ten of the 900 tell a symbol of their own, of which nothing more is heard; the others tell three in turn.
const symbolOf = (n) => (n > 700 && n <= 710 ? `rare${n}` : `s${n % 3}`);

for (const [name, open] of [['WebSocket', webSocket], ['EventSource', eventSource]]) {
  test(`latest per key, over ${name}`, async () => {
    const channel = `prices:${name}`;
    const slow = await open(channel);
    slow.pause();
    await publishAll(channel, undefined, (n) => ({ symbol: symbolOf(n) }));
    slow.resume();
    await until(() => slow.numbers().at(-1) === TIMES, () => `ends at ${slow.numbers().at(-1)}`);
    const got = slow.numbers();
    assert.ok(got.length < TIMES / 2, `${got.length} of ${TIMES}`);
    assert.deepEqual(got, [...new Set(got)].sort((a, b) => a - b), 'in order, and once');
    const newest = new Map(ALL.map((n) => [symbolOf(n), n]));
    for (const [symbol, n] of newest) assert.ok(got.includes(n), `the newest of ${symbol}`);
    if (name === 'EventSource') {
      const missing = ALL.filter((n) => !got.includes(n));
      assert.ok(slow.gaps().every((gap) => gap.reason === 'conflated'));
      assert.deepEqual(slow.gaps().flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, i) => from + i)), missing);
    }
    slow.close();
  });
}

test('block: publishers wait for a slow subscriber, are refused after the time that they may wait, and lose nothing', async () => {
  const channel = 'jobs:1';
  const slow = await webSocket(channel);
  const before = await metrics(server);
  slow.pause();
  const publish = async (n) => {
    const answer = await fetch(`${server.url}/api/publish`, { method: 'POST', body: JSON.stringify({ channel, data: { n, filler: FILLER } }) });
    return (await answer.json()).error?.code;
  };
  let last = 0;
  let refused;
  for (let n = 1; n <= 5 * TIMES && refused === undefined; n += 1) {
    refused = await publish(n);
    if (refused === undefined) last = n;
  }
  assert.equal(refused, 111);
  const publisher = await openWire(server.url);
  await publisher.connect();
  const started = performance.now();
  const reply = await publisher.ask({ publish: { channel, data: {} } });
  assert.equal(reply.error?.code, 111);
  assert.ok(performance.now() - started > 900, 'it has waited');

  // One that waits when the subscriber reads on is published.
  const waiting = publish(last + 1);
  await until(async () => (await metrics(server)).get('parley_publishes_waiting') === 1, () => 'one waits');
  slow.resume();
  assert.equal(await waiting, undefined);
  await until(() => slow.numbers().at(-1) === last + 1, () => `ends at ${slow.numbers().at(-1)}`);
  assert.deepEqual(slow.numbers(), Array.from({ length: last + 1 }, (_, i) => i + 1));
  const counted = await metrics(server);
  const grown = (outcome) => counted.get(`parley_publishes_blocked_total{outcome="${outcome}"}`) - before.get(`parley_publishes_blocked_total{outcome="${outcome}"}`);
  assert.equal(grown('timeout'), 2);
  assert.ok(grown('admitted') >= 1);
  slow.close();
  publisher.terminate();
});
