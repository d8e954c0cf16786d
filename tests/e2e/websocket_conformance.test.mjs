// WebSocket conformance: tables of conversations with the RFC's answers (websocket_conformance/), each whole and cut at random
// places, against /echo of the real binary; every place: tests/long/. PARLEY_SEED repeats the cuts. WEBSOCKET_ECHO_PORT names
// another server, which must serve the same at /echo, to compare with.
import { after, before } from 'node:test';
import { crc32 } from 'node:zlib';
import { takeSeed, Random } from './lib/random.mjs';
import { startServer } from './lib/server.mjs';
import { Barrier } from './websocket_conformance/barrier.mjs';
import { runCase } from './websocket_conformance/run_case.mjs';
import { runHandshake } from './websocket_conformance/run_handshake.mjs';
import { counts, suite, waysToCut } from './websocket_conformance/suite.mjs';
import { FRAMES, HANDSHAKES } from './websocket_conformance/tables.mjs';

const PATH = '/echo';
const seed = takeSeed('websocket conformance');
let server;
let port;
let barrier;

before(async () => {
  const other = process.env.WEBSOCKET_ECHO_PORT;
  // One shard: the barrier's pong says that it has read what came before on all connections.
  if (!other) server = await startServer({ shards: 1, args: ['--echo'] });
  port = other ? Number(other) : server.port;
  barrier = await new Barrier().open(port, PATH);
});
after(async () => {
  barrier?.close();
  console.log(`${counts.cases} cases, ${counts.runs} runs with cuts, seed ${seed}`);
  await server?.stop();
});

const where = () => ({ port, path: PATH, barrier });
// Of its own for each case, so that the order in which they run changes nothing.
const ways = (bytes, one) => waysToCut(bytes, new Random(seed ^ crc32(one.name)), one.cuts);
for (const [name, table] of FRAMES) suite(name, table, (one, how) => runCase(one, { ...where(), ...how }), ways);
for (const [name, table] of HANDSHAKES) suite(name, table, (one, how) => runHandshake(one, { ...where(), ...how }), ways);
