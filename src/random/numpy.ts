import { integer } from '../check/options.js';

/**
 * The order in which numpy's `default_rng(seed).permutation(n)` puts 0 … n − 1. The `datasets` library shuffles with it,
 * so the authors' demonstrations can be found again for any seed, 0 … 2^32 - 1, or several of them. PCG64 XSL-RR seeded by SeedSequence (O'Neill 2014;
 * numpy random/bit_generator.pyx), indices drawn by masked rejection.
 */
export function permutation(n: number, seed: number | readonly number[]): Int32Array {
  integer('n', n, 0, 2 ** 31 - 1);
  const entropy = (typeof seed === 'number' ? [seed] : seed).map(word => integer('seed', word, 0, 2 ** 32 - 1));
  const next = pcg64(entropy);
  const order = Int32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const mask = 2 ** (32 - Math.clz32(i)) - 1;
    let j = (next() & mask) >>> 0;
    while (j > i) j = (next() & mask) >>> 0;
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

const multiplier = 0x2360ed051fc65da44385df649fccf645n;
const mask64 = (1n << 64n) - 1n;
const mask128 = (1n << 128n) - 1n;

/** The generator's 32-bit outputs: the low half of each 64-bit output first. */
function pcg64(entropy: readonly number[]): () => number {
  const [stateHigh, stateLow, streamHigh, streamLow] = seedWords(entropy);
  const increment = ((((streamHigh! << 64n) | streamLow!) << 1n) | 1n) & mask128;
  const step = (from: bigint) => (from * multiplier + increment) & mask128;
  let state = step((step(0n) + ((stateHigh! << 64n) | stateLow!)) & mask128);
  let held: number | undefined;
  return () => {
    if (held !== undefined) {
      const value = held;
      held = undefined;
      return value;
    }
    state = step(state);
    const folded = ((state >> 64n) ^ state) & mask64;
    const turn = state >> 122n;
    const output = ((folded >> turn) | (folded << ((64n - turn) & 63n))) & mask64;
    held = Number(output >> 32n);
    return Number(output & 0xffffffffn);
  };
}

/** SeedSequence: entropy mixed into a pool of four words, from which four 64-bit words are drawn. */
function seedWords(entropy: readonly number[]): bigint[] {
  let constant = 0x43b0d7e5;
  const hash = (word: number) => {
    const start = (word ^ constant) >>> 0;
    constant = Math.imul(constant, 0x931e8875) >>> 0;
    return fold(Math.imul(start, constant) >>> 0);
  };
  const mix = (a: number, b: number) => fold((Math.imul(0xca01f9dd, a) - Math.imul(0x4973f715, b)) >>> 0);
  const pool = [0, 1, 2, 3].map(i => hash(entropy[i] ?? 0));
  for (let source = 0; source < 4; source++) {
    for (let target = 0; target < 4; target++) {
      if (source !== target) pool[target] = mix(pool[target]!, hash(pool[source]!));
    }
  }
  for (const word of entropy.slice(4))
    for (let target = 0; target < 4; target++) pool[target] = mix(pool[target]!, hash(word));
  let drawn = 0x8b51f9dd;
  const words = Array.from({ length: 8 }, (_, i) => {
    const start = (pool[i % 4]! ^ drawn) >>> 0;
    drawn = Math.imul(drawn, 0x58f38ded) >>> 0;
    return BigInt(fold(Math.imul(start, drawn) >>> 0));
  });
  return [0, 2, 4, 6].map(i => words[i]! | (words[i + 1]! << 32n));
}

function fold(word: number): number {
  return (word ^ (word >>> 16)) >>> 0;
}
