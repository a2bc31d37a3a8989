import { mix32 } from './splitmix.js';

/** xorshift32 (Marsaglia 2003): whole numbers from 0 to 2^32 - 1, the same for the same seed; fast enough to write gigabytes. */
export function xorshift(seed: number): () => number {
  let state = spread(seed) || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** Nearly normal numbers of mean 0 and variance 1: four uniform ones added up, never past 3.5. */
export function nearlyNormal(seed: number): () => number {
  const next = xorshift(seed);
  const scale = Math.sqrt(3) / 2 ** 32;
  return () => (next() + next() + next() + next() - 2 ** 33) * scale;
}

/** A seed of its own for every name. */
export function seedFor(seed: number, name: string): number {
  let hash = spread(seed);
  for (let i = 0; i < name.length; i++) hash = spread(hash ^ name.charCodeAt(i));
  return hash;
}

function spread(value: number): number {
  return mix32((value + 0x9e37_79b9) | 0);
}
