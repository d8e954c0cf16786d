// The steps of docs/guides/from-centrifugo.md, with the configuration and the outputs that stand there.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { connectCentrifuge } from './lib/clients.mjs';
import { api } from './lib/http.mjs';
import { runParley, startServe } from './lib/server.mjs';

const GUIDE = await readFile(new URL('../../docs/guides/from-centrifugo.md', import.meta.url), 'utf8');
const BLOCKS = new Map([...GUIDE.matchAll(/^<!-- (.+) -->\n```\w+\n([\s\S]*?)^```$/gm)].map(([, name, text]) => [name, text]));

/** The file after the guide's change: a "+" line stands where the "-" line before it stood. */
function changed(config, change) {
  const lines = config.split('\n');
  let at;
  for (const line of change.trimEnd().split('\n')) {
    if (line.startsWith('+')) {
      lines.splice(at, 0, line.slice(1));
    } else {
      at = lines.indexOf(line.slice(1));
      assert.notEqual(at, -1, `not in config.json: ${line}`);
      lines.splice(at, 1);
    }
  }
  return lines.join('\n');
}

let folder;
before(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'parley-move-'));
  await writeFile(path.join(folder, 'config.json'), BLOCKS.get('config.json'));
  await writeFile(path.join(folder, 'parley.json'), changed(BLOCKS.get('config.json'), BLOCKS.get('the change')));
});
after(() => rm(folder, { recursive: true, force: true }));

for (const [file, status] of [['config.json', 1], ['parley.json', 0]]) {
  test(`parley check ${file} says what the guide quotes`, async () => {
    const { code, stdout, stderr } = await runParley(['check', path.join(folder, file)]);
    assert.equal(code, status);
    assert.equal((stderr + stdout).replaceAll(`${folder}/`, ''), BLOCKS.get(`parley check ${file}`));
  });
}

test('it serves tokens, the API and clients that come from another server', async (t) => {
  const file = path.join(folder, 'parley.json');
  const server = await startServe(file, { args: ['--set', 'shards=1'] });
  t.after(() => server.stop());
  const key = { 'X-API-Key': 'your-api-key' };
  const { stdout } = await runParley(['token', '--config', file, '--user', '42']);
  const reader = await connectCentrifuge(server.url, { token: stdout.trim() });
  t.after(() => reader.close());
  await api(server, 'publish', { channel: 'chat:lobby', data: 1 }, key);
  // A position in the other server's history.
  const { subscription, subscribed } = await reader.subscribe('chat:lobby', { since: { offset: 41, epoch: 'theirs' } });
  assert.deepEqual(subscribed.map(({ wasRecovering, recovered }) => [wasRecovering, recovered]), [[true, false]]);
  await subscription.publish(2);
  const { publications } = await api(server, 'history', { channel: 'chat:lobby', limit: 10 }, key);
  assert.deepEqual(publications.map(({ data }) => data), [1, 2]);
  const { num_users: users } = await api(server, 'presence_stats', { channel: 'chat:lobby' }, key);
  assert.equal(users, 1);
  assert.equal((await fetch(`${server.url}/health`)).status, 200);
});
