// HTTP/1.1 as bytes, for what no HTTP library would send, and for reading answers to the letter. Text is latin1: a character is a byte.
import net from 'node:net';

/**
 * Sends bytes over a connection of its own and resolves when that has ended, or when `ms` passed without an end.
 * @param {string | Buffer} bytes
 * @param {{ms?: number, quiet?: number, enough?: (text: string) => unknown}} options `quiet`: after so many milliseconds without a
 *   byte our side is ended; `enough`: when it is true of what came, the connection is given up
 * @returns {Promise<{text: string, end: 'fin' | 'reset' | 'none', ms: number}>} what came, and how it ended
 */
export function exchange(port, bytes, { ms = 5_000, quiet, enough } = {}) {
  return new Promise((resolve) => {
    const started = performance.now();
    const pieces = [];
    const socket = net.connect({ host: '127.0.0.1', port, noDelay: true });
    let end = 'none';
    let silence;
    const timer = setTimeout(() => socket.destroy(), ms);
    // Half closes, so that whoever waits for more bytes is told that there are none.
    const listen = () => { if (quiet) { clearTimeout(silence); silence = setTimeout(() => socket.end(), quiet); } };
    socket.on('connect', () => { socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes); listen(); });
    socket.on('data', (piece) => {
      pieces.push(piece);
      listen();
      if (enough?.(Buffer.concat(pieces).toString('latin1'))) socket.destroy();
    });
    socket.on('end', () => { end = 'fin'; });
    socket.on('error', () => { if (end === 'none') end = 'reset'; });
    socket.on('close', () => {
      clearTimeout(timer);
      clearTimeout(silence);
      resolve({ text: Buffer.concat(pieces).toString('latin1'), end, ms: performance.now() - started });
    });
  });
}

const STATUS_LINE = /^HTTP\/1\.1 (\d{3}) [A-Za-z -]*$/;
const HEADER_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+): ([\t\x20-\x7e\x80-\xff]*)$/;

/** The head of an answer at the beginning of `text`; undefined while it is not whole, and a failure where it is none. */
export function parseHead(text) {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [first, ...lines] = text.slice(0, end).split('\r\n');
  const status = STATUS_LINE.exec(first);
  if (!status) throw new Error(`no status line: ${JSON.stringify(first)}`);
  const headers = lines.map((line) => {
    const header = HEADER_LINE.exec(line);
    if (!header) throw new Error(`no header: ${JSON.stringify(line)}`);
    return [header[1].toLowerCase(), header[2]];
  });
  const names = headers.map(([name]) => name);
  if (new Set(names).size !== names.length) throw new Error(`a header twice: ${names}`);
  return { status: Number(status[1]), headers: new Map(headers), size: end + 4 };
}

/**
 * Every answer in `text`, to its last byte; a failure where something is left over that is no answer.
 * @param {string[]} methods of the requests, in order: an answer to HEAD has no body
 * @returns {{status: number, headers: Map<string, string>, body: string}[]} interim ones (100) are left out
 */
export function parseAnswers(text, methods = []) {
  const answers = [];
  for (let rest = text; rest.length > 0;) {
    const head = parseHead(rest);
    if (!head) throw new Error(`an unfinished answer: ${JSON.stringify(rest.slice(0, 300))}`);
    rest = rest.slice(head.size);
    if (head.status === 100) continue;
    if (head.status === 101) {
      answers.push({ ...head, body: rest });
      break;
    }
    const bodiless = methods[answers.length] === 'HEAD' || head.status === 204 || head.status === 304;
    const length = bodiless ? 0 : Number(head.headers.get('content-length') ?? NaN);
    if (!(length <= rest.length)) throw new Error(`a body of ${length} bytes in ${JSON.stringify(rest.slice(0, 300))}`);
    answers.push({ ...head, body: rest.slice(0, length) });
    rest = rest.slice(length);
  }
  return answers;
}

/** `tasks`, at most `width` at a time; the results in their order. */
export async function inParallel(width, tasks, run) {
  const results = new Array(tasks.length);
  let next = 0;
  await Promise.all(Array.from({ length: Math.min(width, tasks.length) }, async () => {
    while (next < tasks.length) {
      const at = next;
      next += 1;
      results[at] = await run(tasks[at], at);
    }
  }));
  return results;
}

export const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
