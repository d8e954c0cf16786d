// The Centrifuge protocol where WebSocket does not pass: the unmodified client over http_stream and sse, with requests for what it says.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Centrifuge as ProtobufCentrifuge } from 'centrifuge/build/protobuf';
import { CentrifugeClient } from './lib/clients.mjs';
import { api, metrics } from './lib/http.mjs';
import { startProxy } from './lib/proxy.mjs';
import { assertSameList } from './lib/same_list.mjs';
import { freePort, startConfigured, startServer } from './lib/server.mjs';
import { hmacToken, now } from './lib/tokens.mjs';
import { until } from './lib/wait.mjs';

const KINDS = {
  'http_stream in JSON': { transports: ['http_stream'] },
  'http_stream in Protobuf': { transports: ['http_stream'], Sdk: ProtobufCentrifuge },
  sse: { transports: ['sse'] },
};
const numbers = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const encode = (kind, value) => (kind.Sdk ? new TextEncoder().encode(JSON.stringify(value)) : value);
const decode = (kind, data) => (kind.Sdk ? JSON.parse(new TextDecoder().decode(data)) : data);

/** Runs with a client of that kind through a proxy of its own. */
async function withClient(server, options, run) {
  const proxy = await startProxy(server.port);
  const client = new CentrifugeClient(proxy.url, options);
  try {
    await run(client, proxy);
  } finally {
    client.close();
    await proxy.close();
  }
}

for (const shards of [1, 4]) {
  test(`on ${shards} shards`, async (t) => {
    const server = await startServer({ shards });
    t.after(() => server.stop());

    for (const [name, kind] of Object.entries(KINDS)) {
      await t.test(`${name}: everything that WebSocket has`, () => withClient(server, kind, async (client) => {
        const channel = `all:${name.replaceAll(' ', '_')}`;
        await client.connect();
        const record = await client.subscribe(channel);
        await client.publish(channel, encode(kind, { n: 1 }));
        await client.publish(channel, encode(kind, { n: 2 }));
        await record.count(2);
        assert.deepEqual(record.data.map((data) => decode(kind, data)), [{ n: 1 }, { n: 2 }]);
        const { clients } = await client.client.presence(channel);
        assert.deepEqual(Object.keys(clients), [client.id]);
        assert.equal((await client.client.presenceStats(channel)).numClients, 1);
        const { publications, offset } = await client.client.history(channel, { limit: 10 });
        assert.deepEqual([publications.length, offset], [2, 2]);
        await assert.rejects(client.client.rpc('any', encode(kind, {})), { code: 108 });
        record.subscription.unsubscribe();
        await until(async () => (await api(server, 'presence_stats', { channel })).num_clients === 0, 'the member has left');
      }));

      await t.test(`${name}: what was missed comes back`, () => withClient(server, kind, async (client, proxy) => {
        const channel = `missed:${name.replaceAll(' ', '_')}`;
        await client.connect();
        const record = await client.subscribe(channel);
        for (const n of numbers(1, 5)) await api(server, 'publish', { channel, data: n });
        await record.count(5);
        proxy.breakDown();
        for (const n of numbers(6, 25)) await api(server, 'publish', { channel, data: n });
        proxy.restore();
        await record.count(25);
        await api(server, 'publish', { channel, data: 26 });
        await record.count(26);
        assertSameList(record.data.map((data) => decode(kind, data)), numbers(1, 26), 'publications');
        assert.deepEqual([record.subscribed.at(-1).wasRecovering, record.subscribed.at(-1).recovered], [true, true]);
      }));

      await t.test(`${name}: deltas`, () => withClient(server, kind, async (client) => {
        const channel = `deltas:${name.replaceAll(' ', '_')}`;
        await client.connect();
        const record = await client.subscribe(channel, { delta: 'fossil' });
        const texts = numbers(1, 5).map((n) => ({ text: 'always the same, '.repeat(20), n }));
        for (const data of texts) await api(server, 'publish', { channel, data, delta: true });
        await record.count(5);
        assert.deepEqual(record.data.map((data) => decode(kind, data)), texts);
      }));

      await t.test(`${name}: many commands at once`, () => withClient(server, kind, async (client) => {
        const channel = `many:${name.replaceAll(' ', '_')}`;
        await client.connect();
        const record = await client.subscribe(channel);
        await Promise.all(numbers(1, 100).map((n) => client.publish(channel, encode(kind, n))));
        await record.count(100);
        assertSameList(record.data.map((data) => decode(kind, data)).sort((a, b) => a - b), numbers(1, 100), 'publications');
        client.client.startBatching();
        const batch = numbers(101, 110).map((n) => client.publish(channel, encode(kind, n)));
        client.client.stopBatching();
        await Promise.all(batch);
        await record.count(110);
        assertSameList(record.data.slice(100).map((data) => decode(kind, data)), numbers(101, 110), 'a batch keeps its order');
      }));
    }

    await t.test('messages were handed from shard to shard', async () => {
      const samples = await metrics(server);
      assert.ok(samples.get('parley_uplink_requests_total{outcome="taken"}') > 300);
      assert.equal(samples.get('parley_uplink_requests_total{outcome="busy"}'), 0);
      assert.equal(samples.get('parley_uplink_forwarded_total') > 0, shards > 1);
    });
  });
}

test('a client whose WebSocket is blocked takes the next, and goes on where another stood', async (t) => {
  const server = await startServer();
  t.after(() => server.stop());
  const channel = 'fallback';
  const first = new CentrifugeClient(server.url);
  await first.connect();
  const before = await first.subscribe(channel);
  for (const n of numbers(1, 3)) await api(server, 'publish', { channel, data: n });
  await before.count(3);
  first.close();
  const { epoch } = await api(server, 'history', { channel });
  for (const n of numbers(4, 6)) await api(server, 'publish', { channel, data: n });
  // Nobody listens where the WebSocket should be.
  const blocked = `ws://127.0.0.1:${await freePort()}/connection/websocket`;
  for (const transports of [['websocket', 'http_stream'], ['websocket', 'sse']]) {
    await withClient(server, { transports }, async (client) => {
      client.client._transports[0].endpoint = blocked;
      await client.connect();
      const record = await client.subscribe(channel, { since: { offset: 3, epoch } });
      await record.count(3);
      assert.deepEqual(record.offsets, [4, 5, 6]);
      assert.equal(record.subscribed[0].recovered, true);
      assert.equal(client.client._transport.subName(), transports[1]);
    });
  }
});

test('tokens expire and are renewed over every transport', async (t) => {
  const key = 'a key of 32 bytes, as is required';
  const server = await startConfigured({
    client: { token: { hmac_secret_key: key }, expired_close_delay: '1s' },
    http_stream: { enabled: true },
    sse: { enabled: true },
    http_api: { key: 'k' },
    channel: { without_namespace: { allow_subscribe_for_client: true } },
  });
  t.after(() => server.stop());
  await Promise.all(Object.values(KINDS).map((kind) => {
    let tokens = 0;
    const getToken = async () => {
      tokens += 1;
      return hmacToken(key, { sub: 'user', exp: now() + 2 });
    };
    return withClient(server, { ...kind, getToken }, async (client) => {
      await client.connect();
      await client.subscribe('news');
      await pause(3_500);
      assert.ok(tokens >= 2, `${tokens} tokens`);
      assert.equal(client.connected.length, 1);
      assert.equal(client.client.state, 'connected');
    });
  }));
});

test('a refusal is told over every transport', async (t) => {
  const server = await startConfigured({ client: { token: { hmac_secret_key: 'secret' } }, http_stream: { enabled: true }, sse: { enabled: true } });
  t.after(() => server.stop());
  for (const kind of Object.values(KINDS)) {
    await withClient(server, { ...kind, token: 'forged' }, async (client) => {
      client.client.connect();
      await until(() => client.disconnected.length > 0, 'a disconnect');
      assert.deepEqual([client.disconnected[0].code, client.disconnected[0].reason], [3500, 'invalid token']);
    });
  }
});

test('a server that stops says so, and its clients are not lost', async () => {
  const server = await startServer();
  const clients = Object.values(KINDS).map((kind) => new CentrifugeClient(server.url, kind));
  try {
    await Promise.all(clients.map((client) => client.connect()));
    const begun = Date.now();
    await server.stop();
    assert.ok(Date.now() - begun < 5_000, 'nobody holds up the end');
    for (const client of clients) {
      await until(() => client.connecting.length > 1, 'the clients come again');
      assert.deepEqual([client.connecting[1].code, client.connecting[1].reason], [3001, 'shutdown']);
    }
  } finally {
    for (const client of clients) client.close();
  }
});

test('where the transports are off, there is nothing', async (t) => {
  const server = await startConfigured({ client: { allow_anonymous_connect_without_token: true } });
  t.after(() => server.stop());
  for (const path of ['/connection/http_stream', '/connection/sse', '/emulation', '/connection/uni_sse', '/connection/uni_http_stream', '/connection/uni_websocket']) {
    assert.equal((await fetch(server.url + path, { method: 'POST', body: '{}' })).status, 404, path);
  }
});

// --- byte by byte, as browsers and proxies see it

const ORIGIN = 'https://app.example.com';

async function openRaw(server, path, options = {}) {
  const abort = new AbortController();
  const answer = await fetch(server.url + path, { ...options, signal: abort.signal });
  const reader = answer.body.getReader();
  let text = '';
  const readUntil = async (part) => {
    while (!text.includes(part)) {
      const { done, value } = await reader.read();
      if (done) break;
      text += new TextDecoder().decode(value);
    }
    return text;
  };
  return { answer, readUntil, close: () => abort.abort() };
}

test('heads, borders and answers are as Centrifugo has them', async (t) => {
  const server = await startConfigured({
    client: { allow_anonymous_connect_without_token: true, allowed_origins: [ORIGIN] },
    http_stream: { enabled: true },
    sse: { enabled: true },
    emulation: { max_request_body_size: 1000 },
    channel: { without_namespace: { allow_subscribe_for_client: true, allow_subscribe_for_anonymous: true } },
  });
  t.after(() => server.stop());
  const connect = '{"id":1,"connect":{"name":"raw"}}';
  const send = (body, headers = {}) => fetch(`${server.url}/emulation`, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body), headers: { 'Content-Type': 'application/json', ...headers } });

  const streams = [
    await openRaw(server, '/connection/http_stream', { method: 'POST', body: connect, headers: { Origin: ORIGIN } }),
    await openRaw(server, `/connection/sse?cf_connect=${encodeURIComponent(connect)}`, { headers: { Origin: ORIGIN } }),
    await openRaw(server, '/connection/sse', { method: 'POST', body: connect, headers: { Origin: ORIGIN } }),
  ];
  const types = ['application/x-ndjson', 'text/event-stream; charset=utf-8', 'text/event-stream; charset=utf-8'];
  for (const [i, { answer, readUntil, close }] of streams.entries()) {
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('content-type'), types[i]);
    assert.equal(answer.headers.get('x-accel-buffering'), 'no');
    assert.match(answer.headers.get('cache-control'), /no-cache, no-store.*no-transform/);
    assert.equal(answer.headers.get('access-control-allow-origin'), ORIGIN);
    assert.equal(answer.headers.get('access-control-allow-credentials'), 'true');
    const first = await readUntil('}}');
    const [, result] = (i === 0 ? /^({.*})\n$/ : /^\r\ndata: ({.*})\n\n$/).exec(first);
    const { session, node, pong } = JSON.parse(result).connect;
    assert.match(session, /^[0-9a-f]{44}$/);
    assert.equal(pong, true);
    const data = '{"id":2,"subscribe":{"channel":"a"}}\n{"id":3,"presence":{"channel":"a"}}';
    assert.equal((await send({ session, node, data })).status, 204);
    // Replies may come in another order than commands.
    await readUntil('{"id":3,"error":{"code":108,');
    await readUntil('{"id":2,"subscribe":{}}');
    assert.equal((await send({ session, node: 'other', data: '{}' })).status, 404);
    assert.equal((await send({ session: session.replace(/.$/, (c) => (c === '0' ? '1' : '0')), node, data: '{}' })).status, 404);
    assert.equal((await send({ session, node, data: '{}' }, { Origin: 'https://evil.example' })).status, 403);
    assert.equal((await send('{"session":1}')).status, 400);
    assert.equal((await send({ session, node, data: 'x'.repeat(1000) })).status, 413);
    close();
    await until(async () => (await send({ session, node, data: '{}' })).status === 404, 'the key is dead');
  }

  for (const path of ['/connection/http_stream', '/emulation']) {
    const headers = { Origin: ORIGIN, 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'content-type' };
    const preflight = await fetch(server.url + path, { method: 'OPTIONS', headers });
    assert.equal(preflight.status, 204);
    assert.deepEqual(['origin', 'credentials', 'headers', 'methods'].map((name) => preflight.headers.get(`access-control-allow-${name}`)), [ORIGIN, 'true', 'content-type', 'POST, OPTIONS']);
    assert.equal(preflight.headers.get('access-control-max-age'), '300');
    assert.equal((await fetch(server.url + path)).status, 405);
  }
  assert.equal((await fetch(`${server.url}/connection/sse`)).status, 400);
  assert.equal((await fetch(`${server.url}/connection/http_stream`, { method: 'POST', body: connect, headers: { Origin: 'https://evil.example' } })).status, 403);
  assert.equal((await fetch(`${server.url}/connection/http_stream`, { method: 'POST', body: 'x'.repeat(70_000) })).status, 413);
  const bad = await fetch(`${server.url}/connection/http_stream`, { method: 'POST', body: '{' });
  assert.equal(await bad.text(), '{"push":{"disconnect":{"code":3501,"reason":"bad request"}}}\n');
});
