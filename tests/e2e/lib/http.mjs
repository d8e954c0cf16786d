// The HTTP doors of the server under test.
import assert from 'node:assert/strict';

/** POST /api/<method>; fails unless the answer is a result, which it returns. */
export async function api(server, method, body = {}, headers = {}) {
  const answer = await fetch(`${server.url}/api/${method}`, { method: 'POST', body: JSON.stringify(body), headers });
  assert.equal(answer.status, 200, `/api/${method}`);
  const { error, result } = await answer.json();
  assert.equal(error, undefined, `/api/${method}: ${JSON.stringify(error)}`);
  return result;
}

// What curl says when it is not told otherwise; fetch would say text/plain.
const CURLS_TYPE = { 'Content-Type': 'application/x-www-form-urlencoded' };

/** POST /pub/<channel>; `body` is sent as it is. Returns {epoch, offset}. */
export async function pub(server, channel, body, headers = {}) {
  const answer = await fetch(`${server.url}/pub/${encodeURIComponent(channel)}`, { method: 'POST', body, headers: { ...CURLS_TYPE, ...headers } });
  const text = await answer.text();
  assert.equal(answer.status, 200, `/pub/${channel}: ${text}`);
  return JSON.parse(text);
}

/** The samples of /metrics: name with labels -> number. Fails where the text is not Prometheus's format 0.0.4. */
export async function metrics(server) {
  const answer = await fetch(`${server.url}/metrics`);
  assert.equal(answer.status, 200);
  assert.match(answer.headers.get('content-type'), /^text\/plain; version=0\.0\.4/);
  return parseMetrics(await answer.text());
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\["\\\\n])*"';
const SAMPLE = new RegExp(`^(${NAME})(\\{${LABEL}(?:,${LABEL})*,?\\})? ([-+]?(?:\\d+\\.?\\d*(?:e[-+]?\\d+)?|Inf)|NaN)$`, 'i');
const COMMENT = new RegExp(`^# (?:HELP (${NAME}) .*|TYPE (${NAME}) (counter|gauge|histogram|summary|untyped))$`);

export function parseMetrics(text) {
  assert.ok(text.endsWith('\n'), 'the last line ends');
  const samples = new Map();
  const types = new Map();
  for (const line of text.split('\n').slice(0, -1)) {
    if (line.startsWith('#')) {
      const comment = COMMENT.exec(line);
      assert.ok(comment, `not a comment of the format: ${line}`);
      if (!comment[2]) continue;
      assert.ok(!types.has(comment[2]), `two types: ${line}`);
      types.set(comment[2], comment[3]);
      continue;
    }
    const sample = SAMPLE.exec(line);
    assert.ok(sample, `not a sample: ${line}`);
    const [, name, labels = '', value] = sample;
    const family = types.has(name) ? name : name.replace(/_(bucket|sum|count)$/, '');
    assert.ok(types.has(family), `no type before: ${line}`);
    assert.ok(!samples.has(name + labels), `twice: ${line}`);
    samples.set(name + labels, Number(value));
  }
  return samples;
}
