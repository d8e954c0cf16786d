// What happened in a run, as JSON lines for check_history (tests/history/README.md).
import { execFile } from 'node:child_process';
import { closeSync, openSync, writeSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const CHECKER = process.env.CHECK_HISTORY ?? path.join(ROOT, 'build/dev/tests/history/check_history');
const FLUSH_CHARS = 1 << 18;

/** A folder of build/ for the logs of a run. */
export const logFolder = (name) => path.join(ROOT, 'build/test-results/histories', name);

/** Microseconds of the machine's monotonic clock, which is the same for all processes. */
const now = () => Number(process.hrtime.bigint() / 1000n);

export class HistoryLog {
  events = 0;
  #file;
  #text = '';

  constructor(file) {
    this.#file = openSync(file, 'w');
  }

  add(kind, fields) {
    this.events += 1;
    this.#text += `${JSON.stringify({ kind, at: now(), ...fields })}\n`;
    if (this.#text.length > FLUSH_CHARS) this.flush();
  }

  flush() {
    writeSync(this.#file, this.#text);
    this.#text = '';
  }

  close() {
    this.flush();
    closeSync(this.#file);
  }
}

/** Judges the files together: {events, violations, text}. */
export async function checkHistory(files) {
  const { error, stdout, stderr } = await new Promise((resolve) => {
    execFile(CHECKER, files, { maxBuffer: 1 << 24 }, (failure, out, err) => resolve({ error: failure, stdout: out, stderr: err }));
  });
  const counts = /^(\d+) events, (\d+) violations\n$/m.exec(stdout);
  if (!counts) throw new Error(`no verdict of ${CHECKER} (target check_history of preset dev): ${error?.message}\n${stderr}`);
  return { events: Number(counts[1]), violations: Number(counts[2]), text: stdout };
}
