// JSON Web Tokens, good and bad ones, made with nothing but node's crypto.
import { createHmac, sign } from 'node:crypto';

const text = (value) => (typeof value === 'string' || Buffer.isBuffer(value) ? value : JSON.stringify(value));

/** The two parts that are signed; what is neither text nor bytes becomes JSON. */
export const unsigned = (header, claims) => [header, claims].map((part) => Buffer.from(text(part)).toString('base64url')).join('.');

const bits = (alg) => alg.slice(2);

export const hmac = (alg, key, body) => createHmac(`sha${bits(alg)}`, key).update(body).digest();
export const rsa = (alg, key, body) => sign(`sha${bits(alg)}`, Buffer.from(body), key);
export const ecdsa = (alg, key, body, dsaEncoding = 'ieee-p1363') => sign(`sha${bits(alg)}`, Buffer.from(body), { key, dsaEncoding });

/** The token with this signature, which is bytes. */
export const signed = (body, signature) => `${body}.${Buffer.from(signature).toString('base64url')}`;

/** A token as a backend would make it; `header` adds to the header or overrides it. */
export function hmacToken(key, claims, alg = 'HS256', header = {}) {
  const body = unsigned({ alg, typ: 'JWT', ...header }, claims);
  return signed(body, hmac(alg, key, body));
}

export function rsaToken(key, claims, alg = 'RS256', header = {}) {
  const body = unsigned({ alg, typ: 'JWT', ...header }, claims);
  return signed(body, rsa(alg, key, body));
}

export function ecdsaToken(key, claims, alg = 'ES256', header = {}) {
  const body = unsigned({ alg, typ: 'JWT', ...header }, claims);
  return signed(body, ecdsa(alg, key, body));
}

/** Seconds since 1970, as claims count. */
export const now = () => Math.floor(Date.now() / 1000);
