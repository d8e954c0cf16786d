// What somebody without credentials can make the server hold: each attack on a thousand connections at once (LONG=1; else a hundred). Memory grows by
// at most a message for each, and with LONG=1 it is weighed whether it is given back when they have gone.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import zlib from 'node:zlib';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { metrics } from './lib/http.mjs';
import { cpuSeconds, isSanitized, openFiles } from './lib/process.mjs';
import { inParallel } from './lib/raw_http.mjs';
import { startConfigured } from './lib/server.mjs';
import { until } from './lib/wait.mjs';
import { BINARY, TEXT, frame, more, ping } from './websocket_conformance/frames.mjs';

const LONG = Boolean(process.env.LONG);
const CLIENTS = LONG ? 1_000 : 100;
const KIB = 1024;
// What the server promises. A message may have 56 KiB before its client is known; bodies and answers may have more (docs/limits.md).
const EACH = 64 * KIB;
// Whose a body of 64 KiB is there is not known before it has been read.
const EMULATION = 'a body for emulation';
const each = (name) => (name === EMULATION ? EACH + 5 * KIB : EACH);
const SLACK = 0.05;
const BACK_MS = 30_000;
// What the allocator has free goes back within a second, and with nothing else to do within two.
const SETTLED_MS = 2_000;
// What a process that is small holds more or less at any time; of 1,000 connections it is a page for sixteen.
const NOISE = 256 * KIB;

const HOST = 'Host: localhost\r\n';
const upgrade = (more_ = '') => `GET /connection/websocket HTTP/1.1\r\n${HOST}Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: centrifuge-json\r\n${more_}\r\n`;
const socket = (...frames) => Buffer.concat([Buffer.from(upgrade()), ...frames]);
const compressed = (...frames) => Buffer.concat([Buffer.from(upgrade('Sec-WebSocket-Extensions: permessage-deflate\r\n')), ...frames]);
const deflate = (bytes) => zlib.deflateRawSync(bytes, { level: 9, finishFlush: zlib.constants.Z_SYNC_FLUSH }).subarray(0, -4);
const RSV1 = { rsv: 4 };
const many = (n, bytes) => Buffer.concat(Array(n).fill(Buffer.from(bytes)));
const bomb = deflate(Buffer.alloc(60 * KIB * KIB, 'x'));
const post = (where, body, length = body.length) => Buffer.concat([Buffer.from(`POST ${where} HTTP/1.1\r\n${HOST}Content-Length: ${length}\r\n\r\n`), Buffer.from(body)]);

// The name, and what each connection sends.
const ATTACKS = {
  'nothing but a handshake': socket(),
  'lengths of 2^63 - 1': socket(frame(BINARY, 'x', { length: 2n ** 63n - 1n, width: 64 })),
  'a gigabyte announced': socket(frame(BINARY, 'x', { length: 2 ** 30, width: 64 })),
  'a message that never ends': socket(frame(BINARY, 'x', { fin: false }), many(895, more('x'.repeat(64)))),
  'a message that goes on above the limit': socket(frame(BINARY, 'x', { fin: false }), many(1_020, more('x'.repeat(64)))),
  'one frame that is never whole': socket(frame(TEXT, 'x'.repeat(55 * KIB), { length: 56 * KIB, width: 16 })),
  'one frame above the limit': socket(frame(TEXT, 'x'.repeat(63 * KIB), { length: 64 * KIB, width: 64 })),
  'fragments of one byte': socket(frame(TEXT, 'x', { fin: false }), many(57_000, more('x'))),
  'empty fragments': socket(frame(TEXT, 'x', { fin: false }), many(20_000, more(''))),
  'a bomb': compressed(frame(BINARY, bomb, RSV1)),
  'a bomb in fragments that does not end': compressed(frame(BINARY, bomb.subarray(0, 30_000), { fin: false, ...RSV1 }), more(bomb.subarray(30_000, 57_000), { fin: false })),
  'frames without a mask': socket(frame(TEXT, 'x'.repeat(1_000), { mask: null })),
  'text that is not UTF-8': socket(frame(TEXT, Buffer.alloc(54 * KIB, 0xff))),
  'JSON without a bottom': socket(frame(TEXT, '['.repeat(54 * KIB))),
  'commands before connect': socket(frame(TEXT, Array.from({ length: 1_000 }, (_, i) => `{"id":${i + 1},"subscribe":{"channel":"c"}}`).join('\n'))),
  'a token of 54 KiB': socket(frame(TEXT, JSON.stringify({ id: 1, connect: { token: 'a.'.repeat(27 * KIB) } }))),
  'a token of 60 KiB': socket(frame(TEXT, JSON.stringify({ id: 1, connect: { token: 'a.'.repeat(30 * KIB) } }))),
  'pings whose pongs nobody reads': socket(many(5_000, ping('p'.repeat(125)))),
  'a request line without an end': Buffer.from(`GET /${'x'.repeat(8_000)}`),
  'headers without an end': Buffer.from(`GET /health HTTP/1.1\r\n${HOST}${'X-a: b\r\n'.repeat(90)}X-b: ${'y'.repeat(15_000)}`),
  '10,000 headers': Buffer.from(`GET /connection/websocket HTTP/1.1\r\n${HOST}${'a: b\r\n'.repeat(10_000)}\r\n`),
  'extensions and protocols': Buffer.from(upgrade(`Sec-WebSocket-Extensions: ${'x; y="\\\\", '.repeat(600)}z\r\nSec-WebSocket-Protocol: ${'a,'.repeat(3_000)}b\r\n`)),
  'requests whose answers nobody reads': many(1_000, `GET /health HTTP/1.1\r\n${HOST}\r\n`),
  'requests without an end whose answers nobody reads': many(4_000, `GET /health HTTP/1.1\r\n${HOST}\r\n`),
  'a body for /pub that never ends': post('/pub/c', 'x'.repeat(1_000_000), 1_048_576),
  'a body for /pub in chunks': Buffer.concat([Buffer.from(`POST /pub/c HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`), many(900, `400\r\n${'x'.repeat(KIB)}\r\n`)]),
  'a body for the server API': post('/api/publish', 'x'.repeat(1_000_000), 1_048_576),
  'a body for a stream': post('/connection/http_stream', 'x'.repeat(55 * KIB), 56 * KIB),
  'a body for a stream above the limit': post('/connection/http_stream', 'x'.repeat(60 * KIB), 64 * KIB),
  [EMULATION]: post('/emulation', 'x'.repeat(63 * KIB), 64 * KIB),
  'streams nobody may read': Buffer.from(`GET /sse/c HTTP/1.1\r\n${HOST}Last-Event-ID: ${'x'.repeat(8_000)}\r\n\r\n`),
};

let server;
let sanitized;
before(async () => {
  server = await startConfigured({
    prometheus: { enabled: true }, client: { token: { hmac_secret_key: 'secret' } }, http_api: { key: 'key' },
    websocket: { compression: true }, http_stream: { enabled: true }, sse: { enabled: true },
    channel: { without_namespace: { allow_subscribe_for_client: true, allow_publish_for_client: true } },
  });
  sanitized = await isSanitized(server.pid);
});
after(() => server?.stop());

/** A connection that sends these bytes as far as the server takes them, and does not read. */
async function attack(bytes) {
  const one = net.connect({ host: '127.0.0.1', port: server.port });
  one.on('error', () => {});
  one.pause();
  await Promise.race([once(one, 'connect').catch(() => {}), once(one, 'close')]);
  one.write(bytes);
  return one;
}

/** When the server reads no more: twice in a row the same. */
async function digested() {
  let last = -1;
  await until(async () => {
    const now = (await metrics(server)).get('parley_io_received_bytes_total');
    // What the question itself takes.
    const same = now - last < 2_000;
    last = now;
    await pause(50);
    return same;
  }, 'an end of reading', 60_000);
}

/** Memory when it is as little as this, or falls no more: what those before have left is not to be taken for room. */
async function settledMemory(enough = 0) {
  let [least, since] = [Infinity, 0];
  await until(async () => {
    const now = await server.memory();
    if (now < least) [least, since] = [now, performance.now()];
    return now <= enough || performance.now() - since >= SETTLED_MS;
  }, 'memory that falls no more', 30_000);
  return least;
}

async function run(bytes, clients = CLIENTS, begun = 0) {
  let peak = begun;
  const look = async () => { peak = Math.max(peak, await server.memory()); };
  const crowd = await inParallel(64, Array(clients).fill(bytes), async (each, i) => {
    const one = await attack(each);
    if (i % 16 === 0) await look();
    return one;
  });
  await digested();
  await look();
  // What a buffer outgrew goes back to the system within two seconds.
  let held;
  await until(async () => { held = await server.memory(); return held - begun <= clients * EACH; }, 'what is held', begun ? 3_000 : 0).catch(() => {});
  for (const one of crowd) one.resetAndDestroy();
  return { peak, held };
}

describe(`without credentials, on ${CLIENTS} connections`, () => {
  let base;
  let files;
  const rows = [];
  before(async () => {
    // What grows once and is kept: tables, what is read into, each kind of answer.
    files = await openFiles(server.pid);
    for (const name of ['nothing but a handshake', 'a message that never ends']) await run(ATTACKS[name]);
    for (const bytes of Object.values(ATTACKS)) await run(bytes, 8);
    await until(async () => await openFiles(server.pid) <= files, 'the descriptors');
    base = await settledMemory();
  });
  after(() => { console.log(JSON.stringify({ test: 'preauth_memory', connections: CLIENTS, base_kib: base / KIB, sanitized, rows })); });

  /** Whether memory is back within this time, and what is left. */
  async function given(ms) {
    let left;
    const back = await until(async () => {
      left = await server.memory();
      return left <= base * (1 + SLACK) + NOISE;
    }, 'the memory', sanitized ? 0 : ms).catch(() => false);
    return { left, back };
  }

  for (const [name, bytes] of Object.entries(ATTACKS)) {
    test(name, async () => {
      const used = await cpuSeconds(server.pid);
      const begun = await settledMemory(base + NOISE);
      const { peak, held } = await run(bytes, CLIENTS, begun);
      const seconds = await cpuSeconds(server.pid) - used;
      const ended = performance.now();
      await until(async () => await openFiles(server.pid) <= files, 'the descriptors');
      const { left, back } = await given(LONG ? BACK_MS : 0);
      rows.push({ name, begun_kib: Math.round((begun - base) / KIB), peak_kib_each: +((peak - begun) / KIB / CLIENTS).toFixed(1), held_kib_each: +((held - begun) / KIB / CLIENTS).toFixed(1), left_kib: Math.round((left - base) / KIB), back_ms: back ? Math.round(performance.now() - ended) : null, cpu_us_each: Math.round((seconds * 1e6) / CLIENTS) });
      if (sanitized) return;
      assert.ok(held - begun <= CLIENTS * each(name), `${((held - begun) / KIB / CLIENTS).toFixed(1)} KiB each`);
      assert.ok(peak - begun <= CLIENTS * each(name), `${((peak - begun) / KIB / CLIENTS).toFixed(1)} KiB each at once`);
      if (LONG) assert.ok(back, `${Math.round((left - base) / KIB)} KiB are left`);
    });
  }
});
