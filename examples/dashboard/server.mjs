// What is on the dashboard: this machine. It also serves the page; readers are Parley's affair, however many there are.
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import os from 'node:os';

const { PAGE_PORT, PARLEY_URL, PARLEY_HTTP_API_KEY: key, EVERY_MS = '1000' } = process.env;

/** The server API, as curl would speak to it. */
async function publish(channel, data) {
  const headers = { 'X-API-Key': key };
  const answer = await fetch(`${PARLEY_URL}/api/publish`, { method: 'POST', headers, body: JSON.stringify({ channel, data }) });
  const { error } = answer.ok ? await answer.json() : { error: { message: `status ${answer.status}` } };
  if (error) throw new Error(error.message);
}

function busy() {
  const times = os.cpus().map((cpu) => cpu.times);
  const sum = (pick) => times.reduce((total, time) => total + pick(time), 0);
  return { idle: sum((time) => time.idle), all: sum((time) => Object.values(time).reduce((a, b) => a + b)) };
}

let before = busy();
setInterval(() => {
  const now = busy();
  const cpu = 100 * (1 - (now.idle - before.idle) / Math.max(1, now.all - before.all));
  before = now;
  const memory = 100 * (1 - os.freemem() / os.totalmem());
  const data = { at: Date.now(), cpu, memory, load: os.loadavg()[0] };
  publish('dashboard:host', data).catch((error) => console.error(`not published: ${error.cause?.code ?? error.message}`));
}, Number(EVERY_MS));

const FILES = { '/': ['index.html', 'text/html'], '/dashboard.js': ['dashboard.js', 'text/javascript'], '/style.css': ['style.css', 'text/css'] };
const SETTINGS = { '/settings.js': `export const url = ${JSON.stringify(PARLEY_URL)};` };

http.createServer(async (request, response) => {
  const [file, type = 'text/javascript'] = FILES[request.url] ?? [];
  if (!file && !SETTINGS[request.url]) return response.writeHead(404).end();
  response.writeHead(200, { 'Content-Type': `${type}; charset=utf-8` });
  response.end(SETTINGS[request.url] ?? await readFile(new URL(file, import.meta.url)));
}).listen(PAGE_PORT, '127.0.0.1', () => console.log(`the dashboard is on http://localhost:${PAGE_PORT}; the API key is ${key}`));
