// One-time tickets: of all who show one exactly one is let in, on whatever shard and through whatever door. 1,000 tickets with LONG=1.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Centrifuge } from 'centrifuge';
import { EventSource } from 'eventsource';
import WebSocket from 'ws';
import { connectCentrifuge, websocketUrl } from './lib/clients.mjs';
import { api, metrics } from './lib/http.mjs';
import { startConfigured } from './lib/server.mjs';
import { hmacToken } from './lib/tokens.mjs';
import { until } from './lib/wait.mjs';
import { openWire } from './lib/wire.mjs';

const LONG = Boolean(process.env.LONG);
const TICKETS = LONG ? 1000 : 100;
const USES = 100;
const AT_A_TIME = 5;
const KEY = 'a secret of thirty-two bytes or so';
const CONFIG = {
  client: { token: { hmac_secret_key: KEY } },
  http_api: { insecure: true },
  prometheus: { enabled: true },
  uni_sse: { enabled: true },
  channel: { without_namespace: { allow_subscribe_for_client: true, allow_publish_for_client: true }, namespaces: [{ name: 'closed' }] },
};

// Each shows the ticket once, and resolves with whether it was let in; what is no answer to that is thrown.

async function bySdk(server, ticket) {
  const client = new Centrifuge(websocketUrl(server.url), { websocket: WebSocket, token: ticket });
  try {
    return await new Promise((resolve, reject) => {
      client.on('connected', () => resolve(true));
      // Told 109, it has nobody to ask for another.
      client.on('disconnected', ({ code, reason }) => (code === 1 ? resolve(false) : reject(new Error(`${code} ${reason}`))));
      client.connect();
    });
  } finally {
    client.disconnect();
  }
}

async function byWebSocket(server, ticket, wanted = 109) {
  const wire = await openWire(server.url);
  let end;
  wire.closed(20_000).then(({ code }) => { end = code; }, () => {});
  wire.send({ id: 1, connect: { token: ticket } });
  const reply = await until(() => wire.received.find(({ id }) => id === 1) ?? (end && { error: { code: end } }), 'an answer to connect');
  wire.terminate();
  if (!reply.connect) assert.equal(reply.error.code, wanted, JSON.stringify(reply));
  return Boolean(reply.connect);
}

function byEventSource(server, ticket, path = `/sse/room?ticket=${ticket}`) {
  const source = new EventSource(`${server.url}${path}`);
  return new Promise((resolve, reject) => {
    source.addEventListener('open', () => resolve(true));
    source.addEventListener('error', ({ code, message }) => (code === 401 ? resolve(false) : reject(new Error(`${code} ${message}`))));
  }).finally(() => source.close());
}

async function status(url, options) {
  const controller = new AbortController();
  const answer = await fetch(url, { ...options, signal: controller.signal });
  if (answer.status === 200) controller.abort();
  else await answer.text();
  if (answer.status !== 200) assert.equal(answer.status, 401);
  return answer.status === 200;
}

const byStream = (server, ticket) => status(`${server.url}/sse/room?token=${ticket}`);
const byPub = (server, ticket) => status(`${server.url}/pub/room`, {
  method: 'POST', body: '1', headers: { Authorization: `Bearer ${ticket}`, 'Content-Type': 'application/json' },
});

const DOORS = [[bySdk, 1], [byWebSocket, 7], [byEventSource, 2], [byStream, 15], [byPub, 75]];
assert.equal(DOORS.reduce((sum, [, uses]) => sum + uses, 0), USES);

/** What each of the uses came to, in an order of their own for each ticket. */
async function useAtOnce(server, ticket, first) {
  const uses = DOORS.flatMap(([use, times]) => Array(times).fill(use));
  const turned = [...uses.slice(first % USES), ...uses.slice(0, first % USES)];
  return Promise.all(turned.map(async (use) => ({ door: use.name, passed: await use(server, ticket) })));
}

async function withServer(shards, run) {
  const server = await startConfigured(CONFIG, { shards });
  try {
    await run(server);
  } finally {
    await server.stop();
  }
}

const newTicket = async (server, order = {}) => (await api(server, 'create_ticket', { user: '42', ...order })).ticket;

for (const shards of [1, 4]) {
  const tickets = shards === 1 ? TICKETS / 10 : TICKETS;
  test(`${USES} uses at once of each of ${tickets} tickets, ${shards} shards: one passes`, { timeout: LONG ? 900_000 : 220_000 }, (t) => withServer(shards, async (server) => {
    const winners = {};
    for (let i = 0; i < tickets; i += AT_A_TIME) {
      const all = Array.from({ length: AT_A_TIME }, async (_, k) => {
        const ticket = await newTicket(server, { ttl: 300 });
        const passed = (await useAtOnce(server, ticket, (i + k) * 37)).filter((use) => use.passed);
        assert.equal(passed.length, 1, `ticket ${i + k}: ${JSON.stringify(passed)}`);
        winners[passed[0].door] = (winners[passed[0].door] ?? 0) + 1;
      });
      await Promise.all(all);
    }
    t.diagnostic(JSON.stringify(winners));
    const told = await metrics(server);
    assert.equal(told.get('parley_tickets_total{event="created"}'), tickets);
    assert.equal(told.get('parley_tickets_total{event="used"}'), tickets);
    assert.equal(told.get('parley_tickets_total{event="refused"}'), tickets * (USES - 1));
    assert.equal(told.get('parley_tickets'), 0);
  }));
}

test('a ticket says who its client is and what it may do', () => withServer(4, async (server) => {
  const now = Math.floor(Date.now() / 1000);
  const order = {
    user: '7', info: { name: 'Ann' }, subs: { 'closed:news': { data: { hello: 1 } } }, expire_at: now + 3600,
    caps: [{ channels: ['closed:*'], match: 'wildcard', allow: ['sub', 'pub'] }], ttl: 60,
  };
  const { ticket, expire_at: expireAt } = await api(server, 'create_ticket', order);
  assert.match(ticket, /^pt_[\w-]{36}$/);
  assert.ok(expireAt >= now + 59 && expireAt <= now + 62, `${expireAt - now}`);
  const subscribed = [];
  const publications = [];
  const client = await connectCentrifuge(server.url, { token: ticket });
  client.client.on('subscribed', ({ channel, data }) => subscribed.push({ channel, data }));
  client.client.on('publication', ({ channel, data, info }) => publications.push({ channel, data, user: info?.user, name: info?.connInfo?.name }));
  assert.deepEqual(Object.keys(client.connected[0]).includes('client'), true);
  await client.client.publish('closed:news', { a: 1 });
  await until(() => publications.length === 1, 'its own publication');
  assert.deepEqual(publications, [{ channel: 'closed:news', data: { a: 1 }, user: '7', name: 'Ann' }]);
  await assert.rejects(client.client.publish('nope', 1).then(() => client.client.publish('closed#', 1)).then(() => client.client.history('room')), ({ code }) => code === 108);
  client.close();
  assert.equal(await bySdk(server, ticket), false);
}));

test('an EventSource whose ticket is used gives up instead of asking again', () => withServer(4, async (server) => {
  for (let i = 0; i < 12; i += 1) {
    const ticket = await newTicket(server);
    const first = new EventSource(`${server.url}/sse/room?ticket=${ticket}`);
    await new Promise((resolve) => { first.addEventListener('open', resolve); });
    const second = new EventSource(`${server.url}/sse/room?ticket=${ticket}`);
    const { code } = await new Promise((resolve) => { second.addEventListener('error', resolve); });
    assert.equal(code, 401);
    assert.equal(second.readyState, EventSource.CLOSED);
    first.close();
  }
  const listener = (token) => `/connection/uni_sse?cf_connect=${encodeURIComponent(JSON.stringify({ token }))}`;
  const ticket = await newTicket(server);
  assert.equal(await byEventSource(server, ticket, listener(ticket)), true);
  assert.equal(await byStream(server, ticket), false);
}));

test('a ticket renews nothing, and is not used up by trying', () => withServer(4, async (server) => {
  const ticket = await newTicket(server);
  const wire = await openWire(server.url);
  await wire.connect({ token: hmacToken(KEY, { sub: '42' }) });
  const refused = await wire.ask({ subscribe: { channel: 'room', token: ticket } });
  assert.equal(refused.error.code, 103);
  wire.send({ id: 9, refresh: { token: ticket } });
  assert.equal((await wire.closed()).code, 3500);
  assert.equal(await byWebSocket(server, ticket), true);
}));

test('an SDK that comes back asks for another ticket', () => withServer(4, async (server) => {
  let asked = 0;
  const getToken = async () => {
    asked += 1;
    return newTicket(server);
  };
  const client = await connectCentrifuge(server.url, { getToken });
  for (let i = 2; i < 8; i += 1) {
    await api(server, 'disconnect', { user: '42', disconnect: { code: 3000, reason: 'come back' } });
    await until(() => client.connected.length === i, 'it to be back');
    assert.equal(asked, i);
  }
  client.close();
}));

test('what is no ticket is refused, orders that are none are told, and no ticket is written anywhere', () => withServer(4, async (server) => {
  const ticket = await newTicket(server);
  for (const bad of ['pt_', `${ticket}A`, ticket.slice(0, -1), ticket.toUpperCase(), `pt_C${ticket.slice(4)}`, `pt_AQAF${ticket.slice(7)}`, `pt_${'A'.repeat(36)}`, 'pt_'.repeat(13)]) {
    assert.equal(await byWebSocket(server, bad, 3500), false, bad);
    assert.equal(await byStream(server, bad), false, bad);
  }
  assert.equal(await byPub(server, ticket), true);
  const answer = await fetch(`${server.url}/api/create_ticket`, { method: 'POST', body: JSON.stringify({ sub: '42' }) });
  assert.equal((await answer.json()).error.code, 107);
  assert.equal((server.stderr + server.stdout).includes(ticket.slice(3, 20)), false);
  assert.equal((await (await fetch(`${server.url}/metrics`)).text()).includes(ticket.slice(3, 20)), false);
}));

test('there is a limit', async () => {
  const server = await startConfigured({ ...CONFIG, client: { ...CONFIG.client, ticket_limit: 5 } }, { shards: 4 });
  try {
    const codes = [];
    for (let i = 0; i < 7; i += 1) {
      const answer = await fetch(`${server.url}/api/create_ticket`, { method: 'POST', body: '{"user":"42"}' });
      codes.push((await answer.json()).error?.code ?? 0);
    }
    assert.deepEqual(codes, [0, 0, 0, 0, 0, 106, 106]);
  } finally {
    await server.stop();
  }
});
