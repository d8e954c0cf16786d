// A process that holds a part of a crowd (crowd.mjs).
import { setTimeout as pause } from 'node:timers/promises';
import { LISTENERS, LightEventSource, LightWebSocket, now } from './light_clients.mjs';
import { inParallel } from './raw_http.mjs';
import { until } from './wait.mjs';
import { serveActions } from './worker.mjs';

const KINDS = { websocket: LightWebSocket, eventsource: LightEventSource, ...LISTENERS };
const LONGEST_PAUSE_MS = 2_000;

let clients = [];
let latencies;

/** As SDKs do it: again until it is in, after pauses that grow and differ. */
async function persist(client, jitterMs) {
  if (jitterMs > 0) await pause(Math.random() * jitterMs);
  const refused = [];
  for (let longest = 100; await client.open().then((how) => how !== 'live' && refused.push(how)); longest = Math.min(2 * longest, LONGEST_PAUSE_MS)) {
    await pause(Math.random() * longest);
  }
  return { at: client.steps.at(-1), steps: client.steps, refused };
}

const sum = (what) => clients.reduce((total, client) => total + client[what], 0);

serveActions({
  /** Opens them, so many at a time; each is opened again until it is in. */
  async open({ port, kind, channels, address, host, atOnce, timed }) {
    latencies = timed ? [] : undefined;
    const added = channels.map((channel) => new KINDS[kind](port, channel, { address, host, latencies }));
    clients.push(...added);
    return inParallel(atOnce, added, (client) => persist(client, 0));
  },
  async cut() { for (const client of clients) client.cut(); },
  async comeBack({ jitterMs }) { return Promise.all(clients.map((client) => persist(client, jitterMs))); },
  /** When each had caught up. */
  async caughtUp({ ms }) {
    await until(() => clients.every(({ caughtUpAt }) => caughtUpAt !== undefined), 'all caught up', ms).catch(() => {});
    return clients.map(({ caughtUpAt }) => caughtUpAt ?? null);
  },
  /** When each has the last publication of its channel, or time is up: how many have not. */
  async lacking({ last, ms }) {
    const lacking = () => clients.filter(({ offset, channel }) => offset !== last[channel]);
    await until(() => lacking().length === 0, 'the last publications', ms).catch(() => {});
    return lacking().length;
  },
  async counts() {
    return {
      live: clients.filter(({ live }) => live).length, delivered: sum('delivered'), lost: sum('lost'), doubled: sum('doubled'),
      wrong: sum('wrong'), notRecovered: sum('notRecovered'),
    };
  },
  /** Each asks for the history of its channel, and again when it was answered, for so long: how many answers there were, and how many had not as much. */
  async askHistory({ limit, ms }) {
    const end = now() + ms;
    let answers = 0;
    let lacking = 0;
    await Promise.all(clients.map((client) => new Promise((resolve) => {
      const ask = () => client.send({ id: 3, history: { channel: client.channel, limit } });
      client.onReply = ({ history }) => {
        answers += 1;
        if (history?.publications.length !== limit) lacking += 1;
        if (now() < end) ask();
        else resolve();
      };
      ask();
    })));
    return { answers, lacking };
  },
  async latencies() { return latencies.splice(0); },
  /**
   * Lets the clients be ended by the server, and resolves when all are: what each was told, when that was read, since when it can have been there (on busy
   * cores this process waits, too), and up to where the client had come.
   */
  async ends({ ms }) {
    let since = now();
    let looked = since;
    setInterval(() => {
      since = looked;
      looked = now();
    }, 20).unref();
    const ends = clients.map((client) => new Promise((resolve) => {
      client.closed = () => resolve({ at: now(), code: client.closeCode ?? null, retry: client.retry ?? null, offset: client.offset, since });
    }));
    return Promise.race([Promise.all(ends), pause(ms).then(() => [])]);
  },
});
