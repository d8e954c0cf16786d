// Opening handshakes that must be refused (RFC 6455 4.2.1), and what is no handshake at all.
import { KEY } from './connection.mjs';
import { request } from './handshakes_good.mjs';

const bad = (name, bytes, status = 400) => ({ name, request: bytes, status });
const NOT_FOUND = 404;
// No method but GET is known at this path: 405; 501 for one that nobody knows; and 400 is always right.
const NO_METHOD = [400, 405, 501];
// Who does not ask for WebSocket 13 may be told what to ask for.
const OTHER = [400, 426];

const missing = [
  bad('no Host', request({ host: null })),
  bad('no Upgrade', request({ upgrade: null }), OTHER),
  bad('no Connection', request({ connection: null }), OTHER),
  bad('no Upgrade and no Connection', request({ upgrade: null, connection: null }), OTHER),
  bad('no Sec-WebSocket-Key', request({ key: null })),
  bad('no Sec-WebSocket-Version', request({ version: null }), OTHER),
  bad('nothing but Host', request({ upgrade: null, connection: null, key: null, version: null }), OTHER),
];

const twice = [
  bad('two different keys', request({ key: [`Sec-WebSocket-Key: ${KEY}`, 'Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA=='] })),
  bad('the same key twice', request({ key: [`Sec-WebSocket-Key: ${KEY}`, `Sec-WebSocket-Key: ${KEY}`] })),
  bad('two different versions', request({ version: ['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Version: 8'] }), OTHER),
  bad('the same version twice', request({ version: ['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Version: 13'] }), OTHER),
  bad('two hosts', request({ host: ['Host: localhost', 'Host: other.example'] })),
];

const KEYS = [
  ['empty', ''], ['too short by a byte', 'AQIDBAUGBwgJCgsMDQ4P'], ['too long by a byte', 'AQIDBAUGBwgJCgsMDQ4PEBE='], ['of 24 bytes', 'AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY'],
  ['of 15 bytes, padded with spaces', 'AQIDBAUGBwgJCgsMDQ4P    '], ['without padding', 'dGhlIHNhbXBsZSBub25jZQ'], ['with one pad too few', 'dGhlIHNhbXBsZSBub25jZQ='],
  ['with one pad too many', 'dGhlIHNhbXBsZSBub25jZQ==='], ['not in base64', 'this is not base64 at al'], ['with a character of base64url', 'dGhlIHNhbXBsZSBub25j-_=='],
  ['with a space in it', 'dGhlIHNhbXBs ZSBub25jZ=='], ['in hexadecimal', '000102030405060708090a0b0c0d0e0f'], ['of one character', 'x'], ['of nothing but pads', '========================'],
  ['with pads in the middle', 'dGhlIHNhbX==ZSBub25jZQ=='], ['of 2,000 characters', 'A'.repeat(2000)], ['a good one, and more behind a comma', `${KEY}, ${KEY}`],
];
const keys = KEYS.map(([what, key]) => bad(`a key ${what}`, request({ key: `Sec-WebSocket-Key: ${key}` })));

const VERSIONS = ['', '0', '1', '4', '6', '7', '8', '9', '12', '14', '25', '130', '255', '256', '1 3', '13.0', '013', '0x0d', '+13', '-13', '13a', 'a13', 'thirteen', '13, 8', '8, 13', '13;13', '"13"'];
const versions = VERSIONS.map((version) => ({ ...bad(`version ${version || 'empty'}`, request({ version: `Sec-WebSocket-Version: ${version}` }), OTHER), tellsVersion: /^(4|7|8|9|12|14|25)$/.test(version) }));

const UPGRADES = ['', 'h2c', 'web socket', 'websockets', 'xwebsocket', 'websocket2', 'TLS/1.0', '"websocket"'];
const CONNECTIONS = ['', 'keep-alive', 'close', 'Upgrades', 'xUpgrade', 'Up grade', '"Upgrade"', 'keep-alive; Upgrade'];
const tokens = [
  ...UPGRADES.map((value) => bad(`Upgrade: ${value || '(empty)'}`, request({ upgrade: `Upgrade: ${value}` }), OTHER)),
  ...CONNECTIONS.map((value) => bad(`Connection: ${value || '(empty)'}`, request({ connection: `Connection: ${value}` }), OTHER)),
];

const METHODS = ['POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'TRACE', 'get', 'Get', 'GETX', 'PROPFIND'];
const methods = METHODS.map((method) => bad(`the method ${method}`, request({}, method === 'POST' || method === 'PUT' || method === 'PATCH' ? ['Content-Length: 0'] : [], `${method} /echo HTTP/1.1`), [...NO_METHOD, 426, ...(method === 'OPTIONS' ? [200, 204] : [])]));

const lines = [
  bad('HTTP/1.0', request({}, [], 'GET /echo HTTP/1.0'), [400, 426, 505]),
  bad('HTTP/0.9', request({}, [], 'GET /echo HTTP/0.9'), [400, 505]),
  bad('HTTP/2.0', request({}, [], 'GET /echo HTTP/2.0'), [400, 505]),
  bad('http/1.1 in lower case', request({}, [], 'GET /echo http/1.1'), [400, 505]),
  bad('no HTTP version', request({}, [], 'GET /echo'), [400, 505]),
  bad('two spaces before the target', request({}, [], 'GET  /echo HTTP/1.1')),
  bad('a target without a slash', request({}, [], 'GET echo HTTP/1.1'), [400, 404]),
  bad('a path that nobody serves', request({}, [], 'GET /nobody HTTP/1.1'), [400, NOT_FOUND]),
  bad('the path with a slash behind it', request({}, [], 'GET /echo/ HTTP/1.1'), [400, NOT_FOUND]),
  bad('the path in upper case', request({}, [], 'GET /ECHO HTTP/1.1'), [400, NOT_FOUND]),
  bad('a space in the target', request({}, [], 'GET /echo a HTTP/1.1')),
];

const syntax = [
  bad('a space before a colon', request({ upgrade: 'Upgrade : websocket' })),
  bad('a header without a colon', request({}, ['Nonsense'])),
  bad('a header without a name', request({}, [': x'])),
  bad('a folded header', request({ upgrade: 'Upgrade:\r\n websocket' })),
  bad('a NUL in a value', request({}, ['X-Bad: a\0b'])),
  bad('a space in a name', request({}, ['X Bad: a'])),
];

const PROTOCOLS = ['a b', 'a;b', '"a"', 'a,b c', 'a/b', 'a@b', '(a)', 'a=b'];
const protocols = PROTOCOLS.map((value) => bad(`subprotocols that are no tokens: ${value}`, request({}, [`Sec-WebSocket-Protocol: ${value}`])));

export const handshakesBad = [...missing, ...twice, ...keys, ...versions, ...tokens, ...methods, ...lines, ...syntax, ...protocols];
