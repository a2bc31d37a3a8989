import { describe, expect, test } from 'vitest';
import { Random } from '../../src/random/xoshiro.js';

const draws = (random: Random, count: number, n: number) => Array.from({ length: count }, () => random.below(n));

describe('random numbers', () => {
  test('a seed means the same numbers for ever', () => {
    // Computed with a separate implementation of splitmix32 and xoshiro128** in Python integers.
    expect(draws(new Random(1), 6, 1_000_000)).toEqual([288148, 103013, 759091, 745082, 176206, 171167]);
    expect(draws(new Random(2 ** 40 + 5), 6, 1_000_000)).toEqual([432433, 250770, 132139, 842648, 863927, 16010]);
  });

  test('seeds that differ only above 32 bits give different numbers', () => {
    expect(draws(new Random(5), 8, 1000)).not.toEqual(draws(new Random(2 ** 32 + 5), 8, 1000));
  });

  test.each([2, 3, 4, 7, 10])('below(%i) gives every number equally often', n => {
    const counts = new Array<number>(n).fill(0);
    for (const x of draws(new Random(99), 20_000, n)) counts[x]!++;
    const expected = 20_000 / n;
    const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    expect(chiSquare).toBeLessThan(27.9); // the 0.999 quantile for 9 degrees of freedom
  });

  test('between() includes both ends', () => {
    const random = new Random(3);
    expect(new Set(Array.from({ length: 200 }, () => random.between(-1, 2)))).toEqual(new Set([-1, 0, 1, 2]));
  });

  test('shuffled() keeps every item and leaves the original alone', () => {
    const items = [1, 2, 3, 4, 5];
    expect(new Random(4).shuffled(items).sort()).toEqual([1, 2, 3, 4, 5]);
    expect(items).toEqual([1, 2, 3, 4, 5]);
  });
});
