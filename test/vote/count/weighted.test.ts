import { describe, expect, test } from 'vitest';
import {
  ciscVote,
  deepConfCut,
  deepConfThreshold,
  deepConfVote,
  groupConfidences,
  percentile,
  probabilityVote,
  softmax,
  tokenConfidence,
  traceConfidence,
} from '../../../src/vote/count/weighted.js';

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

describe('DeepConf', () => {
  const traces = [
    [1.2, 1.0, 0.8, 1.1, 1.3, 0.9],
    [0.5, 0.4, 0.6, 1.5, 1.6, 1.7],
    [1.4, 1.5, 1.3, 1.6, 1.2, 1.5],
  ] as const;

  test('a token is as confident as its best alternatives are improbable', () => {
    expect(tokenConfidence([0.7, 0.2, 0.05].map(Math.log))).toBeCloseTo(1.653948, 6);
  });

  test.each([
    [0, [1, 0.9667, 1.0667, 1.1], 0.9667, 1.1, 1.05],
    [1, [0.5, 0.8333, 1.2333, 1.6], 0.5, 1.6, 1.05],
    [2, [1.4, 1.4667, 1.3667, 1.4333], 1.3667, 1.4333, 1.4167],
  ])('trace %i in windows of three', (i, groups, min, tail, mean) => {
    near(groupConfidences(traces[i]!, 3), groups, 4);
    expect(traceConfidence(traces[i]!, 'min', 3)).toBeCloseTo(min, 4);
    expect(traceConfidence(traces[i]!, 'tail', 3)).toBeCloseTo(tail, 4);
    expect(traceConfidence(traces[i]!, 'mean', 3)).toBeCloseTo(mean, 4);
    expect(traceConfidence(traces[i]!, 'bottom', 3)).toBeCloseTo(min, 4); // at least one group
  });

  test('the threshold of the warm-up cuts the second trace', () => {
    const minima = traces.map(trace => traceConfidence(trace, 'min', 3));
    expect(deepConfThreshold(minima, 90)).toBeCloseTo(0.593333, 6);
    expect(deepConfThreshold(minima, 50)).toBeCloseTo(0.966667, 6);
    for (const eta of [90, 50]) {
      expect(traces.map(trace => deepConfCut(trace, 3, deepConfThreshold(minima, eta) - 1e-12))).toEqual([
        undefined,
        3,
        undefined,
      ]);
    }
  });

  test('a trace shorter than the window is one group and is never cut', () => {
    expect(groupConfidences([1, 2], 3)).toEqual([1.5]);
    expect(deepConfCut([0, 0], 3, 1)).toBeUndefined();
    expect(traceConfidence([], 'min', 3)).toBeNaN();
  });

  test('offline, only the confident samples count, by confidence', () => {
    const samples = [
      { answer: 'A', value: 1 },
      { answer: 'A', value: 1.1 },
      { answer: 'A', value: 1.2 },
      { answer: 'B', value: 2 },
    ];
    expect(deepConfVote(samples, 90)).toMatchObject({ answer: 'B', weights: [0, 0, 0, 2] });
    expect(deepConfVote(samples, 0).answer).toBe('A');
  });

  test('percentiles lie between neighbours, as numpy has them', () => {
    expect(percentile([4, 1, 3, 2], 25)).toBe(1.75);
    expect(percentile([4, 1, 3, 2], 100)).toBe(4);
    expect(percentile([5], 90)).toBe(5);
  });
});

test('softmax survives values far from zero', () => {
  expect(softmax([-1e5, -1e5])).toEqual([0.5, 0.5]);
  expect(softmax([1e5, 0])).toEqual([1, 0]);
  expect(softmax([-Infinity, 0])).toEqual([0, 1]);
});
