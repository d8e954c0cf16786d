// A process that asks for WebSockets at a given rate, whatever it is answered (handshake_overload.test.mjs).
import { setTimeout as pause } from 'node:timers/promises';
import { now } from './light_clients.mjs';
import { serveActions } from './worker.mjs';
import { HANDSHAKE, Tcp } from './wire.mjs';

const TICK_MS = 5;
const PATIENCE_MS = 5_000;

/** {status, ms}: what it was answered and after how long; status 0: nothing. */
async function ask(port) {
  const began = now();
  const tcp = new Tcp(port);
  tcp.write(HANDSHAKE);
  const status = await new Promise((resolve) => {
    const timer = setTimeout(() => resolve(0), PATIENCE_MS);
    const settle = (value) => { clearTimeout(timer); resolve(value); };
    tcp.socket.on('data', () => { if (tcp.text.includes('\r\n\r\n')) settle(Number(tcp.text.slice(9, 12))); });
    tcp.socket.on('close', () => settle(0));
  });
  const ms = now() - began;
  tcp.reset();
  return { status, ms };
}

serveActions({
  async offer({ port, rate, ms }) {
    const answers = [];
    const begun = now();
    while (now() - begun < ms) {
      while (answers.length < ((now() - begun) / 1_000) * rate) answers.push(ask(port));
      await pause(TICK_MS);
    }
    return Promise.all(answers);
  },
});
