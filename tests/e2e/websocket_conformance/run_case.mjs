// Runs one case on one connection, and compares what came with what the RFC says must.
//
// A case is
//   {name, send, get, close, open, cuts, stricter}
//   send   bytes or a list of bytes: frames of the client, sent once the handshake is done
//   get    what is echoed: strings are text, Buffers binary; and {pong: bytes}
//   close  none: after all of `get` the client closes with 1000 and the server must answer so.
//          A code, a list of codes, or null for a close frame without one: the server must close so by itself, or because the
//          client's close frame is in `send`; of `get` a beginning is enough then, since an end may overtake what is queued.
//   open   how the connection is opened: {headers}, whose offer of compression must be accepted
//   cuts   so many runs with cuts are enough
//   stricter  why we ask for more than the RFC does, where we do
import assert from 'node:assert/strict';
import { openFrames } from './connection.mjs';
import { close as closeFrame } from './frames.mjs';

export const NORMAL = 1000;

export const bytesOf = ({ send }) => (Array.isArray(send) ? Buffer.concat(send) : Buffer.from(send));

const wanted = (one) => (typeof one === 'string' ? { binary: false, bytes: Buffer.from(one) } : { binary: true, bytes: one });

function show(bytes) {
  return bytes.length <= 40 ? bytes.toString('hex') : `${bytes.subarray(0, 40).toString('hex')}... (${bytes.length} bytes)`;
}

/** Pongs may be left out where a later one answers for them, but the last must come (RFC 6455 5.5.3). */
function checkPongs(got, pongs, ended) {
  let at = 0;
  for (const payload of got) {
    while (at < pongs.length && !pongs[at].equals(payload)) at += 1;
    assert.ok(at < pongs.length, `a pong that no ping asked for: ${show(payload)}`);
    at += 1;
  }
  if (pongs.length > 0 && !ended) assert.ok(got.length > 0 && got.at(-1).equals(pongs.at(-1)), 'the last ping was answered');
}

function checkMessages(got, messages, ended) {
  if (got.length > messages.length) assert.fail(`more messages than ${messages.length}: ${show(got.at(-1).bytes)}`);
  for (const [i, { binary, bytes }] of got.entries()) {
    assert.equal(binary, messages[i].binary, `message ${i + 1} is ${binary ? 'binary' : 'text'}`);
    assert.ok(bytes.equals(messages[i].bytes), `message ${i + 1} is ${show(bytes)} and not ${show(messages[i].bytes)}`);
  }
  if (!ended) assert.equal(got.length, messages.length, 'number of messages');
}

function checkClose(got, close) {
  assert.ok(got, 'the server sent a close frame');
  const codes = (Array.isArray(close) ? close : [close]).map((code) => code ?? undefined);
  assert.ok(codes.includes(got.code), `close code ${got.code} and not ${codes.join(' or ')}: ${got.reason}`);
}

/** Sends the pieces, each when the server has read the one before. */
async function sendPieces(connection, pieces, barrier) {
  for (const [i, piece] of pieces.entries()) {
    if (connection.ended || connection.reader.close) return;
    await connection.write(piece);
    if (i < pieces.length - 1) await barrier.passed();
  }
}

/** Runs the case with its bytes in these pieces. */
export async function runCase(one, { port, path, barrier, pieces = [bytesOf(one)] }) {
  const get = one.get ?? [];
  const pongs = get.filter((it) => it.pong !== undefined).map(({ pong }) => Buffer.from(pong));
  const messages = get.filter((it) => it.pong === undefined).map(wanted);
  const closes = one.close !== undefined;
  const connection = await openFrames(port, path, one.open?.headers);
  try {
    const { reader } = connection;
    if (one.open) assert.equal(reader.compresses, !one.open.declined, 'compression was agreed on');
    await sendPieces(connection, pieces, barrier);
    if (!closes) {
      const all = () => reader.fault || reader.close || (reader.messages.length >= messages.length &&
        (pongs.length === 0 || reader.pongs.at(-1)?.equals(pongs.at(-1))));
      await connection.until(all, () => `all echoes; there are ${reader.messages.length} messages and ${reader.pongs.length} pongs`);
      if (!reader.close) await connection.write(closeFrame(NORMAL));
    }
    await connection.until(() => reader.fault || reader.close, 'the close frame');
    assert.equal(reader.fault, undefined);
    checkMessages(reader.messages, messages, closes);
    checkPongs(reader.pongs, pongs, closes);
    assert.deepEqual(reader.pings, []);
    checkClose(reader.close, closes ? one.close : NORMAL);
    // The server closes first (RFC 6455 7.1.1), and in order.
    await connection.until(() => false, 'the end of the connection');
    assert.equal(reader.fault, undefined);
    assert.ok(reader.atBorder, 'a part of a frame was left');
  } finally {
    connection.destroy();
  }
}
