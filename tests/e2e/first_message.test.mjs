// Runs beside other files: it waits more than it works.
// The unmodified client sends its connect and all subscribes that wait for it, with their tokens, as one message: it has to fit before anybody knows
// who that is, also when it comes back.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Centrifuge } from 'centrifuge';
import { api } from './lib/http.mjs';
import { startConfigured } from './lib/server.mjs';
import { hmacToken } from './lib/tokens.mjs';
import { until } from './lib/wait.mjs';

const KEY = 'key';
// As many as a client may have by default.
const SUBSCRIPTIONS = 128;
const RECONNECT = 3100;

let server;
before(async () => {
  server = await startConfigured({
    http_api: { insecure: true }, client: { token: { hmac_secret_key: KEY } }, channel: { without_namespace: { presence: true } },
  });
});
after(() => server?.stop());

const tokenOf = (channel) => hmacToken(KEY, { sub: 'ann', channel, jti: 'x'.repeat(150) });

test('128 subscriptions with a token of their own are there when a client comes, and when it comes back', async () => {
  const client = new Centrifuge(server.url.replace('http', 'ws') + '/connection/websocket', { token: hmacToken(KEY, { sub: 'ann' }), minReconnectDelay: 50, maxReconnectDelay: 100 });
  let connected = 0;
  let wrong;
  client.on('connected', () => { connected += 1; });
  client.on('disconnected', (why) => { wrong = why; });
  const channels = Array.from({ length: SUBSCRIPTIONS }, (_, i) => `channel-${i}`);
  const subscriptions = channels.map((channel) => client.newSubscription(channel, { token: tokenOf(channel) }));
  assert.ok(tokenOf(channels[0]).length > 300);
  for (const one of subscriptions) one.subscribe();
  client.connect();
  try {
    const allThere = (times) => until(() => wrong || (connected === times && subscriptions.every(({ state }) => state === 'subscribed')), 'all subscriptions', 10_000);
    await allThere(1);
    await api(server, 'disconnect', { user: 'ann', disconnect: { code: RECONNECT, reason: 'again' } });
    await until(() => wrong || connected === 2, 'the client', 10_000);
    await allThere(2);
    assert.equal(wrong, undefined);
  } finally {
    client.disconnect();
  }
});
