// A crowd that asks for as much history as one may, again as soon as it is answered, beside readers of another channel: each answer is whole, and the
// readers miss nothing. With LONG=1 there are 100 of them, and the readers wait at most twice as long as without, at p99.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Bystanders } from './lib/bystanders.mjs';
import { Crowd } from './lib/crowd.mjs';
import { api, metrics } from './lib/http.mjs';
import { moveApart } from './lib/process.mjs';
import { startConfigured } from './lib/server.mjs';

const LONG = Boolean(process.env.LONG);
const ASKING = LONG ? 100 : 10;
const ROUNDS = LONG ? 5 : 1;
const MS = LONG ? 4_000 : 400;
// An answer is 200 KB; it may have 256 KiB.
const LIMIT = 300;
const FILLER = 'x'.repeat(600);

test(`${ASKING} clients ask for all of the history, over and over`, { timeout: 100_000 }, async () => {
  const server = await startConfigured({
    http_api: { insecure: true }, prometheus: { enabled: true }, client: { insecure: true }, channel: { without_namespace: { history_size: LIMIT, history_ttl: '60s', force_positioning: true } },
  }, { shards: 1 });
  // Otherwise it is the kernel's fairness that is measured.
  if (LONG) await moveApart(server.pid);
  const crowd = new Crowd(1, { behind: LONG });
  const others = new Bystanders();
  try {
    for (let i = 0; i < LIMIT; i += 50) await api(server, 'batch', { commands: Array(50).fill({ publish: { channel: 'large', data: FILLER } }) });
    await crowd.open(server.port, { kind: 'websocket', count: ASKING, channels: ['large'] });
    await others.open(server);
    const rounds = [];
    for (let i = 0; i < ROUNDS; i += 1) {
      await others.quietly(() => pause(MS));
      rounds.push(await others.loudly(() => crowd.askHistory(LIMIT, MS)));
    }
    const longTurns = (await metrics(server)).get('parley_io_long_turns_total{over="10ms"}');
    console.log(JSON.stringify({ test: 'history_crowd', asking: ASKING, answers_per_second: rounds.map(({ answers }) => Math.round((answers * 1_000) / MS)), turns_over_10ms: longTurns, others: others.p99s }));
    for (const { answers, lacking } of rounds) assert.ok(answers >= ASKING && lacking === 0, `${lacking} of ${answers} answers were not whole`);
    if (LONG) await others.assertUnharmed();
    else await others.assertServed();
  } finally {
    await others.end();
    crowd.end();
    await server.stop();
  }
});
