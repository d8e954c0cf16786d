// Every block of code in README.md does what it seems to promise.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { api, pub } from './lib/http.mjs';
import { freePort, startServer } from './lib/server.mjs';
import { until } from './lib/wait.mjs';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const README = await readFile(path.join(HERE, '../../README.md'), 'utf8');
const FENCE = /^```(\w*)\n([\s\S]*?)^```$/gm;

let server;
let scratch;
before(async () => {
  server = await startServer();
  scratch = await mkdtemp(path.join(os.tmpdir(), 'parley-readme-'));
});
after(async () => {
  await server?.stop();
  await rm(scratch, { recursive: true, force: true });
});

/** The block as a reader would run it, against the server under test. */
const local = (code) => code.replaceAll('127.0.0.1:8000', `127.0.0.1:${server.port}`)
  .replaceAll('build/release/parley', `"${process.env.PARLEY_BIN}"`);

/** A process with what it prints; it is killed at the end of the test. */
function start(t, command, args) {
  const child = spawn(command, args, { env: { ...process.env, PARLEY_URL: server.url } });
  const run = { out: '', err: '', ended: once(child, 'close').then(([code]) => code) };
  child.stdout.setEncoding('utf8').on('data', (text) => { run.out += text; });
  child.stderr.setEncoding('utf8').on('data', (text) => { run.err += text; });
  t.after(() => child.kill('SIGKILL'));
  return run;
}

async function runScript(t, code, ms = 20_000) {
  const run = start(t, 'bash', ['-e', '-u', '-o', 'pipefail', '-c', local(code)]);
  run.code = await Promise.race([run.ended, until(() => false, () => `the end of\n${code}\n${run.out}${run.err}`, ms)]);
  assert.equal(run.code, 0, run.err);
  return run;
}

/** Runs JavaScript as a module of its own, after `prelude`. */
async function runModule(t, code, prelude = '') {
  const resolved = local(code).replace(/from '(\w+)'/g, (_, name) => `from '${import.meta.resolve(name)}'`);
  const file = path.join(scratch, `snippet-${t.name.replace(/\W+/g, '-')}.mjs`);
  await writeFile(file, `${prelude}\n${resolved}`);
  return start(t, process.execPath, [file]);
}

/** What tells a block, and what runs it. */
const BLOCKS = [
  {
    name: 'the two commands',
    is: (code) => /^make run\b/m.test(code) && /^make test\b/m.test(code),
    async check() {
      const makefile = await readFile(path.join(HERE, '../../Makefile'), 'utf8');
      for (const target of ['run', 'test']) assert.match(makefile, new RegExp(`^${target}:`, 'm'));
    },
  },
  {
    name: 'publishing with curl',
    is: (code, language) => language === 'sh' && /^curl -d .*\/pub\/news\s*$/.test(code),
    async check(t, code) {
      const { out } = await runScript(t, code);
      const { epoch, offset } = JSON.parse(out);
      const { publications } = await api(server, 'history', { channel: 'news', limit: 1, since: { epoch, offset: offset - 1 } });
      assert.deepEqual(publications, [{ offset, data: { text: 'hello' } }]);
    },
  },
  {
    name: 'the SDK',
    is: (code, language) => language === 'js' && code.includes("from 'centrifuge'"),
    async check(t, code) {
      const run = await runModule(t, code);
      await until(() => run.out.includes("{ text: 'hello from JavaScript' }"), () => `the message in ${run.out}${run.err}`);
      await pub(server, 'news', '{"text":"and from here"}');
      await until(() => run.out.includes("{ text: 'and from here' }"), () => `the message in ${run.out}${run.err}`);
    },
  },
  {
    name: 'EventSource',
    is: (code, language) => language === 'js' && code.includes('new EventSource('),
    async check(t, code) {
      const run = await runModule(t, code, `import { EventSource } from '${pathToFileURL(fileURLToPath(import.meta.resolve('eventsource')))}';
globalThis.EventSource = EventSource;`);
      let n = 0;
      await until(async () => {
        n += 1;
        await pub(server, 'news', `{"n":${n}}`);
        return /^\w+\.\d+ \{"n":\d+\}$/m.test(run.out);
      }, () => `a message in ${run.out}${run.err}`);
      await pub(server, 'news', new Uint8Array([0xff]));
      await until(() => /^missed \{.*unsupported.*\}$/m.test(run.out), () => `a gap in ${run.out}${run.err}`);
    },
  },
  {
    name: 'the shell',
    is: (code, language) => language === 'sh' && code.includes('build/release/parley pub'),
    async check(t, code) {
      const { out } = await runScript(t, code);
      assert.match(out, /offset/);
      assert.match(out, /hello/);
      assert.match(out, /"publications":\[/);
      assert.match(out, /"num_clients":/);
      assert.match(out, /^# TYPE parley_/m);
    },
  },
  {
    name: 'a configuration',
    is: (code, language) => language === 'yaml',
    check: (t, code) => writeFile(path.join(scratch, 'parley.yaml'), code),
  },
  {
    name: 'serving it',
    is: (code, language) => language === 'sh' && code.includes('parley serve'),
    async check(t, code) {
      const port = await freePort();
      const lines = code.trimEnd().split('\n');
      assert.match(lines.at(-1), /parley serve --config parley\.yaml$/);
      const { out } = await runScript(t, [`cd "${scratch}"`, ...lines.slice(0, -1)].join('\n'));
      const [verdict, token] = out.trimEnd().split('\n');
      assert.equal(verdict, 'parley.yaml: ok');
      const run = start(t, 'bash', ['-c', local(`cd "${scratch}" && exec ${lines.at(-1)} --listen 127.0.0.1:${port}`)]);
      const stream = (query) => fetch(`http://127.0.0.1:${port}/sse/chat:a${query}`, { signal: AbortSignal.timeout(5_000) }).then(async ({ status, body }) => {
        await body?.cancel();
        return status;
      });
      await until(() => stream('').then((status) => status === 401, () => false), () => `a server in ${run.err}`);
      assert.equal(await stream(`?token=${token}`), 200);
    },
  },
  {
    name: 'the examples',
    is: (code, language) => language === 'sh' && code.includes('examples/run'),
    // examples.test.mjs runs them.
    async check(t, code) {
      for (const [, name] of code.matchAll(/^examples\/run (\w+)/gm)) await access(path.join(HERE, '../../examples', name, 'parley.yaml'));
    },
  },
];

const blocks = [...README.matchAll(FENCE)].map(([, language, code]) => ({ language, code }));

for (const { language, code } of blocks) {
  const found = BLOCKS.filter((block) => block.is(code, language));
  test(`README: ${found[0]?.name ?? code.split('\n')[0]}`, async (t) => {
    assert.equal(found.length, 1, `no test knows this block of README.md:\n${code}`);
    await found[0].check(t, code);
  });
}

test('README shows everything that it did', () => {
  for (const { name, is } of BLOCKS) assert.equal(blocks.filter(({ code, language }) => is(code, language)).length, 1, name);
});
