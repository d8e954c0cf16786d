// How long a server's event loops took: whoever has loaded one looks at the end.
import assert from 'node:assert/strict';
import { metrics } from './http.mjs';

/**
 * No turn took 50 ms, and one in a thousand 10 ms. Only with LONG=1, when nothing else uses the cores: a thread that has none does not
 * turn either. Otherwise only that they are counted.
 */
export async function assertTurnsAreShort(server) {
  const samples = await metrics(server);
  const turns = samples.get('parley_io_turns_total');
  const over10 = samples.get('parley_io_long_turns_total{over="10ms"}');
  const over50 = samples.get('parley_io_long_turns_total{over="50ms"}');
  const stalls = samples.get('parley_io_stalls_total');
  assert.ok(over50 <= over10 && over10 <= stalls && stalls <= turns && turns > 0, JSON.stringify({ turns, stalls, over10, over50 }));
  if (!process.env.LONG) return;
  assert.equal(over50, 0, 'turns over 50 ms');
  assert.ok(over10 <= turns / 1000, `${over10} of ${turns} turns took over 10 ms`);
}
