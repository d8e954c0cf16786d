// Your backend: it knows who somebody is, and says so in a token. It also serves the page; messages go past it.
import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const { PAGE_PORT, PARLEY_URL, PARLEY_CLIENT_TOKEN_HMAC_SECRET_KEY: secret } = process.env;
const sdk = new URL('../dist/centrifuge.js', pathToFileURL(createRequire(import.meta.url).resolve('centrifuge')));
const here = (name) => new URL(name, import.meta.url);
const FILES = { '/': [here('index.html'), 'text/html'], '/style.css': [here('style.css'), 'text/css'],
  '/chat.js': [here('chat.js'), 'text/javascript'], '/centrifuge.js': [sdk, 'text/javascript'] };

const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

function sign(claims) {
  const body = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`;
}

http.createServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url, 'http://page');
  if (request.method === 'POST' && pathname === '/token') {
    // Here your session cookie would say who it is; this example believes any name.
    const name = searchParams.get('name')?.trim() ?? '';
    if (!/^[\p{L}\p{N} _-]{1,24}$/u.test(name)) return response.writeHead(400).end('A name has up to 24 letters, digits and spaces.');
    const user = encodeURIComponent(name.toLowerCase());
    const token = sign({ sub: user, info: { name }, exp: Math.floor(Date.now() / 1000) + 600 });
    return response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify({ user, token, url: PARLEY_URL }));
  }
  const [file, type] = FILES[pathname] ?? [];
  if (!file) return response.writeHead(404).end();
  response.writeHead(200, { 'Content-Type': `${type}; charset=utf-8` }).end(await readFile(file));
}).listen(PAGE_PORT, '127.0.0.1', () => console.log(`the chat is on http://localhost:${PAGE_PORT}`));
