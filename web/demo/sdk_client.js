// @ts-check
// A pane with a Centrifuge client: the unmodified browser build of the npm package `centrifuge`, a global of that name.
import { CUT_MS, Line } from './line.js';
import { Pane } from './pane.js';

const { Centrifuge } = /** @type {any} */ (globalThis);

export class SdkClient {
  #pane;
  #line = new Line();
  #channel;
  #client;
  #subscription;
  /** Where the channel stood at the last subscribe, as epoch.offset. */
  position = '';
  // True while the SDK hands over what a resubscribe brought back.
  #recovering = false;

  /** @param {{id: string, title: string, channel: string, seen: import('./main.js').Seen}} options */
  constructor({ id, title, channel, seen }) {
    this.#channel = channel;
    this.#pane = new Pane({ id, title, how: 'Centrifuge SDK over WebSocket' });
    const url = new URL('/connection/websocket', location.href);
    url.protocol = url.protocol.replace('http', 'ws');
    this.#client = new Centrifuge(url.href, {
      websocket: this.#line.socketClass(),
      minReconnectDelay: 200,
      maxReconnectDelay: 1000,
    });
    this.#subscription = this.#client.newSubscription(channel, { positioned: true, recoverable: true, joinLeave: true });
    this.#watchConnection();
    this.#watchSubscription(seen);
    this.#pane.onCut(async () => {
      this.#pane.showNote('note', 'the line is cut');
      await this.#line.cutFor(CUT_MS);
    });
  }

  #watchConnection() {
    this.#client.on('connecting', () => this.#pane.showState(this.#line.isDown ? 'cut' : 'connecting'));
    this.#client.on('connected', (/** @type {any} */ context) => {
      this.#pane.showState('connected');
      this.#pane.showClientId(context.client);
    });
    this.#client.on('disconnected', (/** @type {any} */ context) => {
      this.#pane.showState('disconnected');
      this.#pane.showNote('gap', `disconnected for good: ${context.reason} (${context.code})`);
    });
  }

  /** @param {import('./main.js').Seen} seen */
  #watchSubscription(seen) {
    this.#subscription.on('subscribed', (/** @type {any} */ context) => {
      if (context.wasRecovering && !context.recovered) {
        this.#pane.showNote('gap', 'not everything could be recovered: it is no longer in the history');
      }
      if (context.streamPosition) this.position = `${context.streamPosition.epoch}.${context.streamPosition.offset}`;
      // The SDK emits recovered publications right after this event, in the same turn.
      this.#recovering = context.hasRecoveredPublications;
      queueMicrotask(() => { this.#recovering = false; });
    });
    this.#subscription.on('publication', (/** @type {any} */ publication) => {
      seen.note(publication.offset);
      this.#pane.showMessage({ offset: publication.offset, data: publication.data, recovered: this.#recovering });
    });
    this.#subscription.on('error', (/** @type {any} */ context) => this.#pane.showNote('gap', context.error.message));
  }

  /** The SDK's subscription, for its presence calls and its join and leave events. */
  get subscription() {
    return this.#subscription;
  }

  /** @param {(clientId: string) => void} handler */
  onConnected(handler) {
    this.#client.on('connected', (/** @type {any} */ context) => handler(context.client));
  }

  /** Resolves with the first subscribe. */
  async start() {
    this.#subscription.subscribe();
    this.#client.connect();
    await this.#subscription.ready();
  }

  /** @param {unknown} data */
  async publish(data) {
    await this.#client.publish(this.#channel, data);
  }
}
