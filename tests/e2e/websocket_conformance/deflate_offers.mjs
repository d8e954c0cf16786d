// Negotiation of permessage-deflate (RFC 7692 5 and 7.1; the header's syntax is RFC 6455 9.1). `fits` is the offer that the answer
// must be one to; without it none of the offers may be accepted.
import assert from 'node:assert/strict';
import { checkAnswer } from './deflate.mjs';
import { request } from './handshakes_good.mjs';

const NAME = 'permessage-deflate';
const lines = (values) => values.map((value) => `Sec-WebSocket-Extensions: ${value}`);

const accepted = (name, values, fits = values) => ({
  name, request: request({}, lines([values].flat())), status: 101,
  extensions: (answer) => {
    assert.ok(answer, 'the offer was declined');
    checkAnswer(answer, fits);
  },
});
const declined = (value) => ({ name: `declined: ${value}`, request: request({}, lines([value])), status: 101 });
const refused = (value) => ({ name: `refused: ${value}`, request: request({}, lines([value])), status: 400 });
/** For what a server may or may not be able to do. */
const either = (value) => ({
  name: `accepted or declined: ${value}`, request: request({}, lines([value])), status: 101,
  extensions: (answer) => { if (answer !== undefined) checkAnswer(answer, value); },
});

const NO_CONTEXT = ['server_no_context_takeover', 'client_no_context_takeover'];
const WINDOWS = [9, 10, 11, 12, 13, 14, 15];

const OFFERS = [
  NAME,
  `${NAME}; ${NO_CONTEXT[0]}`, `${NAME}; ${NO_CONTEXT[1]}`, `${NAME}; ${NO_CONTEXT.join('; ')}`, `${NAME}; ${NO_CONTEXT.toReversed().join('; ')}`,
  `${NAME}; client_max_window_bits`,
  ...[8, ...WINDOWS].map((bits) => `${NAME}; client_max_window_bits=${bits}`),
  ...WINDOWS.map((bits) => `${NAME}; server_max_window_bits=${bits}`),
  ...WINDOWS.map((bits) => `${NAME}; client_max_window_bits; server_max_window_bits=${bits}`),
  ...[9, 12, 15].map((bits) => `${NAME}; server_no_context_takeover; server_max_window_bits=${bits}`),
  ...[9, 12, 15].map((bits) => `${NAME}; ${NO_CONTEXT.join('; ')}; client_max_window_bits=${bits}; server_max_window_bits=${bits}`),
];
const good = OFFERS.map((offer) => accepted(`accepted: ${offer}`, offer));

const written = [
  accepted('no spaces', `${NAME};server_no_context_takeover;server_max_window_bits=10`),
  accepted('spaces and tabs everywhere', `${NAME} \t; \tserver_no_context_takeover ; server_max_window_bits=10 `),
  accepted('a quoted value', `${NAME}; server_max_window_bits="10"`),
  accepted('the second of two offers, as the first has a parameter that nobody knows', `${NAME}; nobody_knows, ${NAME}`, NAME),
  accepted('the second of two offers, as the first has a bad value', `${NAME}; server_max_window_bits=7, ${NAME}; server_no_context_takeover`, `${NAME}; server_no_context_takeover`),
  accepted('the third of three offers', `${NAME}; a, ${NAME}; b=1, ${NAME}; client_max_window_bits`, `${NAME}; client_max_window_bits`),
  accepted('one of two good offers', `${NAME}; server_max_window_bits=10, ${NAME}; server_max_window_bits=10; server_no_context_takeover`, `${NAME}; server_max_window_bits=10`),
  accepted('behind an extension that nobody knows', `x-unknown; a=1, ${NAME}`, NAME),
  accepted('before an extension that nobody knows', `${NAME}, x-unknown`, NAME),
  accepted('an offer in each of two headers', [`${NAME}; nobody_knows`, NAME], NAME),
  accepted('an unknown extension in another header', ['x-unknown', NAME], NAME),
  accepted('a hundred offers that cannot be had, and a good one', `${`${NAME}; nobody_knows, `.repeat(100)}${NAME}`, NAME),
];

// "A server MUST decline": the handshake goes on without compression (7.1).
const BAD = [
  'nobody_knows', 'nobody_knows=1', 'server_max_window_bits=10; nobody_knows', 'client_max_window_bits; x=y',
  'server_no_context_takeover=1', 'server_no_context_takeover=true', 'client_no_context_takeover=0', 'client_no_context_takeover="x"',
  'server_max_window_bits', 'server_max_window_bits=0', 'server_max_window_bits=1', 'server_max_window_bits=7', 'server_max_window_bits=16', 'server_max_window_bits=100',
  'server_max_window_bits=08', 'server_max_window_bits=010', 'server_max_window_bits=-10', 'server_max_window_bits=+10', 'server_max_window_bits=0x0a',
  'server_max_window_bits=ten', 'server_max_window_bits=10.0', 'server_max_window_bits=4294967306',
  'client_max_window_bits=0', 'client_max_window_bits=7', 'client_max_window_bits=16', 'client_max_window_bits=09', 'client_max_window_bits=x', 'client_max_window_bits=256',
  'server_no_context_takeover; server_no_context_takeover', 'client_no_context_takeover; client_no_context_takeover',
  'server_max_window_bits=10; server_max_window_bits=10', 'server_max_window_bits=10; server_max_window_bits=12', 'client_max_window_bits; client_max_window_bits',
  'client_max_window_bits; client_max_window_bits=10',
];
const bad = BAD.map((parameters) => declined(`${NAME}; ${parameters}`));
const NOT_OURS = ['permessage-deflat', 'permessage-deflate2', 'x-permessage-deflate', 'permessage_deflate', 'deflate', 'permessage-bzip2; level=9', 'perframe-deflate', 'x-webkit-deflate-frame; no_context_takeover'];
const others = NOT_OURS.map(declined);

// Bytes that are no list of extensions: the connection fails (RFC 6455 9.1).
const MALFORMED = [
  `${NAME};`, `${NAME};;`, `${NAME}; ;client_max_window_bits`, `;${NAME}`, `${NAME}; =10`, `${NAME}; server_max_window_bits=`, `${NAME}; a b`, 'permessage deflate',
  `"${NAME}"`, `${NAME}; a="b`, `${NAME}; a=b"`, `${NAME}; a="b c"`, `${NAME}; a=""`, `${NAME}; a=b=c`, `${NAME}; a=(b)`, `${NAME}, @`, `${NAME}/1.0`, `${NAME}; a="b"c`,
  `${NAME}; {}`, `x-unknown; =, ${NAME}`, '=', ';', `${NAME}; server_max_window_bits = "1`, `${NAME}; a:b`,
];
const malformed = MALFORMED.map(refused);

// A window of 256 bytes is more than zlib can do, and less than a server must be able to.
const small = ['server_max_window_bits=8', 'server_max_window_bits=8; client_max_window_bits=8'].map((parameters) => either(`${NAME}; ${parameters}`));

export const deflateOffers = [...good, ...written, ...bad, ...others, ...malformed, ...small];
