// A table of cases as tests: each case whole, and again with its bytes in pieces.
import { describe, it } from 'node:test';
import { bytesOf } from './run_case.mjs';

const CUT_RUNS = 5;

/** The bytes, cut at so many different random places; fewer where there are fewer. */
export function cutAtRandom(bytes, count, random) {
  const places = new Set();
  const most = Math.min(count, bytes.length - 1);
  while (places.size < most) places.add(random.integer(1, bytes.length - 1));
  return cutAt(bytes, [...places].sort((a, b) => a - b));
}

export function cutAt(bytes, places) {
  return [...places, bytes.length].map((place, i) => bytes.subarray(i === 0 ? 0 : places[i - 1], place));
}

/** How often each case runs: whole, and with 1, 2, ... CUT_RUNS cuts at random places. */
export function waysToCut(bytes, random, runs = CUT_RUNS) {
  const ways = [[bytes]];
  if (bytes.length > 1) for (let cuts = 1; cuts <= runs; cuts += 1) ways.push(cutAtRandom(bytes, cuts, random));
  return ways;
}

export const requestBytes = (one) => Buffer.from(one.request, 'latin1');
export const caseBytes = (one) => (one.request === undefined ? bytesOf(one) : requestBytes(one));

/** What was run, for the summary. */
export const counts = { cases: 0, runs: 0 };

/**
 * One test per case of the table.
 * @param run (one, {pieces}) runs a case with its bytes in these pieces
 * @param ways (bytes, one) the lists of pieces
 * @param concurrency so many cases at a time, each with all its ways
 */
export function suite(name, table, run, ways, concurrency = 16) {
  const names = new Set(table.map((one) => one.name));
  if (names.size !== table.length) throw new Error(`${name}: two cases of one name: ${table.map((one) => one.name).find((one, i, all) => all.indexOf(one) !== i)}`);
  describe(name, { concurrency }, () => {
    for (const one of table) {
      it(one.name, async () => {
        counts.cases += 1;
        await Promise.all(ways(caseBytes(one), one).map(async (pieces) => {
          counts.runs += 1;
          try {
            await run(one, { pieces });
          } catch (error) {
            error.message += `\n  in pieces of ${pieces.slice(0, 20).map(({ length }) => length).join(', ')} bytes`;
            throw error;
          }
        }));
      });
    }
  });
}
