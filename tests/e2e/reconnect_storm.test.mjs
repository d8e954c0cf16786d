// All clients are cut at once and come back, with and without the jitter that SDKs have: the server lets them in at the rate at which it did when
// they came one after another, and holds little more memory for it. 15,000 with LONG=1.
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
// [jitter, until when all are back]
const STORMS = LONG ? [[0, 60_000], [20_000, 30_000]] : [[0, 60_000], [1_500, 30_000]];
const WINDOW_MS = 1_000;

let server;
let crowd;
before(async () => {
  server = await startConfigured({ http_api: { disabled: true }, prometheus: { enabled: true }, client: { insecure: true } });
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
  for (const [jitter, bound] of STORMS) {
    const { result, peak } = await watched(async () => {
      await crowd.cut();
      const begun = now();
      const returned = await crowd.comeBack(jitter);
      return { last: Math.max(...returned.map(({ at }) => at)) - begun, windows: windows(returned), refused: returned.reduce((all, { refused }) => all + refused, 0) };
    });
    await until(settled, 'all sessions and none of the old');
    storms.push({ jitter_ms: jitter, bound_ms: bound, back_ms: Math.round(result.last), per_second: result.windows, refused: result.refused, peak_rss: +(peak / steady).toFixed(2) });
  }
  console.log(JSON.stringify({ test: 'reconnect_storm', clients: CLIENTS, best_rate: Math.round(best), rate: Math.round(rate), steady_mib: Math.round(steady / 1048576), storms }));
  for (const { jitter_ms, bound_ms, back_ms, per_second, peak_rss } of storms) {
    assert.ok(back_ms <= bound_ms, `the last was back after ${back_ms} ms`);
    assert.ok(peak_rss <= PEAK, `${peak_rss} times the memory`);
    if (LONG && jitter_ms === 0) assert.ok(per_second.every((n) => n >= GOODPUT * best), `${per_second} a second, where ${Math.round(best)} is the best`);
  }
  assert.equal((await crowd.counts()).live, CLIENTS);
});
