import { integer } from '../options.js';

/**
 * The numbers 0 … n-1 in an order that depends on the seed alone, on every machine: exactly
 * `numpy.random.default_rng(seed).permutation(n)`, which is what Hugging Face datasets shuffles by. Seeds are 0 … 2^32 - 1.
 */
export function permutation(n: number, seed: number): Int32Array {
  integer('n', n, 0, 2 ** 31 - 1);
  integer('seed', seed, 0, 2 ** 32 - 1);
  const next = pcg64(seed);
  const order = Int32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = upTo(i, next);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** A uniform integer in 0 … max: words cut to the bits of max, until one is not above it, as numpy's shuffle draws them. */
function upTo(max: number, next: () => number): number {
  const mask = 0xffffffff >>> Math.clz32(max);
  for (;;) {
    const value = (next() & mask) >>> 0;
    if (value <= max) return value;
  }
}

const mask32 = (1n << 32n) - 1n;
const mask64 = (1n << 64n) - 1n;
const mask128 = (1n << 128n) - 1n;
const multiplier = (2549297995355413924n << 64n) | 4865540595714422341n;

/** PCG XSL RR 128/64 (pcg-random.org) seeded by numpy's SeedSequence, read as 32-bit words, low half first. */
function pcg64(seed: number): () => number {
  const [s0, s1, i0, i1] = seedWords(seed);
  const increment = (((i0 << 64n) | i1) << 1n) | 1n;
  const step = (state: bigint) => (state * multiplier + increment) & mask128;
  let state = step((step(0n) + ((s0 << 64n) | s1)) & mask128);
  let high: number | undefined;
  return () => {
    if (high !== undefined) {
      const word = high;
      high = undefined;
      return word;
    }
    state = step(state);
    const folded = (state >> 64n) ^ (state & mask64);
    const turn = state >> 122n;
    const output = ((folded >> turn) | (folded << (64n - turn))) & mask64;
    high = Number(output >> 32n);
    return Number(output & mask32);
  };
}

/** numpy's SeedSequence for one 32-bit seed: four 64-bit words. */
function seedWords(seed: number): [bigint, bigint, bigint, bigint] {
  let constant = 0x43b0d7e5;
  const hash = (value: number) => {
    let mixed = value ^ constant;
    constant = Math.imul(constant, 0x931e8875);
    mixed = Math.imul(mixed, constant);
    return mixed ^ (mixed >>> 16);
  };
  const pool = [hash(seed), hash(0), hash(0), hash(0)];
  for (let from = 0; from < 4; from++) {
    for (let to = 0; to < 4; to++) {
      if (from === to) continue;
      const mixed = Math.imul(0xca01f9dd, pool[to]!) - Math.imul(0x4973f715, hash(pool[from]!));
      pool[to] = mixed ^ (mixed >>> 16);
    }
  }
  constant = 0x8b51f9dd;
  const words = Array.from({ length: 8 }, (_, i) => {
    let mixed = pool[i % 4]! ^ constant;
    constant = Math.imul(constant, 0x58f38ded);
    mixed = Math.imul(mixed, constant);
    return BigInt((mixed ^ (mixed >>> 16)) >>> 0);
  });
  const word = (i: number) => words[2 * i]! | (words[2 * i + 1]! << 32n);
  return [word(0), word(1), word(2), word(3)];
}
