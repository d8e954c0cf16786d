// Opening handshakes that must be accepted (RFC 6455 4.2, RFC 9110 and 9112).
import { KEY } from './connection.mjs';

const LINES = {
  // A development server answers this machine only.
  host: 'Host: localhost',
  upgrade: 'Upgrade: websocket',
  connection: 'Connection: Upgrade',
  key: `Sec-WebSocket-Key: ${KEY}`,
  version: 'Sec-WebSocket-Version: 13',
};

/** A request of these lines, some replaced, left out (null) or followed by others; `line` is the request line. */
export function request(changes = {}, more = [], line = 'GET /echo HTTP/1.1') {
  const lines = Object.values({ ...LINES, ...changes }).filter((one) => one !== null).flat();
  return [line, ...lines, ...more, '', ''].join('\r\n');
}
const lower = (text) => text.toLowerCase();
const upper = (text) => text.toUpperCase();
/** The names of all headers changed. */
const renamed = (change) => request(Object.fromEntries(Object.entries(LINES).map(([name, line]) => {
  const colon = line.indexOf(':');
  return [name, change(line.slice(0, colon)) + line.slice(colon)];
})));
const reversed = () => request(Object.fromEntries(Object.entries(LINES).reverse()));

const good = (name, bytes, expected = {}) => ({ name, request: bytes, status: 101, ...expected });

const plain = [
  good('the least there is', request()),
  good('header names in lower case', renamed(lower)),
  good('header names in upper case', renamed(upper)),
  good('headers in the other order', reversed().replace(/^GET/, 'GET')),
  good('a query', request({}, [], 'GET /echo?a=1&b=%20 HTTP/1.1')),
  good('an empty query', request({}, [], 'GET /echo? HTTP/1.1')),
  good('a target in absolute form', request({}, [], 'GET http://localhost/echo HTTP/1.1')),
  good('headers that mean nothing here', request({}, ['User-Agent: x', 'Accept: */*', 'Cookie: a=b; c=d', 'X-Other: 1', 'Pragma: no-cache', 'Cache-Control: no-cache'])),
  good('an empty header', request({}, ['X-Empty:'])),
  good('a header whose value is not ASCII', request({}, ['X-Latin: Gr\xfc\xdfe'])),
  good('an origin', request({}, ['Origin: http://localhost'])),
  good('a content length of 0', request({}, ['Content-Length: 0'])),
  good('no space behind colons', request({ upgrade: 'Upgrade:websocket', connection: 'Connection:Upgrade', key: `Sec-WebSocket-Key:${KEY}`, version: 'Sec-WebSocket-Version:13' })),
  good('much space around values', request({ upgrade: 'Upgrade: \t websocket \t', connection: 'Connection:   Upgrade   ', key: `Sec-WebSocket-Key:  ${KEY}  `, version: 'Sec-WebSocket-Version: \t13\t' })),
  good('a host with a port', request({ host: 'Host: localhost:8000' })),
  good('a host that is an IPv6 address', request({ host: 'Host: [::1]:8000' })),
  good('an empty line before the request', `\r\n${request()}`),
  good('fifty headers', request({}, Array.from({ length: 50 }, (_, i) => `X-Header-${i}: ${i}`))),
];

const UPGRADES = ['websocket', 'WebSocket', 'WEBSOCKET', 'wEbSoCkEt'];
const CONNECTIONS = ['Upgrade', 'upgrade', 'UPGRADE', 'keep-alive, Upgrade', 'Upgrade, keep-alive', 'keep-alive,Upgrade', 'keep-alive , upgrade', 'a, b, c, Upgrade', ', Upgrade', 'Upgrade,'];
const tokens = [
  ...UPGRADES.map((value) => good(`Upgrade: ${value}`, request({ upgrade: `Upgrade: ${value}` }))),
  ...['h2c, websocket', 'websocket, h2c'].map((value) => good(`Upgrade: ${value}`, request({ upgrade: `Upgrade: ${value}` }))),
  good('Upgrade in two headers', request({ upgrade: ['Upgrade: h2c', 'Upgrade: websocket'] })),
  ...CONNECTIONS.map((value) => good(`Connection: ${value}`, request({ connection: `Connection: ${value}` }))),
  good('Connection in two headers', request({ connection: ['Connection: keep-alive', 'Connection: Upgrade'] })),
];

const KEYS = [KEY, 'AAAAAAAAAAAAAAAAAAAAAA==', '/////////////////////w==', 'AQIDBAUGBwgJCgsMDQ4PEA==', 'x3JJHMbDL1EzLkh9GBhXDw==', '+/+/+/+/+/+/+/+/+/+/+w=='];
const keys = KEYS.map((key) => good(`the key ${key}`, request({ key: `Sec-WebSocket-Key: ${key}` }), { key }));

// /echo has no subprotocols: none is chosen, and that is no reason to refuse (4.2.2).
const PROTOCOLS = ['chat', 'chat, superchat', 'a,b,c', "!#$%&'*+-.^_`|~", 'x'.repeat(200)];
const protocols = [
  ...PROTOCOLS.map((value) => good(`subprotocols that nobody knows: ${value.slice(0, 20)}`, request({}, [`Sec-WebSocket-Protocol: ${value}`]))),
  good('subprotocols in two headers', request({}, ['Sec-WebSocket-Protocol: chat', 'Sec-WebSocket-Protocol: superchat'])),
];
const CENTRIFUGE = [
  ['centrifuge-json', 'centrifuge-json'], ['centrifuge-protobuf', 'centrifuge-protobuf'], ['centrifuge-protobuf, centrifuge-json', 'centrifuge-protobuf'],
  ['chat, centrifuge-json', 'centrifuge-json'], ['centrifuge-json,chat', 'centrifuge-json'], ['chat', undefined], ['Centrifuge-JSON', undefined],
];
const chosen = CENTRIFUGE.map(([offered, protocol]) => good(`of the subprotocols ${offered} ${protocol ? 'the first known is chosen' : 'none is chosen'}`,
  request({}, [`Sec-WebSocket-Protocol: ${offered}`], 'GET /connection/websocket HTTP/1.1'), { protocol }));
const chosenFromTwo = good('the first known of two headers is chosen',
  request({}, ['Sec-WebSocket-Protocol: chat', 'Sec-WebSocket-Protocol: centrifuge-protobuf, centrifuge-json'], 'GET /connection/websocket HTTP/1.1'), { protocol: 'centrifuge-protobuf' });

// Extensions that nobody knows are passed over (9.1).
const EXTENSIONS = ['x-unknown', 'x-unknown; a=1', 'x-unknown; a="1"', 'x-unknown, x-other', 'x-webkit-deflate-frame', 'permessage-bzip2', 'x-unknown; a; b; c=2'];
const extensions = EXTENSIONS.map((value) => good(`an extension that nobody knows: ${value}`, request({}, [`Sec-WebSocket-Extensions: ${value}`])));

export const handshakesGood = [...plain, ...tokens, ...keys, ...protocols, ...chosen, chosenFromTwo, ...extensions];
