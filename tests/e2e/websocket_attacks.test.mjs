// What frames can cost: length fields that promise much, and floods of fragments. Outcomes and memory; nothing here depends on
// how fast the machine is.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, it, test } from 'node:test';
import { startServer } from './lib/server.mjs';
import { until } from './lib/wait.mjs';
import { Barrier } from './websocket_conformance/barrier.mjs';
import { openFrames } from './websocket_conformance/connection.mjs';
import { BINARY, PING, TEXT, frame, last, more, ping } from './websocket_conformance/frames.mjs';
import { LIMIT, lengthFields } from './websocket_conformance/length_fields.mjs';

const PATH = '/echo';
const MiB = 1024 * 1024;
// Bytes of a message at /connection/websocket before its client has connected.
const BEFORE_CONNECT = 56 * 1024;
// What fragments may take besides their payload.
const SLACK = 64 * 1024;
// Connections that are flooded at once.
const CROWD = process.env.LONG ? 200 : 20;
let server;
let barrier;

before(async () => {
  server = await startServer({ shards: 1, args: ['--echo'] });
  barrier = await new Barrier().open(server.port, PATH);
});
after(async () => {
  barrier?.close();
  await server?.stop();
});

/** Seconds of processor that the server has used: in ticks of 10 ms, behind the name in parentheses. */
async function processorSeconds() {
  const fields = (await readFile(`/proc/${server.pid}/stat`, 'utf8')).replace(/^.*\) /, '').split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** How much more memory the server holds while `action` runs and behind it, and what it takes: {most, left, seconds}. */
async function growth(action) {
  const start = await server.memory();
  const used = await processorSeconds();
  let most = start;
  // What a buffer outgrew goes back to the system within two seconds: where more than `allowed` is held, that is waited for.
  await action(async (allowed = Infinity) => {
    let now;
    await until(async () => { now = await server.memory(); return now - start <= allowed; }, 'the memory', 2_500).catch(() => {});
    most = Math.max(most, now);
  });
  return { most: most - start, left: await server.memory() - start, seconds: await processorSeconds() - used };
}

/** Resolves when the server has taken everything that was written to this connection. */
async function taken(connection) {
  const wanted = connection.reader.pongs.length + 1;
  await connection.write(ping('taken'));
  await connection.until(() => connection.reader.pongs.length >= wanted || connection.reader.close, 'the pong');
}

/** So many round trips of another client. */
async function rounds(count) {
  for (let i = 0; i < count; i += 1) await barrier.passed();
}

async function check({ send, close, whole, opcode, payload }) {
  const connection = await openFrames(server.port, PATH);
  try {
    const { reader } = connection;
    await connection.write(send);
    if (close) {
      await connection.until(() => reader.close, 'the close frame');
      assert.ok(close.includes(reader.close?.code), `close code ${reader.close?.code} and not ${close.join(' or ')}`);
    } else {
      await barrier.passed();
      const echoes = () => (opcode === PING ? reader.pongs : reader.messages.map(({ bytes }) => bytes));
      const expected = whole && opcode <= PING ? [payload] : [];
      await connection.until(() => reader.close || echoes().length === expected.length, 'the echo');
      assert.equal(reader.close, undefined);
      assert.equal(reader.fault, undefined);
      assert.deepEqual(echoes(), expected);
    }
  } finally {
    connection.destroy();
  }
}

// In this order: what the allocator keeps of large messages would hide what small ones take.
test('a hundred clients whose messages never end take their limit and little more', async () => {
  const limit = BEFORE_CONNECT;
  const connections = [];
  const { most } = await growth(async (look) => {
    for (let i = 0; i < 100; i += 1) {
      const connection = await openFrames(server.port, '/connection/websocket');
      connections.push(connection);
      await connection.write(Buffer.concat([frame(BINARY, 'x', { fin: false }), ...Array(limit / 64 - 1).fill(more('x'.repeat(64)))]));
    }
    await Promise.all(connections.map(taken));
    await look();
  });
  console.log(`100 messages of 56 KiB that never end: ${(most / 1024 / 100).toFixed(0)} KiB more for each`);
  assert.ok(most < 100 * (limit + 64 * 1024), `${most} bytes`);
  await Promise.all(connections.map(async (connection) => {
    assert.equal(connection.reader.close, undefined);
    await connection.write(more('x'.repeat(64)));
    await connection.until(() => connection.reader.close, 'the close frame');
    assert.equal(connection.reader.close?.code, 1009);
    connection.destroy();
  }));
});

test('what is only announced takes no memory', async () => {
  const header = frame(BINARY, 'begun', { length: LIMIT, width: 64 });
  const connections = [];
  const { most } = await growth(async (look) => {
    for (let i = 0; i < 200; i += 1) {
      const connection = await openFrames(server.port, PATH);
      connections.push(connection);
      await connection.write(header);
    }
    await barrier.passed();
    await look();
  });
  for (const connection of connections) connection.destroy();
  assert.ok(most < 2 * MiB, `${most} bytes for 200 announcements of 16 MiB`);
});

test('more than 1,000 empty fragments end the connection', async () => {
  const connection = await openFrames(server.port, PATH);
  await connection.write(Buffer.concat([frame(TEXT, 'a', { fin: false }), ...Array(1000).fill(more(''))]));
  await taken(connection);
  assert.equal(connection.reader.close, undefined);
  await connection.write(more(''));
  await connection.until(() => connection.reader.close, 'the close frame');
  assert.equal(connection.reader.close?.code, 1008);
  connection.destroy();
});

test('a million empty fragments in a row end the connection too, and cost nothing', async () => {
  const connection = await openFrames(server.port, PATH);
  const flood = Buffer.concat(Array(10_000).fill(more('')));
  const { most, seconds } = await growth(async (look) => {
    await connection.write(frame(TEXT, 'a', { fin: false }));
    for (let i = 0; i < 100 && !connection.ended; i += 1) await connection.write(flood);
    // In order, or, for who goes on and on, cut off.
    await connection.until(() => false, 'the end of the connection');
    await look();
  });
  connection.destroy();
  assert.ok(most < MiB, `${most} bytes`);
  assert.ok(seconds < 1, `${seconds} s`);
});

test('a million fragments of one byte are one message of their size', async () => {
  const connection = await openFrames(server.port, PATH);
  const flood = Buffer.concat(Array(10_000).fill(more('x')));
  const { most, seconds } = await growth(async (look) => {
    await connection.write(frame(TEXT, 'x', { fin: false }));
    for (let i = 0; i < 100; i += 1) await connection.write(flood);
    await taken(connection);
    await look(1_000_001 + SLACK);
  });
  console.log(`a million fragments of one byte: ${(most / 1024).toFixed(0)} KiB more, ${seconds} s of processor`);
  assert.ok(most <= 1_000_001 + SLACK, `${most} bytes for a million`);
  assert.ok(seconds < 1, `${seconds} s`);
  await connection.write(last('x'));
  await connection.until(() => connection.reader.messages.length > 0, 'the echo');
  assert.equal(connection.reader.messages[0].bytes.length, 1_000_002);
  connection.destroy();
});

test(`floods on ${CROWD} connections at once: each ends at its limit, and takes its payload`, async () => {
  const limit = BEFORE_CONNECT;
  const floods = [
    ['empty', more(''), 1008, 1, 1_000],
    ['of one byte', more('x'), 1009, limit, limit],
    ['of 64 bytes', more('x'.repeat(64)), 1009, limit, limit / 64],
  ];
  const rows = [];
  for (const [name, part, code, payload, taken_] of floods) {
    const connections = await Promise.all(Array.from({ length: CROWD }, () => openFrames(server.port, '/connection/websocket')));
    const whole = Buffer.concat(Array(10_000).fill(part));
    const { most, seconds } = await growth(async (look) => {
      for (const connection of connections) {
        await connection.write(frame(TEXT, '', { fin: false }));
        // Almost what is allowed, so that all hold it at the same time.
        for (let left = taken_ - 20; left > 0; left -= 10_000) await connection.write(whole.subarray(0, Math.min(left, 10_000) * part.length));
      }
      await Promise.all(connections.map(taken));
      await look();
      for (const connection of connections) {
        assert.equal(connection.reader.close, undefined, name);
        await connection.write(whole);
        await connection.until(() => connection.reader.close, 'the close frame');
        assert.equal(connection.reader.close?.code, code, name);
      }
      await look();
    });
    for (const connection of connections) connection.destroy();
    rows.push({ name, kib_each: +(most / 1024 / CROWD).toFixed(1), seconds_each: +(seconds / CROWD).toFixed(4) });
    assert.ok(most <= CROWD * (payload + SLACK), `${name}: ${most} bytes`);
    assert.ok(seconds <= CROWD, `${name}: ${seconds} s`);
  }
  console.log(JSON.stringify({ test: 'fragment_floods', connections: CROWD, rows }));
});

test('65,536 fragments of 64 bytes are taken, and take their payload', async () => {
  const connection = await openFrames(server.port, PATH);
  const part = 'x'.repeat(64);
  const flood = Buffer.concat(Array(1024).fill(more(part)));
  const { most } = await growth(async (look) => {
    await connection.write(frame(BINARY, part, { fin: false }));
    for (let i = 0; i < 64; i += 1) await connection.write(i < 63 ? flood : flood.subarray(more(part).length * 2));
    await taken(connection);
    await look(4 * MiB + SLACK);
  });
  console.log(`65,535 fragments of 64 bytes: ${(most / 1024).toFixed(0)} KiB more, of which 4,096 KiB are payload`);
  assert.ok(most <= 4 * MiB + SLACK, `${most} bytes for 4 MiB`);
  await connection.write(last(part));
  await connection.until(() => connection.reader.messages.length > 0, 'the echo');
  assert.equal(connection.reader.messages[0].bytes.length, 65_536 * 64);
  connection.destroy();
});

test('messages that never end are ended at the limit, and leave nothing that adds up', async () => {
  const part = more(Buffer.alloc(256 * 1024, 1));
  const { most, left } = await growth(async (look) => {
    for (let round = 0; round < 10; round += 1) {
      const connection = await openFrames(server.port, PATH);
      await connection.write(frame(BINARY, '', { fin: false }));
      for (let i = 0; i < 64; i += 1) await connection.write(part);
      await taken(connection);
      assert.equal(connection.reader.close, undefined);
      await look();
      await connection.write(more('x'));
      await connection.until(() => connection.reader.close, 'the close frame');
      assert.equal(connection.reader.close?.code, 1009);
      connection.destroy();
      await barrier.passed();
    }
  });
  console.log(`messages of 16 MiB that never end: ${(most / MiB).toFixed(1)} MiB more, ${(left / MiB).toFixed(1)} MiB behind them`);
  // The buffer doubles, so that for a moment there are the old and the new one, and the allocator keeps some of what was freed;
  // ten messages that added up would be 160 MiB.
  assert.ok(most < 64 * MiB, `${most} bytes for 16 MiB`);
});

test('empty messages and pings in floods are answered, or paused, but never pile up', async () => {
  const connection = await openFrames(server.port, PATH);
  connection.pause();
  const flood = Buffer.concat(Array(10_000).fill(0).flatMap(() => [frame(TEXT, ''), frame(PING, 'p')]));
  const { most } = await growth(async (look) => {
    let sent = 0;
    // Until neither the kernel nor the server takes more, as nobody reads the answers; or all are through.
    for (; sent < 100; sent += 1) {
      const written = connection.write(flood);
      const taken = await Promise.race([written.then(() => true), rounds(200).then(() => false)]);
      if (!taken) break;
    }
    await look();
  });
  connection.destroy();
  assert.ok(most < 4 * MiB, `${most} bytes`);
});

describe('length fields', { concurrency: 16 }, () => {
  for (const row of lengthFields) it(row.name, () => check(row));
});
