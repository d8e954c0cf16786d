// The examples, as their READMEs run them, in real browsers.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openSharedBrowser } from './lib/browser.mjs';
import { CentrifugeClient } from './lib/clients.mjs';
import { startProxy } from './lib/proxy.mjs';
import { freePort, startServe } from './lib/server.mjs';
import { until, within } from './lib/wait.mjs';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const EXAMPLES = path.join(HERE, '../../examples');
const SCREENSHOTS = process.env.SCREENSHOTS;   // a folder: to look at

let browser;
const closers = new WeakMap();
before(async () => { browser = await openSharedBrowser(); });
after(() => browser?.close());

/** At the end of the test, what was opened last goes first. */
function atEnd(t, close) {
  if (!closers.has(t)) {
    closers.set(t, []);
    t.after(async () => { for (const one of closers.get(t).reverse()) await one(); });
  }
  closers.get(t).push(close);
}

function start(t, command, args, env) {
  const child = spawn(command, args, { env: { ...process.env, ...env } });
  const run = { child, output: '', ended: once(child, 'close') };
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => { run.output += text; });
  atEnd(t, async () => {
    child.kill('SIGTERM');
    await within(run.ended, `the end of ${command}\n${run.output}`);
  });
  return run;
}

const answers = (url) => fetch(url).then(() => true, () => false);

/** `examples/run NAME` until the end of the test. */
async function runExample(t, name) {
  const [page, server] = [await freePort(), await freePort()];
  const env = { PAGE_PORT: String(page), SERVER_PORT: String(server), NODE: process.execPath, NODE_PATH: path.join(HERE, 'node_modules') };
  const run = start(t, path.join(EXAMPLES, 'run'), [name], env);
  const example = { page: `http://localhost:${page}`, server: `http://127.0.0.1:${server}`, port: server, run };
  await until(async () => await answers(example.page) && answers(example.server), () => `the example in ${run.output}`);
  return example;
}

/** Somebody's page, which complains about nothing until the end of the test, but for what `but` matches. */
async function browse(t, { but, size = { width: 1000, height: 700 } } = {}) {
  const page = await browser.newPerson({ viewport: size });
  const complaints = [];
  page.setDefaultTimeout(10_000);
  const complain = (text) => { if (!but?.test(text)) complaints.push(text); };
  page.on('console', (message) => { if (['error', 'warning'].includes(message.type())) complain(message.text()); });
  page.on('pageerror', (error) => complain(String(error)));
  atEnd(t, async () => {
    await page.context().close();
    assert.deepEqual(complaints, []);
  });
  return page;
}

const shoot = async (page, name) => { if (SCREENSHOTS) await page.screenshot({ path: path.join(SCREENSHOTS, `${name}.png`) }); };

// Much of the time is spent waiting for a reconnect, so all at once.
describe('examples', { concurrency: 2 }, () => {
  describe('the chat', () => {
    const join = async (page, name) => {
      await page.getByLabel('Your name').fill(name);
      await page.getByRole('button', { name: 'Join' }).click();
      await page.getByRole('status').filter({ hasText: /^connected$/ }).waitFor();
    };
    const say = async (page, text) => {
      await page.getByLabel('Message', { exact: true }).fill(text);
      await page.getByRole('button', { name: 'Send' }).click();
    };
    const log = (page) => page.getByRole('log').locator('li');
    const arrives = (page, text) => log(page).filter({ hasText: text }).waitFor();
    const said = (page) => log(page).locator('span').allTextContents();

    test('two browsers talk; one loses its line and misses nothing; who comes later reads what was said', async (t) => {
      const example = await runExample(t, 'chat');
      const proxy = await startProxy(example.port);
      atEnd(t, () => proxy.close());
      const [ada, bob] = await Promise.all([browse(t), browse(t, { but: /ERR_CONNECTION|WebSocket connection/, size: { width: 390, height: 780 } })]);
      // Bob's browser alone goes through the proxy.
      await bob.route('**/token*', async (route) => {
        const answer = await route.fetch();
        await route.fulfill({ response: answer, json: { ...await answer.json(), url: proxy.url } });
      });
      await Promise.all([ada, bob].map((page) => page.goto(example.page)));
      await join(ada, 'Ada');
      await say(ada, 'anybody here?');
      await arrives(ada, 'anybody here?');
      await join(bob, 'Bob');
      await arrives(bob, 'anybody here?');
      for (const page of [ada, bob]) await until(async () => await page.getByRole('list', { name: 'Who is here' }).locator('li').count() === 2, 'both are here');

      await bob.getByLabel('Message', { exact: true }).pressSequentially('yes');
      await ada.getByText('Bob is typing').waitFor();
      await bob.getByRole('button', { name: 'Send' }).click();
      await arrives(ada, 'yes');

      await proxy.breakDown();
      await bob.getByRole('status').filter({ hasText: /^connecting$/ }).waitFor();
      await ada.getByRole('button', { name: 'Bob' }).waitFor({ state: 'detached' });
      for (const text of ['one', 'two', 'three']) await say(ada, text);
      await arrives(ada, 'three');
      assert.deepEqual(await said(bob), ['anybody here?', 'yes']);
      await proxy.restore();
      await arrives(bob, 'three');
      const all = ['anybody here?', 'yes', 'one', 'two', 'three'];
      assert.deepEqual(await said(bob), all);
      assert.deepEqual(await said(ada), all);

      await ada.getByRole('button', { name: 'Bob' }).click();
      await say(ada, 'between us');
      await arrives(bob, 'between us');
      await arrives(ada, 'between us');
      assert.equal(await log(bob).last().locator('b').textContent(), 'Ada');
      assert.equal(await log(ada).last().locator('b').textContent(), 'to Bob');
      await bob.emulateMedia({ colorScheme: 'dark' });
      await Promise.all([shoot(ada, 'chat'), shoot(bob, 'chat-phone')]);

      // The rules hold for whoever writes a client of his own.
      const { token } = await (await fetch(`${example.page}/token?name=Eve`, { method: 'POST' })).json();
      const eve = await new CentrifugeClient(example.server, { token }).connect();
      atEnd(t, () => eve.close());
      const peek = eve.client.newSubscription('inbox:#bob');
      const refused = once(peek, 'unsubscribed');
      peek.subscribe();
      assert.equal((await refused)[0].code, 103);
      await assert.rejects(eve.publish('chat:lobby', { text: 'from outside' }), { code: 103 });
      assert.equal((await fetch(`${example.page}/token?name=%3Cb%3E`, { method: 'POST' })).status, 400);
    });
  });

  describe('the dashboard', { concurrency: 2 }, () => {
    const value = (page, card) => page.locator(`#${card} .value`).textContent();
    const points = async (page, card) => ((await page.locator(`#${card} .line`).getAttribute('d')) ?? '').split('L').length;
    const live = (page) => page.getByRole('status').filter({ hasText: /^live$/ }).waitFor();

    test('shows what curl and the server publish, to a new page at once', async (t) => {
      const example = await runExample(t, 'dashboard');
      const key = await until(() => /API key is (\w+)/.exec(example.run.output)?.[1], 'the key');
      const page = await browse(t, { size: { width: 390, height: 780 } });
      await page.goto(example.page);
      await live(page);
      await until(async () => await points(page, 'cpu') >= 2, 'two values');
      for (const card of ['cpu', 'memory']) assert.match(await value(page, card), /^\d+%$/);
      assert.match(await value(page, 'load'), /^\d+\.\d\d$/);

      const curl = start(t, 'curl', ['-s', '-f', '-H', `X-API-Key: ${key}`, '-H', 'Parley-Event: note', '-d', 'Version 7 is out', `${example.server}/pub/dashboard:host`]);
      assert.deepEqual(await curl.ended, [0, null], curl.output);
      await page.getByRole('log').getByText('Version 7 is out').waitFor();
      await shoot(page, 'dashboard-phone');

      const later = await page.context().newPage();
      await later.goto(example.page);
      await later.getByRole('log').getByText('Version 7 is out').waitFor();
      await until(async () => await points(later, 'cpu') >= 3, 'what was there before');
      assert.equal((await fetch(`${example.server}/pub/dashboard:host`, { method: 'POST', body: '1' })).status, 403);
    });

    test('goes on when the line breaks and when the server starts anew', async (t) => {
      const [port, pagePort] = [await freePort(), await freePort()];
      const folder = path.join(EXAMPLES, 'dashboard');
      const page = `http://localhost:${pagePort}`;
      const env = { PARLEY_HTTP_API_KEY: 'key', PARLEY_CLIENT_ALLOWED_ORIGINS: page };
      const serve = () => startServe(path.join(folder, 'parley.yaml'), { port, env });
      let server = await serve();
      atEnd(t, () => server.kill());
      const proxy = await startProxy(port);
      atEnd(t, () => proxy.close());
      start(t, process.execPath, [path.join(folder, 'server.mjs')], { ...env, PAGE_PORT: String(pagePort), PARLEY_URL: proxy.url, EVERY_MS: '150' });
      await until(() => answers(page), 'the page');
      const viewer = await browse(t, { but: /ERR_|Failed to load resource/ });
      await viewer.emulateMedia({ colorScheme: 'dark' });
      await viewer.goto(page);
      await live(viewer);
      await until(async () => await points(viewer, 'cpu') >= 3, 'values');
      await shoot(viewer, 'dashboard');

      proxy.cut();
      await viewer.getByText('reconnecting').waitFor();
      await live(viewer);
      assert.equal(await viewer.getByRole('log').locator('li').count(), 0, 'nothing is missing');

      await server.kill();
      await viewer.getByText('reconnecting').waitFor();
      server = await serve();
      await live(viewer);
      await viewer.getByRole('log').getByText('The server has started anew').waitFor();
      const before = await viewer.locator('#cpu .line').getAttribute('d');
      await until(async () => await viewer.locator('#cpu .line').getAttribute('d') !== before, 'new values');
      await shoot(viewer, 'dashboard-after');
    });
  });
});

test('each example is under 200 lines', async () => {
  for (const [name, files] of [['chat', ['index.html', 'style.css', 'chat.js', 'server.mjs']], ['dashboard', ['index.html', 'style.css', 'dashboard.js', 'server.mjs']]]) {
    const lines = await Promise.all(files.map(async (file) => (await readFile(path.join(EXAMPLES, name, file), 'utf8')).split('\n').length - 1));
    assert.ok(lines.reduce((a, b) => a + b) < 200, `${name}: ${lines}`);
  }
});
