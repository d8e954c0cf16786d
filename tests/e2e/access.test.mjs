// Who may do what: a truth table over namespaces, users and verbs, the same through every door; and tokens that nobody should believe.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { startConfigured } from './lib/server.mjs';
import { ecdsa, ecdsaToken, hmac, hmacToken, rsa, rsaToken, signed, unsigned } from './lib/tokens.mjs';
import { until } from './lib/wait.mjs';
import { openWire } from './lib/wire.mjs';

const KEY = 'a secret of thirty-two bytes or so';
const API_KEY = 'the key of the server API';
const HISTORY = { history_size: 10, history_ttl: '60s' };
const KEPT = { presence: true, ...HISTORY };
const all = (who) => Object.fromEntries(['subscribe', 'publish', 'presence', 'history'].map((verb) => [`allow_${verb}_for_${who}`, true]));
const subscribers = { allow_publish_for_subscriber: true, allow_presence_for_subscriber: true, allow_history_for_subscriber: true };

const WITHOUT_NAMESPACE = {
  ...KEPT, allow_subscribe_for_client: true, allow_user_limited_channels: true, allow_presence_for_subscriber: true, allow_history_for_client: true,
};
const NAMESPACES = {
  closed: { ...KEPT },
  open: { ...KEPT, ...all('client'), ...all('anonymous') },
  clients: { ...KEPT, ...all('client') },
  // "anonymous" widens what others have, and is nothing by itself.
  nobody: { ...KEPT, ...all('anonymous') },
  listen: { ...KEPT, allow_subscribe_for_client: true, allow_subscribe_for_anonymous: true },
  members: { ...KEPT, ...subscribers, allow_subscribe_for_client: true, allow_subscribe_for_anonymous: true },
  guests: { ...KEPT, ...subscribers, ...all('anonymous'), allow_subscribe_for_client: true },
  tokens: { ...KEPT, ...subscribers },
  write: { ...KEPT, allow_publish_for_client: true },
  featureless: { ...all('client'), ...all('anonymous') },
  present: { presence: true, ...all('client') },
  past: { ...HISTORY, ...all('client'), allow_history_for_anonymous: true },
  limited: { ...KEPT, ...subscribers, allow_user_limited_channels: true },
  mixed: { ...KEPT, ...subscribers, allow_user_limited_channels: true, allow_subscribe_for_client: true, allow_subscribe_for_anonymous: true },
  small: { ...KEPT, ...all('client'), channel_regex: '^[a-z]+$' },
  digit: { ...KEPT, ...all('client'), ...all('anonymous'), channel_regex: '[0-9]' },
};

const CHANNELS = [
  ...Object.keys(NAMESPACES).flatMap((name) => [`${name}:a`, `$${name}:a`, `${name}:x#42,7`, `${name}:#42`]),
  'plain', '$plain', '#42', '#7', '#4', 'x#42,7', 'x#1,42,9', 'x#427', '$x#42', 'x#7#42',
  'nope:x', '$nope:x', 'nope:#42', 'nope:a:b', 'Open:x', 'open :x',
  'open:a:b', 'members:nope:x', 'é', 'open:é', '$open:é', 'small:abc', 'small:A', '$small:abc', '$small:A', 'digit:ab1', 'digit:é1', 'digit:é',
  `open:${'x'.repeat(250)}`, `open:${'x'.repeat(251)}`, 'x'.repeat(256),
];

const config = (client = {}) => ({
  client: { token: { hmac_secret_key: KEY }, allow_anonymous_connect_without_token: true, ...client },
  http_api: { key: API_KEY },
  channel: { without_namespace: WITHOUT_NAMESPACE, namespaces: Object.entries(NAMESPACES).map(([name, options]) => ({ name, ...options })) },
});

const CAPS = [
  { channels: ['closed:a', 'plain', 'present:*'], allow: ['sub', 'hst'] },
  { channels: ['closed:*', '$closed:*', 'limited:*', 'nope:*', 'featureless:*', '#4?'], match: 'wildcard', allow: ['sub', 'pub', 'prs'] },
  { channels: ['^(listen|nobody):[a-z]+$', 'mixed:.*', 'é', 'tokens:x#42,'], match: 'regex', allow: ['sub', 'pub', 'prs', 'hst'] },
  { channels: ['closed:*', 'write:a', 'small:*'], match: 'wildcard', allow: ['sub', 'hst'] },
];

const PRINCIPALS = [
  { name: 'anonymous', user: '' },
  { name: 'anonymous by token', user: '', token: hmacToken(KEY, { sub: '' }) },
  { name: 'user 42', user: '42', token: hmacToken(KEY, { sub: '42' }) },
  { name: 'user 7', user: '7', token: hmacToken(KEY, { sub: '7' }) },
  { name: 'user 42 with subscription tokens', user: '42', token: hmacToken(KEY, { sub: '42' }), invited: true },
  { name: 'anonymous with subscription tokens', user: '', invited: true },
  { name: 'user 42 with capabilities', user: '42', caps: CAPS, token: hmacToken(KEY, { sub: '42', caps: CAPS }) },
  { name: 'anonymous with capabilities', user: '', caps: CAPS, token: hmacToken(KEY, { sub: '', caps: CAPS }) },
  { name: 'user 7 with subscription tokens that allow more', user: '7', token: hmacToken(KEY, { sub: '7' }), invited: true, allow: ['pub', 'hst'] },
];

// --- The model: Centrifugo's rules, as its documentation has them.

const OK = 0;
const UNKNOWN = 102;
const DENIED = 103;
const BAD_NAME = 107;
const OFF = 108;

function lookUp(channel) {
  const plain = channel.startsWith('$') ? channel.slice(1) : channel;
  const [first, ...more] = plain.split(':');
  if (more.length === 0) return { options: WITHOUT_NAMESPACE, rest: channel };
  return { options: NAMESPACES[first], rest: more.join(':') };
}

/** What is wrong with the name for everybody. */
function nameFault(channel) {
  const { options, rest } = lookUp(channel);
  if (Buffer.byteLength(channel) > 255) return BAD_NAME;
  if (!options) return UNKNOWN;
  const fits = options.channel_regex ? new RegExp(options.channel_regex).test(rest) : /^[ -~]*$/.test(channel);
  return fits ? OK : BAD_NAME;
}

const CAPABILITIES = { subscribe: 'sub', publish: 'pub', presence: 'prs', history: 'hst' };

/** What the first of the rules that matches allows; nothing in private channels, or those of others. */
function capabilities({ caps = [], user }, channel) {
  const { options } = lookUp(channel);
  const users = channel.slice(channel.lastIndexOf('#') + 1).split(',');
  if (channel.startsWith('$')) return [];
  if (options.allow_user_limited_channels && channel.includes('#') && (user === '' || !users.includes(user))) return [];
  const fits = ({ channels, match }) => channels.some((pattern) => {
    if (match === 'regex') return new RegExp(`^(?:${pattern})$`).test(channel);
    if (match !== 'wildcard') return pattern === channel;
    return new RegExp(`^${pattern.replaceAll('$', '\\$').replaceAll('*', '.*').replaceAll('?', '.')}$`).test(channel);
  });
  return caps.find(fits)?.allow ?? [];
}

function maySubscribe({ user, invited, caps }, channel, insecure) {
  const { options } = lookUp(channel);
  if (invited) return true;
  if (channel.startsWith('$')) return false;
  if (insecure) return true;
  if (options.allow_user_limited_channels && channel.includes('#')) {
    return user !== '' && channel.slice(channel.lastIndexOf('#') + 1).split(',').includes(user);
  }
  if (capabilities({ caps, user }, channel).includes('sub')) return true;
  return Boolean(options.allow_subscribe_for_client && (user !== '' || options.allow_subscribe_for_anonymous));
}

function model(principal, channel, verb, { subscribed = false, insecure = false } = {}) {
  const fault = nameFault(channel);
  if (fault) return fault;
  if (verb === 'subscribe') return maySubscribe(principal, channel, insecure) ? OK : DENIED;
  const { options } = lookUp(channel);
  if (verb === 'presence' && !options.presence) return OFF;
  if (verb === 'history' && !options.history_size) return OFF;
  if (insecure) return OK;
  if (capabilities(principal, channel).includes(CAPABILITIES[verb])) return OK;
  if (subscribed && principal.allow?.includes(CAPABILITIES[verb])) return OK;
  const granted = options[`allow_${verb}_for_client`] || (subscribed && options[`allow_${verb}_for_subscriber`]);
  const named = principal.user !== '' || options[`allow_${verb}_for_anonymous`];
  return granted && named ? OK : DENIED;
}

// --- The doors.

const OTHER_VERBS = ['publish', 'presence', 'history'];
const REQUESTS = { publish: { data: 1 }, presence: {}, history: { limit: 1 } };
const STATUS = { [OK]: 200, [UNKNOWN]: 404, [DENIED]: 403, [BAD_NAME]: 400 };

/** Sends these commands on the wire at once; their error codes, 0 where there is none. */
async function codes(wire, commands) {
  wire.ids ??= 1000;
  const numbered = commands.map((command) => ({ id: (wire.ids += 1), ...command }));
  for (let i = 0; i < numbered.length; i += 30) wire.send(...numbered.slice(i, i + 30));
  const last = wire.ids;
  const answers = () => wire.received.filter(({ id }) => id > last - commands.length && id <= last);
  await until(() => answers().length === commands.length, () => `${commands.length} replies; there are ${answers().length}`);
  const byId = new Map(answers().map((reply) => [reply.id, reply.error?.code ?? 0]));
  return numbered.map(({ id }) => byId.get(id));
}

async function connected(server, { token }) {
  const wire = await openWire(server.url);
  const reply = await wire.connect(token ? { token } : {});
  assert.ok(reply.connect, JSON.stringify(reply));
  return wire;
}

const invitation = ({ user, invited, allow }, channel) => (invited ? { token: hmacToken(KEY, { sub: user, channel, allow }) } : {});

/** Rows {door, channel, verb, got, wanted} of one principal over WebSocket, before and after subscribing to what it may. */
async function overWebSocket(server, principal, insecure) {
  const wire = await connected(server, principal);
  const rows = [];
  const others = async (door, subscribed) => {
    const asked = CHANNELS.flatMap((channel) => OTHER_VERBS.map((verb) => ({ channel, verb })));
    const got = await codes(wire, asked.map(({ channel, verb }) => ({ [verb]: { channel, ...REQUESTS[verb] } })));
    asked.forEach(({ channel, verb }, i) => rows.push({
      door, channel, verb, got: got[i], wanted: model(principal, channel, verb, { subscribed: subscribed(channel), insecure }),
    }));
  };
  await others('WebSocket', () => false);
  const got = await codes(wire, CHANNELS.map((channel) => ({ subscribe: { channel, ...invitation(principal, channel) } })));
  const wanted = CHANNELS.map((channel) => model(principal, channel, 'subscribe', { insecure }));
  CHANNELS.forEach((channel, i) => rows.push({ door: 'WebSocket', channel, verb: 'subscribe', got: got[i], wanted: wanted[i] }));
  await others('WebSocket, subscribed', (channel) => wanted[CHANNELS.indexOf(channel)] === OK);
  wire.terminate();
  return rows;
}

async function statusOf(url, options) {
  const controller = new AbortController();
  const { status } = await fetch(url, { ...options, signal: controller.signal });
  controller.abort();
  return status;
}

const bearer = ({ token }) => (token ? { Authorization: `Bearer ${token}` } : {});

/** Rows of one principal over the two doors of HTTP, which know of no subscriptions and their tokens. */
async function overHttp(server, principal, insecure) {
  const doors = [
    { door: 'SSE', verb: 'subscribe', ask: (name) => statusOf(`${server.url}/sse/${name}`, { headers: bearer(principal) }) },
    { door: 'SSE, token in query', verb: 'subscribe', ask: (name) => statusOf(`${server.url}/sse/${name}${principal.token ? `?token=${principal.token}` : ''}`) },
    { door: '/pub', verb: 'publish', ask: (name) => statusOf(`${server.url}/pub/${name}`, { method: 'POST', body: '1', headers: { ...bearer(principal), 'Content-Type': 'application/json' } }) },
  ];
  const rows = [];
  for (const { door, verb, ask } of doors) {
    const got = await Promise.all(CHANNELS.map((channel) => ask(encodeURIComponent(channel))));
    CHANNELS.forEach((channel, i) => rows.push({ door, channel, verb, got: got[i], wanted: STATUS[model(principal, channel, verb, { insecure })] }));
  }
  return rows;
}

const wrong = (rows) => rows.filter(({ got, wanted }) => got !== wanted).map((row) => JSON.stringify(row)).join('\n');

/** Adds a test for each principal, and one that counts. */
function truthTable(what, server, { insecure = false, least }) {
  let verdicts = 0;
  for (const principal of PRINCIPALS) {
    test(`${what}: ${principal.name}`, async () => {
      const rows = await overWebSocket(server(), principal, insecure);
      if (!principal.invited) rows.push(...await overHttp(server(), principal, insecure));
      verdicts += rows.length;
      assert.equal(wrong(rows), '');
    });
  }
  test(`${what}: the table has at least ${least} rows`, (context) => {
    context.diagnostic(`${verdicts} verdicts; ${PRINCIPALS.length * CHANNELS.length * 4} rows of user, channel and verb`);
    assert.ok(verdicts >= least, `${verdicts}`);
  });
}

let server;
let insecure;
let strict;
let asymmetric;
let trap;
const trapped = [];
const rsaKeys = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ecKeys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pem = ({ publicKey }) => publicKey.export({ type: 'spki', format: 'pem' });

before(async () => {
  trap = http.createServer((request, response) => {
    trapped.push(request.url);
    response.end(JSON.stringify({ keys: [{ kty: 'oct', kid: 'k', k: Buffer.from('evil').toString('base64url') }] }));
  }).listen(0, '127.0.0.1');
  await once(trap, 'listening');
  [server, insecure, strict, asymmetric] = await Promise.all([
    startConfigured(config()),
    startConfigured(config({ insecure: true })),
    startConfigured({ client: { token: { hmac_secret_key: KEY }, message_size_limit_before_connect: 65_536 }, channel: { without_namespace: { allow_subscribe_for_client: true } } }),
    startConfigured({
      client: { token: { rsa_public_key: pem(rsaKeys), ecdsa_public_key: pem(ecKeys) } },
      channel: { without_namespace: { allow_subscribe_for_client: true } },
    }),
  ]);
});

after(async () => {
  trap?.close();
  await Promise.all([server, insecure, strict, asymmetric].map((one) => one?.stop()));
});

truthTable('as configured', () => server, { least: 3000 });
truthTable('insecure', () => insecure, { insecure: true, least: 3000 });

test('every verdict is in the table', () => {
  const verbs = ['subscribe', ...OTHER_VERBS];
  const verdicts = PRINCIPALS.flatMap((principal) => CHANNELS.flatMap((channel) => verbs.map((verb) => model(principal, channel, verb))));
  for (const verdict of [OK, UNKNOWN, DENIED, BAD_NAME, OFF]) assert.ok(verdicts.includes(verdict), `${verdict}`);
});

test('the server API asks for no user\'s permission, but for a namespace and a name', async () => {
  const ask = async (method, body, key = API_KEY) => {
    const answer = await fetch(`${server.url}/api/${method}`, { method: 'POST', body: JSON.stringify(body), headers: { 'X-API-Key': key } });
    if (answer.status === 401) return 401;
    return (await answer.json()).error?.code ?? 0;
  };
  const rows = [];
  for (const verb of OTHER_VERBS) {
    const got = await Promise.all(CHANNELS.map((channel) => ask(verb, { channel, ...REQUESTS[verb] })));
    CHANNELS.forEach((channel, i) => rows.push({ verb, channel, got: got[i], wanted: apiModel(channel, verb) }));
  }
  assert.equal(wrong(rows), '');
  assert.equal(await ask('publish', { channel: 'open:a', data: 1 }, 'another key'), 401);
  assert.equal(await ask('publish', { channel: 'open:a', data: 1 }, ''), 401);
});

function apiModel(channel, verb) {
  const { options } = lookUp(channel);
  const fault = nameFault(channel);
  if (fault !== OK) return fault;
  if (verb === 'presence' && !options.presence) return OFF;
  if (verb === 'history' && !options.history_size) return OFF;
  return OK;
}

test('the API key opens the publish door to every channel that exists', async () => {
  const got = await Promise.all(CHANNELS.map((channel) => statusOf(`${server.url}/pub/${encodeURIComponent(channel)}`,
    { method: 'POST', body: '1', headers: { 'X-API-Key': API_KEY } })));
  const rows = CHANNELS.map((channel, i) => ({ channel, got: got[i], wanted: STATUS[apiModel(channel, 'publish')] }));
  assert.equal(wrong(rows), '');
});

test('without a token there is no way in where none is granted', async () => {
  for (const one of [strict, asymmetric]) {
    const wire = await openWire(one.url);
    wire.send({ id: 1, connect: {} });
    assert.equal((await wire.closed()).code, 3501);
    assert.equal(await statusOf(`${one.url}/sse/plain`), 401);
    assert.equal(await statusOf(`${one.url}/pub/plain`, { method: 'POST', body: '1' }), 401);
  }
});

// --- Tokens.

const CLAIMS = { sub: '42' };
const seconds = (from) => Math.floor(Date.now() / 1000) + from;

/** What a connect with this token comes to: 'accepted', or the code of the error or the disconnect. */
async function attempt(one, token) {
  const wire = await openWire(one.url);
  let end;
  wire.closed(10_000).then(({ code }) => { end = code; }, () => {});
  wire.send({ id: 1, connect: { token } });
  const reply = await until(() => wire.received.find(({ id }) => id === 1) ?? (end && { error: { code: end } }), 'an answer to connect');
  wire.terminate();
  return reply.connect ? 'accepted' : reply.error.code;
}

/** Rows of tokens [name, token, wanted = 3500]; and over SSE they all are 401. */
async function refused(one, tokens) {
  const rows = await Promise.all(tokens.map(async ([name, token, wanted = 3500]) => ({ name, got: await attempt(one, token), wanted })));
  const statuses = await Promise.all(tokens.map(([, token]) => (
    token.length > 4000 ? 401 : statusOf(`${one.url}/sse/plain?token=${encodeURIComponent(token)}`))));
  tokens.forEach(([name], i) => rows.push({ name: `${name}, SSE`, got: statuses[i], wanted: 401 }));
  assert.equal(wrong(rows), '');
  assert.deepEqual(trapped, []);
}

test('good tokens are accepted', async () => {
  const tokens = [
    ...['HS256', 'HS384', 'HS512'].map((alg) => [strict, alg, hmacToken(KEY, CLAIMS, alg)]),
    ...['RS256', 'RS384', 'RS512'].map((alg) => [asymmetric, alg, rsaToken(rsaKeys.privateKey, CLAIMS, alg)]),
    [asymmetric, 'ES256', ecdsaToken(ecKeys.privateKey, CLAIMS)],
    [strict, 'in time', hmacToken(KEY, { ...CLAIMS, exp: seconds(600), nbf: seconds(-600), iat: seconds(-600) })],
    [strict, 'more claims', hmacToken(KEY, { ...CLAIMS, info: { name: 'x' }, meta: {}, more: [1] })],
    [strict, 'without typ', hmacToken(KEY, CLAIMS, 'HS256', { typ: undefined })],
    [strict, 'with a key id', hmacToken(KEY, CLAIMS, 'HS256', { kid: 'some' })],
  ];
  const rows = await Promise.all(tokens.map(async ([one, name, token]) => ({ name, got: await attempt(one, token), wanted: 'accepted' })));
  for (const [one, name, token] of tokens) rows.push({ name: `${name}, SSE`, got: await statusOf(`${one.url}/sse/plain?token=${token}`), wanted: 200 });
  assert.equal(wrong(rows), '');
});

const good = hmacToken(KEY, CLAIMS);
const [goodHeader, goodClaims, goodSignature] = good.split('.');
const withHeader = (header, claims = CLAIMS) => {
  const body = unsigned(header, claims);
  return signed(body, hmac('HS256', KEY, body));
};

/** A token with a signature that has one of the characters in which base64url and base64 differ. */
function withSpecialSignature() {
  for (let i = 0; ; i += 1) {
    const token = hmacToken(KEY, { ...CLAIMS, jti: String(i) });
    if (/[-_]/.test(token.split('.')[2])) return token;
  }
}

function misshapen() {
  const special = withSpecialSignature();
  const [header, claims, signature] = special.split('.');
  const padded = (part) => part + '='.repeat((4 - (part.length % 4)) % 4 || 4);
  return [
    ['one letter', 'a'], ['two parts', 'a.b'], ['three letters', 'a.b.c'], ['dots', '..'], ['more dots', '...'], ['one dot', '.'],
    ['no signature part', `${goodHeader}.${goodClaims}`], ['an empty signature', `${goodHeader}.${goodClaims}.`],
    ['no header', `.${goodClaims}.${goodSignature}`], ['no claims', `${goodHeader}..${goodSignature}`],
    ['a fourth part', `${good}.x`], ['an empty fourth part', `${good}.`], ['an empty first part', `.${good}`], ['five parts', `${good}.x.y`],
    ['a space before', ` ${good}`], ['a space behind', `${good} `], ['a line break behind', `${good}\n`], ['a NUL behind', `${good}\0`],
    ['NUL and more', `${good}\0.x`], ['with Bearer', `Bearer ${good}`], ['in quotes', `"${good}"`], ['twice', `${good}${good}`],
    ['a padded signature', `${header}.${claims}.${padded(signature)}`], ['padded claims', `${header}.${padded(claims)}.${signature}`],
    ['a signature in plain base64', `${header}.${claims}.${signature.replaceAll('-', '+').replaceAll('_', '/')}`],
    ['a letter outside base64', `${header}.${claims}.*${signature.slice(1)}`],
    ['parts in reverse', good.split('.').reverse().join('.')], ['upper case', good.toUpperCase()],
    ['64 KB less a little', `${goodHeader}.${'A'.repeat(60_000)}.${goodSignature}`],
    ['thousands of dots', '.'.repeat(3000)], ['beyond ASCII', 'ü.ü.ü'],
    ['JSON serialization', JSON.stringify({ protected: goodHeader, payload: goodClaims, signature: goodSignature })],
  ];
}

function otherAlgorithms() {
  const algs = ['none', 'None', 'NONE', 'nOnE', 'none ', '', ' ', null, undefined, 0, 256, true, [], ['HS256'], {}, { alg: 'HS256' },
    'hs256', 'Hs256', 'HS256 ', ' HS256', 'HS256\0', 'HS', 'HS1', 'HS128', 'HS224', 'HS2560', 'HMAC', 'sha256', 'HS256,none', 'A128KW', 'dir',
    'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'ES256K', 'EdDSA', 'Ed25519'];
  return algs.flatMap((alg) => [
    [`alg ${JSON.stringify(alg)}, unsigned`, `${unsigned({ alg, typ: 'JWT' }, CLAIMS)}.`],
    [`alg ${JSON.stringify(alg)}, signed with the secret`, withHeader({ alg, typ: 'JWT' })],
  ]);
}

function otherKeys() {
  const keys = { empty: '', 'a letter': 'x', longer: `${KEY}x`, shorter: KEY.slice(0, -1), 'upper case': KEY.toUpperCase(), reversed: [...KEY].reverse().join(''),
    base64: Buffer.from(KEY).toString('base64'), hex: Buffer.from(KEY).toString('hex'), 'with a line break': `${KEY}\n`, secret: 'secret', null: 'null',
    'zero bytes': Buffer.alloc(32), 'API key': API_KEY };
  return ['HS256', 'HS384', 'HS512'].flatMap((alg) => Object.entries(keys).map(([name, key]) => [`${alg}, key ${name}`, hmacToken(key, CLAIMS, alg)]));
}

function otherSignatures() {
  const body = `${goodHeader}.${goodClaims}`;
  const signature = hmac('HS256', KEY, body);
  const flipped = [...signature.keys()].map((i) => {
    const copy = Buffer.from(signature);
    copy[i] ^= 1 << (i % 8);
    return [`bit of byte ${i} flipped`, signed(body, copy)];
  });
  const cut = [1, 8, 16, 31].map((n) => [`only ${n} bytes`, signed(body, signature.subarray(0, n))]);
  const mixed = ['HS256', 'HS384', 'HS512'].flatMap((said) => ['HS256', 'HS384', 'HS512'].filter((done) => done !== said).map((done) => {
    const other = unsigned({ alg: said, typ: 'JWT' }, CLAIMS);
    return [`${said} by name, ${done} in truth`, signed(other, hmac(done, KEY, other))];
  }));
  const cutLong = ['HS384', 'HS512'].map((alg) => {
    const other = unsigned({ alg }, CLAIMS);
    return [`${alg} cut to 32 bytes`, signed(other, hmac(alg, KEY, other).subarray(0, 32))];
  });
  return [...flipped, ...cut, ...mixed, ...cutLong,
    ['zeroes', signed(body, Buffer.alloc(32))], ['doubled', signed(body, Buffer.concat([signature, signature]))], ['a byte more', signed(body, Buffer.concat([signature, Buffer.from([0])]))],
    ['over the claims only', signed(body, hmac('HS256', KEY, goodClaims))], ['over the text', signed(body, hmac('HS256', KEY, JSON.stringify(CLAIMS)))],
    ['hex in place of bytes', `${body}.${signature.toString('hex')}`],
    ['another user\'s signature', `${unsigned({ alg: 'HS256', typ: 'JWT' }, { sub: '7' })}.${goodSignature}`],
    ['another header\'s signature', `${unsigned({ typ: 'JWT', alg: 'HS256' }, CLAIMS)}.${goodSignature}`]];
}

/** Headers that name a key which the sender has chosen. */
function baits() {
  const address = `http://127.0.0.1:${trap.address().port}/keys`;
  const evil = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const evilEc = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const headers = {
    jku: { jku: address, kid: 'k' }, x5u: { x5u: address }, 'jku and x5u': { jku: address, x5u: address, kid: 'k' }, 'jku as list': { jku: [address] },
    'kid as address': { kid: address }, 'kid as path': { kid: '../../../../dev/null' }, 'kid as query': { kid: '\' UNION SELECT \'evil' },
    'iss in header': { iss: address }, x5c: { x5c: ['MIIB'] },
    'jwk oct': { jwk: { kty: 'oct', k: Buffer.from('evil').toString('base64url') } },
  };
  return [
    ...Object.entries(headers).map(([name, header]) => [`${name}, HMAC`, hmacToken('evil', { ...CLAIMS, iss: address }, 'HS256', header)]),
    ...Object.entries(headers).map(([name, header]) => [`${name}, empty key`, hmacToken('', CLAIMS, 'HS256', header)]),
    ...Object.entries(headers).map(([name, header]) => [`${name}, RSA`, rsaToken(evil.privateKey, CLAIMS, 'RS256', header)]),
    ...Object.entries(headers).map(([name, header]) => [`${name}, ECDSA`, ecdsaToken(evilEc.privateKey, CLAIMS, 'ES256', header)]),
    ['jwk RSA', rsaToken(evil.privateKey, CLAIMS, 'RS256', { jwk: evil.publicKey.export({ format: 'jwk' }) })],
    ['jwk EC', ecdsaToken(evilEc.privateKey, CLAIMS, 'ES256', { jwk: evilEc.publicKey.export({ format: 'jwk' }) })],
  ];
}

function badClaims() {
  const header = { alg: 'HS256', typ: 'JWT' };
  const raw = { 'no JSON': 'hello', 'half JSON': '{"sub":"42"', 'a list': '["42"]', 'a string': '"42"', 'a number': '42', null: 'null', empty: '', 'two objects': '{"sub":"42"}{}',
    'no UTF-8': Buffer.from('{"sub":"\xff","alg":"HS256"}', 'latin1') };
  const wrongType = { 'sub a number': { sub: 42 }, 'sub a list': { sub: ['42'] }, 'sub an object': { sub: {} }, 'exp a word': { sub: '42', exp: 'soon' }, 'exp a list': { sub: '42', exp: [] },
    'nbf a word': { sub: '42', nbf: 'soon' }, 'a subscription\'s': { sub: '42', channel: 'plain' } };
  const late = { 'exp a second ago': { exp: seconds(-1) }, 'exp long ago': { exp: 1 }, 'exp now': { exp: seconds(0) }, 'nbf to come': { nbf: seconds(600) }, 'both': { exp: seconds(-600), nbf: seconds(600) } };
  return [
    ...Object.entries(raw).map(([name, text]) => [`claims ${name}`, withHeader(header, text)]),
    ...Object.entries(raw).map(([name, text]) => [`header ${name}`, withHeader(text)]),
    ...Object.entries(wrongType).map(([name, claims]) => [name, hmacToken(KEY, claims)]),
    ...Object.entries(late).map(([name, claims]) => [name, hmacToken(KEY, { ...CLAIMS, ...claims }), 109]),
    ['late and forged', hmacToken('evil', { ...CLAIMS, exp: 1 })],
    ['an extension that must be known', withHeader({ ...header, crit: ['x'], x: 1 })],
  ];
}

const FORGERIES = { misshapen, 'other algorithms': otherAlgorithms, 'other keys': otherKeys, 'other signatures': otherSignatures, 'keys in headers': baits, 'bad claims': badClaims };
for (const [name, make] of Object.entries(FORGERIES)) {
  test(`forged tokens, ${name}`, async (context) => {
    const tokens = make();
    context.diagnostic(`${tokens.length} tokens`);
    await refused(strict, tokens);
  });
}

test('forged tokens where keys are public', async (context) => {
  const publics = [rsaKeys, ecKeys].flatMap((keys) => {
    const text = pem(keys);
    return [text, text.trimEnd(), text.replaceAll('\n', ''), text.replaceAll('\n', '\r\n'), text.split('\n').slice(1, -2).join(''), text.split('\n').slice(1, -2).join('\n'),
      keys.publicKey.export({ type: 'spki', format: 'der' }), JSON.stringify(keys.publicKey.export({ format: 'jwk' }))];
  });
  publics.push(rsaKeys.publicKey.export({ type: 'pkcs1', format: 'pem' }), rsaKeys.publicKey.export({ type: 'pkcs1', format: 'der' }), '', KEY);
  const confused = ['HS256', 'HS384', 'HS512'].flatMap((alg) => publics.map((key, i) => [`${alg} with public key ${i}`, hmacToken(key, CLAIMS, alg)]));
  const asFamily = ['RS256', 'ES256', 'PS256', 'none'].flatMap((alg) => [rsaKeys, ecKeys].map((keys, i) => {
    const body = unsigned({ alg }, CLAIMS);
    return [`${alg}, HMAC with public key ${i}`, signed(body, hmac('HS256', pem(keys), body))];
  }));
  const evil = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const evilEc = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const otherCurve = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const n = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex');
  const zero = Buffer.alloc(32);
  const oneByte = Buffer.concat([Buffer.alloc(31), Buffer.from([1])]);
  const es = unsigned({ alg: 'ES256' }, CLAIMS);
  const rs = unsigned({ alg: 'RS256' }, CLAIMS);
  const psychic = [[zero, zero], [zero, oneByte], [oneByte, zero], [n, n], [n, oneByte], [oneByte, oneByte], [oneByte, n]]
    .map((pair, i) => [`r and s at the edge ${i}`, signed(es, Buffer.concat(pair))]);
  const truth = rsa('RS256', rsaKeys.privateKey, rs);
  const tokens = [...confused, ...asFamily, ...psychic, ...baits(),
    ...['RS256', 'RS384', 'RS512'].map((alg) => [`${alg}, another key`, rsaToken(evil.privateKey, CLAIMS, alg)]),
    ['ES256, another key', ecdsaToken(evilEc.privateKey, CLAIMS)],
    ['ES384, another curve', ecdsaToken(otherCurve.privateKey, CLAIMS, 'ES384')],
    ['ES384 with the key of ES256', ecdsaToken(ecKeys.privateKey, CLAIMS, 'ES384')],
    ['ES256 in DER', signed(es, ecdsa('ES256', ecKeys.privateKey, es, 'der'))],
    ['RS256 by name, RS512 in truth', signed(rs, rsa('RS512', rsaKeys.privateKey, rs))],
    ['RS256 by name, ES256 in truth', signed(rs, ecdsa('ES256', ecKeys.privateKey, rs))],
    ['ES256 by name, RS256 in truth', signed(es, rsa('RS256', rsaKeys.privateKey, es))],
    ['RS256, a byte less', signed(rs, truth.subarray(0, -1))], ['RS256, a zero before', signed(rs, Buffer.concat([Buffer.from([0]), truth]))],
    ['RS256, zeroes', signed(rs, Buffer.alloc(256))], ['RS256, ones', signed(rs, Buffer.alloc(256, 255))], ['RS256, unsigned', `${rs}.`], ['ES256, unsigned', `${es}.`],
    ['the HMAC server\'s', good],
    ['RS256, late', rsaToken(rsaKeys.privateKey, { ...CLAIMS, exp: 1 }), 109], ['ES256, late', ecdsaToken(ecKeys.privateKey, { ...CLAIMS, exp: 1 }), 109]];
  context.diagnostic(`${tokens.length} tokens`);
  await refused(asymmetric, tokens);
});

test('no header made the server ask anybody for a key', async () => {
  assert.deepEqual(trapped, []);
  await fetch(`http://127.0.0.1:${trap.address().port}/here`);
  assert.deepEqual(trapped, ['/here']);
});
