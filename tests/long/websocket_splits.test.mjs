// Every short conversation of the conformance tables in every split into two pieces, and byte by byte: the same outcome.
import { after, before } from 'node:test';
import { startServer } from '../e2e/lib/server.mjs';
import { Barrier } from '../e2e/websocket_conformance/barrier.mjs';
import { runCase } from '../e2e/websocket_conformance/run_case.mjs';
import { runHandshake } from '../e2e/websocket_conformance/run_handshake.mjs';
import { caseBytes, counts, cutAt, suite } from '../e2e/websocket_conformance/suite.mjs';
import { FRAMES, HANDSHAKES } from '../e2e/websocket_conformance/tables.mjs';

const PATH = '/echo';
const LONGEST = 300;
let server;
let barrier;

before(async () => {
  server = await startServer({ shards: 1, args: ['--echo'] });
  barrier = await new Barrier().open(server.port, PATH);
});
after(async () => {
  barrier?.close();
  console.log(`${counts.cases} cases, ${counts.runs} runs in every split and byte by byte`);
  await server?.stop();
});

const places = (bytes) => Array.from({ length: bytes.length - 1 }, (_, i) => i + 1);
const splits = (bytes) => [...places(bytes).map((place) => cutAt(bytes, [place])), cutAt(bytes, places(bytes))];
const short = (table) => table.filter((one) => {
  const { length } = caseBytes(one);
  return length > 1 && length <= LONGEST;
});

const where = () => ({ port: server.port, path: PATH, barrier });
for (const [name, table] of FRAMES) suite(name, short(table), (one, how) => runCase(one, { ...where(), ...how }), splits, 2);
for (const [name, table] of HANDSHAKES) suite(name, short(table), (one, how) => runHandshake(one, { ...where(), ...how }), splits, 1);
