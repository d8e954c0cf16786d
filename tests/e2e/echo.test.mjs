// `parley dev --echo`: the WebSocket for conformance suites.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import WebSocket from 'ws';
import { metrics } from './lib/http.mjs';
import { runParley, startServer } from './lib/server.mjs';
import { until, within } from './lib/wait.mjs';

const MiB = 1024 * 1024;
let server;

before(async () => { server = await startServer({ args: ['--echo'] }); });
after(() => server.stop());

async function open(options) {
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/echo`, { maxPayload: 64 * MiB, ...options });
  await within(once(socket, 'open'), 'open WebSocket');
  return socket;
}

async function echoed(socket, data, options) {
  const answer = once(socket, 'message');
  socket.send(data, options);
  const [bytes, binary] = await within(answer, 'the echo', 20_000);
  return { bytes, binary };
}

test('sends back text as text and binary as binary, empty ones too', async () => {
  const socket = await open();
  for (const [data, binary] of [['hello', false], ['', false], [Buffer.from([0, 255, 128]), true], [Buffer.alloc(0), true]]) {
    const answer = await echoed(socket, data, { binary });
    assert.equal(answer.binary, binary);
    assert.deepEqual(answer.bytes, Buffer.from(data));
  }
  socket.close(1000);
  const [code] = await once(socket, 'close');
  assert.equal(code, 1000);
});

test('takes messages of 16 MiB, whole and in fragments, and none longer', async () => {
  const socket = await open();
  const data = Buffer.alloc(16 * MiB, 'parley ');
  assert.ok((await echoed(socket, data)).bytes.equals(data));
  const answer = once(socket, 'message');
  const half = data.length / 2;
  socket.send(data.subarray(0, half), { fin: false });
  socket.send(data.subarray(half), { fin: true });
  assert.ok((await within(answer, 'the echo', 20_000))[0].equals(data));
  socket.send(data, { fin: false });
  socket.send('x', { fin: true });
  const [code] = await within(once(socket, 'close'), 'the end', 20_000);
  assert.equal(code, 1009);
});

test('takes no more from a client that does not read', async () => {
  const socket = await open();
  const data = Buffer.alloc(MiB, 'x');
  let received = 0;
  socket.on('message', (bytes) => { received += bytes.length; });
  const before = await server.memory();
  socket.pause();
  for (let i = 0; i < 64; i += 1) socket.send(data);
  // It has stopped when twenty looks at it in a row show no further message.
  let same = 0;
  let last = -1;
  await until(async () => {
    const taken = (await metrics(server)).get('parley_websocket_messages_received_total');
    same = taken === last ? same + 1 : 0;
    last = taken;
    return same === 20;
  }, 'the server to stop reading');
  const grown = await server.memory() - before;
  assert.ok(grown < 16 * MiB, `${grown} bytes more`);
  assert.ok(received === 0);
  socket.resume();
  await until(() => received === 64 * MiB, () => `all echoes; there are ${received} bytes`, 20_000);
  socket.close();
});

test('is there only when asked for, and only for development', async () => {
  const plain = await startServer();
  try {
    assert.equal((await fetch(`${plain.url}/echo`)).status, 404);
    assert.equal((await fetch(`${server.url}/echo`)).status, 426);
  } finally {
    await plain.stop();
  }
  assert.equal((await runParley(['serve', '--echo'])).code, 2);
});
