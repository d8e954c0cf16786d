// Each conversation in every two pieces, and byte by byte: what comes back is the same to the last byte.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { after, before, test } from 'node:test';
import { startServer } from '../lib/server.mjs';
import { within } from '../lib/wait.mjs';
import { CONVERSATIONS } from './conversations.mjs';

const AT_ONCE = 100;

let server;
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
// One shard: it answers in the order in which it was asked.
before(async () => { server = await startServer({ shards: 1 }); });
after(async () => {
  agent.destroy();
  await server.stop();
});

/** Resolves when the server has read what was written before: its loop takes connections in the order in which bytes came. */
const served = () => new Promise((resolve, reject) => {
  http.get(`${server.url}/health/live`, { agent }, (answer) => answer.resume().on('end', resolve)).on('error', reject);
});

class Talk {
  constructor(conversation) {
    this.conversation = conversation;
    this.text = '';
    this.socket = net.connect({ host: '127.0.0.1', port: server.port, noDelay: true });
    this.finished = new Promise((resolve) => { this.finish = resolve; });
    this.socket.on('data', (bytes) => {
      this.text += bytes.toString('latin1');
      if (conversation.done(this.text, false)) this.finish();
    });
    this.socket.on('error', (error) => { this.error = error.code; });
    this.socket.on('close', () => this.finish());
  }

  async connected() {
    await once(this.socket, 'connect');
    return this;
  }

  write(text) { if (!this.socket.destroyed) this.socket.write(Buffer.from(text, 'latin1')); }

  /** All that came, without what differs from run to run. */
  async result() {
    await within(this.finished, `the end of ${this.conversation.name}: ${JSON.stringify(this.text)}`);
    this.socket.destroy();
    return (this.conversation.tidy ?? ((text) => text))(this.text);
  }
}

const open = (conversation) => new Talk(conversation).connected();

async function whole(conversation) {
  const talk = await open(conversation);
  talk.write(conversation.bytes);
  return talk.result();
}

const expected = new Map();

test('each conversation comes to its end', async () => {
  for (const conversation of CONVERSATIONS) {
    const result = await whole(conversation);
    assert.match(result, /^HTTP\/1\.1 \d{3} /, conversation.name);
    assert.equal(await whole(conversation), result, `${conversation.name}, again`);
    expected.set(conversation, result);
  }
});

test('every two-part split is answered as the whole', async () => {
  const cuts = CONVERSATIONS.flatMap((conversation) => Array.from({ length: conversation.bytes.length - 1 }, (_, i) => ({ conversation, at: i + 1 })));
  for (let next = 0; next < cuts.length; next += AT_ONCE) {
    const some = await Promise.all(cuts.slice(next, next + AT_ONCE).map(async (cut) => ({ ...cut, talk: await open(cut.conversation) })));
    for (const { talk, conversation, at } of some) talk.write(conversation.bytes.slice(0, at));
    await served();
    for (const { talk, conversation, at } of some) talk.write(conversation.bytes.slice(at));
    for (const { talk, conversation, at } of some) assert.equal(await talk.result(), expected.get(conversation), `${conversation.name}, cut at ${at}`);
  }
  console.log(`${CONVERSATIONS.length} conversations, ${cuts.length} splits`);
});

test('byte by byte too', async () => {
  const talks = await Promise.all(CONVERSATIONS.map(open));
  const longest = Math.max(...CONVERSATIONS.map(({ bytes }) => bytes.length));
  for (let at = 0; at < longest; at += 1) {
    for (const talk of talks) if (at < talk.conversation.bytes.length) talk.write(talk.conversation.bytes[at]);
    await served();
  }
  for (const talk of talks) assert.equal(await talk.result(), expected.get(talk.conversation), talk.conversation.name);
});
