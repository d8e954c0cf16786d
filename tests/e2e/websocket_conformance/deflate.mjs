// permessage-deflate as a client does it (RFC 7692): payloads, and what the server's answer means.
import assert from 'node:assert/strict';
import zlib from 'node:zlib';

export const OFFER = 'Sec-WebSocket-Extensions: permessage-deflate';
const TAIL_BYTES = 4;

/** A message's payload: compressed by itself, without the 00 00 ff ff at its end (7.2.1). */
export function deflated(bytes, options) {
  const out = zlib.deflateRawSync(Buffer.from(bytes), { finishFlush: zlib.constants.Z_SYNC_FLUSH, ...options });
  return out.subarray(0, -TAIL_BYTES);
}

/** {name: value or true} of one extension, "a; b; c=1"; fails where a parameter comes twice. */
export function parametersOf(extension) {
  const [name, ...rest] = extension.split(';').map((part) => part.trim());
  const parameters = {};
  for (const one of rest) {
    const [key, value] = one.split('=').map((part) => part.trim().replaceAll('"', ''));
    assert.ok(!(key in parameters), `${key} twice in ${extension}`);
    parameters[key] = value ?? true;
  }
  return { name, parameters };
}

/** How the server's messages are compressed, by its answer: {takeover, bits}; undefined where it did not agree. */
export function termsOf(answer) {
  if (answer === undefined) return undefined;
  const { parameters } = parametersOf(answer);
  return { takeover: !parameters.server_no_context_takeover, bits: Number(parameters.server_max_window_bits ?? 15) };
}

const isBits = (value) => /^([89]|1[0-5])$/.test(value);

/** Fails unless the answer is one that a server may give to this offer (7.1). */
export function checkAnswer(answer, offer) {
  const { name, parameters } = parametersOf(answer);
  assert.equal(name, 'permessage-deflate');
  const offered = parametersOf(offer).parameters;
  for (const [key, value] of Object.entries(parameters)) {
    if (key === 'server_no_context_takeover' || key === 'client_no_context_takeover') {
      assert.equal(value, true, `${key} has no value`);
    } else {
      assert.ok(key === 'server_max_window_bits' || key === 'client_max_window_bits', `nobody knows ${key}`);
      assert.ok(isBits(value), `${key}=${value}`);
    }
  }
  if (offered.server_no_context_takeover) assert.ok(parameters.server_no_context_takeover, 'server_no_context_takeover was asked for');
  if (offered.server_max_window_bits) {
    assert.ok(Number(parameters.server_max_window_bits) <= Number(offered.server_max_window_bits), 'a window of at most the size that was asked for');
  }
  if (parameters.client_max_window_bits) {
    assert.ok(offered.client_max_window_bits, 'client_max_window_bits only for who offers it');
    if (offered.client_max_window_bits !== true) assert.ok(Number(parameters.client_max_window_bits) <= Number(offered.client_max_window_bits));
  }
}
