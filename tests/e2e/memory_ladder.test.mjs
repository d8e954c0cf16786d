// A server with a limit on its memory, and load that grows until it refuses: each step is taken where it should be, nobody who is in suffers before those
// who are not, the process lives, and when the load has gone everything is as before. 512 MiB with LONG=1.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { api, metrics } from './lib/http.mjs';
import { startConfigured } from './lib/server.mjs';
import { until } from './lib/wait.mjs';
import { openTcp, openWire, HANDSHAKE } from './lib/wire.mjs';
import { BINARY, frame } from './websocket_conformance/frames.mjs';

const LONG = Boolean(process.env.LONG);
const MIB = 1_048_576;
const LIMIT = (LONG ? 512 : 96) * MIB;
// What a client makes the server hold: a message that never ends.
const PIECE = LONG ? MIB : MIB / 4;
const STEPS = { save: 0.8, refuse: 0.9, end: 0.95 };
const OFF = 0.03;
const RECOVERY_MS = 5_000;
// A hundredth and a half of the limit a second, so that the second between two looks at the memory makes no difference; quicker below, and where only
// the order of the steps is looked at.
const SLOWLY_FROM = 0.76;
const PER_SECOND = LONG ? 0.015 : 0.06;
// Clients that do not read, and what they ask for.
const FAT = LONG ? 60 : 20;
const LINE = 'x'.repeat(1_000);

let server;
before(async () => {
  server = await startConfigured({
    http_api: { insecure: true }, prometheus: { enabled: true }, client: { insecure: true, ping_interval: '10m', stale_close_delay: '10m', message_size_limit_before_connect: PIECE + 1_024 },
    websocket: { message_size_limit: PIECE + 1_024 }, memory: { limit: LIMIT },
    channel: { without_namespace: { history_size: 300, history_ttl: '10m' } },
  });
});
after(() => server?.stop());

const taken = new Map();
let peak = 0;

/** Notes which steps were taken, and at which part of the limit. */
async function look() {
  const part = await server.memory() / LIMIT;
  peak = Math.max(peak, part);
  const counted = await metrics(server);
  for (const step of Object.keys(STEPS)) if (!taken.has(step) && counted.get(`parley_memory_steps_total{step="${step}"}`) > 0) taken.set(step, +part.toFixed(3));
  return { part, counted };
}

/** What a handshake is answered, and the connection. */
async function knock() {
  const tcp = await openTcp(server.port);
  tcp.write(HANDSHAKE);
  await tcp.has('\r\n\r\n');
  const status = Number(tcp.text.slice(9, 12));
  if (status !== 101) tcp.reset();
  return { status, tcp };
}

/** A client that holds a piece of the memory. */
async function hold(tcp) {
  tcp.write(frame(BINARY, Buffer.alloc(PIECE, 1), { length: PIECE + 1, width: 64 }));
  await new Promise((resolve) => { tcp.socket.write('', resolve); });
}

let asked = 1;
const ask = (wire, limit) => wire.socket.readyState === 1 && wire.send({ id: asked += 1, history: { channel: 'large', limit } });

/** Answers that wait whatever else does: a page of history is not read for who has not taken the one before. */
function askMuch(wire) {
  const asks = Array.from({ length: 700 }, () => JSON.stringify({ id: asked += 1, presence: { channel: 'news' } }));
  if (wire.socket.readyState === 1) wire.socket.send(asks.join('\n'));
}

/** The sockets of those who do not read take megabytes before anything waits in the server. */
async function fillSockets(wires) {
  const sent = async () => (await metrics(server)).get('parley_io_sent_bytes_total');
  for (let before_ = 0, now = await sent(); now - before_ > wires.length * 10_000;) {
    for (const wire of wires) ask(wire, 30);
    await pause(30);
    before_ = now;
    now = await sent();
  }
}

/** The code with which a publish is refused. */
async function refusalOf(publish) {
  const answer = await fetch(`${server.url}/api/publish`, { method: 'POST', body: JSON.stringify(publish) });
  return (await answer.json()).error?.code;
}

test('the memory of the server is filled until it refuses, and emptied', { timeout: 150_000 }, async () => {
  for (let i = 0; i < 300; i += 50) await api(server, 'batch', { commands: Array(50).fill({ publish: { channel: 'large', data: LINE } }) });
  const fat = [];
  for (let i = 0; i < FAT; i += 1) {
    const wire = await openWire(server.url);
    await wire.connect();
    wire.raw.pause();
    fat.push(wire);
  }
  await fillSockets(fat);
  const reader = await openWire(server.url);
  await reader.connect();
  await reader.ask({ subscribe: { channel: 'news' } });

  // Until it refuses.
  const held = [];
  let status;
  for (let begun; ;) {
    const { part } = await look();
    if (part > SLOWLY_FROM) {
      begun ??= { at: performance.now(), part };
      const due = begun.part + ((performance.now() - begun.at) / 1_000) * PER_SECOND;
      if (part > due) {
        await pause(20);
        if (!taken.has('refuse')) continue;
      }
    }
    const answer = await knock();
    status = answer.status;
    if (status !== 101) break;
    held.push(answer.tcp);
    await hold(answer.tcp);
    assert.ok(part < 1.5, 'it does not refuse');
  }
  const refusing = await look();
  assert.equal(status, 503);

  // Those who are in are served, though nothing new is published, and may make it end the fattest.
  const isServed = async () => {
    assert.equal(await refusalOf({ channel: 'news', data: 1 }), 111);
    assert.equal((await reader.ask({ history: { channel: 'large', limit: 1 } })).history.publications.length, 1);
  };
  await isServed();
  let ended = 0;
  const endFattest = async () => {
    const { counted } = await look();
    ended = counted.get('parley_session_limits_total{limit="memory"}');
    return ended > 0;
  };
  for (let round = 0; round < 60 && !await endFattest(); round += 1) {
    for (const wire of fat) {
      ask(wire, LONG ? 30 : 60);
      askMuch(wire);
    }
    await pause(200);
  }
  await until(endFattest, 'the fattest are ended', 5_000);
  await isServed();

  // And empty again.
  for (const one of held) one.reset();
  for (const wire of fat) wire.terminate();
  const gone = performance.now();
  const recovered = await until(async () => {
    const answer = await knock();
    if (answer.status === 101) answer.tcp.reset();
    return answer.status === 101 && Math.round(performance.now() - gone);
  }, async () => `a place; ${(await look()).part} of the limit are in use`, 30_000);
  await until(async () => await refusalOf({ channel: 'news', data: 2 }) === undefined, 'a publish');
  await until(() => reader.pushes('pub').length === 1, 'the publication, and none of those that were refused');
  console.log(JSON.stringify({ test: 'memory_ladder', limit_mib: LIMIT / MIB, steps: Object.fromEntries(taken), refused_at: +refusing.part.toFixed(3), peak: +peak.toFixed(3), holding: held.length, fat: FAT, fattest_ended: ended, recovered_ms: recovered, part_after: +(await look()).part.toFixed(3) }));
  for (const [step, part] of taken) assert.ok(part >= STEPS[step] - OFF, `${step} at ${part}`);
  if (!LONG) return;
  // Where it grows quickly a step may be passed over, and be late.
  for (const [step, part] of Object.entries(STEPS)) assert.ok(taken.get(step) <= part + OFF, `${step} at ${taken.get(step)}`);
  assert.ok(peak <= 1, `${peak} of the limit`);
  assert.ok(recovered <= RECOVERY_MS, `recovered after ${recovered} ms`);
});
