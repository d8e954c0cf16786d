// Random numbers that can be had again: the seed is printed, and taken from PARLEY_SEED.
export class Random {
  #state;

  constructor(seed) {
    this.#state = seed >>> 0;
  }

  /** In [0, 1): mulberry32. */
  next() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  between(from, to) { return from + this.next() * (to - from); }
  integer(from, to) { return Math.floor(this.between(from, to + 1)); }
  pick(list) { return list[this.integer(0, list.length - 1)]; }
}

/** A seed of one's own, told on stdout so that a failure can be repeated. */
export function takeSeed(what) {
  const seed = Number(process.env.PARLEY_SEED ?? Math.floor(Math.random() * 2 ** 32));
  console.log(`${what}: PARLEY_SEED=${seed}`);
  return seed;
}
