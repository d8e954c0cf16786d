// @ts-check
// The demo page: three clients in one channel. Open it with ?channel=NAME for another channel than `news`.
import { EventSourceClient } from './event_source_client.js';
import { Presence } from './presence.js';
import { wirePublishBox } from './publish.js';
import { SdkClient } from './sdk_client.js';

/** The newest offset that anything on this page has seen. */
export class Seen {
  newest = 0;

  /** @param {number} offset */
  note(offset) {
    this.newest = Math.max(this.newest, offset);
  }
}

const channel = new URLSearchParams(location.search).get('channel') || 'news';
/** @type {HTMLInputElement} */ (document.getElementById('channel')).value = channel;
/** @type {HTMLElement} */ (document.getElementById('hint')).textContent = `parley pub ${channel} '{"a":1}'`;

const seen = new Seen();
const a = new SdkClient({ id: 'a', title: 'Client A', channel, seen });
const b = new SdkClient({ id: 'b', title: 'Client B', channel, seen });
const eventSource = new EventSourceClient({ channel, seen });
const presence = new Presence();
presence.watch('client A', a);
presence.watch('client B', b);
wirePublishBox({ channel, clients: { a, b }, seen });

eventSource.start();
await a.start();
eventSource.resumeFrom(a.position);
// Only now, so that A sees B join.
await b.start();
