// Who a client is and what it is told, with the unmodified client in JSON and in Protobuf: tokens and their renewal,
// subscriptions of tokens and of the server API, and what namespaces give.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Centrifuge } from 'centrifuge';
import { Centrifuge as ProtobufCentrifuge } from 'centrifuge/build/protobuf';
import { CentrifugeClient } from './lib/clients.mjs';
import { api } from './lib/http.mjs';
import { startProxy } from './lib/proxy.mjs';
import { startServe } from './lib/server.mjs';
import { hmacToken, now } from './lib/tokens.mjs';
import { until } from './lib/wait.mjs';

const HISTORY = { history_size: 100, history_ttl: '5m' };
const OPEN = { allow_subscribe_for_client: true };
const NAMESPACES = [
  { name: 'chat', ...OPEN, presence: true, join_leave: true, force_push_join_leave: true, allow_publish_for_subscriber: true, allow_presence_for_subscriber: true },
  { name: 'asked', ...OPEN, presence: true, join_leave: true, allow_presence_for_client: true },
  { name: 'closed', ...HISTORY, force_recovery: true },
  { name: 'mine', ...HISTORY, force_recovery: true },
  { name: 'allowed', ...OPEN, ...HISTORY, allow_recovery: true, allow_positioning: true },
  { name: 'forbidden', ...OPEN, ...HISTORY },
  { name: 'cache', ...OPEN, ...HISTORY, force_recovery: true, force_recovery_mode: 'cache' },
  { name: 'delta', ...OPEN, ...HISTORY, force_recovery: true, delta_publish: true, allowed_delta_types: ['fossil'] },
  { name: 'tags', ...OPEN, ...HISTORY, force_recovery: true, allow_tags_filter: true },
];
// A client is told whole seconds and asks up to one second late, so a delay of one second would be a matter of luck.
const CONFIG = {
  client: {
    token: { hmac_secret_key: 'key' }, expired_close_delay: '2s', expired_sub_close_delay: '2s', channel_limit: 4,
    subscribe_to_user_personal_channel: { enabled: true, personal_channel_namespace: 'mine' },
  },
  http_api: { key: 'api-key' },
  channel: { namespaces: NAMESPACES },
};

const tokenOf = (user, claims = {}) => hmacToken('key', { sub: user, ...claims });
const call = (method, body) => api(server, method, body, { 'X-API-Key': 'api-key' });

let server;
let folder;
let names = 0;
before(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'parley-identity-'));
  const file = path.join(folder, 'parley.json');
  await writeFile(file, JSON.stringify(CONFIG));
  server = await startServe(file);
});
after(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** What a test needs, all of its own. */
class Scene {
  #closers = [];

  constructor(format, proxy) {
    this.Sdk = format === 'JSON' ? Centrifuge : ProtobufCentrifuge;
    this.binary = format !== 'JSON';
    this.proxy = proxy;
    names += 1;
    this.user = `user${names}`;
    this.name = `x${names}`;
  }

  /** Values as this format's client takes and gives them. */
  write(value) { return this.binary ? new TextEncoder().encode(JSON.stringify(value)) : value; }
  read(data) { return this.binary && data !== undefined ? JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(data)) : data; }
  values(record) { return record.data.map((data) => this.read(data)); }

  /** A client that is not connected yet; hears of server-side subscriptions in `serverSide`. */
  client(options = {}) {
    const client = new CentrifugeClient(this.proxy.url, { Sdk: this.Sdk, token: tokenOf(this.user), ...options });
    this.#closers.push(() => client.close());
    client.serverSide = { subscribed: [], unsubscribed: [], publications: [] };
    client.client
      .on('subscribed', (context) => client.serverSide.subscribed.push(context))
      .on('unsubscribed', ({ channel }) => client.serverSide.unsubscribed.push(channel))
      .on('publication', ({ channel, data, offset }) => client.serverSide.publications.push({ channel, offset, data: this.read(data) }));
    return client;
  }

  connect(options) { return this.client(options).connect(); }

  async close() {
    for (const close of this.#closers) close();
    await this.proxy.close();
  }
}

for (const format of ['JSON', 'Protobuf']) {
  describe(format, { concurrency: true }, () => {
    const scene = (name, body) => test(name, { timeout: 20_000 }, async () => {
      const one = new Scene(format, await startProxy(server.port));
      try {
        await body(one);
      } finally {
        await one.close();
      }
    });

    scene("a token's info is shown in presence and with publications", async (s) => {
      const channel = `chat:${s.name}`;
      const client = await s.connect({ token: tokenOf(s.user, { info: { name: 'Zoë' } }) });
      const other = await s.connect({ token: tokenOf(`${s.user}b`) });
      const heard = await other.subscribe(channel);
      const record = await client.subscribe(channel);
      const { clients } = await record.subscription.presence();
      assert.equal(clients[client.id].user, s.user);
      assert.deepEqual(s.read(clients[client.id].connInfo), { name: 'Zoë' });
      assert.equal(clients[other.id].user, `${s.user}b`);
      assert.equal((await record.subscription.presenceStats()).numUsers, 2);
      await client.publish(channel, s.write({ text: 'hello' }));
      await heard.count(1);
      const [{ data, info }] = heard.publications;
      assert.deepEqual(s.read(data), { text: 'hello' });
      assert.deepEqual([info.user, info.client, s.read(info.connInfo)], [s.user, client.id, { name: 'Zoë' }]);
    });

    scene('getToken before the expiry keeps the connection', async (s) => {
      let asked = 0;
      const getToken = async () => { asked += 1; return tokenOf(s.user, { exp: now() + 2 }); };
      const client = await s.connect({ token: tokenOf(s.user, { exp: now() + 2 }), getToken });
      const since = Date.now();
      await until(() => asked >= 3 && Date.now() - since > 5_000, 'three renewals');
      const record = await client.subscribe(`chat:${s.name}`);
      assert.equal(record.subscribed.length, 1);
      assert.deepEqual([client.connected.length, client.connecting.length, client.disconnected.length], [1, 1, 0]);
    });

    scene('an expired token is renewed by getToken', async (s) => {
      let asked = 0;
      const getToken = async () => { asked += 1; return tokenOf(s.user); };
      const client = await s.connect({ token: tokenOf(s.user, { exp: now() - 5 }), getToken });
      assert.equal(asked, 1);
      assert.equal(client.connected.length, 1);
      assert.equal(client.errors[0].error.code, 109);
    });

    scene('who does not renew is disconnected once the delay is over', async (s) => {
      let broken = true;
      const getToken = async () => { if (broken) throw new Error('the backend is down'); return tokenOf(s.user); };
      const client = await s.connect({ token: tokenOf(s.user, { exp: now() + 2 }), getToken });
      await until(() => client.connecting.some(({ code }) => code === 3005), () => `3005 in ${JSON.stringify(client.connecting)}`);
      broken = false;
      await until(() => client.connected.length === 2, 'a new connection with a new token');
    });

    scene("a private channel's token, and its renewal", async (s) => {
      const channel = `$closed:${s.name}`;
      const client = await s.connect();
      let asked = 0;
      const getToken = async (context) => {
        asked += 1;
        assert.equal(context.channel, channel);
        return tokenOf(s.user, { channel, exp: now() + 2, info: { seat: 7 } });
      };
      const record = await client.subscribe(channel, { getToken });
      await until(() => asked >= 3, 'two renewals');
      await call('publish', { channel, data: 1 });
      await record.count(1);
      assert.deepEqual([record.subscribed.length, record.subscribing.slice(1), record.unsubscribed], [1, [], []]);
      assert.equal(client.connected.length, 1);
    });

    scene('a private channel without a token, or with that of another channel, is refused', async (s) => {
      const client = await s.connect();
      const ends = [];
      const none = client.client.newSubscription(`$closed:${s.name}`);
      none.on('unsubscribed', ({ code }) => ends.push(code));
      none.subscribe();
      await until(() => ends.length === 1, 'a refusal');
      assert.deepEqual(ends, [103]);
      const stranger = client.client.newSubscription(`$closed:${s.name}b`, { token: tokenOf(s.user, { channel: `$closed:${s.name}` }) });
      stranger.subscribe();
      await until(() => client.disconnected.length === 1, 'a disconnect');
      assert.equal(client.disconnected[0].code, 3500);
    });

    for (const [claim, claims] of [
      ['subs', (channel) => ({ subs: { [channel]: { info: { seat: 1 }, data: { welcome: true } } } })],
      ['channels', (channel) => ({ channels: [channel] })],
    ]) {
      scene(`subscriptions of a token's ${claim}, recovered after a cut`, async (s) => {
        const channel = `closed:${s.name}`;
        const client = await s.connect({ token: tokenOf(s.user, claims(channel)) });
        await until(() => client.serverSide.subscribed.some((context) => context.channel === channel), 'the subscription');
        const first = client.serverSide.subscribed.find((context) => context.channel === channel);
        assert.equal(first.recoverable, true);
        if (claim === 'subs') assert.deepEqual(s.read(first.data), { welcome: true });
        await call('publish', { channel, data: 1 });
        await until(() => client.serverSide.publications.length === 1, 'the first');
        s.proxy.breakDown();
        for (const data of [2, 3]) await call('publish', { channel, data });
        s.proxy.restore();
        await until(() => client.serverSide.publications.length >= 3, 'what was missed');
        await call('publish', { channel, data: 4 });
        await until(() => client.serverSide.publications.length >= 4, 'the last');
        assert.deepEqual(client.serverSide.publications, [1, 2, 3, 4].map((data) => ({ channel, offset: data, data })));
        const last = client.serverSide.subscribed.findLast((context) => context.channel === channel);
        assert.deepEqual([last.wasRecovering, last.recovered], [true, true]);
      });
    }

    scene('the personal channel', async (s) => {
      const channel = `mine:#${s.user}`;
      const client = await s.connect();
      const other = await s.connect({ token: tokenOf(`${s.user}b`) });
      await until(() => client.serverSide.subscribed.length === 1, 'the subscription');
      assert.equal(client.serverSide.subscribed[0].channel, channel);
      await call('publish', { channel, data: 'for you' });
      await until(() => client.serverSide.publications.length === 1, 'a publication');
      assert.deepEqual(client.serverSide.publications, [{ channel, offset: 1, data: 'for you' }]);
      assert.deepEqual(other.serverSide.publications, []);
    });

    scene('the server subscribes and unsubscribes', async (s) => {
      const channel = `closed:${s.name}`;
      const client = await s.connect();
      await call('publish', { channel, data: 'before' });
      await call('subscribe', { user: s.user, channel, data: { why: 'you are chosen' } });
      await until(() => client.serverSide.subscribed.length === 2, 'the subscription');
      const context = client.serverSide.subscribed[1];
      assert.deepEqual([context.channel, context.recoverable, context.positioned, context.streamPosition.offset], [channel, true, true, 1]);
      assert.deepEqual(s.read(context.data), { why: 'you are chosen' });
      await call('publish', { channel, data: 'live' });
      await until(() => client.serverSide.publications.length === 1, 'a publication');
      assert.deepEqual(client.serverSide.publications[0], { channel, offset: 2, data: 'live' });
      await call('unsubscribe', { user: s.user, channel });
      await until(() => client.serverSide.unsubscribed.length === 1, 'the end');
      assert.deepEqual(client.serverSide.unsubscribed, [channel]);

      const record = await client.subscribe(`chat:${s.name}`);
      await call('unsubscribe', { user: s.user, channel: `chat:${s.name}` });
      await until(() => record.unsubscribed.length === 1, 'the end of its own');
      assert.equal(record.unsubscribed[0].code, 2000);
      assert.equal(client.connected.length, 1);
    });

    scene('the server disconnects, for good or for now', async (s) => {
      const client = await s.connect();
      await call('disconnect', { user: s.user, disconnect: { code: 3001, reason: 'come back' } });
      await until(() => client.connected.length === 2, 'a new connection');
      assert.deepEqual(client.connecting.at(-1), { code: 3001, reason: 'come back' });
      await call('disconnect', { user: s.user });
      await until(() => client.disconnected.length === 1, 'the end');
      assert.deepEqual(client.disconnected[0], { code: 3503, reason: 'force disconnect' });
    });

    scene('the server declares a connection expired', async (s) => {
      let asked = 0;
      const client = await s.connect({ getToken: async () => { asked += 1; return tokenOf(s.user); } });
      await call('refresh', { user: s.user, expired: true });
      await until(() => client.connecting.some(({ code }) => code === 3005), () => `3005 in ${JSON.stringify(client.connecting)}`);
      await until(() => client.connected.length === 2, 'a new connection');
      assert.equal(client.disconnected.length, 0);
    });

    scene('the server gives a connection another expiry', async (s) => {
      const kept = await s.connect({ token: tokenOf(s.user, { exp: now() + 3 }), getToken: () => new Promise(() => {}) });
      const ended = await s.connect({ token: tokenOf(`${s.user}b`) });
      await call('refresh', { user: s.user, expire_at: now() + 600 });
      await call('refresh', { user: `${s.user}b`, expire_at: now() + 1 });
      const since = Date.now();
      await until(() => ended.connecting.some(({ code }) => code === 3005), () => `3005 in ${JSON.stringify(ended.connecting)}`);
      await until(() => Date.now() - since > 6_500, 'the old expiry');
      assert.equal(kept.connecting.length, 1);
    });

    scene('recovery and positioning for those who ask, where it is allowed', async (s) => {
      const client = await s.connect();
      const asks = { recoverable: true, positioned: true };
      const allowed = await client.subscribe(`allowed:${s.name}`, asks);
      const forbidden = await client.subscribe(`forbidden:${s.name}`, asks);
      const silent = await client.subscribe(`allowed:${s.name}b`);
      const told = [allowed, forbidden, silent].map(({ subscribed: [{ recoverable, positioned }] }) => [recoverable, positioned]);
      assert.deepEqual(told, [[true, true], [false, false], [false, false]]);
      s.proxy.breakDown();
      for (const channel of [`allowed:${s.name}`, `forbidden:${s.name}`]) await call('publish', { channel, data: 1 });
      s.proxy.restore();
      await allowed.count(1);
      assert.equal(allowed.subscribed.at(-1).recovered, true);
      await until(() => forbidden.subscribed.length === 2, 'the other');
      assert.equal(forbidden.publications.length, 0);
    });

    scene('cache mode gives the newest publication at once', async (s) => {
      const channel = `cache:${s.name}`;
      const client = await s.connect();
      for (const data of [1, 2, 3]) await call('publish', { channel, data });
      const record = await client.subscribe(channel, { since: {} });
      await record.count(1);
      assert.deepEqual(s.values(record), [3]);
      assert.equal(record.subscribed[0].recovered, true);
      s.proxy.breakDown();
      for (const data of [4, 5]) await call('publish', { channel, data });
      s.proxy.restore();
      await record.count(2);
      await call('publish', { channel, data: 6 });
      await record.count(3);
      assert.deepEqual(s.values(record), [3, 5, 6]);
      const plain = await (await s.connect()).subscribe(channel);
      await call('publish', { channel, data: 7 });
      await plain.count(1);
      assert.deepEqual(s.values(plain), [7]);
    });

    scene('delta_publish: deltas for those who ask', async (s) => {
      const channel = `delta:${s.name}`;
      const value = (n) => ({ n, text: 'Málaga 進行中 '.repeat(30) });
      const deltas = await (await s.connect()).subscribe(channel, { delta: 'fossil' });
      const plain = await (await s.connect()).subscribe(channel);
      for (let n = 1; n <= 5; n += 1) await call('publish', { channel, data: value(n) });
      for (const record of [deltas, plain]) await record.count(5);
      s.proxy.breakDown();
      for (let n = 6; n <= 8; n += 1) await call('publish', { channel, data: value(n) });
      s.proxy.restore();
      for (const record of [deltas, plain]) await record.count(8);
      await call('publish', { channel, data: value(9) });
      for (const record of [deltas, plain]) {
        await record.count(9);
        assert.deepEqual(s.values(record), Array.from({ length: 9 }, (_, i) => value(i + 1)));
      }
    });

    scene('a tags filter gives only what matches', async (s) => {
      const channel = `tags:${s.name}`;
      const client = await s.connect();
      const record = await client.subscribe(channel, { tagsFilter: { key: 'ticker', cmp: 'in', vals: ['A', 'B'] } });
      for (const [data, ticker] of [[1, 'A'], [2, 'C'], [3, 'B']]) await call('publish', { channel, data, tags: { ticker } });
      await record.count(2);
      s.proxy.breakDown();
      for (const [data, ticker] of [[4, 'C'], [5, 'A']]) await call('publish', { channel, data, tags: { ticker } });
      s.proxy.restore();
      await record.count(3);
      assert.deepEqual(s.values(record), [1, 3, 5]);
      assert.deepEqual(record.publications[0].tags, { ticker: 'A' });
      const refused = client.client.newSubscription(`chat:${s.name}`, { tagsFilter: { key: 'a', cmp: 'eq', val: 'b' } });
      const code = new Promise((resolve) => { refused.on('unsubscribed', (context) => resolve(context.code)); });
      refused.subscribe();
      assert.equal(await code, 107);
    });

    scene('joins and leaves come to all where they are pushed, and else to those who ask', async (s) => {
      const [one, two] = [await s.connect(), await s.connect({ token: tokenOf(`${s.user}b`, { info: { name: 'B' } }) })];
      const pushed = await one.subscribe(`chat:${s.name}`);
      const asking = await one.subscribe(`asked:${s.name}`, { joinLeave: true });
      const silent = await (await s.connect({ token: tokenOf(`${s.user}c`) })).subscribe(`asked:${s.name}`);
      for (const channel of [`chat:${s.name}`, `asked:${s.name}`]) {
        const record = await two.subscribe(channel);
        record.subscription.unsubscribe();
      }
      const of = (list) => list.filter(({ user }) => user === `${s.user}b`);
      for (const record of [pushed, asking]) {
        await until(() => of(record.leaves).length === 1, () => `a leave; there are ${JSON.stringify([record.subscription.channel, record.joins, record.leaves])}`);
        assert.equal(of(record.joins).length, 1);
        assert.equal(of(record.joins)[0].client, two.id);
        assert.deepEqual(s.read(of(record.joins)[0].connInfo), { name: 'B' });
      }
      assert.deepEqual([silent.joins, silent.leaves], [[], []]);
    });

    scene('no more subscriptions than allowed', async (s) => {
      const client = await s.connect();
      const channels = [1, 2, 3].map((n) => `chat:${s.name}-${n}`);
      for (const channel of channels) await client.subscribe(channel);
      const last = client.client.newSubscription(`chat:${s.name}-4`);
      const code = new Promise((resolve) => { last.on('unsubscribed', (context) => resolve(context.code)); });
      last.subscribe();
      assert.equal(await code, 106, 'the personal channel and three more are four');
      client.client.getSubscription(channels[0]).unsubscribe();
      last.subscribe();
      await last.ready(5_000);
      assert.equal(client.connected.length, 1);
    });
  });
}
