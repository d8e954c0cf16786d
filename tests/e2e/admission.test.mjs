// Too many clients, too many at once, too many commands, too little memory: each is told so at once in its protocol's words, and those who are in
// are served on. At the end all are sent away evenly.
import assert from 'node:assert/strict';
import http from 'node:http';
import { test } from 'node:test';
import { api, metrics } from './lib/http.mjs';
import { startConfigured } from './lib/server.mjs';
import { until } from './lib/wait.mjs';
import { HANDSHAKE, openTcp, openWire } from './lib/wire.mjs';

const LONG = Boolean(process.env.LONG);
const OPEN = {
  http_api: { insecure: true }, prometheus: { enabled: true }, client: { insecure: true },
};
const configured = (client, more = {}) => ({ ...OPEN, ...more, client: { ...OPEN.client, ...client } });

async function withServer(config, options, run) {
  const server = await startConfigured(config, options);
  try {
    await run(server);
  } finally {
    await server.stop();
  }
}

/** What a WebSocket handshake is answered: {status, retryAfter, ms}; 101 stays open until `close` is called. */
async function handshake(server) {
  const tcp = await openTcp(server.port);
  const asked = performance.now();
  tcp.write(HANDSHAKE);
  await tcp.has('\r\n\r\n');
  const status = Number(tcp.text.slice(9, 12));
  const retryAfter = Number(/^Retry-After: (\d+)\r$/mi.exec(tcp.text)?.[1]);
  if (status !== 101) tcp.reset();
  return { status, retryAfter, ms: performance.now() - asked, close: () => tcp.reset() };
}

async function eventSource(server, channel) {
  const answer = await new Promise((resolve, reject) => {
    http.get(`${server.url}/sse/${channel}`, { agent: false }, resolve).on('error', reject);
  });
  let text = '';
  for await (const chunk of answer) text += chunk;
  return { status: answer.statusCode, text };
}

const count = async (server, reason) => (await metrics(server)).get(`parley_admission_refused_total{reason="${reason}"}`);

test('no more connections than allowed; one that goes makes room', () => withServer(configured({ connection_limit: 5 }), {}, async (server) => {
  const inside = [];
  for (let i = 0; i < 5; i += 1) inside.push(await handshake(server));
  assert.deepEqual(inside.map(({ status }) => status), [101, 101, 101, 101, 101]);
  const refused = await handshake(server);
  assert.equal(refused.status, 503);
  assert.ok(refused.retryAfter >= 2, `Retry-After: ${refused.retryAfter}`);

  // EventSource gives up for ever on a status, so it is told otherwise.
  const stream = await eventSource(server, 'a');
  assert.equal(stream.status, 200);
  assert.match(stream.text, /^: too many connections[^]*^retry: ?\d{4,6}$/m);

  // Neither API nor health asks for a place.
  await api(server, 'publish', { channel: 'a', data: {} });
  assert.equal(await count(server, 'connections'), 2);

  inside[0].close();
  await until(async () => {
    const again = await handshake(server);
    return again.status === 101;
  }, () => 'a place');
}));

test('each stream says it so that its clients come again; a question takes no place', () => withServer(
  configured({ connection_limit: 1, allowed_origins: ['https://app.example'] }, { uni_sse: { enabled: true }, http_stream: { enabled: true } }),
  {},
  async (server) => {
    const inside = await handshake(server);
    const ask = (path, options) => fetch(server.url + path, { ...options, headers: { Origin: 'https://app.example', ...options?.headers } });
    const events = await ask('/connection/uni_sse');
    assert.equal(events.status, 200);
    assert.match(await events.text(), /^retry: ?\d{4,6}$/m);
    const lines = await ask('/connection/http_stream', { method: 'POST', body: '{"id":1,"connect":{}}' });
    assert.equal(lines.status, 503);
    assert.equal(lines.headers.get('access-control-allow-origin'), 'https://app.example');
    assert.ok(Number(lines.headers.get('retry-after')) >= 2);
    await lines.text();
    for (const [path, options, status] of [
      ['/connection/http_stream', { method: 'OPTIONS' }, [200, 204]],
      ['/connection/uni_sse', { method: 'HEAD' }, [200]],
      ['/connection/uni_sse', { headers: { Origin: 'https://other.example' } }, [403]],
    ]) {
      const answer = await ask(path, options);
      assert.ok(status.includes(answer.status), `${path}: ${answer.status}`);
      await answer.text();
    }
    assert.equal(await count(server, 'connections'), 2);
    inside.close();
  },
));

test('new connections have a rate; what is refused is refused at once, and the others are served on', () => withServer(configured({ connection_rate_limit: 20 }), { shards: 1 }, async (server) => {
  const established = await openWire(server.url);
  await established.connect();
  const storm = Promise.all(Array.from({ length: 200 }, () => handshake(server)));
  for (let i = 0; i < 20; i += 1) assert.equal((await established.ask({ presence_stats: { channel: 'a' } })).error?.code, 108);
  const answers = await storm;
  const inside = answers.filter(({ status }) => status === 101);
  const refused = answers.filter(({ status }) => status === 503);
  assert.equal(inside.length + refused.length, 200);
  assert.ok(inside.length >= 19 && inside.length <= 60, `${inside.length} came in`);
  assert.ok(new Set(refused.map(({ retryAfter }) => retryAfter)).size > 1, 'they come back at different times');
  assert.equal(await count(server, 'rate'), refused.length);
  for (const one of inside) one.close();
  established.terminate();
}));

test('an address has a rate of its own', () => withServer(configured({ address_connection_rate_limit: 5 }), { shards: 1 }, async (server) => {
  const answers = [];
  for (let i = 0; i < 20; i += 1) answers.push(await handshake(server));
  const refused = answers.filter(({ status }) => status === 429);
  assert.ok(refused.length >= 10, `${refused.length} refused`);
  assert.ok(refused.every(({ retryAfter }) => retryAfter >= 2));
  for (const { close } of answers) close();
}));

test('commands of a connection have a rate; its neighbour has its own', () => withServer(configured({ command_rate_limit: 10 }), {}, async (server) => {
  const [greedy, other] = [await openWire(server.url), await openWire(server.url)];
  await greedy.connect();
  await other.connect();
  const codes = [];
  for (let i = 0; i < 60; i += 1) codes.push((await greedy.ask({ presence_stats: { channel: 'a' } })).error?.code);
  assert.ok(codes.filter((code) => code === 111).length >= 30, `${codes}`);
  for (let i = 0; i < 10; i += 1) assert.equal((await other.ask({ presence_stats: { channel: 'a' } })).error?.code, 108);
  greedy.terminate();
  other.terminate();
}));

test('without memory nobody new comes in and nothing is published, and those who ask are served', async () => {
  let used;
  await withServer(OPEN, {}, async (server) => {
    await handshake(server);
    await api(server, 'info');
    await metrics(server);
    used = await server.memory();
  });
  // Between 90 and 95 parts of a hundred, give or take what two starts differ by.
  await withServer({ ...OPEN, memory: { limit: Math.round(used / 0.925) } }, {}, async (server) => {
    await until(async () => (await handshake(server)).status === 503, () => 'a refusal for want of memory', 8_000);
    assert.ok(await count(server, 'overload') > 0);
    const counted = await metrics(server);
    assert.ok(counted.get('parley_memory_resident_bytes') > 1e6);
    await api(server, 'info');
    const publish = await fetch(`${server.url}/api/publish`, { method: 'POST', body: JSON.stringify({ channel: 'a', data: {} }) });
    assert.equal((await publish.json()).error?.code, 111);
    assert.ok((await metrics(server)).get('parley_publishes_braked_total{outcome="refused"}') > 0);
    // A second start that takes more is a step further.
    assert.match(server.stderr, /memory is scarce: (publishes and new connections are refused|clients that do not read are disconnected)/);
  });
});

test('at the end all are sent away evenly', async () => {
  const clients = LONG ? 5_000 : 600;
  const server = await startConfigured(OPEN, { shards: 2 });
  const wires = [];
  for (let i = 0; i < clients; i += 50) wires.push(...await Promise.all(Array.from({ length: 50 }, () => openWire(server.url))));
  await Promise.all(wires.map((wire) => wire.connect()));
  const began = performance.now();
  const ends = wires.map(async (wire) => ({ ...await wire.closed(20_000), at: performance.now() - began }));
  server.signal('SIGTERM');
  const seen = await Promise.all(ends);
  assert.equal((await server.ended).code, 0);
  assert.ok(seen.every(({ code }) => code === 3001));
  // 200 a second on each shard, where there are not more than ten seconds would take.
  const window = Math.min(10_000, (clients / 2 / 200) * 1_000);
  const times = seen.map(({ at }) => at).sort((a, b) => a - b);
  for (const part of [0.25, 0.5, 0.75]) {
    const at = times[Math.floor(clients * part)];
    assert.ok(Math.abs(at - window * part) < window * 0.2 + 150, `${part} of the clients were gone after ${at} ms of ${window}`);
  }
});
