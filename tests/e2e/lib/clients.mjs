// The unmodified clients of npm, with a record of what they are told.
import { Centrifuge } from 'centrifuge';
import { EventSource } from 'eventsource';
import WebSocket from 'ws';
import { until } from './wait.mjs';

/** Of a `http://` address. */
export const websocketUrl = (url) => `${url.replace('http', 'ws')}/connection/websocket`;

/** What the npm client calls a transport, with where it is found. */
const transportOf = (url, transport) => ({ transport, endpoint: transport === 'websocket' ? websocketUrl(url) : `${url}/connection/${transport}` });

/** What a Centrifuge client hears in one channel. */
class CentrifugeRecord {
  /** {offset, data, info, tags} of each publication */
  publications = [];
  /** contexts of `subscribed`, `unsubscribed`, `subscribing` */
  subscribed = [];
  unsubscribed = [];
  subscribing = [];
  joins = [];
  leaves = [];
  errors = [];

  constructor(client, channel, options) {
    this.subscription = client.newSubscription(channel, options);
    this.subscription
      .on('publication', ({ offset, data, info, tags }) => this.publications.push({ offset, data, info, tags }))
      .on('subscribed', (context) => this.subscribed.push(context))
      .on('subscribing', (context) => this.subscribing.push(context))
      .on('unsubscribed', (context) => this.unsubscribed.push(context))
      .on('join', ({ info }) => this.joins.push(info))
      .on('leave', ({ info }) => this.leaves.push(info))
      .on('error', (context) => this.errors.push(context));
  }

  get offsets() { return this.publications.map(({ offset }) => offset); }
  get data() { return this.publications.map(({ data }) => data); }

  /** Waits until so many publications have come. */
  async count(n, ms) {
    await until(() => this.publications.length >= n, () => `${n} publications; there are ${this.publications.length}`, ms);
  }
}

/** An `npm centrifuge` client. */
export class CentrifugeClient {
  connected = [];
  disconnected = [];
  connecting = [];
  errors = [];

  /** `Sdk`: the class to use, such as that of centrifuge/build/protobuf; `transports`: in the order in which they are tried. */
  constructor(url, { Sdk = Centrifuge, transports, ...options } = {}) {
    const endpoint = transports ? transports.map((name) => transportOf(url, name)) : websocketUrl(url);
    this.client = new Sdk(endpoint, { websocket: WebSocket, eventsource: EventSource, emulationEndpoint: `${url}/emulation`, minReconnectDelay: 50, maxReconnectDelay: 500, ...options });
    this.client
      .on('connected', (context) => this.connected.push(context))
      .on('connecting', (context) => this.connecting.push(context))
      .on('disconnected', (context) => this.disconnected.push(context))
      .on('error', (context) => this.errors.push(context));
  }

  /** Connects, and resolves when that is done. */
  async connect() {
    this.client.connect();
    await this.client.ready(10_000);
    return this;
  }

  /** Subscribes, and resolves when that is done. */
  async subscribe(channel, options) {
    const record = new CentrifugeRecord(this.client, channel, options);
    record.subscription.subscribe();
    await record.subscription.ready(10_000);
    return record;
  }

  get id() { return this.connected.at(-1)?.client; }
  publish(channel, data) { return this.client.publish(channel, data); }
  close() { this.client.disconnect(); }
}

export async function connectCentrifuge(url, options) {
  return new CentrifugeClient(url, options).connect();
}

/** An `npm eventsource` client on one channel. */
export class EventSourceClient {
  /** {id, offset, epoch, data} of each event, data as text; and the event's name, unless it has none */
  events = [];
  /** {id, from, to, reason} */
  gaps = [];
  opens = 0;
  errors = [];

  /** `keep`: whether to keep what comes; a client of thousands is listened to instead. */
  constructor(url, channel, { names = [], since, keep = true } = {}) {
    const query = since === undefined ? '' : `?lastEventId=${encodeURIComponent(since)}`;
    this.source = new EventSource(`${url}/sse/${encodeURIComponent(channel)}${query}`);
    // Its timers do not keep Node alive.
    this.keepAlive = setInterval(() => {}, 1 << 30);
    for (const name of keep ? ['message', ...names] : []) this.source.addEventListener(name, (event) => this.#onEvent(event));
    this.source.addEventListener('gap', ({ lastEventId, data }) => this.gaps.push({ id: lastEventId, ...JSON.parse(data) }));
    this.source.addEventListener('open', () => { this.opens += 1; });
    this.source.addEventListener('error', (error) => this.errors.push(error));
  }

  #onEvent({ type, lastEventId, data }) {
    const [epoch, offset] = lastEventId.split('.');
    this.events.push({ id: lastEventId, epoch, offset: Number(offset), data, ...(type === 'message' ? {} : { name: type }) });
  }

  get offsets() { return this.events.map(({ offset }) => offset); }
  get data() { return this.events.map(({ data }) => data); }
  get values() { return this.events.map(({ data }) => JSON.parse(data)); }

  async opened(times = 1, ms = 10_000) {
    await until(() => this.opens >= times, () => `an open stream; ${this.errors.at(-1)?.message ?? 'no error'}`, ms);
    return this;
  }

  async count(n, ms) {
    await until(() => this.events.length >= n, () => `${n} events; there are ${this.events.length}`, ms);
  }

  close() {
    this.source.close();
    clearInterval(this.keepAlive);
  }
}

export async function openEventSource(url, channel, options) {
  return new EventSourceClient(url, channel, options).opened();
}
