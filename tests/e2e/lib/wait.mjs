// Waiting for something to be true, and never simply for time to pass.
import { setTimeout as pause } from 'node:timers/promises';

/**
 * Resolves with the first truthy value of `condition`, which may be async; fails after `ms`.
 * @param {string | (() => string)} what is missing when it fails
 */
export async function until(condition, what, ms = 10_000) {
  const deadline = Date.now() + ms;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`not within ${ms} ms: ${typeof what === 'function' ? what() : what}`);
    await pause(10);
  }
}

/** The promise's value, or a failure after `ms`. */
export async function within(promise, what, ms = 10_000) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${ms} ms: ${what}`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
