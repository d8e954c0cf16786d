// Debian's nginx and haproxy as reverse proxies on loopback, each with its configuration in a folder of its own, ended by stop().
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from './server.mjs';

/** A whole configuration around what stands in its block `http`; it writes nowhere but into its folder. */
const nginxAround = (folder, http) => `
daemon off;
master_process off;
pid ${folder}/pid;
error_log /dev/null;
events { worker_connections 512; }
http {
  # A line per request: its status, that of the server behind ("-": it never had it), and the request line.
  log_format line '$status $upstream_status $request';
  access_log ${folder}/log line;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${folder}/${kind};`).join('\n  ')}
  ${http}
}
`;

const strictNginx = (port, target) => `
  map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
  upstream parley { server 127.0.0.1:${target}; keepalive 8; }
  server {
    listen 127.0.0.1:${port};
    ignore_invalid_headers off;
    underscores_in_headers on;
    location / {
      proxy_pass http://parley;
      proxy_http_version 1.1;
      proxy_request_buffering off;
      proxy_set_header Host $http_host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
    }
  }
`;

const haproxyAround = (folder, rest) => `
global
  # Two threads that log at the same moment lose a line.
  nbthread 1
  log stdout format raw local0
${rest}
`;

const strictHaproxy = (port, target) => `
defaults
  mode http
  option http-buffer-request
  option accept-invalid-http-request
  http-reuse always
  timeout connect 2s
  timeout client 5s
  timeout server 5s
  timeout http-request 2s
frontend front
  bind 127.0.0.1:${port}
  log global
  log-format "%ST %s %{+Q}r"
  default_backend parley
backend parley
  server one 127.0.0.1:${target}
`;

const PROXIES = {
  nginx: {
    command: '/usr/sbin/nginx',
    args: (folder) => ['-p', folder, '-c', `${folder}/config`, '-e', '/dev/null'],
    around: nginxAround,
    config: strictNginx,
    parse: (line) => /^(?<status>\d+) (?<behind>\S+) (?<request>.*)$/s.exec(line).groups,
  },
  haproxy: {
    command: '/usr/sbin/haproxy',
    args: (folder) => ['-db', '-f', `${folder}/config`],
    around: haproxyAround,
    config: strictHaproxy,
    parse: (line) => {
      const { status, server, request } = /^(?<status>-?\d+) (?<server>\S+) "(?<request>.*)/s.exec(line).groups;
      return { status, behind: server === '<NOSRV>' ? '-' : server, request };
    },
  },
};

async function isUp(port) {
  const socket = net.connect({ host: '127.0.0.1', port });
  const up = await new Promise((resolve) => socket.once('connect', () => resolve(true)).once('error', () => resolve(false)));
  socket.destroy();
  return up;
}

class FrontProxy {
  #child;
  #folder;
  #parse;
  #log = '';

  constructor(port, folder, child, parse) {
    Object.assign(this, { port });
    this.#child = child;
    this.#folder = folder;
    this.#parse = parse;
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => { this.#log += text; });
    this.ended = new Promise((resolve) => { child.once('close', resolve); });
  }

  /** What it logged so far: {status, behind, request} of each request; `behind` is "-" when it was not passed on. */
  async requests() {
    const file = await readFile(path.join(this.#folder, 'log'), 'utf8').catch(() => '');
    return (file + this.#log).split('\n').slice(0, -1).filter((line) => /^-?\d+ /.test(line)).map((line) => ({ ...this.#parse(line) }));
  }

  get log() { return this.#log; }

  async stop() {
    this.#child.kill('SIGTERM');
    await this.ended;
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/**
 * nginx or haproxy in front of a port of loopback, on a free port unless it is given. `config` writes what stands in nginx's block `http`, or
 * in haproxy's file behind `global`.
 * @returns {Promise<FrontProxy>}
 */
export async function startFrontProxy(kind, target, { config = PROXIES[kind].config, port: wanted } = {}) {
  const { command, args, around, parse } = PROXIES[kind];
  const port = wanted ?? await freePort();
  const folder = await mkdtemp(path.join(os.tmpdir(), 'parley-e2e-'));
  await writeFile(path.join(folder, 'config'), around(folder, config(port, target)));
  const child = spawn(command, args(folder), { stdio: ['ignore', 'pipe', 'pipe'] });
  const proxy = new FrontProxy(port, folder, child, parse);
  for (const deadline = Date.now() + 10_000; Date.now() < deadline && child.exitCode === null; await pause(20)) {
    if (await isUp(port)) return proxy;
  }
  await proxy.stop();
  throw new Error(`${kind} did not start: ${proxy.log}`);
}
