// Unmodified clients in one channel each, that write down what they are told.
import { CentrifugeClient, EventSourceClient } from './clients.mjs';

/** What both kinds count and share. */
class Reader {
  subscriptions = 0;
  recovered = 0;
  notRecovered = 0;
  gaps = 0;
  delivered = 0;
  lost = 0;
  live = false;
  /** The value of the last publication. */
  last = '';

  constructor(log, client, channel) {
    this.log = log;
    this.who = { client, channel };
  }

  note(kind, fields) {
    this.log.add(kind, { ...this.who, ...fields });
  }

  onSubscribed(fields) {
    if (this.subscriptions > 0 && fields.recovered) this.recovered += 1;
    if (this.subscriptions > 0 && !fields.recovered) this.notRecovered += 1;
    this.subscriptions += 1;
    this.live = true;
    this.note('subscribed', fields);
  }

  onDelivered(value, fields) {
    this.delivered += 1;
    this.last = value;
    this.note('delivered', { value, ...fields });
  }

  onDisconnected() {
    if (!this.live) return;
    this.live = false;
    this.lost += 1;
    this.note('disconnected', {});
  }
}

export class CentrifugeReader extends Reader {
  kind = 'centrifuge';

  constructor(log, name, channel, url, { window }) {
    super(log, name, channel);
    this.sdk = new CentrifugeClient(url, { maxReconnectDelay: 1_000 });
    const subscription = this.sdk.client.newSubscription(channel);
    subscription
      .on('subscribed', ({ recovered, streamPosition }) => this.onSubscribed({ recovered, ...streamPosition, window }))
      .on('publication', ({ offset, data }) => this.onDelivered(data.id, { offset }))
      .on('subscribing', () => this.onDisconnected())
      .on('unsubscribed', () => this.note('unsubscribed', {}));
    subscription.subscribe();
    this.sdk.client.connect();
    this.opened = subscription.ready(20_000);
  }

  /** The id that presence knows it by. */
  get member() { return this.sdk.id; }
}

export class EventSourceReader extends Reader {
  kind = 'eventsource';
  #epoch;

  /** To be opened before anything was published in the channel. */
  constructor(log, name, channel, url, { window }) {
    super(log, name, channel);
    this.window = window;
    this.stream = new EventSourceClient(url, channel, { keep: false });
    const { source } = this.stream;
    // It goes on by itself behind the last id: whether it can, only a gap says.
    source.addEventListener('open', () => this.onSubscribed(this.subscriptions > 0 ? { recovered: true, window } : { asked: 0, window }));
    source.addEventListener('message', ({ lastEventId, data }) => {
      const [epoch, offset] = lastEventId.split('.');
      this.onDelivered(JSON.parse(data).id, { offset: Number(offset), ...this.#changed(epoch) });
    });
    source.addEventListener('gap', ({ lastEventId, data }) => {
      this.gaps += 1;
      const { from, to, reason } = JSON.parse(data);
      this.note('gap', { from, to, reason, ...this.#changed(lastEventId.split('.')[0]) });
    });
    source.addEventListener('error', () => this.onDisconnected());
    this.opened = this.stream.opened(1, 20_000);
  }

  /** The epoch, where it is not the one before. */
  #changed(epoch) {
    if (epoch === this.#epoch) return {};
    this.#epoch = epoch;
    return { epoch };
  }
}
