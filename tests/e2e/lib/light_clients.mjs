// Clients that cost their process little, so that it can have thousands: a socket each and no library. Each follows one channel whose publications
// are {"n": their offset, "t": when they were published}, and counts what is lost, doubled or not what was published.
import net from 'node:net';

/** Milliseconds, comparable between processes of one machine. */
export const now = () => performance.timeOrigin + performance.now();

// Whoever is given what was published so little ago has caught up.
const LIVE_MS = 1_000;

class LightClient {
  live = false;
  /** When it had caught up since it was opened the last time. */
  caughtUpAt;
  /** When it was connected, answered and live. */
  steps = [];
  delivered = 0;
  lost = 0;
  doubled = 0;
  wrong = 0;
  notRecovered = 0;
  #settle = () => {};

  /** `address`: its own; `host`: the server's; `latencies`: where to note how long each publication took, or undefined. */
  constructor(port, channel, { address, host = '127.0.0.1', latencies } = {}) {
    this.port = port;
    this.host = host;
    this.channel = channel;
    this.address = address;
    this.latencies = latencies;
  }

  /** Resolves when it follows its channel with 'live', or else with the HTTP status that refused it, or 'closed'. */
  open() {
    this.caughtUpAt = undefined;
    const socket = net.connect({ host: this.host, port: this.port, localAddress: this.address, noDelay: true });
    this.socket = socket;
    this.rest = undefined;
    this.head = '';
    this.steps = [];
    socket.on('connect', () => {
      this.steps.push(now());
      socket.write(this.request());
    });
    socket.on('data', (bytes) => {
      if (this.head !== undefined) this.#readHead(bytes);
      else this.read(bytes);
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      if (this.socket !== socket) return;
      this.live = false;
      this.closed?.();
      this.settle('closed');
    });
    return new Promise((resolve) => { this.#settle = resolve; });
  }

  settle(how) {
    if (how === 'live' && !this.live) {
      this.live = true;
      this.steps.push(now());
    }
    this.#settle(how);
    this.#settle = () => {};
  }

  /** Vanishes without a goodbye. */
  cut() {
    this.live = false;
    this.socket.resetAndDestroy();
  }

  #readHead(bytes) {
    this.head += bytes.toString('latin1');
    const end = this.head.indexOf('\r\n\r\n');
    if (end < 0) return;
    const rest = Buffer.from(this.head.slice(end + 4), 'latin1');
    const status = Number(this.head.slice(9, 12));
    this.head = undefined;
    if (status !== this.wanted) {
      this.settle(status);
      this.socket.resetAndDestroy();
      return;
    }
    this.steps.push(now());
    this.opened();
    if (rest.length > 0) this.read(rest);
  }

  onPublication(offset, { n, t }) {
    this.delivered += 1;
    if (n !== offset) this.wrong += 1;
    if (this.offset !== undefined) {
      if (offset <= this.offset) this.doubled += 1;
      else this.lost += offset - this.offset - 1;
    }
    this.offset = Math.max(offset, this.offset ?? 0);
    if (this.latencies) this.latencies.push(now() - t);
    if (this.caughtUpAt === undefined && Date.now() - t < LIVE_MS) this.caughtUpAt = now();
  }
}

const frame = (text) => {
  const length = Buffer.byteLength(text);
  const head = length < 126 ? Buffer.from([0x81, 0x80 | length, 0, 0, 0, 0]) : Buffer.from([0x81, 0xfe, length >> 8, length & 0xff, 0, 0, 0, 0]);
  return Buffer.concat([head, Buffer.from(text)]);
};
const PONG = frame('{}');

/** Speaks the Centrifuge protocol over WebSocket. */
export class LightWebSocket extends LightClient {
  wanted = 101;

  request() {
    return `GET /connection/websocket HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: centrifuge-json\r\n\r\n`;
  }

  opened() {
    const where = this.offset === undefined ? {} : { recover: true, epoch: this.epoch, offset: this.offset };
    this.socket.write(frame(`{"id":1,"connect":{}}\n${JSON.stringify({ id: 2, subscribe: { channel: this.channel, ...where } })}`));
  }

  /** Sends a command, whose reply goes to `onReply`. */
  send(command) { this.socket.write(frame(JSON.stringify(command))); }

  read(bytes) {
    let all = this.rest ? Buffer.concat([this.rest, bytes]) : bytes;
    let at = 0;
    for (;;) {
      if (all.length - at < 2) break;
      let length = all[at + 1];
      let from = at + 2;
      if (length === 126) {
        if (all.length - at < 4) break;
        length = all.readUInt16BE(from);
        from += 2;
      } else if (length === 127) {
        if (all.length - at < 10) break;
        length = Number(all.readBigUInt64BE(from));
        from += 8;
      }
      if (all.length < from + length) break;
      if (all[at] === 0x81) for (const line of all.utf8Slice(from, from + length).split('\n')) this.#onReply(line);
      else if (all[at] === 0x88) this.closeCode = all.readUInt16BE(from);
      at = from + length;
    }
    all = at === all.length ? undefined : all.subarray(at);
    this.rest = all;
  }

  #onReply(line) {
    if (line === '{}') {
      this.socket.write(PONG);
      return;
    }
    const reply = JSON.parse(line);
    const pub = reply.push?.pub;
    if (pub) this.onPublication(pub.offset, pub.data);
    else if (reply.id === 2) this.#onSubscribed(reply);
    else if (reply.push?.unsubscribe) this.notRecovered += 1;
    else if (reply.id > 2) this.onReply?.(reply);
  }

  #onSubscribed({ error, subscribe }) {
    if (error) {
      this.settle(`error ${error.code}`);
      this.cut();
      return;
    }
    this.epoch = subscribe.epoch;
    if (subscribe.recovered) {
      // What was missed follows the position that was asked for.
      for (const { offset, data } of subscribe.publications ?? []) this.onPublication(offset, data);
    } else {
      if (this.offset !== undefined) this.notRecovered += 1;
      this.offset = subscribe.offset ?? 0;
    }
    this.settle('live');
  }
}

/** Reads `/sse/<channel>`, a chunked event stream. */
export class LightEventSource extends LightClient {
  wanted = 200;

  request() {
    const last = this.offset === undefined ? '' : `Last-Event-ID: ${this.epoch}.${this.offset}\r\n`;
    return `GET /sse/${encodeURIComponent(this.channel)} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n${last}\r\n`;
  }

  opened() {
    this.text = '';
    // Who asks for what follows an id is not told where it is.
    if (this.offset !== undefined) this.settle('live');
  }

  read(bytes) {
    const all = this.rest ? Buffer.concat([this.rest, bytes]) : bytes;
    let at = 0;
    for (;;) {
      const end = all.indexOf('\r\n', at);
      if (end < 0) break;
      const length = parseInt(all.latin1Slice(at, end), 16);
      if (all.length < end + length + 4) break;
      this.text += all.utf8Slice(end + 2, end + 2 + length);
      at = end + length + 4;
    }
    this.rest = at === all.length ? undefined : all.subarray(at);
    if (!this.text.includes('\n\n')) return;
    const events = this.text.split('\n\n');
    this.text = events.pop();
    for (const event of events) this.#onEvent(event);
  }

  #onEvent(text) {
    let epoch;
    let offset;
    let data;
    for (const line of text.split('\n')) {
      if (line.startsWith('id: ')) {
        const dot = line.indexOf('.');
        epoch = line.slice(4, dot);
        offset = Number(line.slice(dot + 1));
      } else if (line.startsWith('data: ')) {
        data = JSON.parse(line.slice(6));
      } else if (line.startsWith('retry: ') && this.live) {
        // How long to stay away.
        this.retry = Number(line.slice(7));
      } else if (line === 'event: gap') {
        this.notRecovered += 1;
        data = undefined;
        this.offset = undefined;
      }
    }
    if (offset === undefined) return;
    this.epoch = epoch;
    if (data?.n !== undefined) this.onPublication(offset, data);
    else this.offset = Math.max(offset, this.offset ?? 0);
    this.settle('live');
  }
}

/** Connects, and from then on only listens. */
class LightListener extends LightClient {
  opened() { if (this.first) this.socket.write(frame(this.first)); }

  read(bytes) { if (bytes.includes('"connect":')) this.settle('live'); }
}

/** Makes the class of those whose connect request is `request`, over WebSocket with a `first` message of their own. */
const listener = (wanted, request, first) => class extends LightListener {
  wanted = wanted;
  first = first;

  request() { return request; }
};

const get = (path, more = '') => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`;
const post = (path, body) => `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const UPGRADE = 'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n';
const CONNECT = '{"id":1,"connect":{}}';

/** By the transport that they keep open. Those that could speak say nothing either, not even that a ping came. */
export const LISTENERS = {
  uni_sse: listener(200, get('/connection/uni_sse')),
  uni_http_stream: listener(200, post('/connection/uni_http_stream', '{}')),
  uni_websocket: listener(101, get('/connection/uni_websocket', UPGRADE), '{}'),
  sse: listener(200, get(`/connection/sse?cf_connect=${encodeURIComponent(CONNECT)}`)),
  http_stream: listener(200, post('/connection/http_stream', CONNECT)),
};
