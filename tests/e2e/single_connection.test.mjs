// A user may be connected once: of many that come at the same moment exactly one stays.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Centrifuge } from 'centrifuge';
import { websocketUrl } from './lib/clients.mjs';
import { api } from './lib/http.mjs';
import { startConfigured } from './lib/server.mjs';
import { hmacToken } from './lib/tokens.mjs';
import { until } from './lib/wait.mjs';

const CONFIG = {
  client: {
    token: { hmac_secret_key: 'key' },
    subscribe_to_user_personal_channel: { enabled: true, personal_channel_namespace: 'mine', single_connection: true },
  },
  http_api: { insecure: true },
  channel: { namespaces: [{ name: 'mine' }] },
};
const MANY = 20;
const ROUNDS = 5;

class Connection {
  ended = [];
  received = [];

  constructor(url, user) {
    this.client = new Centrifuge(websocketUrl(url), { token: hmacToken('key', { sub: user }) });
    this.client.on('disconnected', ({ code, reason }) => this.ended.push({ code, reason }));
    this.client.on('publication', ({ data }) => this.received.push(data));
    this.client.connect();
  }
}

test(`${MANY} connections of one user at the same moment on 4 shards: exactly one stays, the others get 3504`, { timeout: 60_000 }, async (t) => {
  const server = await startConfigured(CONFIG, { shards: 4 });
  t.after(() => server.stop());
  for (let round = 0; round < ROUNDS; ++round) {
    const user = `user${round}`;
    const other = new Connection(server.url, `bystander${round}`);
    const all = Array.from({ length: MANY }, () => new Connection(server.url, user));
    t.after(() => [other, ...all].forEach(({ client }) => client.disconnect()));
    const open = () => all.filter(({ ended }) => ended.length === 0);
    await until(() => open().length <= 1 && other.client.state === 'connected', 'all but one to be ended');
    // Who stays is there for good: it hears what is published, when everything that was on its way has arrived.
    await api(server, 'publish', { channel: `mine:#${user}`, data: { round } });
    await until(() => open().some(({ received }) => received.length === 1), 'the one that stayed to hear of it');
    assert.equal(open().length, 1);
    assert.equal(open()[0].client.state, 'connected');
    for (const { ended } of all.filter((connection) => !open().includes(connection)))
      assert.deepEqual(ended, [{ code: 3504, reason: 'connection limit' }]);
    assert.deepEqual(other.ended, []);
    // A newer one takes its place.
    const newer = new Connection(server.url, user);
    t.after(() => newer.client.disconnect());
    await until(() => newer.client.state === 'connected' && open().length === 0, 'the newer one to take over');
    assert.deepEqual(newer.ended, []);
  }
});
