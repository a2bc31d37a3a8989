import { expect, test } from 'vitest';
import { mix32, uniform } from '../../src/random/splitmix.js';
import { nearlyNormal, seedFor, xorshift } from '../../src/random/xorshift.js';

test('SplitMix32 gives the same numbers for ever', () => {
  // Computed from the published constants with Python integers.
  const next = uniform(1);
  expect([next(), next(), next()].map(x => Math.round(x * 2 ** 32))).toEqual([1580013426, 350525680, 3524174333]);
  expect(mix32(0x9e37_79b9)).toBe(1684164658);
});

test('xorshift32 gives the same numbers for ever', () => {
  const next = xorshift(1);
  expect([next(), next(), next()]).toEqual([1688603507, 483330935, 1234379079]);
  expect(seedFor(7, 'blk.0.attn_q.weight')).toBe(2731369862);
});

test('nearly normal numbers have mean 0, variance 1 and no far tail', () => {
  const next = nearlyNormal(3);
  const drawn = Array.from({ length: 100_000 }, next);
  const mean = drawn.reduce((sum, x) => sum + x, 0) / drawn.length;
  const variance = drawn.reduce((sum, x) => sum + (x - mean) ** 2, 0) / drawn.length;
  expect(Math.abs(mean)).toBeLessThan(0.02);
  expect(Math.abs(variance - 1)).toBeLessThan(0.02);
  expect(Math.max(...drawn.map(Math.abs))).toBeLessThan(3.5);
});
