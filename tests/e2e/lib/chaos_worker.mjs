// A process of its own that holds readers behind lines that break. Driven by messages of its parent (chaos.mjs):
// {start} opens the readers, {disturb} breaks their lines until {heal}, {settle} waits until all are back, {finish} for what everybody must have.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { breakLine } from './disturb.mjs';
import { HistoryLog } from './history_log.mjs';
import { startProxy } from './proxy.mjs';
import { Random } from './random.mjs';
import { CentrifugeReader, EventSourceReader } from './recorded_readers.mjs';
import { until } from './wait.mjs';
import { serveActions } from './worker.mjs';

const KINDS = { centrifuge: CentrifugeReader, eventsource: EventSourceReader };
const OPENED_AT_ONCE = 25;

const lines = [];
let log;
let plan;
let disturbing = [];
let healed = false;
const lag = monitorEventLoopDelay({ resolution: 10 });

async function start(order) {
  plan = order;
  log = new HistoryLog(plan.log);
  for (let i = 0; i < plan.readers.length; i += OPENED_AT_ONCE) {
    await Promise.all(plan.readers.slice(i, i + OPENED_AT_ONCE).map(async ({ name, kind, channel }) => {
      const proxy = await startProxy(plan.port);
      const reader = new KINDS[kind](log, name, channel, proxy.url, plan);
      lines.push({ proxy, reader, random: new Random(plan.seed + lines.length) });
      await reader.opened;
    }));
  }
  lag.enable();
}

/** How long a line stays broken: mostly short, sometimes longer than history lasts. */
function outageOf(random) {
  const kind = random.next();
  if (kind < 0.5) return random.between(0, 200);
  if (kind < 1 - plan.longShare) return random.between(200, 1_500);
  return random.between(plan.longMs, 2 * plan.longMs);
}

/** Breaks a line whose reader is there, until the reader has noticed. */
async function drop({ proxy, reader, random }) {
  const before = reader.lost;
  proxy.delay = random.next() < 0.2 ? random.integer(1, 100) : 0;
  await breakLine(proxy, random, outageOf(random));
  while (reader.lost === before && !healed) {
    await pause(50);
    proxy.cut();
  }
}

/** Breaks one line so many times, at moments that are all equally likely, unless its reader is away then already. */
async function disturb(line) {
  const moments = Array.from({ length: plan.drops }, () => line.random.between(0, plan.ms)).sort((a, b) => a - b);
  const begun = Date.now();
  for (const moment of moments) {
    await pause(Math.max(0, begun + moment - Date.now()));
    while (!line.reader.live && !healed) await pause(20);
    if (healed) break;
    await drop(line);
  }
}

/** Waits until each reader has the last publication of its channel, and tells how it went. */
async function finish(last) {
  const lacking = () => lines.filter(({ reader }) => reader.last !== last[reader.who.channel]);
  await until(() => lacking().length === 0, 'the last publications', 20_000).catch(() => {});
  const sum = (what) => lines.reduce((total, { reader }) => total + reader[what], 0);
  log.close();
  return {
    lacking: lacking().map(({ reader }) => reader.who.client),
    members: lines.filter(({ reader }) => reader.member).map(({ reader }) => ({ channel: reader.who.channel, member: reader.member })),
    counts: { drops: sum('lost'), deliveries: sum('delivered'), recovered: sum('recovered'), notRecovered: sum('notRecovered'), gaps: sum('gaps'), events: log.events },
    load: { cpuSeconds: Object.values(process.cpuUsage()).reduce((a, b) => a + b) / 1e6, lagMsP99: lag.percentile(99) / 1e6, lagMsMax: lag.max / 1e6 },
  };
}

serveActions({
  start,
  disturb: async () => { disturbing = lines.map(disturb); },
  heal: async () => {
    healed = true;
    await Promise.all(disturbing);
    for (const { proxy } of lines) Object.assign(proxy, { delay: 0 }).restore();
  },
  settle: async () => {
    // Whoever is still away then is named by check_history.
    await until(() => lines.every(({ reader }) => reader.live), 'all readers', 20_000).catch(() => {});
  },
  finish,
});
