// How lines break.
import { setTimeout as pause } from 'node:timers/promises';

const BREAKS = ['rst', 'fin', 'half-open', 'mid-frame'];

/** Breaks one client's line in one of the ways there are, for so many milliseconds. */
export async function breakLine(proxy, random, outage) {
  const how = random.pick(BREAKS);
  if (how === 'half-open') {
    proxy.pause();
    await pause(outage);
    proxy.cut();
  } else if (how === 'mid-frame') {
    proxy.cutAfter(random.integer(1, 2_000));
    await pause(outage);
  } else {
    proxy.breakDown(how);
    await pause(outage);
  }
  proxy.restore();
  proxy.delay = 0;
}

/** Breaks a line, or slows it until it breaks the next time. */
export async function disturbLine(proxy, random, outage) {
  if (random.next() < 0.2) proxy.delay = random.integer(1, 100);
  else await breakLine(proxy, random, outage);
}
