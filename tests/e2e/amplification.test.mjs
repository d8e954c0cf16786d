// What a request of at most 10 KiB makes the server hold and do: less than 1 MiB, and less than a hundred times the processor that it took to send.
// Each kind is sent over one connection as fast as it is answered, by a process that does nothing else, and both processes' time is read from the
// kernel; what is held is how much the server grew with the request on many connections that do not read, by connection. What a publication costs
// by subscriber is not in it, that is what it is for.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { api, metrics } from './lib/http.mjs';
import { cpuSeconds, isSanitized } from './lib/process.mjs';
import { startConfigured } from './lib/server.mjs';
import { ecdsaToken, now } from './lib/tokens.mjs';
import { until } from './lib/wait.mjs';
import { Worker } from './lib/worker.mjs';
import { TEXT, frame } from './websocket_conformance/frames.mjs';

const LONG = Boolean(process.env.LONG);
const MS = LONG ? 2_000 : 60;
const HOLDING = LONG ? 100 : 20;
const KIB = 1024;
const REQUEST = 10 * KIB;
const RETAINED = 1024 * KIB;
const TIMES = 100;
// The kernel counts a process's time in ticks of a hundredth of a second; less than this is not told from nothing.
const TICKS = 0.05;

const HOST = 'Host: localhost\r\n';
const HANDSHAKE = `GET /connection/websocket HTTP/1.1\r\n${HOST}Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: centrifuge-json\r\n\r\n`;
const connected = (...commands) => Buffer.concat([Buffer.from(HANDSHAKE), frame(TEXT, '{"id":1,"connect":{}}'), ...commands.map((command) => frame(TEXT, command))]);
const http = (head, body = '') => Buffer.from(`${head} HTTP/1.1\r\n${HOST}${body && `Content-Length: ${Buffer.byteLength(body)}\r\n`}\r\n${body}`);
const bearer = (token) => Buffer.from(`POST /pub/c HTTP/1.1\r\n${HOST}Authorization: Bearer ${token}\r\nContent-Length: 1\r\n\r\n1`);

/** As many commands as there is room for, in one frame. */
function stuffed(command) {
  const lines = [];
  for (let i = 0, size = 0; ; i += 1) {
    const line = command(i);
    size += line.length + 1;
    if (size > REQUEST - 20) break;
    lines.push(line);
  }
  return frame(TEXT, lines.join('\n'));
}

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const strangers = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
// The dearest to look at.
const large = generateKeyPairSync('ec', { namedCurve: 'P-521' });
const strangersLarge = generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey;
const claims = { sub: 'user', exp: now() + 3_600 };
const forged = ecdsaToken(strangers, claims, 'ES256');
const forgedForChannel = ecdsaToken(strangers, { channel: '$private', exp: now() + 3_600 }, 'ES256');
const forgedLarge = ecdsaToken(strangersLarge, claims, 'ES512');
const forgedLargeForChannel = ecdsaToken(strangersLarge, { channel: '$private', exp: now() + 3_600 }, 'ES512');
const filter = JSON.stringify({ op: 'or', nodes: Array.from({ length: 90 }, (_, i) => ({ key: `k${i}`, cmp: 'eq', val: 'v'.repeat(20) })) });
const EVERYBODY = Object.fromEntries(['subscribe', 'publish', 'history', 'presence'].flatMap((what) => ['client', 'anonymous'].map((who) => [`allow_${what}_for_${who}`, true])));
let fresh = 0;
const epochs = {};
const recover = (channel) => frame(TEXT, `{"id":2,"subscribe":{"channel":"${channel}","recover":true,"epoch":"${epochs[channel]}"}}\n{"id":3,"unsubscribe":{"channel":"${channel}"}}`);

const SINGLE = true;
// [kind, what comes first, the request, whether a connection takes only one of it]
const KINDS = [
  ['connect', undefined, connected(), SINGLE],
  ['subscribe', connected(), frame(TEXT, '{"id":2,"subscribe":{"channel":"one"}}')],
  ['subscribe to many', connected(), () => stuffed((i) => `{"id":${i + 2},"subscribe":{"channel":"many${fresh += 1}"}}`), SINGLE],
  ['subscribe with a filter', connected(), frame(TEXT, `{"id":2,"subscribe":{"channel":"filtered","tf":${filter}}}`)],
  ['subscribe and recover 300', connected(), () => recover('small')],
  ['... of a kilobyte', connected(), () => recover('large')],
  ['publish a little', connected(), frame(TEXT, '{"id":2,"publish":{"channel":"one","data":1}}')],
  ['publish 10 KiB', connected(), frame(TEXT, `{"id":2,"publish":{"channel":"one","data":"${'x'.repeat(REQUEST - 80)}"}}`)],
  ['publish in many', connected(), () => stuffed((i) => `{"id":${i + 2},"publish":{"channel":"new${fresh += 1}","data":1}}`), SINGLE],
  ['history, one', connected(), frame(TEXT, '{"id":2,"history":{"channel":"small","limit":1}}')],
  ['history, 300', connected(), frame(TEXT, '{"id":2,"history":{"channel":"small","limit":300}}')],
  ['history, 300 of a kilobyte', connected(), frame(TEXT, '{"id":2,"history":{"channel":"large","limit":300}}')],
  ['history, many times', connected(), stuffed((i) => `{"id":${i + 2},"history":{"channel":"large","limit":300}}`), SINGLE],
  ['presence', connected(), frame(TEXT, '{"id":2,"presence":{"channel":"crowded"}}')],
  ['presence, many times', connected(), stuffed((i) => `{"id":${i + 2},"presence":{"channel":"crowded"}}`), SINGLE],
  ['presence statistics, many times', connected(), stuffed((i) => `{"id":${i + 2},"presence_stats":{"channel":"crowded"}}`)],
  ['rpc', connected(), frame(TEXT, `{"id":2,"rpc":{"method":"m","data":"${'x'.repeat(REQUEST - 80)}"}}`)],
  ['connect with a forged token (ES256)', undefined, Buffer.concat([Buffer.from(HANDSHAKE), frame(TEXT, `{"id":1,"connect":{"token":"${forged}"}}`)]), SINGLE],
  ['subscribe with a forged token (ES256)', connected(), frame(TEXT, `{"id":2,"subscribe":{"channel":"$private","token":"${forgedForChannel}"}}`)],
  ['commands without sense', connected(), stuffed((i) => `{"id":${i + 2}}`), SINGLE],
  ['GET /health', undefined, http('GET /health')],
  ['GET /metrics', undefined, http('GET /metrics')],
  ['GET of nothing', undefined, http('GET /nothing')],
  ['POST /pub', undefined, http('POST /pub/one', '1')],
  ['POST /pub of 10 KiB', undefined, http('POST /pub/one', 'x'.repeat(REQUEST - 200))],
  ['POST /pub with a forged token (ES256)', undefined, bearer(forged)],
  ['POST /pub with a good token (ES256)', undefined, bearer(ecdsaToken(privateKey, claims, 'ES256'))],
  ['GET /sse, from the beginning', undefined, () => Buffer.from(`GET /sse/large HTTP/1.1\r\n${HOST}Last-Event-ID: ${epochs.large}.0\r\n\r\n`), SINGLE],
  ['POST /connection/http_stream', undefined, http('POST /connection/http_stream', '{"id":1,"connect":{}}'), SINGLE],
  ['POST /emulation', undefined, http('POST /emulation', '{"session":"none","node":"none","data":"{}"}')],
  ['api with a wrong key', undefined, Buffer.from(`POST /api/info HTTP/1.1\r\n${HOST}X-API-Key: wrong\r\nContent-Length: 2\r\n\r\n{}`)],
];

let server;
let sender;
before(async () => {
  server = await startConfigured({
    prometheus: { enabled: true }, client: {
      // The crowd does not answer pings.
      ping_interval: '10m', allow_anonymous_connect_without_token: true, token: { ecdsa_public_key: publicKey.export({ type: 'spki', format: 'pem' }) },
    },
    http_api: { key: 'key' },
    http_stream: { enabled: true }, websocket: { compression: true },
    channel: { without_namespace: { presence: true, history_size: 300, history_ttl: '10m', force_recovery: true, allow_tags_filter: true, ...EVERYBODY } },
  }, { shards: 1 });
  sender = new Worker(new URL('lib/sender_worker.mjs', import.meta.url));
  const KEY = { 'X-API-Key': 'key' };
  for (const [channel, data] of [['small', SINGLE], ['large', 'x'.repeat(KIB)]]) {
    for (let i = 0; i < 300; i += 50) await api(server, 'batch', { commands: Array(50).fill({ publish: { channel, data } }) }, KEY);
    epochs[channel] = (await api(server, 'history', { channel, limit: 0 }, KEY)).epoch;
  }
  await crowd();
});
after(async () => {
  sender?.end();
  await server?.stop();
});

/** Members of a channel, so that there is somebody to tell of. */
async function crowd() {
  for (let i = 0; i < 1_000; i += 1) {
    const one = net.connect({ host: '127.0.0.1', port: server.port });
    one.on('error', () => {}).resume().unref();
    one.write(connected('{"id":2,"subscribe":{"channel":"crowded"}}'));
  }
  await until(async () => (await metrics(server)).get('parley_sessions') === 1_000, 'the crowd');
}

const bytesOf = (request) => (typeof request === 'function' ? request() : request);

const quiet = async () => {
  let last = -1;
  await until(async () => {
    const used = await cpuSeconds(server.pid);
    const same = used === last;
    last = used;
    await pause(30);
    return same;
  }, 'an end of work', 30_000);
};

/** Seconds of the server and of the sender for so many requests. */
async function processor([, first, request, single]) {
  // Of those that leave something behind, each is another.
  const requests = Array.from({ length: single ? 50 : 1 }, () => Buffer.concat([(single && first) || Buffer.alloc(0), bytesOf(request)]).toString('base64'));
  const begun = await cpuSeconds(server.pid);
  const { sent, size, over, seconds } = await sender.ask('flood', { port: server.port, first: first && first.toString('base64'), requests, ms: MS, single });
  await quiet();
  return { sent, size, over, server: await cpuSeconds(server.pid) - begun, sender: seconds };
}

/** Bytes that the server holds more for each connection that has sent it and does not read. */
async function retained([, first, request]) {
  const before_ = await server.memory();
  let most = before_;
  const lines = [];
  for (let i = 0; i < HOLDING; i += 1) {
    const one = net.connect({ host: '127.0.0.1', port: server.port });
    one.on('error', () => {});
    await once(one, 'connect');
    one.write(Buffer.concat([first ?? Buffer.alloc(0), bytesOf(request)]));
    one.pause();
    lines.push(one);
    most = Math.max(most, await server.memory());
  }
  await quiet();
  most = Math.max(most, await server.memory());
  for (const one of lines) one.destroy();
  return (most - before_) / HOLDING;
}

/** Sends each kind, shows what it costs, and says that none is worth more than it does. */
async function weigh(kinds) {
  const sanitized = await isSanitized(server.pid);
  const rows = [];
  for (const kind of kinds) {
    const bytes = bytesOf(kind[2]).length;
    const held = await retained(kind);
    const { sent, server: work, sender: cost, over, size: answer } = await processor(kind);
    rows.push({ kind: kind[0], bytes, held_kib: +(held / KIB).toFixed(1), sent, server_us: +((work * 1e6) / sent).toFixed(1), sender_us: +((cost * 1e6) / sent).toFixed(1), times: +(work / cost).toFixed(1), answer, over });
  }
  console.table(rows);
  console.log(JSON.stringify({ test: 'amplification', sanitized, rows }));
  if (sanitized) return;
  for (const { kind, bytes, held_kib, times, server_us, sent } of rows) {
    assert.ok(bytes <= REQUEST + 200, `${kind}: ${bytes} bytes`);
    assert.ok(held_kib < RETAINED / KIB, `${kind}: ${held_kib} KiB`);
    if ((server_us * sent) / 1e6 >= TICKS) assert.ok(times < TIMES, `${kind}: ${times} times`);
  }
}

test(`${KINDS.length} kinds of request, none of them worth more than it costs`, { timeout: 230_000 }, () => weigh(KINDS));

test('a forged ES512 token, the dearest to look at, costs its sender a connection, or a third of one', { timeout: 60_000 }, async (t) => {
  const usual = server;
  server = await startConfigured({ client: { allow_anonymous_connect_without_token: true, token: { ecdsa_public_key: large.publicKey.export({ type: 'spki', format: 'pem' }) } } }, { shards: 1 });
  t.after(async () => {
    await server.stop();
    server = usual;
  });
  const subscribe = (id) => frame(TEXT, `{"id":${id},"subscribe":{"channel":"$private","token":"${forgedLargeForChannel}"}}`);
  await t.test('the third ends the connection with 3500', async () => {
    const line = net.connect({ host: '127.0.0.1', port: server.port });
    let text = '';
    line.on('data', (bytes) => { text += bytes.latin1Slice(); });
    line.write(connected());
    await until(() => text.includes('"connect":{'), 'the connect');
    for (const id of [2, 3, 4]) line.write(subscribe(id));
    await once(line, 'end');
    line.destroy();
    assert.equal(text.split('"code":103').length - 1, 2);
    assert.ok(text.includes('\x0d\xacinvalid token'), 'a close frame with 3500');
  });
  const connect = Buffer.concat([Buffer.from(HANDSHAKE), frame(TEXT, `{"id":1,"connect":{"token":"${forgedLarge}"}}`)]);
  await t.test('and no kind is worth more than it costs', () => weigh([
    ['connect with a forged token (ES512)', undefined, connect, SINGLE],
    ['connect, and subscribe with forged tokens (ES512)', connected(), Buffer.concat(Array.from({ length: 20 }, (_, i) => subscribe(i + 2))), SINGLE],
    ['subscribe with forged tokens, in one frame (ES512)', connected(), stuffed((i) => `{"id":${i + 2},"subscribe":{"channel":"$private","token":"${forgedLargeForChannel}"}}`), SINGLE],
    ['refresh with forged tokens, in one frame (ES512)', connected(), stuffed((i) => `{"id":${i + 2},"refresh":{"token":"${forgedLarge}"}}`), SINGLE],
    ['POST /pub with a forged token (ES512)', undefined, bearer(forgedLarge), SINGLE],
  ]));
});
