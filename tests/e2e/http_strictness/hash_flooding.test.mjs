// Channels whose names all have the same hash in Java and many others: they cost what random ones cost. 100,000 with LONG=1.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { api } from '../lib/http.mjs';
import { cpuSeconds } from '../lib/process.mjs';
import { inParallel } from '../lib/raw_http.mjs';
import { startServer } from '../lib/server.mjs';

const NAMES = process.env.LONG ? 100_000 : 40_000;
const BITS = 17;

const polynomial = (text) => [...text].reduce((sum, c) => (Math.imul(sum, 31) + c.charCodeAt(0)) >>> 0, 0);
// "Aa" and "BB" have the same.
const colliding = (i) => Array.from({ length: BITS }, (_, bit) => ((i >> bit) & 1 ? 'Aa' : 'BB')).join('');
const random = () => Array.from({ length: BITS * 2 }, () => 'ABCDEFGHIJKLMNOP'[Math.floor(Math.random() * 16)]).join('');

async function cost(names) {
  const server = await startServer({ shards: 1 });
  try {
    await api(server, 'info');
    const before = await cpuSeconds(server.pid);
    // Twice: into the tables, and found there.
    for (const data of [1, 2]) {
      const pages = Array.from({ length: names.length / 1000 }, (_, i) => names.slice(i * 1000, i * 1000 + 1000));
      await inParallel(10, pages, async (channels) => {
        const { responses } = await api(server, 'broadcast', { channels, data });
        assert.ok(responses.every(({ result }) => result.offset === data));
      });
    }
    return await cpuSeconds(server.pid) - before;
  } finally {
    await server.kill();
  }
}

test(`${NAMES} names with one hash cost no more than others`, async () => {
  const bad = Array.from({ length: NAMES }, (_, i) => colliding(i));
  assert.equal(new Set(bad).size, NAMES);
  assert.equal(new Set(bad.slice(0, 1000).map(polynomial)).size, 1);
  const [one, other] = await Promise.all([cost(bad), cost(Array.from({ length: NAMES }, random))]);
  console.log(JSON.stringify({ names: NAMES, colliding_cpu_seconds: one, random_cpu_seconds: other }));
  // Twice is the bar; a tick of the clock more for each.
  assert.ok(one <= 2 * other + 0.1, `${one} s instead of ${other} s`);
});
