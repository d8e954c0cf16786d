// @ts-check
// Who is in the channel, and who came and went.
import { element } from './pane.js';

const MAX_EVENTS = 50;

/** @typedef {{by: string, kind: 'joined' | 'left', id: string, at: string}} PresenceEvent */

export class Presence {
  /** Every id that a client of this page has had; it gets a new one with each connection. @type {Map<string, string>} */
  #names = new Map();
  /** @type {string[]} */
  #present = [];
  /** @type {PresenceEvent[]} */
  #events = [];
  #asked = 0;

  /** @param {string} name @param {import('./sdk_client.js').SdkClient} client */
  watch(name, client) {
    client.onConnected((id) => {
      this.#names.set(id, name);
      this.#show();
    });
    const { subscription } = client;
    const note = (/** @type {'joined' | 'left'} */ kind, /** @type {any} */ context) => {
      this.#events.push({ by: name, kind, id: context.info.client, at: new Date().toLocaleTimeString() });
      this.#events.splice(0, this.#events.length - MAX_EVENTS);
      this.#show();
      this.#ask(subscription);
    };
    subscription.on('join', (/** @type {any} */ context) => note('joined', context));
    subscription.on('leave', (/** @type {any} */ context) => note('left', context));
    subscription.on('subscribed', () => this.#ask(subscription));
  }

  /** @param {any} subscription */
  async #ask(subscription) {
    this.#asked += 1;
    const asked = this.#asked;
    try {
      const { clients } = await subscription.presence();
      if (asked !== this.#asked) return;
      this.#present = Object.keys(clients);
      this.#show();
    } catch {
      // The line went down meanwhile; the next subscribe asks again.
    }
  }

  /** @param {string} id */
  #name(id) {
    return this.#names.get(id) ?? 'another client';
  }

  /** Both clients hear of everybody. Client A tells it, except about itself, which B has seen from outside. @param {PresenceEvent} event */
  #isTold(event) {
    return event.by === (this.#name(event.id) === 'client A' ? 'client B' : 'client A');
  }

  #show() {
    const members = this.#present.map((id) => ({ id, name: this.#name(id) })).sort((x, y) => x.name.localeCompare(y.name));
    document.getElementById('presence-list')?.replaceChildren(...members.map(({ id, name }) => {
      const item = element('li', '');
      item.dataset.testid = 'presence-member';
      item.append(element('span', name), element('code', id));
      return item;
    }));
    const count = document.getElementById('presence-count');
    if (count) count.textContent = String(members.length);
    const told = this.#events.filter((event) => this.#isTold(event)).reverse();
    document.getElementById('presence-log')?.replaceChildren(...told.map((event) => {
      const item = element('li', '', event.kind);
      item.dataset.testid = 'presence-event';
      item.append(element('time', event.at), element('span', `${this.#name(event.id)} ${event.kind}`));
      return item;
    }));
  }
}
