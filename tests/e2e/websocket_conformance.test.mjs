// WebSocket conformance: tables of conversations with the RFC's answers (websocket_conformance/), each whole and cut at random
// places, against /echo of the real binary. PARLEY_SEED repeats the cuts. WEBSOCKET_ECHO_PORT names another server, which must
// serve the same at /echo, to compare with.
import { after, before } from 'node:test';
import { takeSeed, Random } from './lib/random.mjs';
import { startServer } from './lib/server.mjs';
import { Barrier } from './websocket_conformance/barrier.mjs';
import { closes } from './websocket_conformance/closes.mjs';
import { controlFrames } from './websocket_conformance/control_frames.mjs';
import { deflateOffers } from './websocket_conformance/deflate_offers.mjs';
import { deflatePayloads } from './websocket_conformance/deflate_payloads.mjs';
import { fragmentation } from './websocket_conformance/fragmentation.mjs';
import { handshakesBad } from './websocket_conformance/handshakes_bad.mjs';
import { handshakesGood } from './websocket_conformance/handshakes_good.mjs';
import { headers } from './websocket_conformance/headers.mjs';
import { lengths } from './websocket_conformance/lengths.mjs';
import { limits } from './websocket_conformance/limits.mjs';
import { runCase } from './websocket_conformance/run_case.mjs';
import { runHandshake } from './websocket_conformance/run_handshake.mjs';
import { counts, suite, waysToCut } from './websocket_conformance/suite.mjs';
import { utf8Invalid } from './websocket_conformance/utf8_invalid.mjs';
import { utf8Valid } from './websocket_conformance/utf8_valid.mjs';

const PATH = '/echo';
const seed = takeSeed('websocket conformance');
const random = new Random(seed);
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
const ways = (bytes, one) => waysToCut(bytes, random, one.cuts);
const frames = (one, how) => runCase(one, { ...where(), ...how });
const handshake = (one, how) => runHandshake(one, { ...where(), ...how });

suite('lengths', lengths, frames, ways);
suite('first two bytes of a frame', headers, frames, ways);
suite('control frames', controlFrames, frames, ways);
suite('fragmentation', fragmentation, frames, ways);
suite('valid UTF-8', utf8Valid, frames, ways);
suite('invalid UTF-8', utf8Invalid, frames, ways);
suite('closing handshake', closes, frames, ways);
suite('limits', limits, frames, ways);
suite('handshakes to accept', handshakesGood, handshake, ways);
suite('handshakes to refuse', handshakesBad, handshake, ways);
suite('offers of compression', deflateOffers, handshake, ways);
suite('compressed messages', deflatePayloads, frames, ways);
