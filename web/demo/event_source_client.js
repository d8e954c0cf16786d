// @ts-check
// A pane with the browser's own EventSource.
//
// Its line cannot be cut from within the page: the class owns the connection and offers only close(). So cutting means to
// close it, and mending means a new one that names the last id it had. The header Last-Event-ID, which an EventSource sends
// by itself when its connection is lost, cannot be set by hand; hence the parameter `lastEventId` that the server takes for it.
import { CUT_MS, sleep } from './line.js';
import { Pane } from './pane.js';

/** An id is epoch.offset. @param {string} id */
const offsetOf = (id) => Number(id.slice(id.lastIndexOf('.') + 1));

export class EventSourceClient {
  #pane = new Pane({ id: 'sse', title: 'EventSource', how: 'Server-sent events over HTTP' });
  #channel;
  #seen;
  #lastEventId = '';
  // The stream does not say what is old. What the page saw elsewhere before this connection opened is.
  #recoveredUpTo = 0;
  /** @type {EventSource | null} */
  #source = null;

  /** @param {{channel: string, seen: import('./main.js').Seen}} options */
  constructor({ channel, seen }) {
    this.#channel = channel;
    this.#seen = seen;
    this.#pane.hideClientId();
    this.#pane.onCut(() => this.#cut());
  }

  /** Where to resume when the line is cut before the first event: of the id that the stream begins with, a page is not told. @param {string} id */
  resumeFrom(id) {
    this.#lastEventId ||= id;
  }

  start() {
    const url = new URL(`/sse/${encodeURIComponent(this.#channel)}`, location.href);
    if (this.#lastEventId) url.searchParams.set('lastEventId', this.#lastEventId);
    const source = new EventSource(url);
    this.#source = source;
    this.#pane.showState('connecting');
    source.onopen = () => {
      if (this.#lastEventId) this.#recoveredUpTo = this.#seen.newest;
      this.#pane.showState('connected');
    };
    source.onerror = () => this.#pane.showState(source.readyState === EventSource.CLOSED ? 'refused' : 'connecting');
    // Publications with an event name of their own would need a listener of that name.
    source.onmessage = (event) => this.#take(event);
    source.addEventListener('gap', (event) => {
      // The offsets may begin anew behind a gap.
      this.#recoveredUpTo = 0;
      this.#pane.showNote('gap', `gap: ${event.data}`);
    });
  }

  /** @param {MessageEvent<string>} event */
  #take(event) {
    this.#lastEventId = event.lastEventId;
    const offset = offsetOf(event.lastEventId);
    this.#pane.showMessage({ offset, data: event.data, recovered: offset <= this.#recoveredUpTo });
    this.#seen.note(offset);
  }

  async #cut() {
    this.#source?.close();
    this.#pane.showState('cut');
    this.#pane.showNote('note', 'the line is cut');
    await sleep(CUT_MS);
    this.start();
  }
}
