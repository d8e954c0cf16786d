// Does the time of a refusal tell whether a channel or a user exists? Asks for one that does and one that does not, in random order, and
// compares the medians. usage: PARLEY_BIN=... node bench/timing/answers.mjs
import { randomInt } from 'node:crypto';
import http from 'node:http';
import { hmacToken } from '../../tests/e2e/lib/tokens.mjs';
import { startConfigured } from '../../tests/e2e/lib/server.mjs';
import { openWire } from '../../tests/e2e/lib/wire.mjs';

const MEASUREMENTS = Number(process.env.MEASUREMENTS ?? 10_000); // of each of the two
const BOUND = 0.05;
const KEY = 'the key of the server API';
const CONFIG = {
  client: { ping_interval: '0s', token: { hmac_secret_key: 'key' }, subscription_token: { enabled: true, hmac_secret_key: 'other key' } },
  http_api: { key: KEY },
  channel: { namespaces: [{ name: 'room', presence: true, join_leave: true, history_size: 100, history_ttl: '300s', allow_user_limited_channels: true }] },
};

/** One request after another over one kept connection. */
class Door {
  #agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  constructor(port) { this.port = port; }

  post(where, headers, body) {
    return new Promise((resolve, reject) => {
      const text = JSON.stringify(body);
      const request = http.request({ host: '127.0.0.1', port: this.port, path: where, method: 'POST', agent: this.#agent,
        headers: { 'Content-Type': 'application/json', 'Content-Length': text.length, ...headers } }, (response) => {
        let answer = '';
        response.on('data', (bytes) => { answer += bytes; });
        response.on('end', () => resolve({ status: response.statusCode, answer }));
      });
      request.on('error', reject);
      request.end(text);
    });
  }
}

const median = (list) => list.sort((a, b) => a - b)[list.length >> 1];

/** Medians in microseconds of `ask(true)` and `ask(false)`, which must both be refused alike. */
async function compare(name, ask, refused) {
  const times = { true: [], false: [] };
  for (let i = 0; i < 2_000; i += 1) await ask(i % 2 === 0);
  for (let i = 0; i < MEASUREMENTS; i += 1) {
    const first = randomInt(2) === 1;
    // In pairs: what the machine does meanwhile meets both alike.
    for (const existing of [first, !first]) {
      const begin = process.hrtime.bigint();
      const answer = await ask(existing);
      times[existing].push(Number(process.hrtime.bigint() - begin) / 1000);
      if (!refused(answer)) throw new Error(`${name}: ${JSON.stringify(answer)}`);
    }
  }
  const [there, missing] = [median(times.true), median(times.false)];
  const difference = Math.abs(there - missing) / Math.min(there, missing);
  const kept = difference < BOUND;
  console.log(`${name.padEnd(44)} ${there.toFixed(1).padStart(8)} ${missing.toFixed(1).padStart(10)} ${(difference * 100).toFixed(2).padStart(9)} %   ${kept ? 'ok' : 'NOT KEPT'}`);
  return kept;
}

const server = await startConfigured(CONFIG);
const door = new Door(server.port);
const wires = [];
try {
  // What exists: ten connections of user7, subscribed to channels with history.
  const subs = Object.fromEntries(['room:busy', 'room:x#user7'].map((channel) => [channel, {}]));
  for (let i = 0; i < 10; i += 1) {
    const wire = await openWire(server.url);
    wires.push(wire);
    await wire.connect({ token: hmacToken('key', { sub: 'user7', subs }) });
  }
  for (let i = 0; i < 100; i += 1) await door.post('/api/publish', { 'X-API-Key': KEY }, { channel: 'room:busy', data: { i } });

  // Who asks: a user with no rights at all.
  const stranger = await openWire(server.url);
  wires.push(stranger);
  await stranger.connect({ token: hmacToken('key', { sub: 'stranger' }) });
  stranger.socket.on('close', (code) => {
    if (process.exitCode !== undefined) return; // by ourselves, at the end
    console.error(`the connection was closed with ${code}`);
    process.exit(1);
  });
  let id = 1_000;
  const command = (make) => async (existing) => {
    id += 1;
    const reply = new Promise((resolve) => { stranger.socket.once('message', (text) => resolve(JSON.parse(text))); });
    stranger.send({ id, ...make(existing) });
    const answer = await reply;
    stranger.received.length = 0;
    return answer;
  };
  const denied = (answer) => answer.id === id && answer.error?.code === 103;
  const channel = (existing) => (existing ? 'room:busy' : 'room:none');
  const user = (existing) => (existing ? 'user7' : 'user8');
  const forged = { true: hmacToken('guess', { sub: user(true), channel: 'room:busy' }), false: hmacToken('guess', { sub: user(false), channel: 'room:none' }) };
  const apiCall = (method, body) => (existing) => door.post(`/api/${method}`, { 'X-API-Key': 'guess' }, body(existing));
  const unknownKey = ({ status }) => status === 401;

  console.log(`\n${MEASUREMENTS} of each; medians in microseconds must differ by less than ${BOUND * 100} %\n`);
  console.log(`${'refused'.padEnd(44)} ${'existing'.padStart(8)} ${'missing'.padStart(10)} ${'difference'.padStart(11)}`);
  const results = [
    await compare('channel: subscribe', command((is) => ({ subscribe: { channel: channel(is) } })), denied),
    await compare('channel: publish', command((is) => ({ publish: { channel: channel(is), data: 1 } })), denied),
    await compare('channel: presence', command((is) => ({ presence: { channel: channel(is) } })), denied),
    await compare('channel: history', command((is) => ({ history: { channel: channel(is), limit: 10 } })), denied),
    await compare('channel: server API with a wrong key', apiCall('presence', (is) => ({ channel: channel(is) })), unknownKey),
    await compare('user: subscribe to the channel of one', command((is) => ({ subscribe: { channel: `room:x#${user(is)}` } })), denied),
    await compare('user: subscribe with a forged token', command((is) => ({ subscribe: { channel: channel(is), token: forged[is] } })), denied),
    await compare('user: server API with a wrong key', apiCall('disconnect', (is) => ({ user: user(is) })), unknownKey),
  ];
  process.exitCode = results.every(Boolean) ? 0 : 1;
} finally {
  for (const wire of wires) wire.terminate();
  await server.stop();
}
process.exit();
