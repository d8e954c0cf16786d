// A process in a network of its own (half_open.test.mjs): the server, and its clients behind a line that is then taken down, so that they vanish without
// a word. All of it is gone with the process.
import { execFile } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { api, metrics } from './http.mjs';
import { openFiles } from './process.mjs';
import { startConfigured } from './server.mjs';
import { Worker, serveActions } from './worker.mjs';

const run = promisify(execFile);
const SERVER = '10.77.0.1';
const CLIENTS = '10.77.0.2';

async function layLine(pid) {
  const there = (...command) => run('nsenter', ['--target', String(pid), '--net', ...command]);
  await run('ip', ['link', 'set', 'lo', 'up']);
  await run('ip', ['link', 'add', 'line', 'type', 'veth', 'peer', 'name', 'line', 'netns', String(pid)]);
  await run('ip', ['addr', 'add', `${SERVER}/24`, 'dev', 'line']);
  await run('ip', ['link', 'set', 'line', 'up']);
  await there('ip', 'addr', 'add', `${CLIENTS}/24`, 'dev', 'line');
  await there('ip', 'link', 'set', 'line', 'up');
  return () => there('ip', 'link', 'set', 'line', 'down');
}

async function ended(server) {
  const reasons = [...await metrics(server)].filter(([name]) => name.startsWith('parley_sessions_ended_total'));
  return reasons.reduce((all, [, n]) => all + n, 0);
}

const present = async (server, channels) => {
  let clients = 0;
  for (const channel of channels) clients += (await api(server, 'presence_stats', { channel })).num_clients;
  return clients;
};

serveActions({
  /** `clients`: how many over what. Resolves with how many milliseconds after the line went down there was nobody, by each measure; and what was left after `ms`. */
  async vanish({ config, clients, channels, ms }) {
    const all = Object.values(clients).reduce((sum, count) => sum + count, 0);
    const crowd = new Worker(new URL('crowd_worker.mjs', import.meta.url), { ownNetwork: true });
    const takeDown = await layLine(crowd.pid);
    const server = await startConfigured(config, { address: '0.0.0.0' });
    try {
      const names = Array.from({ length: channels }, (_, i) => `room${i}`);
      await metrics(server);
      const files = await openFiles(server.pid);
      for (const [kind, count] of Object.entries(clients)) {
        await crowd.ask('open', { port: server.port, kind, host: SERVER, address: CLIENTS, atOnce: 64, channels: Array.from({ length: count }, (_, i) => names[i % channels]) });
      }
      const measures = {
        // Their sessions are over, though the server may still hope to tell them so.
        unfound: async () => all - await ended(server),
        present: () => present(server, names),
        descriptors: async () => Math.max(0, await openFiles(server.pid) - files - 1),
      };
      const before = {};
      for (const [what, measure] of Object.entries(measures)) before[what] = await measure();
      await takeDown();
      const begun = performance.now();
      const gone = {};
      const left = {};
      while (Object.keys(gone).length < 3 && performance.now() - begun < ms) {
        for (const [what, measure] of Object.entries(measures)) {
          if (gone[what] !== undefined) continue;
          left[what] = await measure();
          if (left[what] === 0) gone[what] = Math.round(performance.now() - begun);
        }
        await pause(50);
      }
      return { before, gone, left };
    } finally {
      crowd.end();
      await server.stop();
    }
  },
});
