// permessage-deflate with real clients: compressed frames travel, contents are the same, and bombs do no harm.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import zlib from 'node:zlib';
import { openBrowser } from './lib/browser.mjs';
import { connectCentrifuge, websocketUrl } from './lib/clients.mjs';
import { api, metrics } from './lib/http.mjs';
import { Random, takeSeed } from './lib/random.mjs';
import { assertSameList } from './lib/same_list.mjs';
import { startConfigured } from './lib/server.mjs';
import { until } from './lib/wait.mjs';
import { openWire } from './lib/wire.mjs';

const KIB = 1024;
const MIB = KIB * KIB;
const ANSWER = 'permessage-deflate; server_no_context_takeover; client_no_context_takeover';

let server;
let channels = 0;

before(async () => {
  server = await startConfigured({
    websocket: { compression: true },
    client: { insecure: true, allowed_origins: ['*'], message_size_limit_before_connect: 65_536 },
    http_api: { insecure: true },
    prometheus: { enabled: true },
    channel: { without_namespace: { history_size: 1000, history_ttl: '60s', allow_recovery: true } },
  });
});
after(() => server?.stop());

const nextChannel = () => `compressed-${channels += 1}`;
const sample = async (name) => (await metrics(server)).get(name);
const publish = (channel, data) => api(server, 'publish', { channel, data });
const standing = (n) => ({ n, table: Array.from({ length: 20 }, (_, i) => ({ team: `FC Málaga ${i}`, points: (n * i) % 97, form: '進行中' })) });

async function subscribed(channel, perMessageDeflate) {
  const wire = await openWire(server.url, { perMessageDeflate });
  await wire.connect();
  assert.ok((await wire.ask({ subscribe: { channel } })).subscribe);
  wire.before = wire.raw.bytesRead;
  return wire;
}
const data = (wire) => wire.pushes('pub').map(({ pub }) => pub.data);

test('compressed frames travel, once compressed for all', async () => {
  const channel = nextChannel();
  const compressed = await Promise.all(Array.from({ length: 8 }, () => subscribed(channel, true)));
  const plain = await subscribed(channel, false);
  for (const wire of compressed) assert.equal(wire.socket.extensions, 'permessage-deflate');
  assert.equal(plain.socket.extensions, '');
  const deflated = await sample('parley_websocket_deflated_messages_total');
  const expected = Array.from({ length: 50 }, (_, n) => standing(n));
  for (const value of expected) await publish(channel, value);
  for (const wire of [...compressed, plain]) {
    await until(() => data(wire).length >= expected.length, 'all publications');
    assertSameList(data(wire), expected, wire.socket.extensions || 'plain');
  }
  const read = (wire) => wire.raw.bytesRead - wire.before;
  for (const wire of compressed) assert.ok(read(wire) < read(plain) / 3, `${read(wire)} of ${read(plain)} bytes`);
  // Two shards at most have subscribers; each compresses a publication once.
  const times = await sample('parley_websocket_deflated_messages_total') - deflated;
  assert.ok(times >= 50 && times <= 100, `compressed ${times} times`);
  for (const wire of [...compressed, plain]) wire.terminate();
});

test('every way in which the npm client may negotiate', async () => {
  const channel = nextChannel();
  const ways = [
    { threshold: 0 },
    { threshold: 0, serverMaxWindowBits: 9 },
    { threshold: 0, serverMaxWindowBits: 11, clientMaxWindowBits: 9 },
    { threshold: 0, serverMaxWindowBits: 15, clientMaxWindowBits: 15 },
    { threshold: 0, clientMaxWindowBits: 10 },
    { threshold: 0, serverNoContextTakeover: true, clientNoContextTakeover: true },
  ];
  const random = new Random(takeSeed('compression'));
  const inflated = await sample('parley_websocket_inflated_messages_total');
  const wires = await Promise.all(ways.map((way) => subscribed(channel, way)));
  const expected = [];
  for (let i = 0; i < 40; ++i) {
    const value = { i, text: Array.from({ length: random.integer(0, 3_000) }, () => random.pick(['a', 'é', '€', '😀', '"', '\n'])).join('') };
    expected.push(value);
    const { publish: reply } = await wires[i % wires.length].ask({ publish: { channel, data: value } });
    assert.ok(reply);
  }
  for (const wire of wires) {
    await until(() => data(wire).length >= expected.length, 'all publications');
    assertSameList(data(wire), expected, 'all ways');
    wire.terminate();
  }
  assert.ok(await sample('parley_websocket_inflated_messages_total') - inflated >= 40 + 2 * ways.length);
});

test('a window that cannot be honoured is declined', async () => {
  const wire = await openWire(server.url, { perMessageDeflate: { serverMaxWindowBits: 8 } });
  assert.equal(wire.socket.extensions, '');
  assert.ok((await wire.connect()).connect);
  wire.terminate();
});

for (const [name, socket] of [['npm ws', undefined], ["Node's own WebSocket", globalThis.WebSocket]]) {
  test(`the Centrifuge client over ${name} hears and recovers the same`, async () => {
    const channel = nextChannel();
    const client = await connectCentrifuge(server.url, socket && { websocket: socket });
    const record = await client.subscribe(channel, { recoverable: true });
    const expected = Array.from({ length: 60 }, (_, n) => standing(n));
    for (const value of expected.slice(0, 20)) await publish(channel, value);
    await record.count(20);
    client.client.disconnect();
    for (const value of expected.slice(20, 40)) await publish(channel, value);
    await client.connect();
    for (const value of expected.slice(40, 59)) await publish(channel, value);
    await client.publish(channel, expected[59]);
    await record.count(60);
    assertSameList(record.data, expected, name);
    client.close();
  });
}

test('chromium agrees on it, in both directions', async () => {
  const { page, close } = await openBrowser();
  try {
    await page.goto(`${server.url}/health`);
    const found = await page.evaluate(([url, data]) => new Promise((resolve, reject) => {
      const socket = new WebSocket(url, 'centrifuge-json');
      const replies = [];
      socket.onopen = () => {
        socket.send(JSON.stringify({ id: 1, connect: {} }));
        socket.send(JSON.stringify({ id: 2, subscribe: { channel: 'chromium' } }));
        socket.send(JSON.stringify({ id: 3, publish: { channel: 'chromium', data } }));
      };
      socket.onmessage = (event) => {
        replies.push(...event.data.split('\n').map((line) => JSON.parse(line)));
        const push = replies.find((reply) => reply.push?.pub);
        if (push) resolve({ extensions: socket.extensions, data: push.push.pub.data });
      };
      socket.onclose = (event) => reject(new Error(`closed: ${event.code}`));
    }), [websocketUrl(server.url), standing(7)]);
    assert.deepEqual(found, { extensions: ANSWER, data: standing(7) });
  } finally {
    await close();
  }
});

/** A masked frame; `first` is its first byte. */
function frame(first, payload) {
  const mask = Buffer.from([1, 2, 3, 4]);
  const length = payload.length < 126 ? Buffer.from([0x80 | payload.length]) : Buffer.from([0xfe, payload.length >> 8, payload.length & 0xff]);
  return Buffer.concat([Buffer.from([first]), length, mask, payload.map((byte, i) => byte ^ mask[i % 4])]);
}
const [TEXT, CONTINUATION, FIN, RSV1] = [0x1, 0x0, 0x80, 0x40];
const deflate = (bytes) => zlib.deflateRawSync(bytes, { level: 9, finishFlush: zlib.constants.Z_SYNC_FLUSH }).subarray(0, -4);

test('bombs are closed with 1009 and cost no memory', async () => {
  const bomb = deflate(Buffer.alloc(60 * MIB, 'x'));
  assert.ok(bomb.length < 64 * KIB, `${bomb.length} bytes`);
  const halves = [bomb.subarray(0, 30_000), bomb.subarray(30_000)];
  const shapes = {
    whole: [frame(FIN | RSV1 | TEXT, bomb)],
    first_kilobyte: [frame(FIN | RSV1 | TEXT, deflate(Buffer.alloc(MIB, 'x')))],
    fragments: [frame(RSV1 | TEXT, halves[0]), frame(CONTINUATION, Buffer.alloc(0)), frame(FIN | CONTINUATION, halves[1])],
  };
  const before_them = await sample('parley_websocket_errors_total{reason="inflated_too_big"}');
  const open = () => openWire(server.url, { perMessageDeflate: true });
  const stalled = await Promise.all(Array.from({ length: 50 }, open));
  const wires = await Promise.all(Array.from({ length: 99 }, open));
  const idle = await server.memory();
  let most = 0;
  for (const wire of stalled) wire.raw.write(frame(RSV1 | TEXT, halves[0]));
  for (const [i, wire] of wires.entries()) {
    for (const bytes of Object.values(shapes)[i % 3]) wire.raw.write(bytes);
    if (i % 10 === 0) most = Math.max(most, await server.memory());
  }
  for (const wire of wires) assert.equal((await wire.closed()).code, 1009);
  most = Math.max(most, await server.memory());
  assert.equal(await sample('parley_websocket_errors_total{reason="inflated_too_big"}') - before_them, 99);
  assert.ok(most - idle < 24 * MIB, `${((most - idle) / MIB).toFixed(1)} MiB more`);
  for (const wire of stalled) wire.terminate();
});

test('what is no deflate data is closed with 1007, and a compressed control frame with 1002', async () => {
  for (const [bytes, code] of [[frame(FIN | RSV1 | TEXT, Buffer.from('hello')), 1007], [frame(FIN | RSV1 | 0x9, Buffer.alloc(0)), 1002]]) {
    const wire = await openWire(server.url, { perMessageDeflate: true });
    wire.raw.write(bytes);
    assert.equal((await wire.closed()).code, code);
  }
});
