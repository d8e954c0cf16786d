// Runs one opening handshake: {name, request, status, key, protocol, extensions, tellsVersion}; what follows the request is not
// taken for frames when it was refused.
import assert from 'node:assert/strict';
import { Connection, KEY, acceptOf } from './connection.mjs';
import { close, text } from './frames.mjs';
import { NORMAL } from './run_case.mjs';

const one = (head, name) => {
  const values = head.headers.get(name) ?? [];
  assert.ok(values.length <= 1, `${name} came ${values.length} times`);
  return values[0];
};

function checkAccepted(head, { key = KEY, protocol, extensions }) {
  assert.equal(one(head, 'upgrade')?.toLowerCase(), 'websocket');
  assert.equal(one(head, 'connection')?.toLowerCase(), 'upgrade');
  assert.equal(one(head, 'sec-websocket-accept'), acceptOf(key));
  assert.equal(one(head, 'sec-websocket-protocol'), protocol);
  const given = one(head, 'sec-websocket-extensions');
  if (typeof extensions === 'function') extensions(given);
  else assert.equal(given, extensions);
}

/** What was accepted also works. */
async function checkEcho(connection) {
  connection.readFrames();
  await connection.write(text('hello'));
  await connection.until(() => connection.reader.messages.length > 0 || connection.reader.fault, 'the echo');
  assert.equal(connection.reader.fault, undefined);
  assert.equal(connection.reader.messages[0]?.bytes.toString(), 'hello');
  await connection.write(close(NORMAL));
  await connection.until(() => false, 'the end of the connection');
  assert.equal(connection.reader.close?.code, NORMAL);
}

export async function runHandshake(it, { port, barrier, pieces = [Buffer.from(it.request, 'latin1')] }) {
  const connection = new Connection(port);
  try {
    for (const [i, piece] of pieces.entries()) {
      await connection.write(piece);
      if (i < pieces.length - 1) await barrier.passed();
    }
    await connection.until(() => connection.head, 'the answer');
    const { head } = connection;
    assert.ok(head?.status, `no HTTP answer: ${head?.line ?? connection.error?.message}`);
    const statuses = [it.status].flat();
    assert.ok(statuses.includes(head.status), `${head.line}, and not ${statuses.join(' or ')}`);
    if (head.status === 101) {
      checkAccepted(head, it);
      if (/^GET \S*\/echo/.test(String(it.request).trim())) await checkEcho(connection);
      return;
    }
    // 4.2.2: who asks for another version is told ours.
    if (it.tellsVersion) assert.match(one(head, 'sec-websocket-version') ?? '', /(^|, )13(,|$)/);
    assert.equal(one(head, 'sec-websocket-accept'), undefined);
  } finally {
    connection.destroy();
  }
}
