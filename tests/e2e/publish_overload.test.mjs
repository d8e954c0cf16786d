// Twice as many publications as the server can take: it goes on taking as many as it can. Without a rate in the configuration what is too much is
// refused, with a code, from the moment on in which a connection has not been read to the end for half a second; the server is never idle meanwhile, those
// that are taken are answered soon, and publishers that wait for answers are never refused. With a rate, of half of what it can take, the others are refused at once.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import os from 'node:os';
import { test } from 'node:test';
import { metrics } from './lib/http.mjs';
import { cpuSeconds, moveApart } from './lib/process.mjs';
import { startConfigured } from './lib/server.mjs';
import { HANDSHAKE } from './lib/wire.mjs';
import { Worker } from './lib/worker.mjs';
import { TEXT, frame } from './websocket_conformance/frames.mjs';

const LONG = Boolean(process.env.LONG);
const PEAK_MS = LONG ? 10_000 : 600;
const OVERLOAD_MS = LONG ? 60_000 : 1_500;
const CONNECTIONS = 20;
const CHANNELS = Array.from({ length: 10 }, (_, i) => `c${i}`);
const READERS = 10;
const WINDOW = 1_000;
const PAYLOAD = 100;
const TIMES = 2;
const GOODPUT = 0.9;
const BUSY = 0.9;
const ALLOWED = 0.5;
const P99_MS = 1_000;

const config = (client) => ({
  http_api: { disabled: true }, prometheus: { enabled: true }, client: { insecure: true, ping_interval: '10m', ...client }, channel: { without_namespace: { history_size: 100, history_ttl: '60s' } },
});

/** Subscribers that read what comes and drop it. */
async function openReaders(port) {
  const lines = [];
  for (const channel of CHANNELS) {
    for (let i = 0; i < READERS; i += 1) {
      const line = net.connect({ host: '127.0.0.1', port });
      line.on('error', () => {});
      line.write(Buffer.concat([Buffer.from(HANDSHAKE), frame(TEXT, '{"id":1,"connect":{}}'), frame(TEXT, `{"id":2,"subscribe":{"channel":"${channel}"}}`)]));
      await once(line, 'data');
      lines.push(line.resume());
    }
  }
  return lines;
}

/** Runs `action` with publishers and readers of a server with one shard, so that the load has the other processor. */
async function withPublishers(client, action) {
  const server = await startConfigured(config(client), { shards: 1 });
  if (LONG) await moveApart(server.pid);
  const worker = new Worker(new URL('lib/publishing_worker.mjs', import.meta.url));
  const readers = await openReaders(server.port);
  try {
    await worker.ask('open', { port: server.port, channels: Array.from({ length: CONNECTIONS }, (_, i) => CHANNELS[i % CHANNELS.length]), payload: PAYLOAD });
    return await action(worker, server);
  } finally {
    worker.end();
    for (const line of readers) line.destroy();
    await server.stop();
  }
}

const perSecond = ({ acked, ms }) => Math.round((acked * 1_000) / ms);

async function overload(worker, server, rate) {
  const used = await cpuSeconds(server.pid);
  const result = await worker.ask('offer', { rate, ms: OVERLOAD_MS });
  const refusedThere = (await metrics(server)).get('parley_centrifuge_commands_refused_total{code="111"}');
  const refused = Object.values(result.refused).reduce((a, b) => a + b, 0);
  return { ...result, refused_codes: { ...result.refused }, refused, refusedThere, cpu: +(await cpuSeconds(server.pid) - used).toFixed(2) };
}

const row = (what, rate, result) => ({
  what, offered_per_second: Math.round(rate), sent: result.sent, unsent: result.unsent, goodput_per_second: perSecond(result), refused: result.refused_codes,
  p50_ms: result.p50 && +result.p50.toFixed(1), p99_ms: result.p99 && +result.p99.toFixed(1), most_ms: result.most && +result.most.toFixed(1),
  answered_late: result.late.acked, late_p99_ms: result.late.p99 && +result.late.p99.toFixed(1), unanswered: result.unanswered, ended: result.late.over, server_cpu_s: result.cpu,
});

test(`${TIMES} times the publications that saturate the server`, { timeout: 200_000 }, async () => {
  const [peak, free] = await withPublishers({}, async (worker, server) => {
    await worker.ask('saturate', { window: WINDOW, ms: PEAK_MS / 4 });
    const closed = await worker.ask('saturate', { window: WINDOW, ms: PEAK_MS });
    assert.deepEqual({ ...closed.refused }, {}, 'who waits for answers is not refused');
    const peak_ = perSecond(closed);
    return [peak_, row('no rate configured', TIMES * peak_, await overload(worker, server, TIMES * peak_))];
  });
  // To refuse takes time too: what is allowed must leave some for it.
  const limit = Math.max(1, Math.floor((peak * ALLOWED) / CONNECTIONS));
  // Who goes on regardless would be disconnected; here they are to be told, every time.
  const limited = await withPublishers({ publish_rate_limit: limit, refused_command_rate_limit: 0 }, async (worker, server) => row('a rate configured', TIMES * peak, await overload(worker, server, TIMES * peak)));
  console.log(JSON.stringify({ test: 'publish_overload', connections: CONNECTIONS, payload: PAYLOAD, peak_per_second: peak, publish_rate_limit: limit, free, limited, load: os.loadavg() }));
  assert.ok(Object.keys(free.refused).every((code) => code === '111'), `refused with ${Object.keys(free.refused)}`);
  assert.equal(free.unanswered, 0);
  assert.ok(limited.refused['111'] > 0 && Object.keys(limited.refused).length === 1, 'refused with 111');
  assert.equal(limited.unanswered, 0);
  assert.equal(limited.ended + free.ended, 0);
  if (!LONG) return;
  assert.ok(free.refused['111'] > 0, 'what is too much is refused');
  assert.ok(free.p99_ms <= P99_MS, `p99 without a rate ${free.p99_ms} ms`);
  assert.ok(limited.p99_ms <= P99_MS, `p99 ${limited.p99_ms} ms`);
  assert.ok(free.goodput_per_second >= GOODPUT * peak, `${free.goodput_per_second} of ${peak} a second`);
  assert.ok(free.server_cpu_s >= BUSY * OVERLOAD_MS / 1_000, `busy for ${free.server_cpu_s} s: what could be taken is refused`);
  assert.ok(limited.goodput_per_second >= GOODPUT * ALLOWED * peak, `${limited.goodput_per_second} of ${ALLOWED * peak} a second`);
});
