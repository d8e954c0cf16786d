// Access that is taken back reaches who is already there: blocked users, revoked tokens, invalidated ones, over every door. By the clock:
// something is published every 100 ms, and nothing that was published a second after the answer reaches anybody.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { EventSource } from 'eventsource';
import WebSocket from 'ws';
import { CentrifugeClient } from './lib/clients.mjs';
import { api } from './lib/http.mjs';
import { startConfigured } from './lib/server.mjs';
import { hmacToken, now } from './lib/tokens.mjs';
import { until } from './lib/wait.mjs';

const KEY = 'a key of 32 bytes, as is required';
const CONFIG = {
  client: { token: { hmac_secret_key: KEY } },
  http_api: { insecure: true },
  http_stream: { enabled: true },
  sse: { enabled: true },
  uni_sse: { enabled: true },
  uni_http_stream: { enabled: true },
  uni_websocket: { enabled: true },
  user_status: { enabled: true },
  channel: {
    without_namespace: {
      history_size: 100, history_ttl: '60s', force_recovery: true, allow_subscribe_for_client: true, allow_publish_for_client: true, allow_history_for_client: true,
    },
    namespaces: [{ name: 'closed', history_size: 10, history_ttl: '60s' }],
  },
};
const EVERY_MS = 100;
const GRACE_MS = 1000;
const WATCH_MS = 1600;
const CLOSED_MS = 5000;

let names = 0;
const name = (kind) => `${kind}${++names}`;
const tokenOf = (user, id, claims = {}) => hmacToken(KEY, { sub: user, jti: id, iat: now() - 10, exp: now() + 600, ...claims });

/** A client by an SDK over one transport; what it hears is the time at which it was published. */
class SdkReader {
  static of = (transport) => (server, token, channel) => new SdkReader(server, token, channel, transport);

  heard = [];

  constructor(server, token, channel, transport) {
    this.client = new CentrifugeClient(server.url, { transports: [transport], token });
    this.record = this.client.client.newSubscription(channel);
    this.record.on('publication', ({ data }) => this.heard.push(data));
    this.record.subscribe();
    this.client.client.connect();
  }

  get codes() { return this.client.disconnected.map(({ code }) => code); }
  get closed() { return this.client.client.state === 'disconnected'; }
  close() { this.client.close(); }
}

/** A plain EventSource, on /sse or on uni_sse. */
class EventReader {
  heard = [];
  codes = [];
  statuses = [];

  constructor(url, pick) {
    // What it is answered, also when it comes again.
    this.source = new EventSource(url, { fetch: async (address, init) => {
      const answer = await fetch(address, init);
      this.statuses.push(answer.status);
      this.open = answer.ok;
      answer.ok && this.#watch(answer);
      return answer;
    } });
    this.source.addEventListener('message', ({ data }) => {
      const push = JSON.parse(data);
      if (push.disconnect) this.codes.push(push.disconnect.code);
      const value = pick(push);
      if (value !== undefined) this.heard.push(value);
    });
  }

  async #watch(answer) {
    const copy = answer.clone();
    try {
      for await (const bytes of copy.body) void bytes;
    } catch { /* the end, too */ }
    this.open = false;
  }

  get closed() { return !this.open; }
  close() { this.source.close(); }

  static onPath = (server, token, channel) => new EventReader(`${server.url}/sse/${channel}?token=${token}`, (data) => data);
  static oneWay = (server, token, channel) => new EventReader(
    `${server.url}/connection/uni_sse?cf_connect=${encodeURIComponent(JSON.stringify({ token, subs: { [channel]: {} } }))}`, (push) => push.pub?.data);
}

/** uni_http_stream with nothing but HTTP. */
class LineReader {
  heard = [];
  codes = [];
  closed = false;
  #abort = new AbortController();

  constructor(server, token, channel) {
    this.#read(`${server.url}/connection/uni_http_stream`, JSON.stringify({ token, subs: { [channel]: {} } })).finally(() => { this.closed = true; });
  }

  async #read(url, body) {
    try {
      const answer = await fetch(url, { method: 'POST', body, signal: this.#abort.signal });
      let rest = '';
      for await (const bytes of answer.body) {
        const lines = (rest + new TextDecoder().decode(bytes)).split('\n');
        rest = lines.pop();
        for (const push of lines.filter(Boolean).map(JSON.parse)) {
          if (push.disconnect) this.codes.push(push.disconnect.code);
          if (push.pub) this.heard.push(push.pub.data);
        }
      }
    } catch { /* the end */ }
  }

  close() { this.#abort.abort(); }
}

/** uni_websocket with nothing but ws. */
class SocketReader {
  heard = [];
  codes = [];

  constructor(server, token, channel) {
    this.socket = new WebSocket(`${server.url.replace('http', 'ws')}/connection/uni_websocket`);
    this.socket.on('open', () => this.socket.send(JSON.stringify({ token, subs: { [channel]: {} } })));
    this.socket.on('message', (data) => {
      for (const push of String(data).split('\n').filter(Boolean).map(JSON.parse)) if (push.pub) this.heard.push(push.pub.data);
    });
    this.socket.on('close', (code) => this.codes.push(code));
    this.socket.on('error', () => {});
  }

  get closed() { return this.socket.readyState === WebSocket.CLOSED; }
  close() { this.socket.close(); }
}

const READERS = {
  WebSocket: SdkReader.of('websocket'),
  http_stream: SdkReader.of('http_stream'),
  sse: SdkReader.of('sse'),
  EventSource: EventReader.onPath,
  uni_sse: EventReader.oneWay,
  uni_http_stream: (...all) => new LineReader(...all),
  uni_websocket: (...all) => new SocketReader(...all),
};

const ways = {
  block_user: { call: ({ user }) => ['block_user', { user, expire_at: now() + 600 }], code: 3507, status: 403 },
  revoke_token: { call: ({ id }) => ['revoke_token', { uid: id, expire_at: now() + 600 }], code: 3500, status: 401 },
  invalidate_user_tokens: { call: ({ user }) => ['invalidate_user_tokens', { user, issued_before: now() }], code: 3500, status: 401 },
};

for (const shards of [1, 4]) {
  describe(`on ${shards} shards`, { concurrency: true }, () => {
    let server;
    before(async () => { server = await startConfigured(CONFIG, { shards }); });
    after(() => server?.stop());

    for (const [method, way] of Object.entries(ways)) {
      test(`${method} reaches every door`, { timeout: 60_000 }, async (t) => {
        const who = { user: name('user'), id: name('token') };
        const token = tokenOf(who.user, who.id);
        const channel = name('news');
        const kept = SdkReader.of('websocket')(server, tokenOf(name('bystander'), name('token')), channel);
        // Several of each, so that all shards have some.
        const readers = Object.entries(READERS).flatMap(([kind, make]) => Array.from({ length: 4 }, () => ({ kind, reader: make(server, token, channel) })));
        t.after(() => [...readers.map(({ reader }) => reader), kept].forEach((reader) => reader.close()));
        let publishing = true;
        const publisher = (async () => {
          while (publishing) {
            await api(server, 'publish', { channel, data: Date.now() });
            await pause(EVERY_MS);
          }
        })();
        t.after(() => { publishing = false; });
        await until(() => readers.every(({ reader }) => reader.heard.length > 0), () => `all to hear; deaf: ${readers.filter(({ reader }) => reader.heard.length === 0).map(({ kind }) => kind)}`);

        await api(server, ...way.call(who));
        const answered = Date.now();
        // At once: no token opens anything any more.
        const published = await fetch(`${server.url}/pub/${channel}`, { method: 'POST', body: '1', headers: { Authorization: `Bearer ${token}` } });
        assert.equal(published.status, way.status);
        assert.equal((await fetch(`${server.url}/sse/${channel}?token=${token}`)).status, way.status);
        const late = READERS.WebSocket(server, token, channel);
        t.after(() => late.close());
        await until(() => readers.every(({ reader }) => reader.closed), () => `all to be closed; open: ${readers.filter(({ reader }) => !reader.closed).map(({ kind }) => kind)}`, CLOSED_MS - (Date.now() - answered));
        await until(() => late.closed, 'the latecomer to be refused');
        assert.deepEqual([late.codes, late.heard], [[way.code], []]);

        await pause(Math.max(0, answered + WATCH_MS - Date.now()));
        publishing = false;
        await publisher;
        for (const { kind, reader } of readers) {
          const last = Math.max(...reader.heard);
          assert.ok(last <= answered + GRACE_MS, `${kind} heard what was published ${last - answered} ms after the answer`);
          if (kind !== 'EventSource') assert.deepEqual(reader.codes, [way.code], kind);
          if (kind === 'EventSource') assert.ok(reader.statuses.slice(1).every((status) => status === way.status), `${reader.statuses}`);
        }
        assert.ok(Math.max(...kept.heard) > answered + GRACE_MS, 'others go on');
        assert.deepEqual(kept.codes, []);
      });
    }

    test('an unblocked user is let in again, and a newer token of an invalidated one', { timeout: 60_000 }, async (t) => {
      const channel = name('news');
      const [blocked, invalidated] = [name('user'), name('user')];
      await api(server, 'block_user', { user: blocked });
      await api(server, 'invalidate_user_tokens', { user: invalidated, issued_before: now() - 5 });
      await api(server, 'unblock_user', { user: blocked });
      const readers = [READERS.WebSocket(server, tokenOf(blocked, name('t')), channel), READERS.WebSocket(server, tokenOf(invalidated, name('t'), { iat: now() }), channel)];
      t.after(() => readers.forEach((reader) => reader.close()));
      await until(() => readers.every(({ record }) => record.state === 'subscribed'), 'both to be let in');
    });

    test('connects in a race with a revocation: nobody is left', { timeout: 60_000 }, async (t) => {
      const channel = name('news');
      const id = name('token');
      const token = tokenOf(name('user'), id);
      const readers = Array.from({ length: 40 }, () => READERS.WebSocket(server, token, channel));
      t.after(() => readers.forEach((reader) => reader.close()));
      await until(() => readers.some(({ client }) => client.connected.length > 0), 'the first to be connected');
      await api(server, 'revoke_token', { uid: id });
      await until(() => readers.every((reader) => reader.closed), 'all to be ended');
      for (const { codes } of readers) assert.deepEqual(codes, [3500]);
      assert.deepEqual((await api(server, 'channels', { pattern: channel })).channels, {});
    });

    test('a subscription by a revoked token ends alone; a refresh with one ends the connection', { timeout: 60_000 }, async (t) => {
      const user = name('user');
      const channel = `closed:${name('room')}`;
      const [byId, byTime] = [name('token'), name('token')];
      const client = new CentrifugeClient(server.url, { token: tokenOf(user, name('token')) });
      t.after(() => client.close());
      await client.connect();
      const first = await client.subscribe(channel, { token: tokenOf(user, byId, { channel }) });
      const second = await client.subscribe(`${channel}-2`, { token: tokenOf(user, byTime, { channel: `${channel}-2` }) });
      await api(server, 'revoke_token', { uid: byId });
      await until(() => first.unsubscribed.length === 1, 'the first subscription to end');
      assert.equal(first.unsubscribed[0].code, 2000);
      await api(server, 'invalidate_user_tokens', { user, channel: `${channel}-2` });
      await until(() => second.unsubscribed.length === 1, 'the second subscription to end');
      // It cannot come back by that token.
      first.subscription.subscribe();
      await until(() => first.unsubscribed.length === 2 || first.errors.length > 0, 'a refusal');
      assert.equal(first.subscription.state, 'unsubscribed');
      assert.equal(client.client.state, 'connected');

      const spent = name('token');
      await api(server, 'revoke_token', { uid: spent });
      const soon = new CentrifugeClient(server.url, { token: tokenOf(user, name('token'), { exp: now() + 2 }), getToken: async () => tokenOf(user, spent) });
      t.after(() => soon.close());
      await soon.connect();
      await until(() => soon.disconnected.length === 1, 'the refresh to fail');
      assert.equal(soon.disconnected[0].code, 3500);
    });

    test('connections and user status', { timeout: 60_000 }, async (t) => {
      const user = name('user');
      const id = name('token');
      const channel = name('news');
      const client = new CentrifugeClient(server.url, { token: tokenOf(user, id, { meta: { device: 'phone' } }), name: 'app', version: '1.2' });
      t.after(() => client.close());
      await client.connect();
      await client.subscribe(channel);
      const other = READERS.EventSource(server, tokenOf(user, name('token')), channel);
      t.after(() => other.close());
      await until(() => other.open, 'the stream');
      const { connections } = await api(server, 'connections', { user });
      assert.equal(Object.keys(connections).length, 2);
      const { state, ...facts } = connections[client.id];
      assert.deepEqual(facts, { app_name: 'app', app_version: '1.2', transport: 'websocket', protocol: 'json', user });
      assert.deepEqual(state.channels, { [channel]: {} });
      assert.equal(state.connection_token.uid, id);
      assert.deepEqual(state.meta, { device: 'phone' });
      const cut = await api(server, 'connections', { user, limit: 1 });
      assert.deepEqual([Object.keys(cut.connections).length, cut.truncated], [1, true]);

      const status = async () => (await api(server, 'get_user_status', { users: [user, 'nobody'] })).statuses;
      assert.deepEqual((await status()).map(({ user: of, active }) => [of, active]), [[user, undefined], ['nobody', undefined]]);
      assert.deepEqual((await client.client.rpc('update_user_status', {})).data, {});
      const [mine] = await status();
      assert.ok(Math.abs(mine.active - now()) < 3 && Math.abs(mine.online - now()) < 3, JSON.stringify(mine));
      await api(server, 'delete_user_status', { users: [user] });
      assert.equal((await status())[0].active, undefined);
    });
  });
}
