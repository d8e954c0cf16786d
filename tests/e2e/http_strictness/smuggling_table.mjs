// Requests that two servers could read in two ways. Each is [name, status, bytes]; a character is a byte.
// `SMUGGLED` is the request that would be found inside another one by who reads it the other way.

const HOST = 'Host: localhost\r\n';
export const target = (channel) => `/pub/${channel}`;
/** What must never be served: a publish to this channel. */
export const smuggled = (channel) => `POST ${target(channel)} HTTP/1.1\r\n${HOST}Content-Length: 1\r\n\r\n1`;

const HIDDEN = smuggled('CHANNEL');
const hex = (text) => text.length.toString(16);
const post = (headers, body = HIDDEN) => `POST /pub/front HTTP/1.1\r\n${HOST}${headers}\r\n\r\n${body}`;
const get = (headers, body = HIDDEN) => `GET /health HTTP/1.1\r\n${HOST}${headers}\r\n\r\n${body}`;
const chunked = (body) => post('Transfer-Encoding: chunked', body);
const whole = `Content-Length: ${HIDDEN.length}`;
const TE_CL_BODY = `${hex(HIDDEN)}\r\n${HIDDEN}\r\n0\r\n\r\n`;

const LENGTHS = [
  ['CL.TE', 400, post(`Content-Length: ${HIDDEN.length + 5}\r\nTransfer-Encoding: chunked`, `0\r\n\r\n${HIDDEN}`)],
  ['TE.CL', 400, post('Transfer-Encoding: chunked\r\nContent-Length: 4', TE_CL_BODY)],
  ['CL of nothing and TE', 400, post('Content-Length: 0\r\nTransfer-Encoding: chunked', TE_CL_BODY)],
  ['CL and a TE that nobody knows', 400, post(`${whole}\r\nTransfer-Encoding: x`)],
  ['CL 0, then the whole', 400, post(`Content-Length: 0\r\n${whole}`)],
  ['the whole, then CL 0', 400, post(`${whole}\r\nContent-Length: 0`)],
  ['CL twice, equal', 400, post(`${whole}\r\n${whole}`)],
  ['CL list, equal', 400, post(`Content-Length: ${HIDDEN.length}, ${HIDDEN.length}`)],
  ['CL list, different', 400, post(`Content-Length: 0, ${HIDDEN.length}`)],
  ['CL with a comma behind', 400, post(`${whole},`)],
  ['CL with plus', 400, post(`Content-Length: +${HIDDEN.length}`)],
  ['CL with minus', 400, post('Content-Length: -1')],
  ['CL minus nothing', 400, post('Content-Length: -0')],
  ['CL in hexadecimal', 400, post(`Content-Length: 0x${hex(HIDDEN)}`)],
  ['CL with leading zeros', 400, post(`Content-Length: 00${HIDDEN.length}`)],
  ['CL with a space inside', 400, post('Content-Length: 0 1')],
  ['CL with a tab inside', 400, post('Content-Length: 0\t1')],
  ['CL with a vertical tab', 400, post(`Content-Length: \v${HIDDEN.length}`)],
  ['CL empty', 400, post('Content-Length:')],
  ['CL as a fraction', 400, post('Content-Length: 0.0')],
  ['CL as an exponent', 400, post('Content-Length: 1e1')],
  ['CL quoted', 400, post('Content-Length: "0"')],
  ['CL in Arabic digits', 400, post('Content-Length: \xd9\xa0')],
  ['CL with NUL behind', 400, post('Content-Length: 0\0')],
  ['CL of 2^64', 400, post('Content-Length: 18446744073709551616')],
  ['CL of 2^64 + the whole', 400, post(`Content-Length: ${2n ** 64n + BigInt(HIDDEN.length)}`)],
  ['CL with a space before the colon', 400, post(`Content-Length : ${HIDDEN.length}`)],
  ['CL with a NUL in its name', 400, post(`Content-\0Length: ${HIDDEN.length}`)],
  ['CL with an underline, then CL', 400, post(`Content_Length: 0\r\n${whole}\r\nContent-Length: 1`)],
];

const ENCODINGS = [
  ['TE with a space before the colon', 400, post(`${whole}\r\nTransfer-Encoding : chunked`, `0\r\n\r\n${HIDDEN}`)],
  ['TE with a tab before the colon', 400, post('Transfer-Encoding\t: chunked', TE_CL_BODY)],
  ['TE xchunked', 400, post('Transfer-Encoding: xchunked', TE_CL_BODY)],
  ['TE chunkedx', 400, post('Transfer-Encoding: chunkedx', TE_CL_BODY)],
  ['TE chunked, identity', 400, post('Transfer-Encoding: chunked, identity', TE_CL_BODY)],
  ['TE identity, chunked', 400, post('Transfer-Encoding: identity, chunked', TE_CL_BODY)],
  ['TE gzip, chunked', 400, post('Transfer-Encoding: gzip, chunked', TE_CL_BODY)],
  ['TE chunked, chunked', 400, post('Transfer-Encoding: chunked, chunked', TE_CL_BODY)],
  ['TE twice', 400, post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', TE_CL_BODY)],
  ['TE chunked, then x', 400, post('Transfer-Encoding: chunked\r\nTransfer-Encoding: x', TE_CL_BODY)],
  ['TE identity', 400, post('Transfer-Encoding: identity')],
  ['TE empty', 400, post('Transfer-Encoding:')],
  ['TE with a parameter', 400, post('Transfer-Encoding: chunked;q=1', TE_CL_BODY)],
  ['TE quoted', 400, post('Transfer-Encoding: "chunked"', TE_CL_BODY)],
  ['TE with a comma before', 400, post('Transfer-Encoding: ,chunked', TE_CL_BODY)],
  ['TE with a vertical tab', 400, post('Transfer-Encoding: \vchunked', TE_CL_BODY)],
  ['TE with a form feed behind', 400, post('Transfer-Encoding: chunked\f', TE_CL_BODY)],
  ['TE with a hard space', 400, post('Transfer-Encoding: \xa0chunked', TE_CL_BODY)],
  ['TE with NUL behind', 400, post('Transfer-Encoding: chunked\0', TE_CL_BODY)],
  ['TE folded', 400, post('Transfer-Encoding:\r\n chunked', TE_CL_BODY)],
  ['TE behind a bare LF', 400, post('X: y\nTransfer-Encoding: chunked', TE_CL_BODY)],
  ['TE behind a bare CR', 400, post('X: y\rTransfer-Encoding: chunked', TE_CL_BODY)],
  ['TE over HTTP/1.0', 400, `POST /pub/front HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n${TE_CL_BODY}`],
  ['TE with a letter that becomes k in lower case', 400, post('Transfer-Encoding: chun\xe2\x84\xaaed', TE_CL_BODY)],
];

const CHUNKS = [
  ['a chunk of 2^64', 400, chunked(`10000000000000000\r\n${HIDDEN}`)],
  ['a chunk of 2^64 + 1', 400, chunked(`10000000000000001\r\n1\r\n0\r\n\r\n${HIDDEN}`)],
  ['a chunk of 2^64 - 1', 413, chunked(`ffffffffffffffff\r\n${HIDDEN}`)],
  ['a chunk size with plus', 400, chunked(`+1\r\n1\r\n0\r\n\r\n${HIDDEN}`)],
  ['a chunk size with minus', 400, chunked(`-1\r\n1\r\n0\r\n\r\n${HIDDEN}`)],
  ['a chunk size with 0x', 400, chunked(`0x1\r\n1\r\n0\r\n\r\n${HIDDEN}`)],
  ['a chunk size with a space before', 400, chunked(` 1\r\n1\r\n0\r\n\r\n${HIDDEN}`)],
  ['a chunk size with a space behind', 400, chunked(`1 \r\n1\r\n0\r\n\r\n${HIDDEN}`)],
  ['a chunk size with an underline', 400, chunked(`0_0\r\n\r\n${HIDDEN}`)],
  ['a chunk size that is empty', 400, chunked(`\r\n\r\n${HIDDEN}`)],
  ['a chunk size with 17 digits', 400, chunked(`00000000000000001\r\n1\r\n0\r\n\r\n${HIDDEN}`)],
  ['a chunk size that ends with LF', 400, chunked(`1\n1\r\n0\r\n\r\n${HIDDEN}`)],
  ['a chunk extension with LF', 400, chunked(`1;a\nb\r\n1\r\n0\r\n\r\n${HIDDEN}`)],
  ['a chunk extension with CR', 400, chunked(`1;a\rb\r\n1\r\n0\r\n\r\n${HIDDEN}`)],
  ['a chunk extension that hides a size', 400, chunked(`1;\n${hex(HIDDEN)}\r\n1\r\n0\r\n\r\n${HIDDEN}`)],
  ['a chunk extension without a name', 400, chunked(`1;\r\n1\r\n0\r\n\r\n${HIDDEN}`)],
  ['a chunk extension of 300 bytes', 400, chunked(`1;${'a'.repeat(300)}\r\n1\r\n0\r\n\r\n${HIDDEN}`)],
  ['chunk data longer than its size', 400, chunked(`1\r\n11\r\n0\r\n\r\n${HIDDEN}`)],
  ['chunk data without an end', 400, chunked(`1\r\n10\r\n\r\n${HIDDEN}`)],
  ['chunk data ended by LF', 400, chunked(`1\r\n1\n0\r\n\r\n${HIDDEN}`)],
  ['chunk data ended by two other bytes', 400, chunked(`1\r\n1XX0\r\n\r\n${HIDDEN}`)],
  ['the last chunk ended by LF', 400, chunked(`1\r\n1\r\n0\n\n${HIDDEN}`)],
  ['the end of the trailers is LF', 400, chunked(`1\r\n1\r\n0\r\n\n${HIDDEN}`)],
  ['a request as a trailer', 400, chunked(`1\r\n1\r\n0\r\n${HIDDEN}`)],
  ['a trailer that is folded', 400, chunked(`1\r\n1\r\n0\r\nA: b\r\n c\r\n\r\n${HIDDEN}`)],
  ['a trailer with NUL', 400, chunked(`1\r\n1\r\n0\r\nA: \0\r\n\r\n${HIDDEN}`)],
];

const HEADERS = [
  ['LF instead of CR LF everywhere', 400, `GET /health HTTP/1.1\nHost: localhost\n\n${HIDDEN}`],
  ['LF behind a header', 400, get('A: b\nC: d')],
  ['LF at the end of the head', 400, `GET /health HTTP/1.1\r\n${HOST}\n${HIDDEN}`],
  ['CR in a value', 400, get('A: b\rC: d')],
  ['CR CR LF', 400, get('A: b\r')],
  ['CR LF CR behind a header', 400, get('A: b\r\n\rC: d')],
  ['NUL in a value', 400, get('A: b\0c')],
  ['NUL in a name', 400, get('A\0B: c')],
  ['an escape in a value', 400, get('A: \x1b[2J')],
  ['a space before the colon', 400, get('A : b')],
  ['a space in a name', 400, get('A B: c')],
  ['no name', 400, get(': b')],
  ['no colon', 400, get('A')],
  ['a name with a letter beyond ASCII', 400, get('\xc3\xa4: b')],
  ['a folded header', 400, get('A: b\r\n c')],
  ['a folded header with a tab', 400, get('A: b\r\n\tc')],
  ['a fold behind the request line', 400, `GET /health HTTP/1.1\r\n ${HOST}\r\n${HIDDEN}`],
  ['a space as the last header', 400, get(' ')],
  ['another expectation', 417, post(`Expect: 200-ok\r\n${whole}`)],
  ['an expectation twice', 417, post(`Expect: 100-continue\r\nExpect: 100-continue\r\n${whole}`)],
  ['101 headers', 431, get(Array.from({ length: 101 }, (_, i) => `A${i}: b`).join('\r\n'))],
  ['headers of 17,000 bytes', 431, get(`A: ${'b'.repeat(17_000)}`)],
];

const HOSTS = [
  ['no Host', 400, `GET /health HTTP/1.1\r\n\r\n${HIDDEN}`],
  ['two Hosts', 400, get('Host: elsewhere')],
  ['two equal Hosts', 400, get('Host: localhost')],
  ['two Hosts over HTTP/1.0', 400, `GET /health HTTP/1.0\r\n${HOST}Host: elsewhere\r\n\r\n${HIDDEN}`],
  ['an empty Host', 400, `GET /health HTTP/1.1\r\nHost:\r\n\r\n${HIDDEN}`],
  ['a list of Hosts', 400, `GET /health HTTP/1.1\r\nHost: localhost, elsewhere\r\n\r\n${HIDDEN}`],
  ['a Host with a user', 400, `GET /health HTTP/1.1\r\nHost: elsewhere@localhost\r\n\r\n${HIDDEN}`],
  ['a Host with a path', 400, `GET /health HTTP/1.1\r\nHost: localhost/elsewhere\r\n\r\n${HIDDEN}`],
  ['a Host with two ports', 400, `GET /health HTTP/1.1\r\nHost: localhost:80:81\r\n\r\n${HIDDEN}`],
  ['a Host with a space before its colon', 400, `GET /health HTTP/1.1\r\nHost : localhost\r\n\r\n${HIDDEN}`],
  ['a target of another host', 400, `GET http://elsewhere/health HTTP/1.1\r\n${HOST}\r\n${HIDDEN}`],
  ['a target with a user', 400, `GET http://elsewhere@localhost/health HTTP/1.1\r\n${HOST}\r\n${HIDDEN}`],
];

const REQUEST_LINES = [
  ['a space before the method', 400, ` GET /health HTTP/1.1\r\n${HOST}\r\n${HIDDEN}`],
  ['two blank lines before', 400, `\r\n\r\nGET /health HTTP/1.1\r\n${HOST}\r\n${HIDDEN}`],
  ['LF before', 400, `\nGET /health HTTP/1.1\r\n${HOST}\r\n${HIDDEN}`],
  ['a tab behind the method', 400, `GET\t/health HTTP/1.1\r\n${HOST}\r\n${HIDDEN}`],
  ['two spaces behind the method', 400, `GET  /health HTTP/1.1\r\n${HOST}\r\n${HIDDEN}`],
  ['two spaces before the version', 400, `GET /health  HTTP/1.1\r\n${HOST}\r\n${HIDDEN}`],
  ['a space behind the version', 400, `GET /health HTTP/1.1 \r\n${HOST}\r\n${HIDDEN}`],
  ['a request inside the target', 400, `GET /health HTTP/1.1 /x HTTP/1.1\r\n${HOST}\r\n${HIDDEN}`],
  ['NUL in the target', 400, `GET /health\0 HTTP/1.1\r\n${HOST}\r\n${HIDDEN}`],
  ['a target with letters beyond ASCII', 400, `GET /\xc3\xa4 HTTP/1.1\r\n${HOST}\r\n${HIDDEN}`],
  ['a target without a slash', 400, `GET health HTTP/1.1\r\n${HOST}\r\n${HIDDEN}`],
  ['a fragment', 400, `GET /health#a HTTP/1.1\r\n${HOST}\r\n${HIDDEN}`],
  ['a method that is no token', 400, `G(T /health HTTP/1.1\r\n${HOST}\r\n${HIDDEN}`],
  ['CONNECT', 501, `CONNECT localhost:80 HTTP/1.1\r\n${HOST}\r\n${HIDDEN}`],
  ['HTTP/0.9', 505, 'GET /health\r\n'],
  ['HTTP/1.2', 505, `GET /health HTTP/1.2\r\n${HOST}\r\n${HIDDEN}`],
  ['HTTP/2.0', 505, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['http/1.1', 400, `GET /health http/1.1\r\n${HOST}\r\n${HIDDEN}`],
  ['HTTP/01.1', 400, `GET /health HTTP/01.1\r\n${HOST}\r\n${HIDDEN}`],
  ['HTTP/1.10', 400, `GET /health HTTP/1.10\r\n${HOST}\r\n${HIDDEN}`],
  ['a request line of 9,000 bytes', 414, `GET /${'a'.repeat(9_000)} HTTP/1.1\r\n${HOST}\r\n${HIDDEN}`],
];

const upgrade = (path, headers) =>
  `GET ${path} HTTP/1.1\r\n${HOST}Upgrade: websocket\r\nConnection: Upgrade\r\n${headers}\r\n\r\n${HIDDEN}`;

// Understood, but refused, and with them the connection: what follows may be another protocol's, or a body that nobody reads.
const REFUSED = [
  ['an upgrade to another version of WebSocket', 426, upgrade('/connection/websocket', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 12')],
  ['an upgrade with a bad key', 400, upgrade('/connection/websocket', 'Sec-WebSocket-Key: short\r\nSec-WebSocket-Version: 13')],
  ['an upgrade without a key', 400, upgrade('/connection/websocket', 'Sec-WebSocket-Version: 13')],
  ['an upgrade where there is none', 404, upgrade('/nothing', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13')],
  ['a body on GET, where none is taken', 413, get(whole)],
  ['a chunked body on GET, where none is taken', 413, get('Transfer-Encoding: chunked', TE_CL_BODY)],
  ['a body where there is nothing', 404, `POST /nothing HTTP/1.1\r\n${HOST}${whole}\r\n\r\n${HIDDEN}`],
  ['a body on a method that is not taken', 405, `DELETE /health HTTP/1.1\r\n${HOST}${whole}\r\n\r\n${HIDDEN}`],
];

/** What must be answered with exactly this status and nothing behind it. */
export const REQUESTS = [LENGTHS, ENCODINGS, CHUNKS, HEADERS, HOSTS, REQUEST_LINES, REFUSED].flat();

const one = (bytes) => `${bytes}${smuggled('CHANNEL').replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')}`;

/** What looks odd and has one reading only: two requests, two answers. */
export const HARMLESS = [
  ['a blank line before', one(`\r\nGET /health HTTP/1.1\r\n${HOST}\r\n`)],
  ['Chunked in capitals', one(post('TRANSFER-ENCODING: CHUNKED', `${hex(HIDDEN)}\r\n${HIDDEN}\r\n0\r\n\r\n`))],
  ['a request inside a body', one(post(whole))],
  ['a request inside a chunk', one(chunked(`${hex(HIDDEN)}\r\n${HIDDEN}\r\n0\r\n\r\n`))],
  ['trailers that name a length', one(chunked('1\r\n1\r\n0\r\nContent-Length: 100\r\nTransfer-Encoding: chunked\r\nHost: elsewhere\r\n\r\n'))],
  ['chunk extensions', one(chunked('1;a;b=c;d="e;f\\"g"\r\n1\r\n0;h\r\n\r\n'))],
  ['an absolute target of the same host', one(`GET http://localhost/health HTTP/1.1\r\n${HOST}\r\n`)],
  ['a header that is none of ours', one(get('Content_Length: 7\r\nX-Transfer-Encoding: chunked', ''))],
];
