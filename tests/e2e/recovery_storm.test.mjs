// All lines break at once while publications go on, and all clients come back together with their positions, at once and after a while: none loses
// a publication, none is given one twice, and all have caught up soon. 5,000 clients of 100 channels with LONG=1, and then those who stayed wait at
// most twice as long as before, at p99, while they come back.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Bystanders } from './lib/bystanders.mjs';
import { Crowd, SteadyPublisher } from './lib/crowd.mjs';
import { metrics } from './lib/http.mjs';
import { now } from './lib/light_clients.mjs';
import { startConfigured } from './lib/server.mjs';

const LONG = Boolean(process.env.LONG);
const CLIENTS = LONG ? 5_000 : 300;
const CHANNELS = Array.from({ length: LONG ? 100 : 10 }, (_, i) => `storm${i}`);
const RATE = 10;
const BACK_MS = 30_000;
// How long they stay away, in each round.
const AWAY_MS = LONG ? [0, 5_000, 5_000, 5_000, 0] : [0, 400];
const QUIET_MS = LONG ? 5_000 : 300;

const CONFIG = {
  http_api: { insecure: true }, prometheus: { enabled: true }, client: { insecure: true },
  // As many as a recovery gives, which are 30 seconds.
  channel: { without_namespace: { history_size: 300, history_ttl: '60s', force_recovery: true, force_positioning: true } },
};

const part = (sorted, p) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))]);

for (const kind of ['websocket', 'eventsource']) {
  test(`${CLIENTS} clients over ${kind} are cut at once and come back`, { timeout: 200_000 }, async () => {
    const server = await startConfigured(CONFIG);
    const crowd = new Crowd(2, { behind: LONG });
    const others = LONG ? new Bystanders() : undefined;
    const quietly = (action) => others?.quietly(action) ?? action();
    const loudly = (action) => others?.loudly(action) ?? action();
    try {
      const publisher = new SteadyPublisher(server, CHANNELS, RATE);
      await crowd.open(server.port, { kind, count: CLIENTS, channels: CHANNELS });
      await others?.open(server);
      const rounds = [];
      for (const away of AWAY_MS) {
        await crowd.caughtUp(10_000);
        await quietly(() => pause(QUIET_MS));
        await crowd.cut();
        await pause(away);
        const begun = now();
        const [returned, ends] = await loudly(async () => [await crowd.comeBack(), await crowd.caughtUp(BACK_MS)]);
        const caughtUp = ends.map((at) => (at === null ? Infinity : at - begun)).sort((a, b) => a - b);
        const back = returned.map(({ at }) => at - begun).sort((a, b) => a - b);
        rounds.push({ away_ms: away, back_ms: { median: part(back, 0.5), last: part(back, 1) }, caught_up_ms: { median: part(caughtUp, 0.5), p99: part(caughtUp, 0.99), last: part(caughtUp, 1) }, refused: returned.reduce((all, { refused }) => all + refused.length, 0) });
      }
      await pause(LONG ? 2_000 : 200);
      const last = await publisher.stop();
      const lacking = await crowd.lacking(last, 5_000);
      const counts = await crowd.counts();
      const gaps = [...await metrics(server)].filter(([name]) => name.startsWith('parley_gaps_total')).reduce((all, [, n]) => all + n, 0);
      console.log(JSON.stringify({ test: 'recovery_storm', kind, clients: CLIENTS, channels: CHANNELS.length, publications_per_second: Math.round((publisher.rounds * CHANNELS.length) / publisher.seconds), rounds, lacking, ...counts, gaps, others: others?.p99s }));
      assert.equal(counts.live, CLIENTS);
      assert.deepEqual({ lacking, lost: counts.lost, doubled: counts.doubled, wrong: counts.wrong, notRecovered: counts.notRecovered, gaps }, { lacking: 0, lost: 0, doubled: 0, wrong: 0, notRecovered: 0, gaps: 0 });
      for (const { caught_up_ms: { last: slowest } } of rounds) assert.ok(slowest <= BACK_MS, `the last had caught up after ${slowest} ms`);
      await others?.assertUnharmed();
    } finally {
      await others?.end();
      crowd.end();
      await server.stop();
    }
  });
}
