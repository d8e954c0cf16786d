// All clients are cut at once and come back, with and without the jitter that SDKs have, and while the server stands still: it lets them in at the rate at
// which it did when they came one after another, refuses none though it has descriptors for hardly more than they are, and holds little more memory
// for it. 15,000 with LONG=1.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Crowd } from './lib/crowd.mjs';
import { metrics } from './lib/http.mjs';
import { now } from './lib/light_clients.mjs';
import { startConfigured } from './lib/server.mjs';
import { until } from './lib/wait.mjs';

const LONG = Boolean(process.env.LONG);
const CLIENTS = LONG ? 15_000 : 600;
const WORKERS = LONG ? 3 : 2;
const CHANNELS = Array.from({ length: 100 }, (_, i) => `c${i}`);
const AT_ONCE = 500;
const GOODPUT = 0.7;
const PEAK = 1.5;
// Hardly more than the clients need, and the server's own.
const FILES = CLIENTS + 100;
// [jitter, until when all are back, how long the server sees nothing of it]
const STORMS = LONG ? [[0, 60_000, 0], [0, 60_000, 2_500], [20_000, 30_000, 0]] : [[0, 60_000, 0], [0, 60_000, 300], [1_500, 30_000, 0]];
const WINDOW_MS = 1_000;

let server;
let crowd;
before(async () => {
  server = await startConfigured({ http_api: { disabled: true }, prometheus: { enabled: true }, client: { insecure: true } }, { files: FILES });
  crowd = new Crowd(WORKERS);
});
after(async () => {
  crowd?.end();
  await server?.stop();
});

/**
 * How many clients came in each whole window from the first step to the last. A client has three steps, connected, answered and subscribed, and each
 * is a third of it: all being under way at once, the first of them are only done when all are about to be.
 */
function windows(returned) {
  const sorted = returned.flatMap(({ steps }) => steps).sort((a, b) => a - b);
  const counts = new Array(Math.floor((sorted.at(-1) - sorted[0]) / WINDOW_MS)).fill(0);
  for (const at of sorted) {
    const window = Math.floor((at - sorted[0]) / WINDOW_MS);
    if (window < counts.length) counts[window] += 1 / 3;
  }
  return counts.map(Math.round);
}

/** How many were refused, by the status or what else came of it. */
function refusals(returned) {
  const counts = {};
  for (const how of returned.flatMap(({ refused }) => refused)) counts[how] = (counts[how] ?? 0) + 1;
  return counts;
}

/** Runs `action` and resolves with its result and the most memory that was in use meanwhile. */
async function watched(action) {
  let peak = 0;
  let done = false;
  const watch = (async () => {
    while (!done) {
      peak = Math.max(peak, await server.memory());
      await pause(20);
    }
  })();
  try {
    return { result: await action(), peak };
  } finally {
    done = true;
    await watch;
  }
}

test(`${CLIENTS} clients are cut at once and come back`, { timeout: 230_000 }, async () => {
  const opened = await crowd.open(server.port, { kind: 'websocket', count: CLIENTS, channels: CHANNELS, atOnce: AT_ONCE });
  const moments = opened.map(({ at }) => at);
  const rate = (CLIENTS * 1_000) / (Math.max(...moments) - Math.min(...moments));
  const best = Math.max(rate, ...windows(opened));
  const settled = async () => (await metrics(server)).get('parley_sessions') === CLIENTS;
  await until(settled, 'all sessions');
  const steady = await server.memory();
  const storms = [];
  for (const [jitter, bound, still] of STORMS) {
    const { result, peak } = await watched(async () => {
      if (still) server.signal('SIGSTOP');
      await crowd.cut();
      const begun = now();
      const coming = crowd.comeBack(jitter);
      if (still) {
        await pause(still);
        server.signal('SIGCONT');
      }
      const returned = await coming;
      return { last: Math.max(...returned.map(({ at }) => at)) - begun, windows: windows(returned), refused: refusals(returned) };
    });
    await until(settled, 'all sessions and none of the old');
    storms.push({ jitter_ms: jitter, still_ms: still, bound_ms: bound, back_ms: Math.round(result.last), per_second: result.windows, refused: result.refused, peak_rss: +(peak / steady).toFixed(2) });
  }
  console.log(JSON.stringify({ test: 'reconnect_storm', clients: CLIENTS, best_rate: Math.round(best), rate: Math.round(rate), steady_mib: Math.round(steady / 1048576), storms }));
  for (const { jitter_ms, still_ms, bound_ms, back_ms, per_second, refused, peak_rss } of storms) {
    assert.ok(back_ms <= bound_ms, `the last was back after ${back_ms} ms`);
    assert.ok(peak_rss <= PEAK, `${peak_rss} times the memory`);
    assert.deepEqual(refused, {});
    if (!LONG || jitter_ms > 0 || still_ms > 0) continue;
    assert.ok(per_second.every((n) => n >= GOODPUT * best), `${per_second} a second, where ${Math.round(best)} is the best`);
    // They may be back before a second is over.
    assert.ok((CLIENTS * 1_000) / back_ms >= GOODPUT * best, `all after ${back_ms} ms, where ${Math.round(best)} a second is the best`);
  }
  assert.equal((await crowd.counts()).live, CLIENTS);
});
