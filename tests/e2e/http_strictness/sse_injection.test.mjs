// 10,000 random events made of all that could end a line, a field or a stream: an unmodified EventSource, in Node and in Chromium, sees
// exactly what was published, and nothing that only looked like an event.
import assert from 'node:assert/strict';
import net from 'node:net';
import { after, before, test } from 'node:test';
import { EventSource } from 'eventsource';
import { openBrowser } from '../lib/browser.mjs';
import { Random, takeSeed } from '../lib/random.mjs';
import { parseHead } from '../lib/raw_http.mjs';
import { assertSameList } from '../lib/same_list.mjs';
import { startServer } from '../lib/server.mjs';
import { until, within } from '../lib/wait.mjs';

const EVENTS = 10_000;
const BATCH = 500;
const random = new Random(takeSeed('sse_injection'));

const CONTROLS = Array.from({ length: 32 }, (_, i) => String.fromCharCode(i));
const PIECES = [
  ...CONTROLS, '\r', '\n', '\r\n', '\n\n', '\r\r', '\r\n\r\n', '\n\r', '\x7f', '\u0080', '\u0085', '\u00a0', '\u2028', '\u2029', '\ufeff', '\ufffd', '\u{1f600}',
  ' ', '  ', ':', ': ', '', '{}', '"', '\\n', '\\u000a', '<!--',
  'data:', 'data: injected', 'event: injected', 'id: injected', 'id:', 'retry: 1', ': hb', 'event: gap', 'data', '\ndata: x\n\n', '\nid: 9.9\n', '\revent: injected\rdata: y\r\r', '\nretry: 0\n',
];
const text = (most) => Array.from({ length: random.integer(1, most) }, () => random.pick(PIECES)).join('');
// What HTTP lets a header carry; the server takes names of letters, spaces and signs.
const NAME_PIECES = ['a', 'B', '0', ' x', ':', ': ', 'data:', '\u0080', '\u0085', '\u2028', '\u2029', '\ufeff', '\u{1f600}', '%0a', '%0d%0a', '\\n', '"'];
const NAMES = ['injected', 'message', 'gap', 'open', 'error', ...Array.from({ length: 60 }, () => `n${Array.from({ length: random.integer(1, 5) }, () => random.pick(NAME_PIECES)).join('')}.`)];
const RESERVED = new Set(['gap', 'open', 'error', '']);

/** What is sent. JSON has its line ends between its tokens. */
function makeEvent() {
  const name = random.integer(0, 2) === 0 ? random.pick(NAMES) : '';
  if (random.integer(0, 3) > 0) return { name, type: 'text/plain', body: text(12) || 'x' };
  const json = JSON.stringify({ t: text(8), [text(2)]: [text(4)] }, null, 1);
  return { name, type: 'application/json', body: json.replaceAll('\n', random.pick(['\n', '\r', '\r\n', ' \n\n'])) };
}

// What is to be seen: EventSource knows no line end but LF.
const seenAs = ({ name, body }) => ({ name: RESERVED.has(name) ? 'message' : name, data: body.replace(/\r\n|\r/g, '\n') });

/** Publishes one behind the other over one connection, and resolves with the answers. */
async function publishAll(port, channel, events) {
  const socket = net.connect({ host: '127.0.0.1', port, noDelay: true });
  let came = '';
  let next = 0;
  const offsets = [];
  const done = new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`closed after ${offsets.length} of ${events.length}: ${came.slice(next, next + 500)}`)));
    socket.on('data', (bytes) => {
      came += bytes.toString('latin1');
      for (let head = parseHead(came.slice(next)); head; head = parseHead(came.slice(next))) {
        const size = head.size + Number(head.headers.get('content-length'));
        if (came.length < next + size) break;
        offsets.push(head.status === 200 ? JSON.parse(came.slice(next + head.size, next + size)).offset : head.status);
        next += size;
      }
      if (offsets.length === events.length) resolve(offsets);
    });
  });
  socket.write(Buffer.concat(events.flatMap(({ name, type, body }) => {
    const bytes = Buffer.from(body);
    const event = name === '' ? '' : `Parley-Event: ${name}\r\n`;
    return [Buffer.from(`POST /pub/${channel} HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${type}\r\n${event}Content-Length: ${bytes.length}\r\n\r\n`), bytes];
  })));
  return within(done, 'an answer to each publish').finally(() => socket.destroy());
}

/** Runs in Node and, as text, in the page: records everything that an EventSource dispatches. */
function record(Source, url, names) {
  const seen = [];
  const source = new Source(url);
  for (const name of new Set(['message', ...names])) {
    source.addEventListener(name, (event) => {
      // Of its own, not from the stream.
      if (event.data === undefined) { if (name === 'open') seen.opened = true; return; }
      seen.push({ name: event.type, data: event.data, id: event.lastEventId });
    });
  }
  seen.close = () => source.close();
  return seen;
}

let server;
before(async () => { server = await startServer(); });
after(() => server.stop());

test(`${EVENTS} random events reach EventSource as they were published`, async () => {
  const url = `${server.url}/sse/injection`;
  const here = record(EventSource, url, NAMES);
  const browser = await openBrowser();
  try {
    await browser.page.goto(server.url);
    await browser.page.evaluate(`window.seen = (${record})(EventSource, ${JSON.stringify(url)}, ${JSON.stringify(NAMES)})`);
    await until(() => browser.page.evaluate('window.seen.opened'), 'an open stream in Chromium');
    await until(() => here.opened, 'an open stream');
    const expected = [];
    for (let sent = 0; sent < EVENTS; sent += BATCH) {
      const events = Array.from({ length: BATCH }, makeEvent);
      const offsets = await publishAll(server.port, 'injection', events);
      assert.deepEqual(offsets, Array.from({ length: BATCH }, (_, i) => sent + i + 1));
      expected.push(...events.map(seenAs));
      await until(() => here.length >= expected.length, () => `${expected.length} events in Node; there are ${here.length}`);
      await until(() => browser.page.evaluate(`window.seen.length >= ${expected.length}`), `${expected.length} events in Chromium`);
    }
    const strip = (list) => list.map(({ name, data }) => ({ name, data }));
    assertSameList(strip(here), expected, 'Node');
    const there = await browser.page.evaluate('window.seen.map(({ name, data, id }) => ({ name, data, id }))');
    assertSameList(strip(there), expected, 'Chromium');
    const epoch = here[0].id.split('.')[0];
    const ids = expected.map((_, i) => `${epoch}.${i + 1}`);
    assertSameList(here.map(({ id }) => id), ids, 'ids in Node');
    assertSameList(there.map(({ id }) => id), ids, 'ids in Chromium');
  } finally {
    here.close();
    await browser.close();
  }
});

test('names with control characters are refused before they are published', async () => {
  const controls = [...CONTROLS, '\x7f'].filter((c) => !'\r\n\0'.includes(c));
  for (const control of [...controls, '\0', '\r']) {
    const socket = await publishAll(server.port, 'names', [{ name: `a${control}b`, type: 'text/plain', body: 'x' }]);
    assert.deepEqual(socket, [400], JSON.stringify(control));
  }
});
