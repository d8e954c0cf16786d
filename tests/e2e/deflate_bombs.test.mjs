// Compressed messages that would be large, from a hundred clients at once: each is closed when it has come to the limit, and until then took little
// memory and little time.
import assert from 'node:assert/strict';
import zlib from 'node:zlib';
import { after, before, test } from 'node:test';
import { metrics } from './lib/http.mjs';
import { cpuSeconds, isSanitized } from './lib/process.mjs';
import { startConfigured } from './lib/server.mjs';
import { openFrames } from './websocket_conformance/connection.mjs';
import { BINARY, TEXT, frame, last, more } from './websocket_conformance/frames.mjs';

const CLIENTS = 100;
const ROUNDS = process.env.LONG ? 10 : 1;
const KIB = 1024;
const MIB = KIB * KIB;
const LIMIT = 64 * KIB;
const RSV1 = { rsv: 4 };

const squeeze = (bytes, level = 9) => zlib.deflateRawSync(bytes, { level, finishFlush: zlib.constants.Z_SYNC_FLUSH }).subarray(0, -4);
const whole = (bytes) => frame(TEXT, bytes, RSV1);
const BOMB = squeeze(Buffer.alloc(63 * MIB, 'x'));
const KILOBYTE = squeeze(Buffer.alloc(MIB, 'x'));
// A run in a run: what comes out is again something that comes out.
const NESTED = squeeze(Buffer.concat(Array(600).fill(squeeze(Buffer.alloc(MIB, 'x')))));
// No block has anything in it, and there are thousands.
const EMPTY_BLOCKS = Buffer.concat([...Array(10_000).fill(Buffer.from([0, 0, 0, 0xff, 0xff])), BOMB.subarray(0, 10_000)]);
const context = squeeze(Buffer.from('{"id":1,"connect":{}}'));
const dictionary = Buffer.from('{"id":1,"connect":{}}');
const onContext = zlib.deflateRawSync(Buffer.concat(Array(4_000).fill(dictionary)), { level: 9, dictionary, finishFlush: zlib.constants.Z_SYNC_FLUSH }).subarray(0, -4);

const TAKEOVER = 'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits';
// [shape, what is sent, the codes that may end it]
const SHAPES = [
  ['a kilobyte that would be a megabyte', [whole(KILOBYTE)], [1009]],
  ['60 KiB that would be 63 MiB', [whole(BOMB)], [1009]],
  ['... in two fragments and an empty one', [frame(TEXT, BOMB.subarray(0, 30_000), { fin: false, ...RSV1 }), more(''), last(BOMB.subarray(30_000))], [1009]],
  ['... in fragments of a byte', [frame(TEXT, '', { fin: false, ...RSV1 }), ...[...KILOBYTE].map((byte) => more([byte])), last('')], [1009]],
  ['a run in a run', [frame(BINARY, NESTED, RSV1)], [1009]],
  ['behind empty blocks', [whole(EMPTY_BLOCKS)], [1009]],
  // The server has declined it: there is nothing that a message could take over.
  ['with the context of the message before', [whole(context), whole(onContext)], [1007, 1009]],
  ['bombs behind one another', Array(20).fill(whole(KILOBYTE)), [1009]],
];

let server;
before(async () => { server = await startConfigured({ websocket: { compression: true }, client: { insecure: true, message_size_limit_before_connect: LIMIT }, prometheus: { enabled: true } }); });
after(() => server?.stop());

test(`bombs of ${SHAPES.length} shapes, each from ${CLIENTS} clients at once`, { timeout: 200_000 }, async () => {
  assert.ok(BOMB.length < LIMIT && KILOBYTE.length < 2 * KIB && NESTED.length < LIMIT && EMPTY_BLOCKS.length < LIMIT);
  const sanitized = await isSanitized(server.pid);
  const rows = [];
  for (const [name, frames, codes] of SHAPES) {
    const bytes = Buffer.concat(frames);
    let most = 0;
    let seconds = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const clients = await Promise.all(Array.from({ length: CLIENTS }, () => openFrames(server.port, '/connection/websocket', [TAKEOVER])));
      const before_ = await server.memory();
      const used = await cpuSeconds(server.pid);
      await Promise.all(clients.map(async (client, i) => {
        await client.write(bytes);
        if (i % 10 === 0) most = Math.max(most, await server.memory() - before_);
        await client.until(() => client.reader.close, 'the close frame');
        assert.ok(codes.includes(client.reader.close?.code), `${name}: ${client.reader.close?.code}`);
      }));
      most = Math.max(most, await server.memory() - before_);
      seconds += await cpuSeconds(server.pid) - used;
      for (const client of clients) client.destroy();
    }
    rows.push({ name, peak_kib_each: +(most / KIB / CLIENTS).toFixed(1), cpu_ms_each: +((seconds * 1_000) / CLIENTS / ROUNDS).toFixed(2) });
    if (sanitized) continue;
    assert.ok(most <= CLIENTS * (LIMIT + 256 * KIB), `${name}: ${most} bytes more`);
    assert.ok(seconds <= CLIENTS * ROUNDS * 0.1, `${name}: ${seconds} s`);
  }
  console.log(JSON.stringify({ test: 'deflate_bombs', clients: CLIENTS, rounds: ROUNDS, sanitized, rows }));
  const counted = await metrics(server);
  assert.ok(counted.get('parley_websocket_errors_total{reason="inflated_too_big"}') >= CLIENTS * (SHAPES.length - 1) * ROUNDS);
});
