import { describe, expect, test } from 'vitest';
import {
  averageOverOrders,
  bellOrders,
  calibrated,
  original,
  originalLetter,
  placePrior,
  recallSpread,
  rotations,
  shuffledOrder,
  withoutPrior,
} from '../../src/vote/debias.js';
import { softmax } from '../../src/vote/weighted.js';

const near = (actual: readonly number[], expected: readonly number[]) => {
  expect(actual).toHaveLength(expected.length);
  for (const [i, value] of expected.entries()) expect(actual[i]).toBeCloseTo(value, 6);
};

describe('orders', () => {
  test.each([
    [4, ['0123', '1032', '1302', '3120', '3210']],
    [5, ['01234', '10324', '13042', '31402', '34120']],
    [3, ['012', '102', '120', '210', '201']],
  ])('the first five of bell ringing with %i options', (options, expected) => {
    expect(bellOrders(options, 5).map(order => order.join(''))).toEqual(expected);
  });

  test('in rotations every option stands once at every place', () => {
    expect(rotations(4).map(order => order.join(''))).toEqual(['0123', '1230', '2301', '3012']);
    for (let place = 0; place < 26; place++) {
      expect(new Set(rotations(26).map(order => order[place])).size).toBe(26);
    }
  });

  test('a shuffle is an order, repeats for its seed and is fair to every place', () => {
    expect(shuffledOrder(5, 7)).toEqual(shuffledOrder(5, 7));
    const at = Array.from({ length: 4 }, () => [0, 0, 0, 0]);
    for (let seed = 0; seed < 4000; seed++) {
      const order = shuffledOrder(4, seed);
      expect([...order].sort()).toEqual([0, 1, 2, 3]);
      for (const [place, option] of order.entries()) at[place]![option]!++;
    }
    for (const count of at.flat()) expect(Math.abs(count - 1000)).toBeLessThan(120);
  });

  test('an answer is mapped back to the option that was shown at its place', () => {
    expect(original(0, [1, 3, 0, 2])).toBe(1);
    expect(originalLetter('B', [1, 3, 0, 2], ['A', 'B', 'C', 'D'])).toBe('D');
    expect(() => originalLetter('E', [1, 0], ['A', 'B'])).toThrow(/one of A, B/);
  });
});

describe('PriDe', () => {
  const rows = [
    [0.4, 0.3, 0.2, 0.1],
    [0.3, 0.45, 0.15, 0.1],
    [0.35, 0.25, 0.3, 0.1],
    [0.45, 0.2, 0.15, 0.2],
  ].map(row => row.map(Math.log));

  test('the mean over all rotations belongs to options, not to places', () => {
    near(averageOverOrders(rows, rotations(4)), [0.25, 0.2125, 0.3, 0.2375]);
  });

  test('the prior belongs to places, and without it another option wins', () => {
    const prior = placePrior(rows);
    near(prior, [0.38303, 0.296103, 0.198016, 0.12285]);
    const debiased = withoutPrior([0.38, 0.36, 0.16, 0.1].map(Math.log), prior);
    near(debiased, [-0.007943, 0.195395, -0.213176, -0.205794]);
    near(softmax(debiased), [0.259038, 0.317448, 0.210976, 0.212539]);
  });
});

test('contextual calibration divides by what a content-free question gets', () => {
  const q = calibrated([0.45, 0.35, 0.15, 0.05].map(Math.log), [0.5, 0.25, 0.15, 0.1].map(Math.log));
  near(q, [0.236842, 0.368421, 0.263158, 0.131579]);
});

test('the spread of recall over letters', () => {
  const pairs = [
    { gold: 'A', answer: 'A' },
    { gold: 'A', answer: 'A' },
    { gold: 'B', answer: 'A' },
    { gold: 'B', answer: 'B' },
  ];
  expect(recallSpread(pairs)).toBe(0.25);
  expect(recallSpread(pairs.slice(0, 2))).toBe(0);
});
