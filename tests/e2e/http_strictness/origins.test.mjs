// Which pages may speak to the server, at each of its doors: cross-site WebSocket hijacking and permissive CORS.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { exchange, inParallel, parseAnswers, parseHead } from '../lib/raw_http.mjs';
import { startConfigured } from '../lib/server.mjs';
import { ALLOWED, ORIGINS } from './origin_table.mjs';

const OPEN = {
  client: { allow_anonymous_connect_without_token: true },
  channel: {
    without_namespace: {
      allow_subscribe_for_client: true, allow_subscribe_for_anonymous: true, allow_publish_for_client: true, allow_publish_for_anonymous: true,
    },
  },
  pub: { enabled: true },
  event_stream: { enabled: true },
};

const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n';

// [door, the request's beginning, its end, the status for who may]
const DOORS = [
  ['WebSocket', 'GET /connection/websocket HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n', `${key}\r\n`, 101],
  ['/sse', 'GET /sse/news HTTP/1.1\r\nConnection: close\r\n', '\r\n', 200],
  ['/sse, HEAD', 'HEAD /sse/news HTTP/1.1\r\nConnection: close\r\n', '\r\n', 200],
  ['/pub', 'POST /pub/news HTTP/1.1\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: 1\r\n', '\r\n1', 200],
  ['/pub, OPTIONS', 'OPTIONS /pub/news HTTP/1.1\r\nConnection: close\r\nAccess-Control-Request-Method: POST\r\n', '\r\n', 204],
];

async function check(server, [door, start, end, welcome], origin, allowed) {
  const host = `127.0.0.1:${server.port}`;
  const page = origin?.replace('HOST', host).replace('PORT', server.port);
  const bytes = `${start}Host: ${host}\r\n${page === undefined ? '' : `Origin: ${page}\r\n`}${end}`;
  const method = start.split(' ')[0];
  // A connection that stays open is given up.
  const lasts = (came) => method === 'GET' && /^HTTP\/1\.1 [12]/.test(came) && parseHead(came);
  const { text } = await exchange(server.port, bytes, { enough: lasts });
  const { status, headers } = lasts(text) || parseAnswers(text, [method])[0];
  const what = `${door} from ${JSON.stringify(page)}`;
  assert.equal(status, allowed ? welcome : 403, what);
  // Only who may is told so, with its own name and never a star.
  const told = allowed && page !== undefined && welcome !== 101 ? page : undefined;
  assert.equal(headers.get('access-control-allow-origin'), told, what);
}

for (const [name, client, column] of [['a list of origins', { allowed_origins: ALLOWED }, 1], ['no list', {}, 2]]) {
  describe(name, () => {
    test(`${ORIGINS.length} origins at ${DOORS.length} doors`, async () => {
      assert.ok(ORIGINS.length >= 40);
      const server = await startConfigured({ ...OPEN, client: { ...OPEN.client, ...client } });
      const wrong = [];
      await inParallel(16, DOORS.flatMap((door) => ORIGINS.map((row) => [door, row])), async ([door, row]) => {
        await check(server, door, row[0], row[column]).catch(({ message }) => wrong.push(message));
      });
      await server.stop();
      assert.deepEqual(wrong, []);
    });
  });
}
