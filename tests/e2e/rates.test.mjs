// No client can hurt another: rates and numbers of connections by user, address and channel hold on the whole node, to the hundredth, and whoever
// keeps to them notices nothing of those who do not. LONG=1: for a minute.
import assert from 'node:assert/strict';
import http from 'node:http';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { EventSource } from 'eventsource';
import { api, metrics } from './lib/http.mjs';
import { runParley, startConfigured } from './lib/server.mjs';
import { hmacToken } from './lib/tokens.mjs';
import { until } from './lib/wait.mjs';
import { HANDSHAKE, openTcp, openWire } from './lib/wire.mjs';

const LONG = Boolean(process.env.LONG);
const SECONDS = LONG ? 60 : 3;
const SHARDS = 4;
const SECRET = 'rates';
const OPEN = { http_api: { insecure: true }, prometheus: { enabled: true } };
const CLIENT = { token: { hmac_secret_key: SECRET }, allow_anonymous_connect_without_token: true };
const USUAL = { allow_publish_for_client: true, allow_publish_for_anonymous: true, allow_subscribe_for_client: true, allow_subscribe_for_anonymous: true };
const configured = (client, more = {}) => ({ ...OPEN, client: { ...CLIENT, ...client }, channel: { without_namespace: USUAL }, ...more });
const tokenOf = (user) => hmacToken(SECRET, { sub: user });

async function withServer(config, run, shards = SHARDS) {
  const server = await startConfigured(config, { shards });
  try {
    await run(server);
  } finally {
    await server.stop();
  }
}

async function connected(server, { user, address = '127.0.0.1', headers } = {}) {
  const wire = await openWire(server.url, { localAddress: address, headers });
  wire.socket.on('message', (text) => { if (String(text).split('\n').includes('{}')) wire.send('{}'); });
  const reply = await wire.connect(user ? { token: tokenOf(user) } : {});
  assert.ok(reply.connect, JSON.stringify(reply));
  return wire;
}

let ids = 1_000;

/** Publishes as often as the pace says, over all wires in turn, and counts what was taken and what was refused. */
async function publishing(wires, channel, perSecond, seconds = SECONDS) {
  const seen = { taken: 0, refused: 0 };
  // Between the first answer and the last: until then a full bucket gains nothing.
  let first;
  const count = (text) => {
    first ??= performance.now();
    seen.seconds = (performance.now() - first) / 1_000;
    for (const { id, error } of String(text).split('\n').map((line) => JSON.parse(line))) {
      if (!id) continue;
      if (error) assert.equal(error.code, 111);
      seen[error ? 'refused' : 'taken'] += 1;
    }
  };
  for (const { socket } of wires) socket.on('message', count);
  const began = performance.now();
  const passed = () => (performance.now() - began) / 1_000;
  for (let sent = 0; sent < perSecond * seconds; await pause(5)) {
    for (const due = Math.min(perSecond * seconds, Math.floor(passed() * perSecond)); sent < due; sent += 1) {
      ids += 1;
      wires[sent % wires.length].send({ id: ids, publish: { channel, data: {} } });
    }
  }
  await until(() => seen.taken + seen.refused === perSecond * seconds, () => `all answers; there are ${JSON.stringify(seen)}`);
  for (const { socket } of wires) socket.off('message', count);
  return seen;
}

/** As many as the rate says, and what a full bucket had. */
function assertRate({ taken, seconds }, rate) {
  const wanted = rate * seconds + rate;
  assert.ok(Math.abs(taken - wanted) <= wanted * 0.05 + 2, `${taken} were taken in ${seconds} s, and ${wanted} may be`);
}

test('a user, over all connections; neighbours do not notice', () => withServer(configured({ user_publish_rate_limit: 40, refused_command_rate_limit: 0 }), async (server) => {
  // Two users: one with as many connections as shards and one with a single one get the same.
  const wide = await Promise.all(Array.from({ length: 2 * SHARDS }, () => connected(server, { user: 'wide' })));
  const narrow = [await connected(server, { user: 'narrow' })];
  const modest = [await connected(server, { user: 'modest' })];
  const nobody = [await connected(server)];
  const [a, b, c, d] = await Promise.all([publishing(wide, 'a', 120), publishing(narrow, 'b', 120), publishing(modest, 'c', 30), publishing(nobody, 'd', 60)]);
  assertRate(a, 40);
  assertRate(b, 40);
  assert.equal(c.refused, 0, 'a neighbour below its rate');
  assert.equal(d.refused, 0, 'anonymous clients are no user');
  assert.equal((await metrics(server)).get('parley_rate_limited_total{rate="user_publishes"}'), a.refused + b.refused);
  for (const wire of [...wide, ...narrow, ...modest, ...nobody]) wire.terminate();
}));

test('a channel, by all clients together; the server is not limited, and other channels are others', () => withServer(
  configured({ refused_command_rate_limit: 0 }, { channel: { without_namespace: { ...USUAL, publish_rate_limit: 50 } } }),
  async (server) => {
    const many = await Promise.all(Array.from({ length: 2 * SHARDS }, (_, n) => connected(server, { user: `user${n}` })));
    const other = [await connected(server, { user: 'other' })];
    const [loud, quiet] = await Promise.all([publishing(many, 'loud', 150), publishing(other, 'quiet', 40)]);
    assertRate(loud, 50);
    assert.equal(quiet.refused, 0);
    for (let i = 0; i < 200; i += 1) await api(server, 'publish', { channel: 'loud', data: {} });
    for (const wire of [...many, ...other]) wire.terminate();
  },
));

test('an address, as a trusted proxy names it, over every door', () => withServer(
  configured({ address_publish_rate_limit: 40, refused_command_rate_limit: 0 }, { http_server: { trusted_proxies: ['127.0.0.1'] } }),
  async (server) => {
    const behind = (forwarded) => connected(server, { headers: { 'X-Forwarded-For': forwarded } });
    // One /64; what stands before the proxy's own word is made up; and a peer that is no proxy is not asked.
    const greedy = await Promise.all([behind('2001:db8::1'), behind('2001:db8::2, 2001:db8:0:0:ffff::9'), behind('203.0.113.9, [2001:db8::3]:4711')]);
    const neighbour = [await behind('2001:db8:0:1::1')];
    const liar = await Promise.all(Array.from({ length: 3 }, (_, n) => connected(server, { address: '127.0.0.9', headers: { 'X-Forwarded-For': `203.0.113.${n}` } })));
    const [a, b, c] = await Promise.all([publishing(greedy, 'a', 120), publishing(neighbour, 'b', 30), publishing(liar, 'c', 120)]);
    assertRate(a, 40);
    assert.equal(b.refused, 0);
    assertRate(c, 40);

    const post = async (forwarded) => {
      const answer = await fetch(`${server.url}/pub/a`, { method: 'POST', body: '{}', headers: { 'X-Forwarded-For': forwarded } });
      await answer.text();
      return answer;
    };
    const answers = [];
    for (let i = 0; i < 60; i += 1) answers.push(await post('198.51.100.7'));
    const refused = answers.filter(({ status }) => status === 429);
    assert.ok(refused.length > 0 && refused.every(({ headers }) => headers.get('retry-after') === '1'));
    assert.equal((await post('198.51.100.8')).status, 200);
    for (const wire of [...greedy, ...neighbour, ...liar]) wire.terminate();
  },
));

test('who goes on asking after so many 111 is disconnected', () => withServer(configured({ command_rate_limit: 1, refused_command_rate_limit: 10 }), async (server) => {
  const wire = await connected(server);
  for (let id = 100; id < 200; id += 1) wire.send({ id, presence_stats: { channel: 'a' } });
  assert.equal((await wire.closed()).code, 3013);
}));

/** What the door says to a WebSocket handshake; 101 stays open until `close`. */
async function handshake(server, forwarded) {
  const tcp = await openTcp(server.port);
  tcp.write(HANDSHAKE.replace(/\r\n\r\n$/, `\r\nX-Forwarded-For: ${forwarded}\r\n\r\n`));
  await tcp.has('\r\n\r\n');
  const status = Number(tcp.text.slice(9, 12));
  if (status !== 101) tcp.reset();
  return { status, retryAfter: Number(/^Retry-After: (\d+)\r$/mi.exec(tcp.text)?.[1]), close: () => tcp.reset() };
}

test('an address has so many connections at a time, on all shards; one that goes makes room', () => withServer(
  configured({ address_connection_limit: 5 }, { http_server: { trusted_proxies: ['127.0.0.0/8'] } }),
  async (server) => {
    const all = await Promise.all(Array.from({ length: 40 }, () => handshake(server, '203.0.113.1')));
    const inside = all.filter(({ status }) => status === 101);
    const refused = all.filter(({ status }) => status === 429);
    assert.deepEqual([inside.length, refused.length], [5, 35]);
    assert.ok(refused.every(({ retryAfter }) => retryAfter >= 2));
    assert.equal((await metrics(server)).get('parley_admission_refused_total{reason="address_connections"}'), 35);
    const neighbour = await handshake(server, '203.0.113.2');
    assert.equal(neighbour.status, 101);
    inside[0].close();
    let again;
    await until(async () => { again = await handshake(server, '203.0.113.1'); return again.status === 101; }, () => 'a place');
    for (const { close } of [...inside, neighbour, again]) close();
  },
));

test('new connections of an address have their rate, however they spread over the shards', () => withServer(
  configured({ address_connection_rate_limit: 10 }, { http_server: { trusted_proxies: ['127.0.0.0/8'] } }),
  async (server) => {
    const began = performance.now();
    const all = await Promise.all(Array.from({ length: 60 }, () => handshake(server, '203.0.113.1')));
    const most = 10 + Math.ceil((performance.now() - began) / 100) + 1;
    const inside = all.filter(({ status }) => status === 101).length;
    assert.ok(inside >= 10 && inside <= most, `${inside} of at most ${most}`);
    for (const { close } of all) close();
  },
));

test('what asks a WebSocket\'s door for something else spends nothing of its rate', () => withServer(configured({ connection_rate_limit: 2 }), async (server) => {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const ask = () => new Promise((resolve, reject) => {
    http.get(`${server.url}/connection/websocket`, { agent }, (answer) => { answer.resume().on('end', () => resolve(answer.statusCode)); }).on('error', reject);
  });
  for (let i = 0; i < 20; i += 1) assert.equal(await ask(), 426);
  agent.destroy();
  (await connected(server)).terminate();
}));

test('a user has so many connections, over every transport: exactly, however many come at once', () => withServer(
  configured({ user_connection_limit: 4 }, { http_stream: { enabled: true }, uni_sse: { enabled: true }, channel: { without_namespace: { ...USUAL } } }),
  async (server) => {
    const wires = await Promise.all(Array.from({ length: 24 }, () => openWire(server.url)));
    const outcomes = await Promise.all(wires.map((wire) => Promise.race([
      wire.connect({ token: tokenOf('ann') }).then(() => 'in', () => 'no reply'),
      wire.closed(20_000).then(({ code }) => code),
    ])));
    assert.deepEqual(outcomes.filter((outcome) => outcome === 'in').length, 4);
    assert.deepEqual(outcomes.filter((outcome) => outcome === 3504).length, 20);

    const connect = { token: tokenOf('ann') };
    const lines = await fetch(`${server.url}/connection/http_stream`, { method: 'POST', body: JSON.stringify({ id: 1, connect }) });
    assert.match(await lines.text(), /"disconnect":\{"code":3504,/);
    const oneWay = await fetch(`${server.url}/connection/uni_sse?cf_connect=${encodeURIComponent(JSON.stringify(connect))}`);
    assert.match(await oneWay.text(), /"disconnect":\{"code":3504,/);
    const events = await fetch(`${server.url}/sse/a?token=${tokenOf('ann')}`);
    assert.equal(events.status, 200);
    assert.match(await events.text(), /^: end user_limit\n[^]*^retry: ?\d{4,7}$/m);
    assert.equal((await metrics(server)).get('parley_user_connections_refused_total'), 23);

    // A neighbour, and the anonymous, of whom there may be any number.
    const others = [await connected(server, { user: 'bob' }), ...await Promise.all(Array.from({ length: 6 }, () => connected(server)))];
    for (const [n, wire] of wires.entries()) if (outcomes[n] === 'in') wire.terminate();
    let source;
    await until(() => {
      source?.close();
      source = new EventSource(`${server.url}/sse/a?token=${tokenOf('ann')}`);
      return new Promise((resolve) => { source.onopen = () => setTimeout(() => resolve(source.readyState === EventSource.OPEN), 50); source.onerror = () => resolve(false); });
    }, () => 'room for an EventSource');
    source.close();
    for (const wire of others) wire.terminate();
  },
));

test('a network that cannot be meant is refused with its line', async () => {
  for (const [network, words] of [['10.0.0.1/8', /write 10\.0\.0\.0\/8/], ['0.0.0.0/0', /everybody/], ['proxy.example', /no network/], ['10.0.0.0/33', /from 1 to 32/]]) {
    const { code, stderr, stdout } = await runParley(['serve', '--set', `http_server.trusted_proxies=${network}`, '--listen', '127.0.0.1:1']);
    assert.notEqual(code, 0);
    assert.match(stderr + stdout, words);
    assert.match(stderr + stdout, /http_server\.trusted_proxies/);
  }
});
