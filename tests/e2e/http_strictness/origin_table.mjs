// Origins and the verdict on each, [origin, allowed, by default]: with ALLOWED in the configuration, and without any.
// HOST stands for the server's own host and port, PORT for its port. A character is a byte.

export const ALLOWED = ['https://app.example', 'https://*.wild.example', 'http://port.example:8080', 'https://xn--bcher-kva.example'];

export const ORIGINS = [
  // No page at all: no browser.
  [undefined, true, true],
  // The server's own pages.
  ['http://HOST', true, true],
  ['https://HOST', true, true],
  ['HTTP://HOST', true, true],
  // Listed, in the ways that a browser might write it.
  ['https://app.example', true, false],
  ['https://APP.Example', true, false],
  ['https://a.wild.example', true, false],
  ['https://a.b.wild.example', true, false],
  // A star stands for nothing as well; whose name this is, wild.example's owner says.
  ['https://.wild.example', true, false],
  ['http://port.example:8080', true, false],
  ['https://xn--bcher-kva.example', true, false],
  // Opaque.
  ['null', false, false],
  ['NULL', false, false],
  ['file://', false, false],
  ['data:', false, false],
  // Another scheme, another port.
  ['http://app.example', false, false],
  ['ws://app.example', false, false],
  ['https://app.example:8443', false, false],
  ['http://port.example', false, false],
  ['http://port.example:80800', false, false],
  ['http://port.example:808', false, false],
  ['ftp://HOST', false, false],
  ['http://127.0.0.1', false, false],
  ['http://127.0.0.1:1', false, false],
  ['http://localhost:PORT', false, false],
  // Longer at one end.
  ['https://app.example.evil.com', false, false],
  ['https://evilapp.example', false, false],
  ['https://evil.com', false, false],
  ['https://app.exampl', false, false],
  ['https://app.example.', false, false],
  ['xhttps://app.example', false, false],
  ['http://HOST.evil.com', false, false],
  ['http://evil.com.HOST', false, false],
  // What stands for the wildcard.
  ['https://wild.example', false, false],
  ['https://evilwild.example', false, false],
  ['https://a.wild.example.evil.com', false, false],
  ['https://evil.com/.wild.example', false, false],
  ['https://evil.com?.wild.example', false, false],
  ['https://evil.com#.wild.example', false, false],
  ['https://evil.com:1.wild.example', false, false],
  ['https://evil.com\\.wild.example', false, false],
  ['https://evil.com%2f.wild.example', false, false],
  ['https://evil.com, https://a.wild.example', false, false],
  // Users, paths, spaces.
  ['https://app.example@evil.com', false, false],
  ['https://user@app.example', false, false],
  ['https://user@a.wild.example', false, false],
  ['http://evil.com@HOST', false, false],
  ['https://app.example/', false, false],
  ['http://HOST/', false, false],
  ['http://HOST:80', false, false],
  ['https://HOST:443', false, false],
  ['https://app.example https://evil.com', false, false],
  ['https://app.example\tevil', false, false],
  // Letters that look alike, or become alike.
  ['https://b\xc3\xbccher.example', false, false],
  ['https://a\xcc\x80pp.example', false, false],
  ['https://\xd0\xb0pp.example', false, false],
  ['https://app\xe3\x80\x82example', false, false],
  ['https://a.wild.example\xff', false, false],
  ['https://\xc4\xb0.wild.example', false, false],
  // Patterns are the server's to write.
  ['*', false, false],
  ['https://*', false, false],
  ['https://*.wild.example', false, false],
];
