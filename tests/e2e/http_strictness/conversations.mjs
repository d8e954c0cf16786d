// Conversations over one connection, each to be had in pieces: {name, bytes, done, tidy}. A character is a byte.
// `done` says when everything has come; `tidy` takes out what differs from run to run.

const HOST = 'Host: localhost\r\n';
const post = (path, headers, body) => `POST ${path} HTTP/1.1\r\n${HOST}${headers}Content-Length: ${body.length}\r\n\r\n${body}`;
const CLOSE = 'Connection: close\r\n';

const tidyPublished = (text) => text.replace(/\{"epoch":"\w+","offset":\d+\}/g, '{published}').replace(/^Content-Length: \d+\r\n(?=(?:.+\r\n)*\r\n\{published\})/gm, '');
const tidyStream = (text) => text.replace(/\r\n[0-9a-f]+\r\nid: \w+\.\d+\nretry: \d+\n\n\r\n/, '{first}');

const MASK = [0x37, 0xfa, 0x21, 0x3d];
/** A masked frame with a payload of up to 65,535 bytes. */
function frame(opcode, payload, fin = true) {
  const length = payload.length < 126 ? [0x80 | payload.length] : [0x80 | 126, payload.length >> 8, payload.length & 0xff];
  const masked = [...Buffer.from(payload, 'latin1')].map((byte, i) => byte ^ MASK[i % 4]);
  return Buffer.from([(fin ? 0x80 : 0) | opcode, ...length, ...MASK, ...masked]).toString('latin1');
}
const UPGRADE = `GET /connection/websocket HTTP/1.1\r\n${HOST}Upgrade: websocket\r\nConnection: Upgrade\r\n`
  + 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n';
const tidyJson = (text) => text.replace(/"client":"[^"]*"/g, '"client":""').replace(/"(epoch|node|session)":"[^"]*"/g, '"$1":""').replace(/"(offset|time)":\d+/g, '"$1":0');

/** The frames of a server as lines, sorted: replies come when they are ready. */
function tidyWebSocket(text) {
  const head = text.indexOf('\r\n\r\n') + 4;
  const lines = [];
  for (let at = head; at < text.length;) {
    const short = text.charCodeAt(at + 1);
    const long = short === 126;
    const length = long ? text.charCodeAt(at + 2) * 256 + text.charCodeAt(at + 3) : short;
    const start = at + (long ? 4 : 2);
    for (const line of text.slice(start, start + length).split('\n')) lines.push(`${text.charCodeAt(at).toString(16)} ${tidyJson(line)}`);
    at = start + length;
  }
  return [text.slice(0, head), ...lines.sort()].join('\n');
}

const ended = (text, end) => end;

export const CONVERSATIONS = [
  { name: 'a GET', bytes: `GET /health/live HTTP/1.1\r\n${HOST}Accept: */*\r\n${CLOSE}\r\n`, done: ended },
  { name: 'a HEAD over HTTP/1.0', bytes: `HEAD /health HTTP/1.0\r\n${HOST}\r\n`, done: ended },
  {
    name: 'three pipelined requests',
    bytes: `\r\nGET /health HTTP/1.1\r\n${HOST}\r\n${post('/pub/split', 'Content-Type: text/plain\r\n', 'hello')}GET /nothing HTTP/1.1\r\n${HOST}${CLOSE}\r\n`,
    done: ended,
    tidy: tidyPublished,
  },
  {
    name: 'chunks, extensions and trailers',
    bytes: `POST /pub/split HTTP/1.1\r\n${HOST}${CLOSE}Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n5;a="b;c"\r\nhello\r\n1\r\n!\r\n0\r\nX: y\r\n\r\n`,
    done: ended,
    tidy: tidyPublished,
  },
  {
    // Whoever sends the body at once is asked for nothing; in pieces it depends on the cut, and both are right.
    name: 'a body that asks first',
    bytes: post('/pub/split', `Expect: 100-continue\r\n${CLOSE}`, '"hello"'),
    done: ended,
    tidy: (text) => tidyPublished(text).replace('HTTP/1.1 100 Continue\r\n\r\n', ''),
  },
  { name: 'a batch of the server API', bytes: post('/api/batch', CLOSE, '{"commands":[{"publish":{"channel":"split","data":{"a":"\\u00e4\\ud83d\\ude00"}}},{"nothing":{}}]}'), done: ended, tidy: (text) => tidyJson(text).replace(/Content-Length: \d+/, '') },
  { name: 'a preflight and its publish', bytes: `OPTIONS /pub/split HTTP/1.1\r\n${HOST}Origin: http://localhost:1\r\n\r\n${post('/pub/split', `Origin: http://localhost:1\r\n${CLOSE}`, '1')}`, done: ended, tidy: tidyPublished },
  { name: 'a smuggler', bytes: `POST /pub/split HTTP/1.1\r\n${HOST}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /health HTTP/1.1\r\n${HOST}\r\n`, done: ended },
  { name: 'an escape that is none', bytes: `GET /sse/%zz HTTP/1.1\r\n${HOST}${CLOSE}\r\n`, done: ended },
  { name: 'an event stream', bytes: `GET /sse/quiet HTTP/1.1\r\n${HOST}Last-Event-ID: \r\n\r\n`, done: (text) => /retry: \d+\n\n\r\n$/.test(text), tidy: tidyStream },
  {
    name: 'commands behind an upgrade',
    bytes: UPGRADE + [
      frame(1, '{"connect":{},"id":1}\n{"subscribe":{"channel":"split-quiet"},"id":2}'),
      frame(1, '{"publish":{"channel":"split', false), frame(10, 'unasked'), frame(0, '","data":{"text":"', false), frame(0, `${'a'.repeat(200)}"}},"id":3}`),
    ].join(''),
    done: (text) => [1, 2, 3].every((id) => text.includes(`"id":${id}`)),
    tidy: tidyWebSocket,
  },
  { name: 'a ping and a goodbye behind an upgrade', bytes: UPGRADE + frame(9, 'one') + frame(8, '\x03\xe8bye'), done: ended },
  { name: 'a WebSocket that breaks the rules', bytes: UPGRADE + frame(3, 'x'), done: ended },
  { name: 'a WebSocket whose text is none', bytes: UPGRADE + frame(1, '\xff'), done: ended },
];
