import { describe, expect, test } from 'vitest';
import { ciscVote, probabilityVote, softmax } from '../../../src/vote/count/weighted.js';

const near = (actual: readonly number[], expected: readonly number[], digits = 6) => {
  expect(actual).toHaveLength(expected.length);
  for (const [i, value] of expected.entries()) expect(actual[i]).toBeCloseTo(value, digits);
};

describe('confidence-informed votes', () => {
  const samples = [0.2, 0.9, 0.4, 0.8, 0.3].map((value, i) => ({ answer: 'ABABA'[i]!, value }));

  test.each([
    [1, 0.464447, 0.535553],
    [0.5, 0.334871, 0.665129],
    [0.1, 0.00735, 0.99265],
  ])('at temperature %f the majority loses to the sure ones', (temperature, a, b) => {
    const { answer, totals } = ciscVote(samples, temperature);
    expect(answer).toBe('B');
    near([totals[1]!.weight, totals[0]!.weight], [a, b]);
  });

  test('the weights of the samples add up to one', () => {
    near(ciscVote(samples).weights, [0.139617, 0.281154, 0.170529, 0.254399, 0.154301]);
  });

  test('equal weights go to the answer given first', () => {
    expect(
      ciscVote([
        { answer: 'B', value: 1 },
        { answer: 'A', value: 1 },
      ]).answer,
    ).toBe('B');
    expect(ciscVote([]).answer).toBeUndefined();
  });

  test('sequence probability', () => {
    const values = [-0.9, -0.3, -0.95, -0.5, -1.1];
    const { totals } = probabilityVote(values.map((value, i) => ({ answer: 'ABABA'[i]!, value })));
    expect(totals.map(t => t.answer)).toEqual(['B', 'A']);
    near(
      totals.map(t => t.weight),
      [1.347349, 1.126182],
    );
  });

  test('a confidence that is not a number is refused', () => {
    expect(() => ciscVote([{ answer: 'A', value: Number.NaN }])).toThrow(/number/);
  });
});

test('softmax survives values far from zero', () => {
  expect(softmax([-1e5, -1e5])).toEqual([0.5, 0.5]);
  expect(softmax([1e5, 0])).toEqual([1, 0]);
  expect(softmax([-Infinity, 0])).toEqual([0, 1]);
});
