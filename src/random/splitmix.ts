/** SplitMix32's finalizer: every bit of the result depends on every bit of `x`. A whole number from 0 to 2^32 - 1. */
export function mix32(x: number): number {
  let z = x;
  z = Math.imul(z ^ (z >>> 16), 0x21f0_aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a_2d97);
  return (z ^ (z >>> 15)) >>> 0;
}

/**
 * SplitMix32: uniform numbers from 0 (included) to 1 (excluded), the same on every machine.
 *
 * @param seed a whole number from 0 to 2^53 - 1
 */
export function uniform(seed: number): () => number {
  let state = (seed ^ Math.imul(Math.floor(seed / 2 ** 32), 0x85eb_ca6b)) >>> 0;
  return () => {
    state = (state + 0x9e37_79b9) >>> 0;
    return mix32(state) / 2 ** 32;
  };
}
