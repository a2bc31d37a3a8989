import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { conformalThreshold } from '../../../src/vote/count/conformal.js';
import { clusteredWilson, entropy, normalizedEntropy, wilson } from '../../../src/vote/count/uncertainty.js';

describe('entropy', () => {
  test.each([
    [[5], 0, 0, 0, 0],
    [[4, 1], 0.500402, 0.721928, 0.360964, 0.310918],
    [[3, 2], 0.673012, 0.970951, 0.485475, 0.418166],
    [[3, 1, 1], 0.950271, 1.370951, 0.685475, 0.590436],
    [[2, 2, 1], 1.05492, 1.521928, 0.760964, 0.655459],
    [[2, 1, 1, 1], 1.332179, 1.921928, 0.960964, 0.827729],
    [[1, 1, 1, 1, 1], 1.609438, 2.321928, undefined, 1],
    [[7, 3], 0.610864, 0.881291, 0.440645, 0.379551],
    [[5, 5], Math.LN2, 1, 0.5, 0.430677],
    [[4, 3, 2, 1], 1.279854, 1.846439, 0.92322, 0.795218],
  ])('of %j', (counts, nats, bits, ofFour, ofFive) => {
    expect(entropy(counts)).toBeCloseTo(nats, 6);
    expect(entropy(counts) / Math.LN2).toBeCloseTo(bits, 6);
    if (ofFour !== undefined) expect(normalizedEntropy(counts, 4)).toBeCloseTo(ofFour, 6);
    expect(normalizedEntropy(counts, 5)).toBeCloseTo(ofFive, 6);
  });

  test('is plus zero where there is nothing to be uncertain about', () => {
    for (const counts of [[], [5], [5, 0, 0]]) expect(Object.is(entropy(counts), 0)).toBe(true);
  });

  test('as a fraction lies between 0 and 1, however many different answers were given', () => {
    const countsOf = fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 12 });
    fc.assert(
      fc.property(countsOf, fc.integer({ min: 2, max: 6 }), (counts, answers) => {
        const fraction = normalizedEntropy(counts, answers);
        expect(fraction).toBeGreaterThanOrEqual(0);
        expect(fraction).toBeLessThanOrEqual(1);
      }),
    );
    expect(normalizedEntropy([1, 1, 1, 1, 1], 2)).toBe(1);
  });
});

describe('Wilson bounds', () => {
  const table = `0.0–56.1 0.0–43.4 0.0–35.4 0.0–29.9 0.0–27.8
6.1–79.2 3.6–62.4 2.6–51.3 2.0–43.5 1.8–40.4
20.8–93.9 11.8–76.9 8.2–64.1 6.3–54.7 5.7–51.0
43.9–100.0 23.1–88.2 15.8–75.0 12.1–64.6 10.8–60.3
- 37.6–96.4 25.0–84.2 18.9–73.3 16.8–68.7
- 56.6–100.0 35.9–91.8 26.7–81.1 23.7–76.3
- - 48.7–97.4 35.4–87.9 31.3–83.2
- - 64.6–100.0 45.3–93.7 39.7–89.2
- - - 56.5–98.0 49.0–94.3
- - - 70.1–100.0 59.6–98.2
- - - - 72.2–100.0`;
  const rows = table.split('\n').map(row => row.split(' '));

  test.each(rows.map((row, k) => [k, row] as const))('for %i of 3, 5, 7, 9, 10', (k, row) => {
    for (const [i, n] of [3, 5, 7, 9, 10].entries()) {
      if (k > n) continue;
      const { low, high } = wilson(k, n);
      expect(`${(100 * low).toFixed(1)}–${(100 * high).toFixed(1)}`).toBe(row[i]);
    }
  });

  test.each([
    [820, 1273, '61.74–67.00'],
    [894, 1273, '67.66–72.68'],
    [408, 500, '77.97–84.75'],
  ])('for %i of %i', (k, n, expected) => {
    const { low, high } = wilson(k, n);
    expect(`${(100 * low).toFixed(2)}–${(100 * high).toFixed(2)}`).toBe(expected);
  });

  test('solve the equation that defines them: the distance to k/n is z standard errors at the bound', () => {
    for (const [k, n] of [
      [1, 7],
      [3, 5],
      [250, 1000],
    ] as const) {
      for (const bound of Object.values(wilson(k, n, 1.5))) {
        expect(Math.abs(k / n - bound)).toBeCloseTo(1.5 * Math.sqrt((bound * (1 - bound)) / n), 12);
      }
    }
  });

  test('say nothing about nothing, and stay exact at the ends', () => {
    expect(wilson(0, 0)).toEqual({ low: 0, high: 1 });
    expect(wilson(0, 7).low).toBe(0);
    expect(wilson(7, 7).high).toBe(1);
    expect(() => wilson(3, 2)).toThrow(/`k`/);
  });

  test('for groups of equal size are those of as many outcomes as there are groups', () => {
    const { low, high } = clusteredWilson(382, new Array(100).fill(5));
    const alone = { low: 0.6718, high: 0.8364 }; // 76.4 of 100 instead of 382 of 500, by the formula
    expect(low).toBeCloseTo(alone.low, 3);
    expect(high).toBeCloseTo(alone.high, 3);
    expect(high - low).toBeGreaterThan(2 * (wilson(382, 500).high - wilson(382, 500).low));
  });

  test('for groups lie between those of all outcomes and of the largest group alone', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(sizes, fc.double({ min: 0, max: 1, noNaN: true }), (groups, share) => {
        const n = groups.reduce((a, b) => a + b, 0);
        const k = Math.round(share * n);
        const [grouped, all] = [clusteredWilson(k, groups), wilson(k, n)];
        expect(grouped.low).toBeLessThanOrEqual(all.low + 1e-12);
        expect(grouped.high).toBeGreaterThanOrEqual(all.high - 1e-12);
        expect(clusteredWilson(k, new Array(n).fill(1))).toEqual(all);
      }),
    );
    expect(clusteredWilson(0, [])).toEqual({ low: 0, high: 1 });
  });
});

describe('the conformal threshold', () => {
  const gold = [1, 0.8, 0.6, 1, 0.4, 0.8, 0.6, 0.2, 1, 0.8, 0.6, 0.8, 1, 0.4, 0.8, 0.6, 1, 0.8, 0];

  test.each([
    [0.05, 19, 1],
    [0.1, 18, 0.8],
    [0.2, 16, 0.6],
    [0.3, 14, 0.4],
  ])('at alpha %f', (alpha, rank, threshold) => {
    const calibration = conformalThreshold(gold, alpha);
    expect(calibration).toMatchObject({ rank, n: 19, alpha });
    expect(calibration.threshold).toBeCloseTo(threshold, 12);
  });

  test.each([
    [0.2, 4],
    [0.1, 9],
    [0.05, 19],
    [0.01, 99],
  ])('alpha %f needs %i calibration items', (alpha, n) => {
    expect(conformalThreshold(new Array(n).fill(1), alpha).threshold).toBe(0);
    expect(conformalThreshold(new Array(n - 1).fill(1), alpha).threshold).toBe(Infinity);
  });
});
