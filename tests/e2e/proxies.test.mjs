// The configurations of docs/guides/proxies.md, taken out of the page, in front of the server; and every cell of its table.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { Centrifuge } from 'centrifuge';
import { EventSource } from 'eventsource';
import WebSocket from 'ws';
import { startFrontProxy } from './lib/front_proxy.mjs';
import { api } from './lib/http.mjs';
import { startConfigured } from './lib/server.mjs';
import { until } from './lib/wait.mjs';
import { openWire } from './lib/wire.mjs';

const GUIDE = await readFile(new URL('../../docs/guides/proxies.md', import.meta.url), 'utf8');
const SNIPPETS = new Map([...GUIDE.matchAll(/^<!-- (.+) -->\n```\w+\n([\s\S]*?)^```$/gm)].map(([, name, text]) => [name, text]));
const [[, ...COLUMNS], , ...ROWS] = [...GUIDE.matchAll(/^\| (.*)\|$|^(\| --- .*)$/gm)].map(([line]) => line.split('|').slice(1, -1).map((cell) => cell.trim()));

// Short ones, so that a proxy whose timeout is PROXY_TIMEOUT is seen to be patient.
const BEATS = { client: { ping_interval: '1s', pong_timeout: '500ms' }, event_stream: { heartbeat: '400ms' } };
const PROXY_TIMEOUT = '2s';
const PINGS_BEYOND_IT = 3;
const BEATS_BEYOND_IT = 6;
const ARRIVES_MS = 8_000;
// The certificates are the test's own.
process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';

let folder;
const servers = {};
before(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'parley-proxies-'));
  const pem = (name) => path.join(folder, name);
  const channel = { namespaces: [{ name: 'room', history_size: 100, history_ttl: '1m', force_recovery: true, allow_subscribe_for_client: true,
    allow_subscribe_for_anonymous: true, allow_publish_for_client: true, allow_publish_for_anonymous: true }] };
  const shared = { ...Object.assign({}, ...Object.values(TRANSPORTS).map(({ options }) => options)), http_api: { insecure: true }, prometheus: { enabled: true }, channel };
  const open = { ...shared, client: { ...BEATS.client, allow_anonymous_connect_without_token: true } };
  [servers.open, servers.silent, servers.limited, servers.named] = await Promise.all([
    startConfigured({ ...open, event_stream: BEATS.event_stream }, { shards: 1 }),
    startConfigured({ ...open, event_stream: { heartbeat: '0s' } }, { shards: 1 }),
    startConfigured({ ...open, client: { ...open.client, address_connection_limit: 1 }, http_server: { trusted_proxies: ['127.0.0.1'] } }, { shards: 1 }),
    startConfigured({ ...shared, client: { user_id_http_header: 'X-User-Id' } }, { shards: 1 }),
    promisify(execFile)('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost', '-keyout', pem('key'), '-out', pem('cert')]),
  ]);
  await writeFile(pem('both'), (await readFile(pem('cert'), 'utf8')) + await readFile(pem('key'), 'utf8'));
});
after(async () => {
  for (const server of Object.values(servers)) await server.stop();
  await rm(folder, { recursive: true, force: true });
});

/** The snippet with this test's ports and files in place of the guide's. Each replacement must find what it replaces. */
function adapted(name, port, target, { impatient } = {}) {
  let text = SNIPPETS.get(name);
  const replace = (from, to) => {
    assert.match(text, from, `${name} has no ${from}`);
    text = text.replace(from, to);
  };
  replace(/(?<=server (?:parley1 )?|proxy_pass http:\/\/)127\.0\.0\.1:8000/, `127.0.0.1:${target}`);
  replace(/(?<=listen )(?:80|443)|(?<=bind )(?=:(?:80|443)\b)/, text.includes('listen') ? `127.0.0.1:${port}` : '127.0.0.1');
  if (name.startsWith('haproxy')) replace(/(?<=bind 127\.0\.0\.1):\d+/, `:${port}`);
  if (name === 'nginx, recommended') {
    replace(/\/etc\/ssl\/chat\.example\.pem/, path.join(folder, 'cert'));
    replace(/\/etc\/ssl\/chat\.example\.key/, path.join(folder, 'key'));
  } else if (name === 'haproxy, recommended') {
    replace(/\/etc\/ssl\/private\/chat\.example\.pem/, path.join(folder, 'both'));
  }
  if (impatient && name === 'nginx, plain') replace(/(?=proxy_pass)/, `proxy_read_timeout ${PROXY_TIMEOUT}; `);
  else if (impatient) replace(/(?<=proxy_(?:read|send)_timeout |timeout (?:client|server|tunnel) +)\w+/g, PROXY_TIMEOUT);
  // Debian's nginx.conf has this; its defaults for haproxy stand in the snippet.
  return name.startsWith('nginx') ? `gzip on;\n${text}` : text;
}

/** The proxy of a column, with its url and port; closed with everything else of the test. */
async function front(t, column, { server = servers.open, impatient } = {}) {
  const kind = column.split(',')[0];
  const start = (port) => startFrontProxy(kind, server.port, { port, config: (own, target) => adapted(column, own, target, { impatient }) });
  let proxy = await start();
  t.after(() => proxy.stop());
  const scheme = column.endsWith('recommended') ? 'https' : 'http';
  return { url: `${scheme}://localhost:${proxy.port}`, stop: () => proxy.stop(), start: async () => { proxy = await start(proxy.port); } };
}

/** A reader by the SDK, over one of its transports. */
const overSdk = (transport, endpoint) => (url, channel) => {
  const data = [];
  const errors = [];
  const address = transport === 'websocket' ? url.replace('http', 'ws') : url;
  const client = new Centrifuge([{ transport, endpoint: address + endpoint }], {
    websocket: WebSocket, eventsource: EventSource, fetch, readableStream: ReadableStream, emulationEndpoint: `${url}/emulation`, minReconnectDelay: 50, maxReconnectDelay: 300,
  });
  client.on('error', ({ error }) => errors.push(error.message));
  const subscription = client.newSubscription(channel);
  subscription.on('publication', (publication) => data.push(publication.data));
  subscription.subscribe();
  client.connect();
  return { data, errors, isReady: () => subscription.state === 'subscribed', publish: (value) => subscription.publish(value), close: () => client.disconnect() };
};

const overEventSource = (url, channel) => {
  const data = [];
  const errors = [];
  const source = new EventSource(`${url}/sse/${encodeURIComponent(channel)}`);
  source.onmessage = (event) => data.push(JSON.parse(event.data));
  source.onerror = (error) => errors.push(error.message);
  return { data, errors, isReady: () => source.readyState === EventSource.OPEN, close: () => source.close() };
};

/** Only listens, and asks for what it missed by the position that it keeps: an EventSource by itself would come back without. */
const overOneWay = (url, channel) => {
  const data = [];
  const errors = [];
  let position;
  let source;
  let again;
  const open = () => {
    source = new EventSource(`${url}/connection/uni_sse?cf_connect=${encodeURIComponent(JSON.stringify({ subs: { [channel]: position ?? {} } }))}`);
    source.onmessage = (event) => {
      const { connect, pub } = JSON.parse(event.data);
      const { epoch, offset = 0, publications = [] } = connect?.subs[channel] ?? {};
      data.push(...[...publications, ...(pub ? [pub] : [])].map((publication) => publication.data));
      if (connect) position = { recover: true, epoch, offset };
      if (pub) position.offset = pub.offset;
    };
    source.onerror = (error) => {
      source.close();
      errors.push(error.message);
      if (position) again = setTimeout(open, 100);
    };
  };
  open();
  return { data, errors, isReady: () => position !== undefined, close: () => { clearTimeout(again); source.close(); } };
};

let channels = 0;

/** Messages arrive at once, both ways; after a restart of the proxy nothing is missing. */
const carries = (open) => async (t, column) => {
  const proxy = await front(t, column);
  channels += 1;
  const channel = `room:${channels}`;
  const publish = (data) => api(servers.open, 'publish', { channel, data });
  const reader = open(proxy.url, channel);
  t.after(() => reader.close());
  await until(() => reader.isReady() || reader.errors.length > 0, () => 'a connection');
  assert.deepEqual(reader.errors, []);
  await publish(1);
  await (reader.publish ?? publish)(2);
  await until(() => reader.data.length === 2, () => `two messages; there is ${JSON.stringify(reader.data)}`, ARRIVES_MS);
  await proxy.stop();
  await publish(3);
  await publish(4);
  await proxy.start();
  await until(() => reader.data.length >= 4, () => `what was missed; there is ${JSON.stringify(reader.data)}`, ARRIVES_MS);
  await publish(5);
  await until(() => reader.data.includes(5), 'the next', ARRIVES_MS);
  assert.deepEqual(reader.data, [1, 2, 3, 4, 5]);
};

/** What opens a reader, and what the server's configuration says to serve it. A new transport is a line here and a row in the guide. */
const TRANSPORTS = {
  WebSocket: { open: overSdk('websocket', '/connection/websocket') },
  'EventSource (`/sse`)': { open: overEventSource },
  'HTTP streaming (`http_stream`)': { open: overSdk('http_stream', '/connection/http_stream'), options: { http_stream: { enabled: true } } },
  'Server-sent events of SDKs (`sse`)': { open: overSdk('sse', '/connection/sse'), options: { sse: { enabled: true } } },
  'One-way (`uni_sse`)': { open: overOneWay, options: { uni_sse: { enabled: true } } },
};

/** The stream goes on for so many heartbeats. */
async function staysOpen(t, column, server) {
  const proxy = await front(t, column, { server, impatient: true });
  const answer = await fetch(`${proxy.url}/sse/room:silent`);
  assert.equal(answer.status, 200);
  let beats = 0;
  for await (const bytes of answer.body) {
    beats += Buffer.from(bytes).toString().split('\n').filter((line) => line === ': hb').length;
    if (beats >= BEATS_BEYOND_IT) return;
  }
  assert.fail(`it ended after ${beats} heartbeats`);
}

const status = async (url, headers = {}) => {
  const answer = await fetch(url, { headers, signal: AbortSignal.timeout(5_000) });
  await answer.body?.cancel();
  return answer.status;
};

/** Opens a stream from an address of this machine, and says how its first words begin: those of a stream, or of a refusal. */
async function knock(t, url, localAddress, headers = {}) {
  const { get } = url.startsWith('https') ? https : http;
  const answer = await new Promise((resolve, reject) => {
    const request = get(`${url}/sse/room:door`, { localAddress, headers, agent: false, family: 4 }, resolve).on('error', reject);
    t.after(() => request.destroy());
  });
  const [bytes] = await once(answer, 'data', { signal: AbortSignal.timeout(5_000) });
  return String(bytes).startsWith(': too many connections') ? 'refused' : 'in';
}

/** Each fails where the guide says "breaks". */
const CHECKS = {
  ...Object.fromEntries(Object.entries(TRANSPORTS).map(([name, { open }]) => [name, carries(open)])),

  async 'a silent WebSocket'(t, column) {
    const proxy = await front(t, column, { impatient: true });
    const wire = await openWire(proxy.url);
    t.after(() => wire.terminate());
    await wire.connect();
    wire.socket.on('message', (text) => { if (String(text) === '{}') wire.send('{}'); });
    let closed = false;
    wire.closed(60_000).then(() => { closed = true; }, () => {});
    await until(() => closed || wire.received.filter((reply) => Object.keys(reply).length === 0).length >= PINGS_BEYOND_IT, 'pings');
    assert.ok(!closed, 'it was closed');
  },

  'a silent EventSource': (t, column) => staysOpen(t, column, servers.open),
  'a silent EventSource without heartbeats': (t, column) => staysOpen(t, column, servers.silent),

  async 'a page of the proxy\'s own host, with `allowed_origins` empty'(t, column) {
    const { url } = await front(t, column);
    assert.equal(await status(`${url}/sse/room:page`, { Origin: 'https://elsewhere.example' }), 403);
    assert.equal(await status(`${url}/sse/room:page`, { Origin: url }), 200);
  },

  async 'a channel\'s name with `%2F` in its address'(t, column) {
    const { url } = await front(t, column);
    const answer = await fetch(`${url}/sse/room:x%2Fy%25z`);
    await api(servers.open, 'publish', { channel: 'room:x/y%z', data: 'here' });
    let text = '';
    for await (const bytes of answer.body) {
      text += Buffer.from(bytes);
      if (text.includes('data: "here"')) return;
    }
    assert.fail(text);
  },

  async 'server API, metrics and health are out of reach'(t, column) {
    const { url } = await front(t, column);
    for (const at of ['/api/info', '/api', '/metrics', '/health', '/', '/pub/room:b', '/connection/../metrics', '/sse/%2e%2e/metrics', '//metrics', '/METRICS']) {
      assert.equal(await status(url + at), 404, at);
    }
  },

  async 'a forged header that would name the user'(t, column) {
    const { url } = await front(t, column, { server: servers.named });
    assert.equal(await status(`${servers.named.url}/sse/room:b`, { 'X-User-Id': 'eve' }), 200);
    assert.equal(await status(`${url}/sse/room:b`, { 'X-User-Id': 'eve' }), 401);
  },

  // One connection for each address: each column comes from its own.
  async 'limits by address, with `trusted_proxies`'(t, column) {
    const { url } = await front(t, column, { server: servers.limited });
    const host = COLUMNS.indexOf(column);
    assert.equal(await knock(t, url, `127.0.1.${host}`), 'in');
    assert.equal(await knock(t, url, `127.0.2.${host}`), 'in');
    assert.equal(await knock(t, url, `127.0.1.${host}`), 'refused');
  },

  async 'a forged header that would name the address'(t, column) {
    const { url } = await front(t, column, { server: servers.limited });
    const from = `127.0.3.${COLUMNS.indexOf(column)}`;
    const forged = (n) => ({ 'X-Forwarded-For': `203.0.113.${1 + COLUMNS.indexOf(column)}${n}` });
    assert.equal(await knock(t, url, from, forged(1)), 'in');
    assert.equal(await knock(t, url, from, forged(2)), 'refused');
  },
};

test('the guide and this test know the same', () => {
  assert.deepEqual(COLUMNS, [...SNIPPETS.keys()]);
  assert.deepEqual(ROWS.map(([name]) => name), Object.keys(CHECKS));
});

// Most of the time is spent waiting: all columns at once.
describe('each cell of the guide', { concurrency: COLUMNS.length }, () => {
  for (const [n, column] of COLUMNS.entries()) {
    describe(column, { concurrency: 3 }, () => {
      for (const [name, ...cells] of ROWS) {
        test(`${name}: ${cells[n]}`, async (t) => {
          assert.match(cells[n], /^(works|breaks: .+)$/);
          const outcome = await CHECKS[name](t, column).then(() => 'works', (error) => error);
          if (cells[n] === 'works') assert.equal(outcome, 'works', outcome.message);
          else assert.notEqual(outcome, 'works', 'it works');
        });
      }
    });
  }
});
