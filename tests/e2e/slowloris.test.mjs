// Connections that are opened to be held: half a head, a byte at a time, a body that never ends, an answer that nobody reads. Each has a
// deadline that no byte puts off; meanwhile others are served. With LONG=1 9,000 of them, the body's 30 seconds, and what others wait is
// compared with what they wait at the same time at a server that is left alone.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { metrics } from './lib/http.mjs';
import { inParallel, median } from './lib/raw_http.mjs';
import { startServer } from './lib/server.mjs';
import { p99, Visitor } from './lib/visitor.mjs';
import { until } from './lib/wait.mjs';
import { HANDSHAKE, Tcp } from './lib/wire.mjs';

const LONG = Boolean(process.env.LONG);
const EACH = LONG ? 1_000 : 80;
const SLACK_MS = 1_000;
// What others may wait at p99: with LONG=1 twice what they wait at a server without a crowd, or so little that it is the machine's noise; otherwise
// it is only no outage, since other tests' work is on the same cores.
const TIMES_LONGER = 2;
const NOISE_MS = 5;
const OUTAGE_MS = 500;
const HOST = 'Host: localhost\r\n';

// ServerOptions in src/http/server_options.h.
const HEADER_MS = 10_000;
const BODY_MS = 30_000;

// [kind, what is sent at once, what is sent again and again, the deadline, the answer]
const KINDS = [
  ['not a byte', '', '', HEADER_MS, ''],
  ['half a request line', 'GET /heal', '', HEADER_MS, '408'],
  ['headers without an end (H)', `GET /health HTTP/1.1\r\n${HOST}`, 'X-a: b\r\n', HEADER_MS, '408'],
  ['a header byte by byte', `GET /health HTTP/1.1\r\n${HOST}X-a: `, 'b', HEADER_MS, '408'],
  ['half a WebSocket handshake', HANDSHAKE.slice(0, -2), '', HEADER_MS, '408'],
  ['half a handshake, byte by byte', HANDSHAKE.slice(0, -4), 'x', HEADER_MS, '408'],
  ...(LONG ? [
    ['a body byte by byte (B)', `POST /pub/slow HTTP/1.1\r\n${HOST}Content-Length: 100000\r\n\r\n`, 'b', BODY_MS, '408'],
    ['a chunk byte by byte', `POST /pub/slow HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\nfff\r\n`, 'b', BODY_MS, '408'],
    ['chunk extensions', `POST /pub/slow HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n1;a=`, 'b', BODY_MS, '408'],
  ] : []),
];

let server;
before(async () => { server = await startServer(); });
after(() => server.stop());

/** Opens them all, keeps feeding them, and resolves with how long each was let: at the least, from when it was ready, and at the most. */
async function hold([kind, first, more, , answer]) {
  const crowd = [];
  const feed = more && setInterval(() => { for (const { socket, write } of crowd) if (socket.writable) write(); }, 500);
  const lasted = await inParallel(EACH, Array.from({ length: EACH }), async () => {
    const asked = performance.now();
    const one = new Tcp(server.port);
    // The server's end; its last byte is the answer's.
    const end = once(one.socket, 'end').catch(() => {});
    await one.connected();
    if (first) one.write(first);
    const ready = performance.now();
    crowd.push({ socket: one.socket, write: () => one.write(more) });
    await end;
    const ended = performance.now();
    assert.equal(one.text.slice(9, 12), answer, kind);
    one.socket.destroy();
    return { least: ended - ready, most: ended - asked };
  });
  clearInterval(feed);
  return lasted;
}

describe('slow clients', () => {
  test(`${EACH} of each of ${KINDS.length} kinds are ended at their deadline, and others are served`, async (t) => {
    const base = (await metrics(server)).get('parley_http_connections');
    const visit = (port) => {
      const visitor = new Visitor(port);
      t.after(() => visitor.leave());
      return visitor;
    };
    const others = visit(server.port);
    let elsewhere;
    if (LONG) {
      const quiet = await startServer();
      t.after(() => quiet.stop());
      elsewhere = visit(quiet.port);
    }
    const lasted = await Promise.all(KINDS.map(hold));
    const waits = await others.taken();
    const quietly = await elsewhere?.taken();
    const over = [];
    for (const [row, [kind, , , deadline]] of KINDS.entries()) {
      const shortest = Math.min(...lasted[row].map(({ most }) => most));
      const longest = Math.max(...lasted[row].map(({ least }) => least));
      over.push(longest - deadline);
      assert.ok(shortest >= deadline, `${kind}: ended after ${shortest} ms`);
      assert.ok(longest <= deadline + SLACK_MS, `${kind}: held for ${longest} ms`);
    }
    await until(async () => (await metrics(server)).get('parley_http_connections') <= base, 'the slots are free again', SLACK_MS);
    console.log(JSON.stringify({
      held: EACH * KINDS.length, longest_ms_over: Math.round(Math.max(...over)),
      others_served: waits.length, others_median_ms: median(waits).toFixed(2), others_p99_ms: p99(waits).toFixed(2),
      ...(quietly && { elsewhere_median_ms: median(quietly).toFixed(2), elsewhere_p99_ms: p99(quietly).toFixed(2) }),
    }));
    const bound = quietly ? Math.max(TIMES_LONGER * p99(quietly), NOISE_MS) : OUTAGE_MS;
    assert.ok(waits.length >= 50 && p99(waits) <= bound, `${waits.length} served, p99 ${p99(waits)} ms, at most ${bound} ms`);
  });
});
