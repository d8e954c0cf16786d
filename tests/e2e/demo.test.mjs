// The demo page of `parley dev` in a real browser.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { openBrowser } from './lib/browser.mjs';
import { startServer } from './lib/server.mjs';

const TIMEOUT = 15_000;

let server;
let browser;
let page;
let complaints;

before(async () => {
  server = await startServer();
  browser = await openBrowser();
  page = browser.page;
  page.setDefaultTimeout(TIMEOUT);
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

let channels = 0;
let channel;

beforeEach(async () => {
  complaints = [];
  channels += 1;
  channel = `demo-${channels}`;
  await page.goto(`${server.url}/?channel=${channel}`);
  for (const pane of ['a', 'b', 'sse']) await state(pane, 'connected');
  await members(2);
});

afterEach(() => assert.deepEqual(complaints, [], 'the browser has nothing to complain about'));

const at = (id) => page.getByTestId(id);
const state = (pane, wanted) => at(`state-${pane}`).filter({ hasText: new RegExp(`^${wanted}$`) }).waitFor();
const members = (count) => at('presence-count').filter({ hasText: new RegExp(`^${count}$`) }).waitFor();

async function publish(text, by) {
  await at('publish-text').fill(text);
  await at(`publish-${by}`).click();
  await at('publish-result').filter({ hasText: /^published / }).waitFor();
}

/** Waits for a message in a pane's log. */
const arrives = (pane, text) => at(`log-${pane}`).getByTestId('message').filter({ hasText: text }).waitFor();

/** What a pane's log holds, in order. */
const messages = (pane) => at(`log-${pane}`).getByTestId('message').evaluateAll((entries) => entries.map((entry) => ({
  offset: Number(entry.dataset.offset),
  data: entry.querySelector('code').textContent,
  recovered: entry.dataset.recovered === 'true',
})));

test('what is published by any way reaches all three clients, in one order', async () => {
  await publish('{"n":1}', 'http');
  await publish('{"n":2}', 'a');
  await publish('{"n":3}', 'b');
  for (const pane of ['a', 'b', 'sse']) {
    await arrives(pane, '{"n":3}');
    const seen = await messages(pane);
    assert.deepEqual(seen.map(({ data }) => data), ['{"n":1}', '{"n":2}', '{"n":3}']);
    assert.deepEqual(seen.map(({ offset }) => offset), [1, 2, 3]);
    assert.ok(seen.every(({ recovered }) => !recovered));
  }
});

for (const pane of ['a', 'b', 'sse']) {
  test(`client ${pane} recovers what was published while its line was cut`, async () => {
    await publish('"before"', 'http');
    await arrives(pane, 'before');
    await at(`cut-${pane}`).click();
    await state(pane, 'cut');
    await publish('"missed 1"', 'http');
    await publish('"missed 2"', 'http');
    await arrives(pane === 'a' ? 'b' : 'a', 'missed 2');
    assert.deepEqual((await messages(pane)).map(({ data }) => data.replaceAll('"', '')), ['before']);

    await state(pane, 'connected');
    await arrives(pane, 'missed 2');
    await publish('"live again"', 'http');
    await arrives(pane, 'live again');
    const seen = await messages(pane);
    assert.deepEqual(seen.map(({ data }) => data.replaceAll('"', '')), ['before', 'missed 1', 'missed 2', 'live again']);
    assert.deepEqual(seen.map(({ offset }) => offset), [1, 2, 3, 4]);
    assert.deepEqual(seen.map(({ recovered }) => recovered), [false, true, true, false]);
    assert.equal(await at(`log-${pane}`).getByTestId('gap').count(), 0);
  });
}

test('an EventSource that was cut before its first message recovers too', async () => {
  await at('cut-sse').click();
  await state('sse', 'cut');
  await publish('"missed"', 'http');
  await state('sse', 'connected');
  await arrives('sse', 'missed');
  assert.deepEqual((await messages('sse')).map(({ offset, recovered }) => [offset, recovered]), [[1, true]]);
});

test('presence lists both SDK clients, and tells who joins and leaves', async () => {
  const ids = [await at('client-id-a').textContent(), await at('client-id-b').textContent()];
  assert.notEqual(ids[0], ids[1]);
  const listed = await at('presence-member').locator('code').allTextContents();
  assert.deepEqual(listed, ids);
  await at('presence-event').filter({ hasText: 'client B joined' }).waitFor();

  await at('cut-b').click();
  await state('b', 'cut');
  await at('presence-event').filter({ hasText: 'client B left' }).waitFor();
  await state('b', 'connected');
  await members(2);
  assert.notEqual(await at('client-id-b').textContent(), ids[1]);
});

test('another browser tab sees the same channel', async () => {
  const tab = await page.context().newPage();
  try {
    await tab.goto(`${server.url}/?channel=${channel}`);
    await tab.getByTestId('state-sse').filter({ hasText: /^connected$/ }).waitFor();
    await members(4);
    await publish('plain text, not JSON', 'http');
    await tab.getByTestId('log-sse').getByTestId('message').filter({ hasText: 'plain text, not JSON' }).waitFor();
  } finally {
    await tab.close();
  }
  await members(2);
});

test('the page needs no inline script and names its files with checksums', async () => {
  const answer = await fetch(`${server.url}/`);
  assert.match(answer.headers.get('content-type'), /^text\/html/);
  const tag = answer.headers.get('etag');
  assert.ok(tag);
  const again = await fetch(`${server.url}/`, { headers: { 'If-None-Match': tag } });
  assert.equal(again.status, 304);
  assert.doesNotMatch(await answer.text(), /<script(?![^>]*\bsrc=)|\sstyle=|\son\w+=/);
});

test('the page runs the very client that the other tests use', async () => {
  const version = async (file) => JSON.parse(await readFile(new URL(file, import.meta.url))).dependencies.centrifuge;
  assert.equal(await version('../../web/package.json'), await version('package.json'));
  const served = await (await fetch(`${server.url}/demo/centrifuge.js`)).text();
  assert.equal(served, await readFile(new URL('node_modules/centrifuge/dist/centrifuge.js', import.meta.url), 'utf8'));
});
