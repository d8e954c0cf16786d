// The server is told to stop in the middle of its work: each client is told so, evenly over the window, with everything before that was published, and
// nothing that was acknowledged is lost to those who were there. 5,000 clients with LONG=1.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Crowd, SteadyPublisher } from './lib/crowd.mjs';
import { now } from './lib/light_clients.mjs';
import { startConfigured } from './lib/server.mjs';

const LONG = Boolean(process.env.LONG);
const CLIENTS = LONG ? { websocket: 3_500, eventsource: 1_500 } : { websocket: 420, eventsource: 180 };
const ALL = CLIENTS.websocket + CLIENTS.eventsource;
const CHANNELS = Array.from({ length: LONG ? 100 : 10 }, (_, i) => `drain${i}`);
const SHARDS = 2;
// shutdown.spread, or 200 a second on each shard where that is less.
const WINDOW_MS = Math.min(10_000, (ALL / SHARDS / 200) * 1_000);
const EVEN = 0.1;
// Until an acknowledged publication is on its way to who reads it, on busy cores.
const WAY_MS = 1_000;
const SPARE_MS = 2_000;

test(`${ALL} clients of both kinds are sent away while publications go on`, { timeout: 120_000 }, async () => {
  const server = await startConfigured({ http_api: { insecure: true }, client: { insecure: true }, channel: { without_namespace: { history_size: 300, history_ttl: '60s', force_recovery: true } } }, { shards: SHARDS });
  const crowds = Object.fromEntries(Object.keys(CLIENTS).map((kind) => [kind, new Crowd(1)]));
  try {
    const publisher = new SteadyPublisher(server, CHANNELS, 10);
    await Promise.all(Object.entries(crowds).map(([kind, crowd]) => crowd.open(server.port, { kind, count: CLIENTS[kind], channels: CHANNELS })));
    await Promise.all(Object.values(crowds).map((crowd) => crowd.caughtUp(10_000)));
    const ending = Object.fromEntries(Object.entries(crowds).map(([kind, crowd]) => [kind, crowd.ends(WINDOW_MS + 20_000)]));
    await pause(300);
    const began = now();
    server.signal('SIGTERM');
    const ended = await server.ended;
    const took = now() - began;
    await publisher.stop().catch(() => {});
    const ends = Object.fromEntries(await Promise.all(Object.entries(ending).map(async ([kind, list]) => [kind, await list])));
    const acked = publisher.acked;
    // The last round that was acknowledged long enough before a client can have been told its end.
    const due = (since) => acked.findLastIndex((one) => one <= since - WAY_MS) + 1;
    const all = Object.values(ends).flat();
    const times = all.map(({ at }) => at - began).sort((a, b) => a - b);
    const parts = [0.1, 0.25, 0.5, 0.75, 0.9].map((part) => ({ part, at_ms: Math.round(times[Math.floor(all.length * part)]), off: +((times[Math.floor(all.length * part)] - WINDOW_MS * part) / WINDOW_MS).toFixed(3) }));
    const lost = all.filter(({ since, offset }) => offset < due(since)).length;
    const holes = (await Promise.all(Object.values(crowds).map((crowd) => crowd.counts()))).reduce((sum, one) => sum + one.lost + one.doubled + one.wrong, 0);
    console.log(JSON.stringify({ test: 'drain', clients: CLIENTS, window_ms: WINDOW_MS, parts, last_ms: Math.round(times.at(-1)), exit: ended.how, exit_ms: Math.round(took), rounds_acknowledged: acked.length, lost, holes, waited_ms: Math.round(Math.max(...all.map(({ at, since }) => at - since))) }));
    assert.equal(all.length, ALL);
    assert.equal(ended.code, 0);
    assert.ok(ends.websocket.every(({ code }) => code === 3001), 'each WebSocket is told 3001');
    assert.ok(ends.eventsource.every(({ retry }) => retry > 0), 'each EventSource is told when to come back');
    assert.deepEqual({ lost, holes }, { lost: 0, holes: 0 });
    for (const { part, off } of parts) assert.ok(Math.abs(off) <= EVEN + (LONG ? 0 : 0.1), `${part} of them were gone ${off} of the window beside it`);
    assert.ok(took <= WINDOW_MS + SPARE_MS, `ended after ${took} ms`);
  } finally {
    for (const crowd of Object.values(crowds)) crowd.end();
    await server.kill();
  }
});
