// Clients that only listen: uni_sse with an unmodified EventSource, uni_http_stream with nothing but HTTP, uni_websocket with nothing but ws.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { EventSource } from 'eventsource';
import WebSocket from 'ws';
import { api } from './lib/http.mjs';
import { startConfigured } from './lib/server.mjs';
import { hmacToken } from './lib/tokens.mjs';
import { until } from './lib/wait.mjs';

const KEY = 'a key of 32 bytes, as is required';
const API = { 'X-API-Key': 'k' };
const run = promisify(execFile);

let server;
let channels = 0;

before(async () => {
  server = await startConfigured({
    client: { token: { hmac_secret_key: KEY }, ping_interval: '2s', pong_timeout: '1s' },
    uni_sse: { enabled: true },
    uni_http_stream: { enabled: true },
    uni_websocket: { enabled: true },
    http_api: { key: 'k' },
    channel: { without_namespace: { history_size: 100, history_ttl: '300s', force_recovery: true, presence: true } },
  }, { shards: 4 });
});
after(() => server?.stop());

const token = (channel) => hmacToken(KEY, { sub: 'user', channels: [channel] });
const publish = (channel, data) => api(server, 'publish', { channel, data }, API);

/** Each opens a stream of pushes: {pushes, close}. */
const TRANSPORTS = {
  uni_sse(request) {
    const source = new EventSource(`${server.url}/connection/uni_sse?cf_connect=${encodeURIComponent(JSON.stringify(request))}`);
    const pushes = [];
    source.addEventListener('message', ({ data }) => pushes.push(JSON.parse(data)));
    return { pushes, close: () => source.close() };
  },
  uni_http_stream(request) {
    const abort = new AbortController();
    const pushes = [];
    (async () => {
      const answer = await fetch(`${server.url}/connection/uni_http_stream`, { method: 'POST', body: JSON.stringify(request), signal: abort.signal });
      let rest = '';
      for await (const bytes of answer.body) {
        const lines = (rest + new TextDecoder().decode(bytes)).split('\n');
        rest = lines.pop();
        pushes.push(...lines.map((line) => JSON.parse(line)));
      }
    })().catch(() => {});
    return { pushes, close: () => abort.abort() };
  },
  uni_websocket(request) {
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/connection/uni_websocket`);
    const pushes = [];
    socket.on('open', () => socket.send(JSON.stringify(request)));
    socket.on('message', (data) => pushes.push(JSON.parse(data)));
    return { pushes, close: () => socket.terminate() };
  },
};

for (const [name, open] of Object.entries(TRANSPORTS)) {
  test(`${name}: the server's subscriptions, live and recovered, pings and the end`, async (t) => {
    channels += 1;
    const channel = `${name}-${channels}`;
    await publish(channel, { n: 1 });
    const first = open({ token: token(channel), headers: { 'X-Any': '1' } });
    t.after(() => first.close());
    await until(() => first.pushes.length > 0, 'the connect push');
    const { client, session, subs, pong, ping } = first.pushes[0].connect;
    assert.match(client, /^[0-9a-f-]{36}$/);
    assert.match(session, /^[0-9a-f-]{36}$/);
    assert.deepEqual([pong, ping], [undefined, 2]);
    const { offset, epoch } = subs[channel];
    assert.equal(offset, 1);
    await publish(channel, { n: 2 });
    await until(() => first.pushes.some(({ pub }) => pub), 'a publication');
    assert.deepEqual(first.pushes.find(({ pub }) => pub), { channel, pub: { data: { n: 2 }, offset: 2 } });
    assert.deepEqual(Object.keys((await api(server, 'presence', { channel }, API)).presence), [client]);
    await until(() => first.pushes.some((push) => Object.keys(push).length === 0), 'a ping');

    const second = open({ token: token(channel), subs: { [channel]: { recover: true, offset, epoch } } });
    t.after(() => second.close());
    await until(() => second.pushes.length > 0, 'the connect push');
    assert.equal(second.pushes[0].connect.subs[channel].recovered, true);
    assert.deepEqual(second.pushes[0].connect.subs[channel].publications, [{ data: { n: 2 }, offset: 2 }]);

    await api(server, 'disconnect', { user: 'user', session, disconnect: { code: 4501, reason: 'enough' } }, API);
    await until(() => first.pushes.some(({ disconnect }) => disconnect), 'the end');
    const { disconnect } = first.pushes.find((push) => push.disconnect);
    assert.deepEqual([disconnect.code, disconnect.reason], [4501, 'enough']);
    assert.ok(second.pushes.every((push) => !push.disconnect));
  });
}

test('without a word there is no one-way client where a token is needed, and 400 for what is none', async () => {
  const refused = await fetch(`${server.url}/connection/uni_sse`);
  assert.equal(await refused.text(), '\r\ndata: {"disconnect":{"code":3501,"reason":"bad request"}}\n\n');
  for (const path of ['uni_sse?cf_connect=%7B', 'uni_sse?cf_connect=5']) assert.equal((await fetch(`${server.url}/connection/${path}`)).status, 400, path);
  for (const path of ['uni_sse', 'uni_http_stream']) {
    assert.equal((await fetch(`${server.url}/connection/${path}`, { method: 'POST', body: '{' })).status, 400, path);
    const empty = await fetch(`${server.url}/connection/${path}`, { method: 'POST', body: 'null' });
    assert.match(await empty.text(), /"disconnect":{"code":3501/);
  }
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/connection/uni_websocket?cf_connect=%7B%7D`);
  const messages = [];
  socket.on('message', (data) => messages.push(String(data)));
  const code = await new Promise((resolve) => { socket.on('close', resolve); });
  assert.deepEqual([messages, code], [['{"disconnect":{"code":3501,"reason":"bad request"}}'], 3501]);
});

test('curl listens with one line', async () => {
  channels += 1;
  const channel = `curl-${channels}`;
  const listening = run('curl', ['-sN', '--max-time', '5', '-d', JSON.stringify({ token: token(channel) }), `${server.url}/connection/uni_http_stream`]);
  await until(async () => (await api(server, 'presence_stats', { channel }, API)).num_clients === 1, 'curl is there');
  await publish(channel, 'hello');
  await api(server, 'disconnect', { user: 'user', disconnect: { code: 4501, reason: 'enough' } }, API);
  const { stdout } = await listening;
  const lines = stdout.split('\n');
  assert.match(lines[0], /^{"connect":/);
  assert.match(lines[1], new RegExp(`^{"channel":"${channel}","pub":{"data":"hello","offset":1`));
  assert.match(lines[2], /^{"disconnect":{"code":4501/);
});
