// A client's frames as bytes, right or wrong as the case wants (RFC 6455 5.2).

export const CONTINUATION = 0x0;
export const TEXT = 0x1;
export const BINARY = 0x2;
export const CLOSE = 0x8;
export const PING = 0x9;
export const PONG = 0xa;

const MASK = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);  // of the RFC's example

export function masked(payload, key) {
  const out = Buffer.from(payload);
  for (let i = 0; i < out.length; i += 1) out[i] ^= key[i & 3];
  return out;
}

/** The length field's bytes behind the second byte of a frame, and what the second byte says. */
function lengthField(length, width) {
  if (width === 7) return { seven: Number(length), more: Buffer.alloc(0) };
  const more = Buffer.alloc(width / 8);
  if (width === 16) more.writeUInt16BE(Number(length));
  else more.writeBigUInt64BE(BigInt(length));
  return { seven: width === 16 ? 126 : 127, more };
}

const minimalWidth = (length) => (length < 126 ? 7 : length < 65536 ? 16 : 64);

/**
 * One frame. `length` is what its header announces, `width` (7, 16, 64) how; `mask: null` leaves the frame unmasked;
 * `rsv` is 0 to 7, RSV1 being 4.
 */
export function frame(opcode, payload = '', { fin = true, rsv = 0, mask = MASK, length, width } = {}) {
  const bytes = Buffer.from(payload);
  const said = length ?? bytes.length;
  const { seven, more } = lengthField(said, width ?? minimalWidth(said));
  const head = Buffer.from([(fin ? 0x80 : 0) | rsv << 4 | opcode, (mask ? 0x80 : 0) | seven]);
  if (!mask) return Buffer.concat([head, more, bytes]);
  return Buffer.concat([head, more, Buffer.from(mask), masked(bytes, mask)]);
}

export const text = (payload, options) => frame(TEXT, payload, options);
export const binary = (payload, options) => frame(BINARY, payload, options);
export const more = (payload, options) => frame(CONTINUATION, payload, { fin: false, ...options });
export const last = (payload, options) => frame(CONTINUATION, payload, options);
export const ping = (payload, options) => frame(PING, payload, options);
export const pong = (payload, options) => frame(PONG, payload, options);

/** A close frame's payload. */
export function closing(code, reason = '') {
  return Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason)]);
}
/** A close frame; without a code it has no payload. */
export const close = (code, reason, options) => frame(CLOSE, code === undefined ? '' : closing(code, reason), options);

/** A message as one frame per part. */
export function fragments(opcode, parts, options) {
  return parts.map((part, i) => frame(i === 0 ? opcode : CONTINUATION, part, { ...options, fin: i === parts.length - 1 }));
}

/** The bytes of "de ad be ef". */
export const hex = (digits) => Buffer.from(digits.replaceAll(' ', ''), 'hex');
