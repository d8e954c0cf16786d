// `parley serve`: what it starts with, what it refuses, what it reads again, where its keys come from, and what it keeps to itself.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { connectCentrifuge } from './lib/clients.mjs';
import { api } from './lib/http.mjs';
import { freePort, runParley, startServe } from './lib/server.mjs';
import { hmacToken, now, rsaToken } from './lib/tokens.mjs';
import { until } from './lib/wait.mjs';
import { openWire } from './lib/wire.mjs';

const KEY = { 'X-API-Key': 'api-key' };

let folder;
let closers;

before(async () => { folder = await mkdtemp(path.join(os.tmpdir(), 'parley-serve-')); });
after(() => rm(folder, { recursive: true, force: true }));
beforeEach(() => { closers = []; });
afterEach(async () => { for (const close of closers.reverse()) await close(); });

/** A file with this text, or this value as JSON. */
async function file(name, content) {
  const at = path.join(folder, name);
  await writeFile(at, typeof content === 'string' ? content : JSON.stringify(content));
  return at;
}

async function serve(at, options) {
  const server = await startServe(at, options);
  closers.push(() => server.kill());
  return server;
}

async function sdk(server, options) {
  const client = await connectCentrifuge(server.url, options);
  closers.push(() => client.close());
  return client;
}

/** What a token brings: 'in', the code of an error, or that of a disconnect. */
async function knock(server, token) {
  const wire = await openWire(server.url);
  wire.send({ id: 1, connect: { token } });
  const reply = wire.reply(1, 8_000).then(({ connect, error }) => (connect ? 'in' : error.code));
  const result = await Promise.race([reply, wire.closed(8_000).then(({ code }) => code)]);
  wire.terminate();
  return result;
}

const status = async (server, at, options) => (await fetch(server.url + at, options)).status;

const YAML = `client:
  token:
    hmac_secret_key: "key"
http_api:
  key: api-key
health: {enabled: true}
prometheus:
  enabled: true
channel:
  namespaces:
    - name: chat
      presence: true
      history_size: 10
      history_ttl: 1m
      force_recovery: true
      allow_subscribe_for_client: true
    - name: closed
`;
const SAME = {
  client: { token: { hmac_secret_key: 'key' } },
  http_api: { key: 'api-key' },
  health: { enabled: true },
  prometheus: { enabled: true },
  channel: {
    namespaces: [
      { name: 'chat', presence: true, history_size: 10, history_ttl: '1m', force_recovery: true, allow_subscribe_for_client: true },
      { name: 'closed' },
    ],
  },
};

/** What subscribing brings: 'in', or the code of the refusal. */
async function enter(client, channel) {
  const subscription = client.client.newSubscription(channel);
  const end = new Promise((resolve) => {
    subscription.once('subscribed', ({ recoverable }) => resolve(recoverable ? 'in, recoverable' : 'in'));
    subscription.once('unsubscribed', ({ code }) => resolve(code));
  });
  subscription.subscribe();
  const result = await end;
  subscription.unsubscribe();
  client.client.removeSubscription(subscription);
  return result;
}

// --- configurations

test('YAML and the same JSON start, and behave alike', async () => {
  const seen = [];
  for (const at of [await file('same.yaml', YAML), await file('same.json', SAME)]) {
    assert.deepEqual(await runParley(['check', at]), { code: 0, stdout: `${at}: ok\n`, stderr: '' });
    const server = await serve(at);
    const made = await runParley(['token', '--config', at, '--user', '42', '--ttl', '60']);
    assert.equal(made.code, 0, made.stderr);
    const client = await sdk(server, { token: made.stdout.trim() });
    const record = await client.subscribe('chat:a');
    await api(server, 'publish', { channel: 'chat:a', data: { hello: 1 } }, KEY);
    await record.count(1);
    const { presence } = await api(server, 'presence', { channel: 'chat:a' }, KEY);
    seen.push({
      data: record.data,
      users: Object.values(presence).map(({ user }) => user),
      closed: await enter(client, 'closed:a'),
      unknown: await enter(client, 'nobody:a'),
      bare: await enter(client, 'a'),
      forged: await knock(server, hmacToken('another', { sub: '42' })),
      none: await knock(server, ''),
      health: await status(server, '/health'),
      metrics: await status(server, '/metrics'),
      api: await status(server, '/api/info', { method: 'POST', body: '{}' }),
    });
  }
  assert.deepEqual(seen[0], seen[1]);
  assert.deepEqual(seen[0], { data: [{ hello: 1 }], users: ['42'], closed: 103, unknown: 102, bare: 103, forged: 3500, none: 3501, health: 200, metrics: 200, api: 401 });
});

test('the environment wins over the file, and --set over both', async () => {
  const at = await file('sources.yaml', YAML);
  const env = { PARLEY_CLIENT_TOKEN_HMAC_SECRET_KEY: 'of-environment', CENTRIFUGO_PROMETHEUS_ENABLED: 'false', PARLEY_CHANNEL_NAMESPACES_CLOSED_ALLOW_SUBSCRIBE_FOR_CLIENT: 'true' };
  const one = await serve(at, { env });
  assert.deepEqual([await knock(one, hmacToken('key', { sub: '1' })), await knock(one, hmacToken('of-environment', { sub: '1' }))], [3500, 'in']);
  assert.equal(await status(one, '/metrics'), 404);
  assert.equal(await enter(await sdk(one, { token: hmacToken('of-environment', { sub: '1' }) }), 'closed:a'), 'in');
  const two = await serve(at, { env, args: ['--set', 'client.token.hmac_secret_key=of-flag', '--set', 'prometheus.enabled=true'] });
  const tries = [];
  for (const key of ['key', 'of-environment', 'of-flag']) tries.push(await knock(two, hmacToken(key, { sub: '1' })));
  assert.deepEqual(tries, [3500, 3500, 'in']);
  assert.equal(await status(two, '/metrics'), 200);
});

test('check reads what serve would read: file, environment and --set', async () => {
  const at = await file('checked.yaml', YAML);
  const wrong = ['--set', 'client.ping_interval=25'];
  for (const command of [['check', at, ...wrong], ['serve', '--config', at, ...wrong]]) {
    const { code, stderr } = await runParley(command, { ms: 5_000 });
    assert.equal(code, 1, stderr);
    assert.match(stderr, /client\.ping_interval: 25 has no unit; write 25s/);
  }
  const mended = await runParley(['check', at, '--set', 'client.ping_interval=25s'], { env: { PARLEY_CLIENT_PING_INTERVAL: '25' } });
  assert.equal(mended.code, 1, 'what is wrong in the environment stays wrong');
  assert.match(mended.stderr, /PARLEY_CLIENT_PING_INTERVAL/);
  assert.deepEqual(await runParley(['check', at, '--set', 'client.ping_interval=25s'], { env: { PARLEY_CLIENT_PING_INTERVAL: '26s' } }),
    { code: 0, stdout: `${at}: ok\n`, stderr: '' });
});

// [name, content, what follows the file's name]
const BAD = [
  ['unknown.yaml', 'client:\n  token:\n    hmac_secret: "abc"\n', /:3:5: client\.token\.hmac_secret: there is no such option; did you mean hmac_secret_key\?/],
  ['twice.yaml', 'client:\n  ping_interval: 10s\n  ping_interval: 20s\n', /:3:3: client\.ping_interval: stands here twice, first in line 2/],
  ['old.toml', '[client]\nallowed_origins = ["*"]\n', /:1:1: TOML is not read; write the same options as YAML or JSON/],
  ['half.json', '{"client": {"token": {"hmac_secret_key": "a"', /:1:45: the file ends where /],
  ['half.yaml', 'client:\n  token: {hmac_secret_key: "x"\n', /:3:1: this is not YAML/],
  ['redis.yaml', 'engine:\n  type: redis\n', /:2:9: engine\.type: redis is not supported yet/],
  ['unit.yaml', 'client:\n  ping_interval: 25\n', /:2:18: client\.ping_interval: 25 has no unit; write 25s/],
  ['history.yaml', 'channel:\n  namespaces:\n    - name: chat\n      history_size: 10\n', /:4:21: channel\.namespaces\[0\]\.history_size: keeps nothing without history_ttl/],
  ['key.yaml', 'client:\n  token:\n    rsa_public_key: "nonsense"\n', /:3:21: client\.token: rsa_public_key: it is not a public key/],
  ['regex.yaml', 'channel:\n  namespaces:\n    - name: chat\n      channel_regex: "("\n', /:4:22: channel\.namespaces\[0\]\.channel_regex: /],
];

test('bad configurations are told with line and column, and nothing starts with them', async () => {
  for (const [name, content, words] of BAD) {
    const at = await file(name, content);
    for (const command of [['check', at], ['serve', '--config', at, '--listen', '127.0.0.1:0']]) {
      const { code, stdout, stderr } = await runParley(command, { ms: 5_000 });
      assert.equal(code, 1, `${command[0]} ${name}: ${stderr}`);
      assert.equal(stdout, '');
      assert.ok(stderr.startsWith(at), stderr);
      assert.match(stderr.slice(at.length), words);
    }
  }
});

test('every problem of a file is told in one run', async () => {
  const at = await file('many.yaml', 'client:\n  ping_interval: 25\n  nonsense: 1\nengine:\n  type: redis\n');
  const { code, stderr } = await runParley(['check', at]);
  assert.equal(code, 1);
  assert.deepEqual(stderr.trimEnd().split('\n').map((line) => line.slice(at.length).split(' ')[0]).sort(), [':2:18:', ':3:3:', ':5:9:']);
});

test('a file that cannot be read is told in one sentence', async () => {
  const places = [[path.join(folder, 'nowhere.yaml'), /cannot be read: No such file/], [folder, /cannot be read: Is a directory/]];
  if (process.getuid() !== 0) {
    const secret = await file('secret.yaml', YAML);
    await chmod(secret, 0);
    places.push([secret, /cannot be read: Permission denied/]);
  }
  for (const [at, words] of places) {
    for (const command of [['check', at], ['serve', '--config', at]]) {
      const { code, stdout, stderr } = await runParley(command, { ms: 5_000 });
      assert.equal(code, 1);
      assert.equal(stdout, '');
      assert.match(stderr, words);
      assert.equal(stderr.trimEnd().split('\n').length, 1);
    }
  }
});

test('an empty file is refused, and the defaults let nobody in', async () => {
  const empty = await runParley(['check', await file('empty.yaml', '\n')]);
  assert.deepEqual([empty.code, empty.stderr.includes('empty.yaml:1:1: the file is empty')], [1, true]);
  const at = await file('defaults.yaml', '# nothing but the defaults\n');
  const server = await serve(at);
  assert.equal(await knock(server, ''), 3501);
  assert.equal(await status(server, '/api/info', { method: 'POST', body: '{}' }), 401);
  for (const door of ['/metrics', '/health', '/health/ready', '/']) assert.equal(await status(server, door), 404, door);
});

test('variables that contradict each other or look mistyped are refused', async () => {
  const at = await file('variables.yaml', YAML);
  for (const [env, words] of [
    [{ PARLEY_CLIENT_INSECURE: 'false', CENTRIFUGO_CLIENT_INSECURE: 'true' }, /PARLEY_CLIENT_INSECURE: CENTRIFUGO_CLIENT_INSECURE says something else/],
    [{ PARLEY_CLIENT_INSECUR: 'true' }, /PARLEY_CLIENT_INSECUR: there is no such option; did you mean PARLEY_CLIENT_INSECURE/],
  ]) {
    const { code, stderr } = await runParley(['check', at], { env });
    assert.equal(code, 1, stderr);
    assert.match(stderr, words);
  }
});

test('insecure modes are told by check, at the start and in /health', async () => {
  const at = await file('insecure.yaml', 'client: {insecure: true, insecure_skip_token_signature_verify: true}\nhttp_api: {insecure: true}\nhealth: {enabled: true}\n');
  const options = ['client.insecure', 'client.insecure_skip_token_signature_verify', 'http_api.insecure'];
  const check = await runParley(['check', at]);
  assert.equal(check.code, 0);
  const server = await serve(at);
  const { insecure } = await (await fetch(`${server.url}/health`)).json();
  assert.equal(insecure.length, options.length);
  await until(() => server.stderr.split('\n').filter((line) => line.includes(' warn ')).length >= options.length, () => `warnings in ${server.stderr}`);
  for (const option of options) {
    assert.ok(check.stderr.includes(`insecure: ${option} is on`), check.stderr);
    assert.ok(server.stderr.includes(`warn  ${option} is on`), server.stderr);
    assert.ok(insecure.some((warning) => warning.startsWith(`${option} is on`)), insecure);
  }
  const secure = await serve(await file('secure.yaml', YAML));
  assert.equal((await (await fetch(`${secure.url}/health`)).text()).includes('insecure'), false);
});

test('an internal port takes the server API, metrics and health away from the public one', async () => {
  const internal = await freePort();
  const server = await serve(await file('internal.yaml', YAML), { args: ['--set', `http_server.internal_port=${internal}`, '--set', 'http_api.error_mode=transport'] });
  const inside = { url: `http://127.0.0.1:${internal}` };
  const call = (to, path, body, key = 'api-key') => status(to, path, { method: 'POST', body, headers: { 'X-API-Key': key } });
  await until(async () => await status(inside, '/health/ready') === 200, 'the internal port');
  assert.equal(await status(inside, '/metrics'), 200);
  for (const path of ['/metrics', '/health', '/health/ready']) assert.equal(await status(server, path), 404, path);
  assert.equal(await call(server, '/api/info', '{}'), 404);
  assert.equal(await call(inside, '/api/info', '{}', 'wrong'), 401);
  assert.equal(await status(inside, '/connection/websocket'), 404);
  assert.equal(await status(inside, '/sse/chat:a'), 404);
});

// --- SIGHUP

async function reload(server, words) {
  const before = server.stderr.length;
  server.signal('SIGHUP');
  await until(() => words.test(server.stderr.slice(before)), () => `${words} in ${server.stderr.slice(before)}`);
}

test('SIGHUP: permissions and keys change for what comes, and nobody is dropped', async () => {
  const at = await file('reload.yaml', YAML);
  const server = await serve(at);
  const token = hmacToken('key', { sub: '1' });
  const client = await sdk(server, { token });
  const record = await client.subscribe('chat:a');
  assert.equal(await enter(client, 'closed:a'), 103);

  await file('reload.yaml', '');
  await reload(server, /not reloaded: .*the file is empty/);
  const changed = YAML.replace('"key"', '"new-key"').replace('allow_subscribe_for_client: true\n', 'allow_subscribe_for_client: false\n').replace('- name: closed\n', '- name: closed\n      allow_subscribe_for_client: true\n');
  await file('reload.yaml', changed);
  await reload(server, /reloaded: channels, permissions and token keys/);
  await until(async () => await enter(client, 'closed:a') === 'in', 'the new permission');
  assert.equal(await enter(client, 'chat:b'), 103);
  assert.deepEqual([await knock(server, token), await knock(server, hmacToken('new-key', { sub: '1' }))], [3500, 'in']);

  for (const [broken, words] of [
    [changed.replace('closed\n', 'closed\n      nonsense: 1\n'), /not reloaded: .*reload\.yaml:\d+:\d+: channel\.namespaces\[1\]\.nonsense/],
    ['client: {', /not reloaded: .*reload\.yaml:\d+:\d+: this is not YAML/],
  ]) {
    await file('reload.yaml', broken);
    await reload(server, words);
    assert.equal(await enter(client, 'closed:a'), 'in');
    assert.equal(await knock(server, hmacToken('new-key', { sub: '1' })), 'in');
  }
  await rm(at);
  await reload(server, /not reloaded: .*cannot be read/);
  assert.equal(await enter(client, 'closed:a'), 'in');

  await api(server, 'publish', { channel: 'chat:a', data: 'still here' }, KEY);
  await record.count(1);
  assert.equal(client.connected.length, 1);
  assert.deepEqual([client.disconnected, record.unsubscribed, record.subscribed.length], [[], [], 1]);
  await server.stop();
});

// --- keys over HTTP

/** Keys `known` and `other`; only the first is in the document. */
function keys() {
  const [known, other] = [0, 1].map(() => generateKeyPairSync('rsa', { modulusLength: 2048 }));
  const jwk = { ...known.publicKey.export({ format: 'jwk' }), kid: 'known', alg: 'RS256', use: 'sig' };
  return { known: known.privateKey, other: other.privateKey, document: JSON.stringify({ keys: [jwk] }) };
}

/** An endpoint that serves `doors[path]`, and counts. */
async function endpoint(doors) {
  const counts = {};
  const server = http.createServer((request, response) => {
    counts[request.url] = (counts[request.url] ?? 0) + 1;
    doors[request.url](response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => { server.closeAllConnections(); server.close(); });
  return { url: `http://127.0.0.1:${server.address().port}`, counts };
}

test('JWKS: tokens go by kid, and unknown kids cost one fetch', async () => {
  const { known, other, document } = keys();
  const { url, counts } = await endpoint({ '/keys': (response) => response.end(document) });
  const server = await serve(await file('jwks.json', { client: { token: { jwks_public_endpoint: `${url}/keys`, hmac_secret_key: 'key' } } }));
  const good = () => rsaToken(known, { sub: '1' }, 'RS256', { kid: 'known' });
  assert.deepEqual(await Promise.all(Array.from({ length: 20 }, () => knock(server, good()))), Array(20).fill('in'));
  assert.equal(counts['/keys'], 1);
  const strangers = Array.from({ length: 200 }, (_, i) => knock(server, rsaToken(known, { sub: '1' }, 'RS256', { kid: `unknown-${i}` })));
  // Their keys may be newer than the document, and it is not fetched again for a minute.
  for (const result of await Promise.all(strangers)) assert.equal(result, 100);
  assert.ok(counts['/keys'] <= 2, `${counts['/keys']} fetches`);
  for (const token of [rsaToken(other, { sub: '1' }, 'RS256', { kid: 'known' }), rsaToken(known, { sub: '1' }, 'RS256', { kid: undefined }), hmacToken('key', { sub: '1' })])
    assert.equal(await knock(server, token), 3500);
  assert.equal(await knock(server, rsaToken(known, { sub: '1', exp: now() - 1 }, 'RS256', { kid: 'known' })), 109);
  assert.equal(await knock(server, good()), 'in');
  assert.ok(counts['/keys'] <= 2, `${counts['/keys']} fetches`);
});

test('JWKS: an endpoint that fails lets nobody in, and keys that are known go on', async () => {
  const { known, document } = keys();
  const fail = { broken: (response) => response.writeHead(500).end(document),
    slow: (response) => setTimeout(() => response.end(document), 5_000).unref(),
    moved: (response) => response.writeHead(302, { Location: '/good' }).end(document),
    huge: (response) => response.end(document.padEnd(10 << 20)),
    nonsense: (response) => response.end('<html>'),
    cut: (response) => { response.writeHead(200, { 'Content-Length': document.length + 1 }); response.write(document); response.socket.end(); } };
  const doors = { good: (response) => response.end(document), ...fail };
  const { url, counts } = await endpoint(Object.fromEntries(Object.entries(doors).map(([name, door]) => [`/${name}`, door])));
  const tenants = Object.keys(doors).join('|');
  const server = await serve(await file('tenants.json', {
    client: { token: { jwks_public_endpoint: `${url}/{{tenant}}`, issuer_regex: `^(?P<tenant>${tenants})$` } },
  }));
  const token = (iss) => rsaToken(known, { sub: '1', iss }, 'RS256', { kid: 'known' });
  assert.equal(await knock(server, token('good')), 'in');
  await Promise.all(Object.keys(fail).map(async (name) => {
    for (const result of await Promise.all([token(name), token(name), token(name)].map((each) => knock(server, each)))) {
      assert.equal(typeof result, 'number', name);
    }
    assert.equal(counts[`/${name}`], 1, name);
  }));
  assert.equal(counts['/good'], 1);
  assert.equal(await knock(server, token('good')), 'in');
  assert.equal(await knock(server, token('stranger')), 3500);
  await until(() => Object.keys(fail).every((name) => server.stderr.includes(`${url}/${name}`) || name === 'nonsense'), () => `who failed, in ${server.stderr}`);
});

// --- secrets

test('secrets are nowhere in logs, metrics and answers', async () => {
  const secrets = { hmac: 'canary-hmac-3f81', previous: 'canary-previous-77aa', apiKey: 'canary-api-91c2', user: 'canary-wrong-api-5d', bearer: 'canary-bearer-b0b0' };
  const config = { client: { token: { hmac_secret_key: secrets.hmac, hmac_previous_secret_key: secrets.previous } }, http_api: { key: secrets.apiKey }, prometheus: { enabled: true }, health: { enabled: true }, log: { level: 'debug' } };
  const at = await file('canary.json', config);
  const server = await serve(at);
  const token = hmacToken(secrets.hmac, { sub: '1', exp: now() + 60 });
  const forged = hmacToken('another', { sub: '1' });
  const old = hmacToken(secrets.hmac, { sub: '1', exp: now() - 60 });
  const answers = [];
  const ask = async (door, options) => {
    const answer = await fetch(server.url + door, options);
    answers.push(JSON.stringify([...answer.headers]), await answer.text());
  };
  assert.deepEqual([await knock(server, token), await knock(server, forged), await knock(server, old), await knock(server, secrets.bearer)], ['in', 3500, 109, 3500]);
  const wire = await openWire(server.url);
  wire.send({ id: 1, connect: { token: secrets.bearer, nonsense: [] } });
  await wire.closed();
  answers.push(JSON.stringify(wire.received));
  for (const text of [secrets.apiKey, secrets.user]) {
    for (const headers of [{ 'X-API-Key': text }, { Authorization: `apikey ${text}` }, { Authorization: text }]) {
      for (const body of ['{}', '{"channel":"nobody:a","data":1}', '{']) await ask('/api/publish', { method: 'POST', headers, body });
    }
    await ask(`/api/publish?api_key=${text}`, { method: 'POST', body: '{' });
  }
  for (const text of [token, forged, old, secrets.bearer]) {
    const headers = { Authorization: `Bearer ${text}` };
    await ask('/pub/nobody:a', { method: 'POST', headers, body: '1' });
    await ask('/sse/nobody:a', { headers });
    await ask(`/sse/nobody:a?token=${text}`);
    await ask('/health', { headers });
  }
  await file('canary.json', { ...config, nonsense: 1 });
  await reload(server, /not reloaded/);
  await file('canary.json', config);
  await reload(server, /reloaded: /);
  await ask('/metrics');
  await server.stop();
  for (const secret of [...Object.values(secrets), token, forged, old, ...[token, forged, old].map((each) => each.split('.')[2])]) {
    for (const [where, text] of [['stdout', server.stdout], ['stderr', server.stderr], ['an answer', answers.join('\n')]])
      assert.equal(text.includes(secret), false, `${secret} in ${where}: ${text.split('\n').find((line) => line.includes(secret))}`);
  }
});

test('a bad configuration is told without its secrets', async () => {
  const canary = 'canary-770044';
  const key = (value) => `client:\n  token:\n    hmac_secret_key: ${value}\n`;
  for (const [what, content] of [
    ['a list', key(`[${canary}]`)], ['a map', key(`{${canary}: 1}`)], ['a quote', key(`"${canary}`)], ['an anchor', key(`&a ${canary}`)], ['a tag', key(`!!binary ${canary}`)],
    ['PEM', `client:\n  token:\n    rsa_public_key: ${canary}\n`], ['JWK', `client:\n  token:\n    jwk: '{"k": "${canary}"'\n`],
    ['the key of the API', `http_api:\n  kye: ${canary}\n`], ['a list of keys', `http_api:\n  key: [${canary}]\n`],
  ]) {
    const { stdout, stderr } = await runParley(['check', await file('leak.yaml', content)]);
    assert.equal((stdout + stderr).includes(canary), false, `${what}: ${stderr}`);
  }
  const at = await file('leak.yaml', YAML);
  const both = await runParley(['check', at], { env: { PARLEY_HTTP_API_KEY: canary, CENTRIFUGO_HTTP_API_KEY: `${canary}2` } });
  assert.equal(both.code, 1);
  assert.equal((both.stdout + both.stderr).includes(canary), false, both.stderr);
  const flag = await runParley(['serve', '--config', at, '--set', `http_api.kye=${canary}`], { ms: 5_000 });
  assert.notEqual(flag.code, 0);
  assert.equal((flag.stdout + flag.stderr).includes(canary), false, flag.stderr);
});
