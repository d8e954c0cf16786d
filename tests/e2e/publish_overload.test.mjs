// Twice as many publications as the server can take: it goes on taking as many as it can. Without a rate in the configuration what is too much is
// refused, with a code, from the moment on in which a connection has not been read to the end for half a second; the server is never idle meanwhile, those
// that are taken are answered soon, and publishers that wait for answers are never refused. With a rate, of half of what it can take, the others are refused at once.
//
// To refuse takes time: each of the excess is read, understood and answered by its id. So what can be taken of twice the peak is less than the peak, by what
// the refusals cost; and that, as a part of what taking costs, is measured in the same run. What is asked for with LONG=1 is that the server did as much
// as it can: that it always had something to do while it was offered too much, that taken and refused together are worth the peak, nearly, and, since that
// alone would be had by refusing dearly, that to refuse is cheap and that much of the peak is taken. All of that for a second of processor time: what others
// take of the machine is not the server's fault.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import os from 'node:os';
import { test } from 'node:test';
import { metrics } from './lib/http.mjs';
import { busySeconds, cpuSeconds, moveApart } from './lib/process.mjs';
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
// So many under way fill the sockets as an overload does, whose input is dearer to read.
const FULL_WINDOW = 8_000;
const PAYLOAD = 100;
const TIMES = 2;
// Of the peak: what the row asks for, and is printed beside what is had; and what taken and refused are worth together, weighed by what each costs by itself:
// mixed, both cost more (sockets are full, caches are not).
const WANTED = 0.9;
const WORTH = 0.8;
const BUSY = 0.9;
// A refusal that costs more than that part of what taking costs, or so little taken, is a fault however busy the server was.
const COST_RATIO = 1 / 3;
const OF_PEAK = 0.45;
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

const perSecond = (count, ms) => Math.round((count * 1_000) / ms);
const sum = (counts) => Object.values(counts).reduce((a, b) => a + b, 0);

/** Publishers that wait for answers: what is answered, and how many microseconds of the server's processor time an answer takes. */
async function saturate(worker, server, ms, window = WINDOW) {
  await worker.ask('saturate', { window, ms: ms / 4 });
  const used = await cpuSeconds(server.pid);
  const result = await worker.ask('saturate', { window, ms });
  return { ...result, us: ((await cpuSeconds(server.pid) - used) * 1e6) / (result.acked + sum(result.refused)) };
}

/**
 * What became of the server's time while it was offered that: how many times what it could take was answered, and which parts went into taking and into both;
 * which part can go into taking when all of that is answered.
 */
function ofProcessorTime({ acked, refused }, cpu, { take, refuse }) {
  const [taking, all] = [acked * take, acked * take + sum(refused) * refuse].map((us) => us / 1e6 / cpu);
  const times = ((acked + sum(refused)) * take) / 1e6 / cpu;
  return { times: +times.toFixed(2), of_peak: +taking.toFixed(3), worth: +all.toFixed(3), possible_of_peak: +((take - times * refuse) / (take - refuse)).toFixed(3) };
}

/** What was taken and refused of so many a second, while they were offered and behind that. */
async function overload(worker, server, rate, costs) {
  const published = async () => (await metrics(server)).get('parley_publications_total');
  const [before, used, busy] = [await published(), await cpuSeconds(server.pid), await busySeconds(server.pid)];
  const result = await worker.ask('offer', { rate, ms: OVERLOAD_MS });
  const [cpu, busyFor] = [await cpuSeconds(server.pid) - used, await busySeconds(server.pid) - busy];
  const late = await worker.ask('drain');
  const answered = result.acked + late.acked + sum(result.refused) + sum(late.refused);
  return {
    offered_per_second: Math.round(rate), sent: result.sent, unsent: result.unsent, goodput_per_second: perSecond(result.acked, result.ms), refused_per_second: perSecond(sum(result.refused), result.ms),
    codes: [...new Set([...Object.keys(result.refused), ...Object.keys(late.refused)])],
    p50_ms: result.p50 && +result.p50.toFixed(1), p99_ms: result.p99 && +result.p99.toFixed(1), most_ms: result.most && +result.most.toFixed(1),
    drained_ms: Math.round(late.ms), late_p99_ms: late.p99 && +late.p99.toFixed(1), answered_late: late.acked + sum(late.refused), unweighed: result.unweighed + late.unweighed, ended: late.over,
    ...ofProcessorTime(result, cpu, costs), unanswered: result.sent - answered, lost: result.acked + late.acked - (await published() - before), server_cpu_s: +cpu.toFixed(2), busy: +((busyFor * 1_000) / result.ms).toFixed(3),
  };
}

test(`${TIMES} times the publications that saturate the server`, { timeout: 200_000 }, async () => {
  // Who goes on regardless would be disconnected; here they are to be told, every time.
  const told = { refused_command_rate_limit: 0 };
  const refusing = await withPublishers({ publish_rate_limit: 1, ...told }, (worker, server) => saturate(worker, server, PEAK_MS / 2, FULL_WINDOW));
  const [closed, free] = await withPublishers({}, async (worker, server) => {
    const taken = await saturate(worker, server, PEAK_MS);
    return [taken, await overload(worker, server, (TIMES * 1e6) / taken.us, { take: taken.us, refuse: refusing.us })];
  });
  const peak = 1e6 / closed.us;
  // What is allowed must leave some for the others; rates go by the clock.
  const byTheClock = perSecond(closed.acked, closed.ms);
  const limit = Math.max(1, Math.floor((byTheClock * ALLOWED) / CONNECTIONS));
  const limited = await withPublishers({ publish_rate_limit: limit, ...told }, (worker, server) => overload(worker, server, TIMES * peak, { take: closed.us, refuse: refusing.us }));
  console.log(JSON.stringify({
    test: 'publish_overload', connections: CONNECTIONS, payload: PAYLOAD, peak_per_second: Math.round(peak), peak_by_the_clock: byTheClock, publish_rate_limit: limit,
    us_to_take: +closed.us.toFixed(3), us_to_refuse: +refusing.us.toFixed(3), cost_ratio: +(refusing.us / closed.us).toFixed(3), wanted_of_peak: WANTED, free, limited, load: os.loadavg(),
  }));
  assert.deepEqual({ ...closed.refused }, {}, 'who waits for answers is not refused');
  assert.ok(free.codes.every((code) => code === '111'), `refused with ${free.codes}`);
  assert.deepEqual(limited.codes, ['111']);
  for (const row of [free, limited]) assert.deepEqual([row.unanswered, row.lost, row.ended], [0, 0, 0], JSON.stringify(row));
  if (!LONG) return;
  assert.deepEqual(free.codes, ['111'], 'what is too much is refused');
  for (const row of [free, limited]) assert.ok(Math.max(row.p99_ms, row.late_p99_ms) <= P99_MS, `p99 ${row.p99_ms} ms, ${row.late_p99_ms} ms behind the end`);
  for (const row of [free, limited]) assert.equal(row.unweighed, 0, 'answers so late that their time is not known any more');
  assert.ok(free.busy >= BUSY, `busy for ${free.busy} of the time: what could be taken is refused`);
  assert.ok(free.worth >= WORTH, `taken and refused are worth ${free.worth} of the peak`);
  assert.ok(refusing.us / closed.us <= COST_RATIO, `to refuse costs ${refusing.us} us, to take ${closed.us} us`);
  assert.ok(free.of_peak >= OF_PEAK, `${free.of_peak} of the peak are taken`);
  // What is allowed leaves time for the refusals, so here the row's part is asked for without any excuse.
  assert.ok(limited.goodput_per_second >= WANTED * ALLOWED * byTheClock, `${limited.goodput_per_second} of ${ALLOWED * byTheClock} a second`);
});
