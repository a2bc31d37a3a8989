import { describe, expect, test } from 'vitest';
import { averageOverOrders, calibrated, placePrior, withoutPrior } from '../../../src/vote/count/debias.js';
import { softmax } from '../../../src/vote/count/weighted.js';

const near = (actual: readonly number[], expected: readonly number[]) => {
  expect(actual).toHaveLength(expected.length);
  for (const [i, value] of expected.entries()) expect(actual[i]).toBeCloseTo(value, 6);
};

describe('PriDe', () => {
  const rows = [
    [0.4, 0.3, 0.2, 0.1],
    [0.3, 0.45, 0.15, 0.1],
    [0.35, 0.25, 0.3, 0.1],
    [0.45, 0.2, 0.15, 0.2],
  ].map(row => row.map(Math.log));

  test('the mean over all rotations belongs to options, not to places', () => {
    near(
      averageOverOrders(rows, [
        [0, 1, 2, 3],
        [1, 2, 3, 0],
        [2, 3, 0, 1],
        [3, 0, 1, 2],
      ]),
      [0.25, 0.2125, 0.3, 0.2375],
    );
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
