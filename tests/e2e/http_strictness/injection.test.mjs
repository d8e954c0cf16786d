// Whatever a request says, in each place where an answer might repeat it: no answer gets a header or a body byte more by it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { exchange, inParallel, parseAnswers, parseHead } from '../lib/raw_http.mjs';
import { startConfigured } from '../lib/server.mjs';

let server;
before(async () => {
  const channel = { history_size: 10, history_ttl: '60s' };
  for (const verb of ['subscribe', 'publish']) {
    for (const who of ['client', 'anonymous']) channel[`allow_${verb}_for_${who}`] = true;
  }
  server = await startConfigured({
    // Every page is let in, so that each origin is told back.
    client: { allow_anonymous_connect_without_token: true, allowed_origins: ['*'] },
    channel: { without_namespace: channel },
    http_api: { insecure: true }, pub: { enabled: true }, event_stream: { enabled: true }, prometheus: { enabled: true },
  });
});
after(() => server.stop());

const BREAKS = [
  '\r', '\n', '\r\n', '\n\r', '\r\r\n', '\0', '\t', '\v', '\f', '\x1b', '\x7f', '\x80', '\x85', '\xa0', '\xff', '\xc2\x85', '\xe2\x80\xa8', '\xe2\x80\xa9',
  '\xe5\x98\x8a\xe5\x98\x8d', '\xef\xbb\xbf', '%0d', '%0a', '%0d%0a', '%0D%0A', '%00', '%09', '%85', '%c2%85', '%e2%80%a8', '%ff', '%E5%98%8A%E5%98%8D',
  '%250d%250a', '%u000d%u000a', '%', '%0', '\\r\\n', '\\u000d\\u000a', '"', '<script>', ' ',
];
const payload = (line) => `a${line}Injected: 1${line}id: injected${line}${line}<injected>`;
const inBody = (headers, body) => `${headers}Content-Length: ${body.length}\r\n\r\n${body}`;
const page = (method, path) => `${method} ${path} HTTP/1.1\r\nHost: h\r\nOrigin: https://app.example\r\nConnection: close\r\n`;
const upgrade = 'GET /connection/websocket HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n';
const asHeader = (start, name, end = '\r\n') => (value) => `${start}${name}: ${value}\r\n${end}`;

const HEADERS = ['Last-Event-ID', 'Authorization', 'X-Request-Id', 'User-Agent', 'Cookie', 'Referer', 'X-Forwarded-For', 'X-API-Key', 'Idempotency-Key',
  'Parley-Event', 'Content-Type', 'Accept', 'Access-Control-Request-Headers', 'Access-Control-Request-Method'];
const post = (path) => `POST ${path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n`;

// [where, the request with this text there]
const PLACES = [
  ...['/nothing/', '/pub/', '/sse/', '/api/', '/health/', '/'].flatMap((path) => [
    [`GET ${path}`, (text) => `${page('GET', path + text)}\r\n`],
    [`POST ${path}`, (text) => `${page('POST', path + text)}Content-Length: 2\r\n\r\n{}`],
  ]),
  ...['lastEventId', 'last_event_id', 'token', 'other'].map((name) => [`?${name}=`, (text) => `${page('GET', `/sse/quiet?${name}=${text}`)}\r\n`]),
  ['a query of no name', (text) => `${page('GET', `/sse/quiet?${text}`)}\r\n`],
  ['the version', (text) => `GET /health HTTP/1.1${text}\r\nHost: h\r\n\r\n`],
  ['the method', (text) => `GET${text} /health HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`],
  ['Host', asHeader('GET /health HTTP/1.1\r\nConnection: close\r\n', 'Host')],
  ['a header name', (text) => `GET /health HTTP/1.1\r\nHost: h\r\nConnection: close\r\n${text}: 1\r\n\r\n`],
  ...HEADERS.flatMap((name) => [
    [`${name} at /sse`, asHeader(page('GET', '/sse/quiet'), name)],
    [`${name} at /pub`, asHeader(post('/pub/news'), name, inBody('', '1'))],
    [`${name} at OPTIONS`, asHeader(page('OPTIONS', '/pub/news'), name)],
    [`${name} at /api`, asHeader(post('/api/info'), name, inBody('', '{}'))],
  ]),
  ...['GET /sse/quiet', 'HEAD /sse/quiet', 'POST /pub/news', 'OPTIONS /pub/news', 'GET /nothing'].map((line) => [
    `Origin at ${line}`, asHeader(`${line} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n`, 'Origin', line.startsWith('POST') ? inBody('', '1') : '\r\n'),
  ]),
  ...['Origin', 'Sec-WebSocket-Protocol', 'Sec-WebSocket-Extensions', 'Sec-WebSocket-Key', 'Sec-WebSocket-Version', 'Upgrade'].map((name) => [
    `${name} at the WebSocket`, asHeader(upgrade, name, name.endsWith('Key') ? 'Sec-WebSocket-Version: 13\r\n\r\n' : 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n'),
  ]),
  ['a body that is no JSON', (text) => `${post('/pub/news')}${inBody('Content-Type: application/json\r\n', text)}`],
  ['a command that is no JSON', (text) => `${post('/api/publish')}${inBody('', text)}`],
  ['a channel of the API', (text) => `${post('/api/publish')}${inBody('', `{"channel":"${text}","data":1}`)}`],
  ['an error of the API', (text) => `${post('/api/history')}${inBody('X-Centrifugo-Error-Mode: transport\r\n', `{"channel":"${text}"}`)}`],
];

const KNOWN = new Set(['content-type', 'x-content-type-options', 'content-length', 'connection', 'vary', 'allow', 'www-authenticate', 'retry-after',
  'access-control-allow-origin', 'access-control-allow-credentials', 'access-control-allow-methods', 'access-control-allow-headers', 'access-control-max-age',
  'cache-control', 'pragma', 'x-accel-buffering', 'transfer-encoding', 'upgrade', 'sec-websocket-accept', 'sec-websocket-version', 'sec-websocket-protocol']);
const STREAM = /^3\r\n:\n\n\r\n(?:[0-9a-f]+\r\n(?:id: [0-9a-z]+\.0\n)?retry: \d+\n\n\r\n|[0-9a-f]+\r\nid: [0-9a-z]+\.\d+\nevent: gap\ndata: \{[^\n]*\}\n\n\r\n)*(?:0\r\n\r\n)?$/;

// A connection that stays open is given up when it has said what it has to say at once.
const lasts = (text) => /^HTTP\/1\.1 101/.test(text) || (/^HTTP\/1\.1 200 OK\r\nContent-Type: text\/event-stream/.test(text) && !text.includes('Content-Length'));
const enough = (text) => lasts(text) && parseHead(text) && (/^HTTP\/1\.1 101/.test(text) || /retry: \d+\n\n\r\n/.test(text));

/** The answers in what came; those of a stream as far as they came. */
function read(text, method) {
  if (!lasts(text)) return parseAnswers(text, [method]);
  const head = parseHead(text);
  const body = text.slice(head.size);
  if (head.status === 200) assert.match(body, STREAM);
  return [{ ...head, body }];
}

test(`${PLACES.length} places x ${BREAKS.length} ways to break a line: no header and no byte more`, async () => {
  const wrong = [];
  const seen = new Map();
  await inParallel(32, PLACES.flatMap((place) => BREAKS.map((line) => [place, line])), async ([[where, request], line]) => {
    const bytes = request(payload(line));
    const { text, end } = await exchange(server.port, bytes, { enough, ms: 3_000, quiet: 1_000 });
    try {
      const method = bytes.split(' ')[0];
      const answers = read(text, method);
      assert.ok(answers.length > 0 && answers.length <= 2, `${answers.length} answers, end: ${end}`);
      for (const { status, headers, body } of answers) {
        seen.set(status, (seen.get(status) ?? 0) + 1);
        const origin = headers.get('access-control-allow-origin') ?? '';
        assert.deepEqual([...headers.keys()].filter((name) => !KNOWN.has(name)), []);
        // An origin may be told back, as it came.
        for (const [name, value] of headers) assert.ok(!/injected/i.test(value) || (name.endsWith('-origin') && value === payload(line)), value);
        assert.ok(!/injected/i.test(body) || origin === body, body);
      }
    } catch (error) {
      wrong.push(`${where}, ${JSON.stringify(line)}: ${error.message} in ${JSON.stringify(text)}`);
    }
  });
  console.log(`${PLACES.length * BREAKS.length} requests; answers by status: ${JSON.stringify(Object.fromEntries(seen))}`);
  assert.deepEqual(wrong.slice(0, 10), []);
});
