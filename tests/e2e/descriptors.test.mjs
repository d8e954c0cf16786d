// More clients than descriptors: whoever is too many is told so at once, whoever was there before goes on, and the server can still read
// its own files.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { after, before, describe, test } from 'node:test';
import { connectCentrifuge } from './lib/clients.mjs';
import { parseMetrics } from './lib/http.mjs';
import { cpuSeconds, openFiles } from './lib/process.mjs';
import { parseAnswers } from './lib/raw_http.mjs';
import { freePort, startServe } from './lib/server.mjs';
import { until } from './lib/wait.mjs';
import { openTcp } from './lib/wire.mjs';

const FILES = 512;
const CLIENTS = 2_000;

describe('2,000 clients of a server with 512 descriptors', () => {
  let folder;
  let file;
  let server;
  let internal;
  let reader;
  let record;
  let crowd;
  let base;
  // A connection of its own, kept from before.
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

  const config = (more = {}) => ({
    client: { allow_anonymous_connect_without_token: true },
    channel: { without_namespace: { allow_subscribe_for_client: true, allow_subscribe_for_anonymous: true, allow_publish_for_client: true, allow_publish_for_anonymous: true, ...more } },
    http_server: { internal_port: internal }, health: { enabled: true }, prometheus: { enabled: true }, pub: { enabled: true }, http_api: { disabled: true },
  });

  const request = (port, method, where, body) => new Promise((resolve, reject) => {
    http.request({ host: '127.0.0.1', port, method, path: where, agent: port === server.port ? agent : false }, async (answer) => {
      let text = '';
      for await (const piece of answer.setEncoding('utf8')) text += piece;
      resolve({ status: answer.statusCode, text });
    }).on('error', reject).end(body);
  });
  const publish = async (data) => assert.equal((await request(server.port, 'POST', '/pub/news', JSON.stringify(data))).status, 200);

  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'parley-e2e-'));
    file = path.join(folder, 'parley.json');
    internal = await freePort();
    await writeFile(file, JSON.stringify(config()));
    server = await startServe(file, { files: FILES });
    reader = await connectCentrifuge(server.url);
    record = await reader.subscribe('news');
    await publish(0);
    await record.count(1);
    base = await openFiles(server.pid);
  });
  after(async () => {
    agent.destroy();
    reader?.close();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test('who is too many is answered 503 within a second', async () => {
    const started = performance.now();
    crowd = await Promise.all(Array.from({ length: CLIENTS }, async () => {
      const one = await openTcp(server.port);
      one.write('GET /sse/news HTTP/1.1\r\nHost: localhost\r\n\r\n');
      return one;
    }));
    const refused = () => crowd.filter(({ text }) => text.startsWith('HTTP/1.1 503 '));
    const served = () => crowd.filter(({ text }) => text.startsWith('HTTP/1.1 200 '));
    await until(() => crowd.every((one) => one.text !== '' || one.error), 'an answer to each client', 5_000);
    console.log(JSON.stringify({ clients: CLIENTS, served: served().length, refused: refused().length, reset: crowd.filter(({ error }) => error).length, ms: Math.round(performance.now() - started) }));
    assert.ok(served().length >= FILES - 64 - base && served().length <= FILES - base, `${served().length} were served`);
    await Promise.all(refused().map((one) => one.socket.closed || once(one.socket, 'close')));
    for (const one of refused()) {
      const [{ headers }] = parseAnswers(one.text);
      assert.equal(headers.get('connection'), 'close');
      assert.match(headers.get('retry-after'), /^\d+$/);
    }
    // A reset may overtake the answer of whoever sent its request late.
    assert.ok(refused().length >= (CLIENTS - FILES) * 0.9);
    const alone = performance.now();
    const late = await openTcp(server.port);
    await until(() => late.text.startsWith('HTTP/1.1 503 '), 'the answer to one more', 1_000);
    console.log(`one more was refused after ${(performance.now() - alone).toFixed(1)} ms`);
  });

  test('the server waits instead of spinning', async () => {
    const before = await cpuSeconds(server.pid);
    await pause(1_000);
    const used = await cpuSeconds(server.pid) - before;
    console.log(`${Math.round(used * 100)} % of a processor at rest`);
    assert.ok(used <= 0.1, `${used} s of processor time in a second`);
  });

  test('who was there before goes on', async () => {
    for (const data of [1, 2, 3]) await publish(data);
    await record.count(4);
    assert.deepEqual(record.data, [0, 1, 2, 3]);
    await until(() => crowd.filter(({ text }) => text.includes('data: 3\n')).length >= FILES - 64 - base, 'the publications at all who were let in');
    assert.equal(reader.connected.length, 1);
  });

  test('the configuration is read again, the log is written, and the internal port answers', async () => {
    await writeFile(file, JSON.stringify(config({ allow_publish_for_anonymous: false })));
    server.signal('SIGHUP');
    await until(() => /reloaded: channels/.test(server.stderr), () => `a reload in ${server.stderr}`);
    assert.equal((await request(server.port, 'POST', '/pub/news', '4')).status, 403);
    assert.match(server.stderr, /refusing connections.*ulimit -n/);
    const { status, text } = await request(internal, 'GET', '/metrics');
    assert.equal(status, 200);
    assert.ok(parseMetrics(text).get('parley_io_accept_errors_total{reason="full"}') > CLIENTS - FILES);
    assert.equal((await request(internal, 'GET', '/health')).status, 200);
  });

  test('when they have gone, there is room within a second', async () => {
    for (const one of crowd) one.reset();
    const started = performance.now();
    await until(async () => {
      const one = await openTcp(server.port);
      one.write('GET /sse/news HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await until(() => one.text !== '' || one.socket.closed, 'an answer');
      one.reset();
      return one.text.startsWith('HTTP/1.1 200 ');
    }, 'a stream for a new client', 1_000);
    await until(async () => await openFiles(server.pid) <= base + 2, 'the descriptors back');
    console.log(`recovered after ${Math.round(performance.now() - started)} ms`);
  });
});
