// Every length that a request can name, around its limit and around the sizes of integers: the right answer, and no memory for a promise.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isSanitized } from '../lib/process.mjs';
import { exchange, inParallel, median, parseAnswers } from '../lib/raw_http.mjs';
import { startServer } from '../lib/server.mjs';
import { openTcp } from '../lib/wire.mjs';

let server;
before(async () => { server = await startServer(); });
after(() => server.stop());

const MiB = 1024 * 1024;
// [door, its limit, the limit of the route, beyond which no body is read]
const DOORS = [['/pub/lengths', MiB, MiB * 1.25], ['/api/info', MiB, MiB]];
const HUGE = [2n ** 31n - 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 32n + 1n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n, 2n ** 64n, 2n ** 64n + 1n, 10n ** 30n];

const body = (size) => (size < 2 ? '1'.repeat(size) : `{}${' '.repeat(size - 2)}`);
const post = (path, header, rest) => `POST ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${header}\r\n\r\n${rest}`;
const hex = (size) => size.toString(16);

/** What the door says to a body of this size that it has read. */
const verdict = (path, limit, size) => {
  if (size > limit) return 413;
  return size === 0 || (path.startsWith('/api') && size < 2) ? 400 : 200;
};

const WAYS = {
  'Content-Length': {
    whole: (path, size) => post(path, `Content-Length: ${size}`, body(size)),
    promise: (path, size) => post(path, `Content-Length: ${size}`, '{}'),
    unreadable: (size) => size >= 2n ** 64n,
  },
  'one chunk': {
    whole: (path, size) => post(path, 'Transfer-Encoding: chunked', `${size ? `${hex(size)}\r\n${body(size)}\r\n` : ''}0\r\n\r\n`),
    promise: (path, size) => post(path, 'Transfer-Encoding: chunked', `${hex(size)}\r\n{}`),
    unreadable: (size) => hex(size).length > 16,
  },
  // The sum of what was there and what is promised must not wrap around.
  'a second chunk': {
    whole: (path, size) => post(path, 'Transfer-Encoding: chunked', `${size > 2 ? `2\r\n{}\r\n${hex(size - 2)}\r\n${' '.repeat(size - 2)}\r\n0\r\n\r\n` : `${size ? `${hex(size)}\r\n${body(size)}\r\n` : ''}0\r\n\r\n`}`),
    promise: (path, size) => post(path, 'Transfer-Encoding: chunked', `2\r\n{}\r\n${hex(size - 2n)}\r\n`),
    unreadable: (size) => hex(size - 2n).length > 16,
  },
};

test('lengths at the limits, and at those of 31, 32, 63 and 64 bits', async () => {
  const rows = [];
  for (const [path, limit, route] of DOORS) {
    for (const [way, { whole, promise, unreadable }] of Object.entries(WAYS)) {
      // The last is far behind the refusal: the rest of it must not turn the close into a reset that overtakes the answer.
      for (const size of [0, 1, 2, limit - 1, limit, limit + 1, route, route + 1, 3 * route]) {
        rows.push([`${path}, ${way} of ${size}`, whole(path, size), verdict(path, limit, size)]);
      }
      for (const size of HUGE) rows.push([`${path}, ${way} of ${size}`, promise(path, size), unreadable(size) ? 400 : 413]);
    }
  }
  const ask = async ([name, bytes, status]) => {
    const { text, end, ms } = await exchange(server.port, bytes);
    assert.deepEqual(parseAnswers(text).map((answer) => answer.status), [status], name);
    assert.equal(end, 'fin', name);
    return { ms, refused: status >= 400 };
  };
  const warm = await inParallel(8, rows, ask);
  const before = await server.memory();
  const promises = rows.filter(([, bytes]) => bytes.length < 1000);
  for (let i = 0; i < 10; i += 1) warm.push(...await inParallel(8, promises, ask));
  const grown = (await server.memory()) - before;
  console.log(JSON.stringify({ rows: rows.length, answers: warm.length, median_ms_of_a_refusal: median(warm.filter(({ refused }) => refused).map(({ ms }) => ms)).toFixed(2), rss_growth_kib: grown / 1024 }));
  if (!await isSanitized(server.pid)) assert.ok(grown <= MiB, `${grown} bytes for promises`);
});

test('a thousand promises of a megabyte cost next to nothing', async () => {
  const crowd = await Promise.all(Array.from({ length: 1000 }, () => openTcp(server.port)));
  const before = await server.memory();
  for (const one of crowd) one.write(`POST /pub/promise HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: ${MiB}\r\n\r\n`);
  await Promise.all(crowd.map((one) => one.has('HTTP/1.1 100 Continue\r\n\r\n')));
  const each = ((await server.memory()) - before) / 1024 / crowd.length;
  for (const one of crowd) one.reset();
  console.log(JSON.stringify({ promises: crowd.length, rss_growth_kib_each: each }));
  if (!await isSanitized(server.pid)) assert.ok(each <= 4, `${each} KiB for each`);
});
