// Requests that another server could read differently: each is refused with its status, and nothing behind it is served.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { api, metrics } from '../lib/http.mjs';
import { exchange, inParallel, parseAnswers } from '../lib/raw_http.mjs';
import { startServer } from '../lib/server.mjs';
import { HARMLESS, REQUESTS, smuggled } from './smuggling_table.mjs';

let server;
before(async () => { server = await startServer(); });
after(() => server.stop());

const withChannel = (bytes, channel) => bytes.replaceAll('CHANNEL', channel.padEnd(7, '-'));
const published = async (channel) => (await api(server, 'history', { channel: channel.padEnd(7, '-'), limit: 0 })).offset;

test(`${REQUESTS.length} ambiguous requests are refused, closed, and hide nothing`, async () => {
  assert.ok(REQUESTS.length >= 60);
  const before = await metrics(server);
  const wrong = [];
  await inParallel(16, REQUESTS, async ([name, status, bytes], row) => {
    // Twice: another reading might need what follows.
    const sent = withChannel(bytes + smuggled('CHANNEL'), `s${row}`);
    const { text, end } = await exchange(server.port, sent);
    try {
      const answers = parseAnswers(text);
      assert.deepEqual(answers.map((answer) => answer.status), [status]);
      assert.equal(answers[0].headers.get('connection'), 'close');
      assert.equal(end, 'fin');
      assert.equal(await published(`s${row}`), 0);
    } catch (error) {
      wrong.push(`${name}: ${error.message}: ${end} ${JSON.stringify(text)}`);
    }
  });
  assert.deepEqual(wrong, []);
  const after = await metrics(server);
  assert.equal(after.get('parley_publish_door_published_total'), before.get('parley_publish_door_published_total'));
  assert.equal(await published('front'), 0);
});

test('odd requests with one reading are answered once each, as is what follows', async () => {
  for (const [row, [name, bytes]] of HARMLESS.entries()) {
    const { text, end } = await exchange(server.port, withChannel(bytes, `h${row}`));
    assert.deepEqual(parseAnswers(text).map(({ status }) => status), [200, 200], name);
    assert.equal(end, 'fin', name);
    assert.equal(await published(`h${row}`), 1, name);
  }
});
