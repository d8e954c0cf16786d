// Three times the handshakes that the server is allowed to take: it takes as many as it is allowed to, refuses the others at once, and those who were there
// before notice nothing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Crowd, SteadyPublisher } from './lib/crowd.mjs';
import { startConfigured } from './lib/server.mjs';
import { p99 } from './lib/visitor.mjs';
import { Worker } from './lib/worker.mjs';

const LONG = Boolean(process.env.LONG);
const RATE = LONG ? 500 : 200;
const TIMES = 3;
const MS = LONG ? 60_000 : 2_000;
const QUIET_MS = LONG ? 10_000 : 1_500;
const ESTABLISHED = 50;
const GOODPUT = 0.9;
const REFUSED_MS = 100;
// What others may wait: twice what they wait without, or so little that it is the machine's noise; otherwise, since other tests' work is on the same
// cores, it is only no outage.
const TIMES_LONGER = 2;
const NOISE_MS = 5;
const OUTAGE_MS = 500;

test(`${TIMES} times ${RATE} handshakes a second`, { timeout: 120_000 }, async () => {
  const server = await startConfigured({ http_api: { insecure: true }, client: { insecure: true, connection_rate_limit: RATE }, channel: { without_namespace: { history_size: 10, history_ttl: '60s', force_positioning: true } } });
  const crowd = new Crowd(1);
  const asking = new Worker(new URL('lib/handshake_worker.mjs', import.meta.url));
  let publisher;
  try {
    await crowd.open(server.port, { kind: 'websocket', count: ESTABLISHED, channels: ['established'], atOnce: 10, timed: true });
    publisher = new SteadyPublisher(server, ['established'], 20, 20);
    const ask = (rate, ms) => asking.ask('offer', { port: server.port, rate, ms });
    const accepted = (answers) => answers.filter(({ status }) => status === 101);
    // As many as it may take, and what others wait meanwhile.
    await crowd.latencies();
    const once = await ask(RATE, QUIET_MS);
    const quietly = p99(await crowd.latencies());
    await pause(1_000);
    await crowd.latencies();
    const many = await ask(TIMES * RATE, MS);
    const loudly = p99(await crowd.latencies());
    await publisher.stop();
    const refused = many.filter(({ status }) => status === 503);
    const waits = refused.map(({ ms }) => ms).sort((a, b) => a - b);
    const atOnce = (accepted(once).length * 1_000) / QUIET_MS;
    const rate = (accepted(many).length * 1_000) / MS;
    const { lost, doubled, live } = await crowd.counts();
    console.log(JSON.stringify({ test: 'handshake_overload', limit: RATE, offered_per_second: Math.round((many.length * 1_000) / MS), accepted_per_second_at_1x: Math.round(atOnce), accepted_per_second: Math.round(rate), refused: refused.length, refused_p99_ms: +p99(waits).toFixed(1), refused_most_ms: +waits.at(-1).toFixed(1), established_p99_ms: +loudly.toFixed(2), established_p99_ms_at_1x: +quietly.toFixed(2) }));
    assert.equal(accepted(many).length + refused.length, many.length, 'each is answered 101 or 503');
    assert.ok(many.length >= 0.9 * TIMES * RATE * MS / 1_000, `only ${many.length} were offered`);
    assert.ok(rate >= GOODPUT * atOnce, `${rate} a second instead of ${atOnce}`);
    assert.deepEqual({ lost, doubled, live }, { lost: 0, doubled: 0, live: ESTABLISHED });
    const bound = LONG ? Math.max(TIMES_LONGER * quietly, NOISE_MS) : OUTAGE_MS;
    assert.ok(loudly <= bound, `p99 ${loudly} ms, at most ${bound}`);
    assert.ok(p99(waits) <= (LONG ? REFUSED_MS : OUTAGE_MS), `refused after ${p99(waits)} ms`);
  } finally {
    crowd.end();
    asking.end();
    await publisher?.stop().catch(() => {});
    await server.stop();
  }
});
