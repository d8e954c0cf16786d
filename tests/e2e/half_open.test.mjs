// Clients whose line goes down, so that they never say goodbye and no reset comes: they are found by what they do not answer, or where they only listen by
// what their side does not confirm, leave their rooms, and give their descriptors back. 1,000 with the defaults of the configuration with LONG=1; needs
// root, for a network of its own.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { Worker } from './lib/worker.mjs';

const LONG = Boolean(process.env.LONG);
// ServerOptions::close_timeout.
const FAREWELL_MS = 5_000;
const SCENE = new URL('lib/half_open_scene.mjs', import.meta.url);

const config = (client, more) => ({
  http_api: { insecure: true }, prometheus: { enabled: true }, client: { insecure: true, ...client }, ...more,
  ...Object.fromEntries(['http_stream', 'sse', 'uni_http_stream', 'uni_sse', 'uni_websocket'].map((door) => [door, { enabled: true }])),
  channel: { without_namespace: { presence: true, join_leave: true, force_push_join_leave: true } },
});

function ownNetwork() {
  try {
    execFileSync('unshare', ['--net', 'ip', 'link', 'add', 'line', 'type', 'veth', 'peer', 'name', 'line2'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
const skip = !ownNetwork() && 'needs the right to make a network';

// [clients by their transport, options of the server, until when all are found, until when they have left]
const CASES = LONG
  ? [
    [{ websocket: 1_000 }, config({}), 45_000, 50_000],
    [{ eventsource: 1_000 }, config({}), 45_000, 50_000],
    [{ uni_sse: 200, uni_http_stream: 200, uni_websocket: 200, sse: 200, http_stream: 200 }, config({}), 45_000, 50_000],
  ]
  : [[
    { websocket: 40, eventsource: 40, uni_sse: 20, uni_http_stream: 20, uni_websocket: 20 },
    config({ ping_interval: '2s', pong_timeout: '1s' }, { event_stream: { heartbeat: '1s' } }), 4_000, 5_000,
  ]];

for (const [clients, options, found, left] of CASES) {
  const kinds = Object.keys(clients);
  const all = Object.values(clients).reduce((sum, count) => sum + count, 0);
  test(`${all} clients over ${kinds.join(', ')} vanish and are found`, { skip, timeout: 150_000 }, async () => {
    const scene = new Worker(SCENE, { ownNetwork: true });
    try {
      const result = await scene.ask('vanish', { config: options, clients, channels: 10, ms: left + 30_000 });
      console.log(JSON.stringify({ test: 'half_open', clients, ...result, bounds_ms: { found, left } }));
      assert.equal(result.before.unfound, all);
      assert.equal(result.before.present, clients.websocket ?? 0);
      assert.deepEqual(result.left, { unfound: 0, present: 0, descriptors: 0 });
      assert.ok(result.gone.unfound <= found, `the last was found after ${result.gone.unfound} ms`);
      assert.ok(result.gone.present <= left, `the last had left after ${result.gone.present} ms`);
      assert.ok(result.gone.descriptors <= left + FAREWELL_MS, `the last descriptor was free after ${result.gone.descriptors} ms`);
    } finally {
      scene.end();
    }
  });
}
