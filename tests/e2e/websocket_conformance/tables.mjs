// All tables, with their names.
import { closes } from './closes.mjs';
import { controlFrames } from './control_frames.mjs';
import { deflateOffers } from './deflate_offers.mjs';
import { deflatePayloads } from './deflate_payloads.mjs';
import { fragmentation } from './fragmentation.mjs';
import { handshakesBad } from './handshakes_bad.mjs';
import { handshakesGood } from './handshakes_good.mjs';
import { headers } from './headers.mjs';
import { lengths } from './lengths.mjs';
import { limits } from './limits.mjs';
import { utf8Invalid } from './utf8_invalid.mjs';
import { utf8Valid } from './utf8_valid.mjs';

export const FRAMES = [
  ['lengths', lengths],
  ['first two bytes of a frame', headers],
  ['control frames', controlFrames],
  ['fragmentation', fragmentation],
  ['valid UTF-8', utf8Valid],
  ['invalid UTF-8', utf8Invalid],
  ['closing handshake', closes],
  ['limits', limits],
  ['compressed messages', deflatePayloads],
];
export const HANDSHAKES = [
  ['handshakes to accept', handshakesGood],
  ['handshakes to refuse', handshakesBad],
  ['offers of compression', deflateOffers],
];
