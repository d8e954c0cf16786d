// @ts-check
// The line between one client and the server, which the page can cut.
//
// A page cannot pull a network cable, but it can come close: it takes the socket away under the SDK, which has not asked for
// it and is told nothing but what any lost connection tells (`onclose`), and it lets every new attempt fail until the line
// is mended. Reconnecting, resubscribing and asking for what was missed is then all the SDK's own doing.

export const CUT_MS = 3000;

/** @param {number} ms */
export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** What a connection attempt over a cut line gets: a socket that fails without having opened. */
class DeadSocket {
  /** @type {((event: object) => void) | null} */
  onclose = null;

  constructor() {
    setTimeout(() => this.onclose?.({ code: 1006, reason: '' }));
  }

  send() {}

  close() {}
}

export class Line {
  /** @type {WebSocket | null} */
  #socket = null;

  isDown = false;

  /** The class for the `websocket` option of a Centrifuge client: an ordinary WebSocket that this line knows of. */
  socketClass() {
    const line = this;
    return class extends WebSocket {
      /** @param {string} url @param {string | string[]} [protocols] */
      constructor(url, protocols) {
        // @ts-ignore A constructor may answer with another object; the SDK uses only what DeadSocket has.
        if (line.isDown) return new DeadSocket();
        super(url, protocols);
        line.#socket = this;
      }
    };
  }

  /** Resolves when the line is mended. @param {number} ms */
  async cutFor(ms) {
    this.isDown = true;
    this.#socket?.close();
    await sleep(ms);
    this.isDown = false;
  }
}
