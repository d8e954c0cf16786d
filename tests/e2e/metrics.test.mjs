// Bad input, and what crosses a limit: each is answered in its protocol's words, and /metrics counts it once.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { api, metrics, pub } from './lib/http.mjs';
import { startServer } from './lib/server.mjs';
import { until, within } from './lib/wait.mjs';
import { HANDSHAKE, openTcp, openWire } from './lib/wire.mjs';

let server;

before(async () => { server = await startServer({ shards: 2 }); });
after(() => server?.stop());

/** Sends bytes over TCP, and resolves when the answer has what is wanted. */
async function say(bytes, wanted) {
  const tcp = await openTcp(server.port);
  tcp.write(bytes);
  await tcp.has(wanted);
  tcp.reset();
}

const http = (line, headers, status) => () => say(`${line}\r\n${headers.map((one) => `${one}\r\n`).join('')}\r\n`, `HTTP/1.1 ${status} `);
const HOST = 'Host: 127.0.0.1';

async function status(path, options, wanted) {
  const answer = await fetch(server.url + path, options);
  await answer.text();
  assert.equal(answer.status, wanted);
}

/** What follows a WebSocket's handshake; resolves when the server has closed. */
async function frame(bytes) {
  const tcp = await openTcp(server.port);
  tcp.write(HANDSHAKE);
  await tcp.has('\r\n\r\n');
  tcp.write(Buffer.from(bytes));
  await within(tcp.ended, 'the end of the connection');
}

/** Connects and asks; fails unless the answer is this error. */
async function refused(code, ...commands) {
  const wire = await openWire(server.url);
  await wire.connect();
  let reply;
  for (const command of commands) reply = await wire.ask(command);
  assert.equal(reply.error?.code, code);
  wire.terminate();
}

async function ended(code, ...messages) {
  const wire = await openWire(server.url);
  for (const message of messages) wire.send(message);
  assert.equal((await wire.closed()).code, code);
}

/** Reads a channel from a position, until the stream has told a gap of this reason. */
const gap = (reason, channel, id) => say(`GET /sse/${channel} HTTP/1.1\r\n${HOST}\r\nLast-Event-ID: ${id}\r\n\r\n`, `"reason":"${reason}"`);

async function filled(channel, n) {
  let last;
  for (let i = 0; i < n; i += 1) last = await pub(server, channel, String(i));
  return last;
}

const MIB = 1024 * 1024;
const rejected = (reason) => `parley_http_rejected_total{reason="${reason}"}`;
const handshake = (reason) => `parley_websocket_handshakes_refused_total{reason="${reason}"}`;
const broken = (reason) => `parley_websocket_errors_total{reason="${reason}"}`;
const refusal = (code) => `parley_centrifuge_commands_refused_total{code="${code}"}`;
const unframed = (reason) => `parley_centrifuge_frames_refused_total{reason="${reason}"}`;
const door = (code) => `parley_publish_door_refused_total{status="${code}"}`;
const gaps = (reason) => `parley_gaps_total{reason="${reason}"}`;

/** what is done -> [sample of /metrics, how] */
const CASES = {
  'a path that nobody serves': [rejected('not_found'), () => status('/nowhere', {}, 404)],
  'a method that a path does not take': [rejected('method_not_allowed'), () => status('/sse/a', { method: 'PUT' }, 405)],
  'a malformed escape in the path': [rejected('bad_path'), () => status('/sse/%zz', {}, 400)],
  'no HTTP at all': [rejected('bad_request_line'), http('hello', [], 400)],
  'a request without Host': [rejected('missing_host'), http('GET / HTTP/1.1', [], 400)],
  'two lengths of one body': [rejected('ambiguous_length'), http('POST /pub/a HTTP/1.1', [HOST, 'Content-Length: 1', 'Transfer-Encoding: chunked'], 400)],
  'a request line above 8 KiB': [rejected('request_line_too_long'), http(`GET /${'a'.repeat(9_000)} HTTP/1.1`, [HOST], 414)],
  'headers above 16 KiB': [rejected('headers_too_large'), http('GET / HTTP/1.1', [HOST, `X: ${'a'.repeat(20_000)}`], 431)],
  'more than 100 headers': [rejected('too_many_headers'), http('GET / HTTP/1.1', [HOST, ...Array.from({ length: 100 }, (_, i) => `X${i}: 1`)], 431)],
  'a body above 1 MiB': [rejected('body_too_large'), http('POST /api/publish HTTP/1.1', [HOST, `Content-Length: ${2 * MIB}`], 413)],
  'a Host of another machine': [rejected('foreign_page'), http('GET / HTTP/1.1', ['Host: evil.example'], 403)],
  'a page of another machine': [rejected('foreign_page'), http('GET / HTTP/1.1', [HOST, 'Origin: https://evil.example'], 403)],

  'a WebSocket handshake without key': [handshake('malformed'), () => say(HANDSHAKE.replace(/Sec-WebSocket-Key.*\r\n/, ''), 'HTTP/1.1 400 ')],
  'a WebSocket of another version': [handshake('version'), () => say(HANDSHAKE.replace('Version: 13', 'Version: 12'), 'HTTP/1.1 426 ')],
  'an unmasked frame': [broken('protocol_error'), () => frame([0x81, 2, 0x7b, 0x7d])],
  'text that is no UTF-8': [broken('invalid_text'), () => frame([0x81, 0x81, 0, 0, 0, 0, 0xff])],
  'a message above 56 KiB before connect': [broken('message_too_big_before_connect'), () => ended(1009, 'x'.repeat(56 * 1024 + 1))],
  'a message above 64 KiB': [broken('message_too_big'), () => ended(1009, '{"id":1,"connect":{}}', 'x'.repeat(64 * 1024 + 1))],

  'a Centrifuge frame that is no JSON': [unframed('malformed'), () => ended(3501, 'hello')],
  'a Centrifuge frame that is too deep': [unframed('malformed'), () => ended(3501, `{"id":1,"connect":{"data":${'['.repeat(65)}${']'.repeat(65)}}}`)],
  'a command of more than 10,000 items': [unframed('too_many_items'), () => ended(3501, `{"id":1,"subscribe":{"tf":{"nodes":[${'{},'.repeat(10_000)}{}]}}}`)],
  'a command before connect': ['parley_sessions_ended_total{reason="bad_request"}', () => ended(3501, '{"id":1,"rpc":{}}')],
  'a second subscribe': [refusal(105), () => refused(105, { subscribe: { channel: 'a' } }, { subscribe: { channel: 'a' } })],
  'a 129th subscription': [refusal(106), () => refused(106, ...Array.from({ length: 129 }, (_, i) => ({ subscribe: { channel: `many:${i}` } })))],
  'a subscribe to an impossible name': [refusal(107), () => refused(107, { subscribe: { channel: 'ü' } })],
  'a recovery from another epoch': ['parley_centrifuge_recoveries_total{result="not_recovered"}', async () => {
    const wire = await openWire(server.url);
    await wire.connect();
    assert.equal((await wire.ask({ subscribe: { channel: 'a', recover: true, epoch: 'x1', offset: 1 } })).subscribe.recovered, undefined);
    wire.terminate();
  }],

  'a stream of an impossible name': ['parley_push_refused_total{reason="bad_request"}', () => status('/sse/%C3%BC', {}, 400)],
  'a client that talks into its stream': ['parley_push_talkers_closed_total', async () => {
    const tcp = await openTcp(server.port);
    tcp.write(`GET /sse/a HTTP/1.1\r\n${HOST}\r\n\r\n`);
    await tcp.has('retry: ');
    tcp.write('x'.repeat(200_000));
    await within(tcp.ended, 'the end of the connection');
  }],
  'binary data for an event stream': ['parley_eventsource_unsupported_total', async () => {
    const { epoch, offset } = await filled('binary', 1);
    await pub(server, 'binary', Buffer.from([0xff, 0]), { 'Content-Type': 'application/octet-stream' });
    await gap('unsupported', 'binary', `${epoch}.${offset}`);
  }],

  'an empty publication': [door(400), () => status('/pub/a', { method: 'POST' }, 400)],
  'a publication above 1 MiB': [door(413), () => status('/pub/a', { method: 'POST', body: 'x'.repeat(MIB + 1) }, 413)],
  'an idempotency key with other data': ['parley_hub_refused_total{reason="idempotency_conflict"}', async () => {
    await pub(server, 'a', '1', { 'Idempotency-Key': 'k' });
    await status('/pub/a', { method: 'POST', body: '2', headers: { 'Idempotency-Key': 'k' } }, 409);
  }],
  'a call of the server API that is no JSON': ['parley_server_api_undecodable_total', () => status('/api/publish', { method: 'POST', body: 'x' }, 400)],
  'a call of an unknown method': ['parley_api_errors_total{code="104"}', () => status('/api/conquer', { method: 'POST', body: '{}' }, 200)],
  'a broadcast to more than 1,000 channels': ['parley_api_errors_total{code="107"}', () => status('/api/broadcast',
    { method: 'POST', body: JSON.stringify({ channels: Array.from({ length: 1001 }, (_, i) => `c${i}`), data: 1 }) }, 200)],

  'a position of another epoch': [gaps('epoch_changed'), async () => {
    const { offset } = await filled('lost', 2);
    await gap('epoch_changed', 'lost', `z1.${offset}`);
  }],
  'a position that history no longer has': [gaps('retention'), async () => {
    const { epoch } = await filled('removed', 3);
    await api(server, 'history_remove', { channel: 'removed' });
    await gap('retention', 'removed', `${epoch}.1`);
  }],
  'a position ahead of the stream': [gaps('rolled_back'), async () => {
    const { epoch, offset } = await filled('ahead', 2);
    await gap('rolled_back', 'ahead', `${epoch}.${offset + 5}`);
  }],
};

for (const [what, [sample, how]] of Object.entries(CASES)) {
  test(`${what} is counted by ${sample}`, async () => {
    const before_it = (await metrics(server)).get(sample);
    assert.ok(before_it !== undefined, 'there is the sample from the start');
    await how();
    await until(async () => (await metrics(server)).get(sample) > before_it, `a growth of ${sample}`);
    assert.equal((await metrics(server)).get(sample), before_it + 1);
  });
}

test('nothing that a client sent has become a label', async () => {
  const labels = [...(await metrics(server)).keys()].join('\n');
  assert.doesNotMatch(labels, /hello|conquer|evil|many:|removed|\/nowhere/);
});
