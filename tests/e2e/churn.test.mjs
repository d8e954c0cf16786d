// Clients that come and vanish, at every stage of every handshake and at every byte of it: nothing of them stays behind. 100,000 with LONG=1.
// Under a sanitizer's binary (PARLEY_BIN) memory is not weighed, and stop() fails on a leak.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { after, before, test } from 'node:test';
import { metrics, pub } from './lib/http.mjs';
import { isSanitized, openFiles } from './lib/process.mjs';
import { inParallel } from './lib/raw_http.mjs';
import { startServer } from './lib/server.mjs';
import { until } from './lib/wait.mjs';
import { HANDSHAKE } from './lib/wire.mjs';

const LONG = Boolean(process.env.LONG);
const WARM_UP = LONG ? 10_000 : 2_000;
const CLIENTS = LONG ? 100_000 : 4_000;
const AT_ONCE = 64;
const GROWTH = 2 * 1024 * 1024;

const HOST = 'Host: localhost\r\n';
const MASK = Buffer.from([1, 2, 3, 4]);
const frame = (text) => Buffer.concat([Buffer.from([0x81, 0x80 | text.length]), MASK, Buffer.from(text).map((byte, i) => byte ^ MASK[i % 4])]);
const socket = Buffer.concat([Buffer.from(HANDSHAKE), frame('{"id":1,"connect":{}}'), frame('{"id":2,"subscribe":{"channel":"churn"}}'), frame('{"id":3,"publish":{"channel":"c","data":1}}')]);

const CONVERSATIONS = [
  socket,
  Buffer.from(`GET /sse/churn HTTP/1.1\r\n${HOST}Last-Event-ID: x.1\r\n\r\n`),
  Buffer.from(`POST /pub/c HTTP/1.1\r\n${HOST}Content-Length: 20\r\nExpect: 100-continue\r\n\r\n"${'a'.repeat(18)}"`),
  Buffer.from(`POST /api/publish HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n5;a="b"\r\n{"cha\r\n17\r\nnnel":"c","data":"abc"}\r\n0\r\nA: b\r\n\r\n`),
  Buffer.from(`GET /health HTTP/1.1\r\n${HOST}\r\nGET /metrics HTTP/1.1\r\n${HOST}\r\n`),
  Buffer.from(HANDSHAKE.replace('Version: 13', 'Version: 12')),
];
// Every byte offset of each, and nothing at all.
const STAGES = CONVERSATIONS.flatMap((bytes) => Array.from({ length: bytes.length + 1 }, (_, at) => bytes.subarray(0, at)));

const ENDS = {
  // Without a goodbye, with what was sent perhaps still under way.
  reset: (client) => client.resetAndDestroy(),
  // In order.
  end: (client) => client.end(),
  // Its own side only; the other is read until the server has ended it, or one answer has come.
  half: (client) => client.end().resume(),
  // After the server has said something, if it does.
  answered: async (client) => {
    await Promise.race([once(client, 'data').catch(() => {}), new Promise((resolve) => { setTimeout(resolve, 5); })]);
    client.resetAndDestroy();
  },
};
const HOW = Object.values(ENDS);

let server;
let port;
let sanitized;
before(async () => {
  server = await startServer();
  port = server.port;
  sanitized = await isSanitized(server.pid);
});
after(() => server.stop());

async function comeAndGo(n) {
  const client = net.connect({ host: '127.0.0.1', port, noDelay: true, allowHalfOpen: false });
  client.on('error', () => {});
  const closed = new Promise((resolve) => { client.once('close', resolve); });
  // Every seventh does not even wait for the connection.
  if (n % 7 !== 0) await Promise.race([once(client, 'connect').catch(() => {}), closed]);
  const bytes = STAGES[n % STAGES.length];
  if (bytes.length > 0) client.write(bytes);
  await HOW[Math.floor(n / STAGES.length) % HOW.length](client);
  // What stays open by right, such as a stream, is let go.
  const timer = setTimeout(() => client.resetAndDestroy(), 50);
  await closed;
  clearTimeout(timer);
}

const churn = (from, count) => inParallel(AT_ONCE, Array.from({ length: count }, (_, i) => from + i), comeAndGo);
const gone = async (base) => until(async () => {
  const now = await metrics(server);
  return (await openFiles(server.pid)) <= base && now.get('parley_sessions') === 0;
}, async () => `${base} descriptors; there are ${await openFiles(server.pid)}`);

test(`${WARM_UP + CLIENTS} clients that vanish at ${STAGES.length} places leave nothing behind`, async () => {
  await pub(server, 'churn', '1');
  const base = await openFiles(server.pid);
  await churn(0, WARM_UP);
  await gone(base);
  const before = await server.memory();
  await churn(WARM_UP, CLIENTS);
  await gone(base);
  const grown = (await server.memory()) - before;
  console.log(JSON.stringify({ clients: WARM_UP + CLIENTS, places: STAGES.length, descriptors: base, rss_kib_before: before / 1024, rss_growth_kib: grown / 1024, sanitized }));
  if (!sanitized) assert.ok(grown <= GROWTH, `${grown} bytes more`);
  await pub(server, 'churn', '2');
});
