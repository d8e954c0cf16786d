// Long lists compared: a failure names the first difference, where node's own would compute for minutes.
import assert from 'node:assert/strict';

export function assertSameList(actual, expected, what) {
  for (let i = 0; i < Math.min(actual.length, expected.length); i += 1) {
    assert.deepEqual(actual[i], expected[i], `${what}: entry ${i} is ${JSON.stringify(actual[i])} instead of ${JSON.stringify(expected[i])}`);
  }
  assert.equal(actual.length, expected.length, `${what}: ${actual.length} entries instead of ${expected.length}`);
}
