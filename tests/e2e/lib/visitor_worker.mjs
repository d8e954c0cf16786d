// A process of its own that asks for /health/live again and again, each time over a new connection, and notes how long each answer took. Driven
// by messages of its parent (visitor.mjs): {port} begins, {take} is answered with what was noted since the last time.
import http from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

const BETWEEN_MS = 10;

let waits = [];
let trouble;

function ask(port) {
  return new Promise((resolve, reject) => {
    http.get({ host: '127.0.0.1', port, path: '/health/live', agent: false }, (answer) => {
      if (answer.statusCode !== 200) trouble = `answered ${answer.statusCode}`;
      answer.resume().on('end', resolve);
    }).on('error', reject);
  });
}

async function visit(port) {
  while (!trouble) {
    const started = performance.now();
    await ask(port);
    waits.push(performance.now() - started);
    await pause(BETWEEN_MS);
  }
}

process.on('message', ({ port, take }) => {
  if (port) visit(port).catch((error) => { trouble = String(error); });
  if (take) {
    process.send({ waits, trouble });
    waits = [];
  }
});
// The parent is gone, or has had enough.
process.on('disconnect', () => process.exit(0));
