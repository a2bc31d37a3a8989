import { expect, test } from 'vitest';
import { compare, measure } from '../../../src/evaluate/score/measure.js';
import type { ReadRow } from '../../../src/evaluate/score/read.js';
import { runOf, twelve } from '../report/rows.js';

test('twelve questions: accuracy, calibration, discrimination, risk and coverage', () => {
  const metrics = measure(twelve);
  expect(metrics.accuracy).toMatchObject({ n: 12, correct: 8, answered: 12 });
  expect(metrics.accuracy!.wilson.low).toBeCloseTo(0.390622, 6);
  expect(metrics.accuracy!.wilson.high).toBeCloseTo(0.86188, 6);
  expect(metrics.calibration!.ece).toBeCloseTo(0.25, 12);
  expect(metrics.calibration!.bins.map(bin => [bin.confidence, bin.n, bin.correct])).toEqual([
    [0.4, 2, 0],
    [0.6, 4, 3],
    [0.8, 3, 3],
    [1, 3, 2],
  ]);
  expect(metrics.brierTop).toBeCloseTo(0.19, 12);
  expect(metrics.auroc).toBeCloseTo(0.734375, 12);
  expect(metrics.riskCoverage!.aurc).toBeCloseTo(0.248604, 6);
  expect(metrics.riskCoverage!.attainable.map(point => [point.answered, point.wrong])).toEqual([
    [3, 1],
    [6, 1],
    [10, 2],
    [12, 4],
  ]);
  expect(metrics).toMatchObject({
    confidence: 'vote share',
    ties: { count: 1, of: 12 },
    unparsed: { count: 0, of: 60 },
    decisions: { agree: 6, split: 6 },
    samplesPerQuestion: 5,
    newTokensPerQuestion: 50,
    promptTokensPerQuestion: 100,
    msPerQuestion: 1000,
  });
  expect(metrics.bySubject.map(({ subject, accuracy }) => [subject, accuracy.correct, accuracy.n])).toEqual([
    ['first half', 5, 6],
    ['second half', 3, 6],
  ]);
});

const base: ReadRow = {
  id: 'x',
  question: '?',
  gold: 'A',
  mode: 'cot',
  protocol: 'strict',
  samples: [{ text: '' }],
  votes: [],
  decision: 'abstain',
  correct: false,
};

test('a question without an answer is wrong, not answered, and says nothing about confidence', () => {
  const metrics = measure([base, { ...twelve[0]!, id: 'y' }]);
  expect(metrics.accuracy).toMatchObject({ n: 2, correct: 1, answered: 1 });
  expect(metrics.unparsed).toEqual({ count: 1, of: 6 });
  expect(metrics.calibration!.bins).toHaveLength(1);
  expect(metrics.auroc).toBeUndefined();
});

test('a single sample always agrees with itself: no calibration is claimed', () => {
  const single = {
    ...base,
    samples: [{ text: 'A', answer: 'A' }],
    votes: [{ answer: 'A', count: 1 }],
    answer: 'A',
    correct: true,
  };
  const metrics = measure([single]);
  expect(metrics.confidence).toBe('none');
  expect(metrics.calibration).toBeUndefined();
});

test('in top-token mode the confidence is the probability of the option, in tenths', () => {
  const rows = Array.from({ length: 100 }, (_, i): ReadRow => {
    const probability = 0.25 + 0.0073 * i;
    return {
      ...base,
      id: `${i}`,
      samples: [],
      answer: 'A',
      correct: i % 2 === 0,
      scores: [
        { answer: 'A', probability },
        { answer: 'B', probability: 1 - probability },
      ],
    };
  });
  const metrics = measure(rows);
  expect(metrics.confidence).toBe('option probability');
  const bins = metrics.calibration!.bins;
  expect(bins.length).toBeLessThanOrEqual(10);
  expect(bins.reduce((sum, bin) => sum + bin.n, 0)).toBe(100);
  expect(metrics.riskCoverage!.attainable.at(-1)).toMatchObject({ answered: 100, wrong: 50 });
});

test('open questions have no accuracy', () => {
  const { gold: _, correct: __, ...open } = base;
  expect(measure([open]).accuracy).toBeUndefined();
  expect(measure([])).toMatchObject({ items: 0, samplesPerQuestion: 0 });
});

test('repeated questions widen the interval', () => {
  const rows = twelve.map((row, i) => ({ ...row, cluster: `c${i % 6}` }));
  const { accuracy, bySubject } = measure(rows);
  expect(accuracy).toMatchObject({ n: 12, distinct: 6 });
  // Twelve questions in pairs are worth six: Wilson of 4 of 6.
  expect(accuracy!.wilson.low).toBeCloseTo(0.299994, 3);
  expect(bySubject.map(({ accuracy: { n, distinct } }) => [n, distinct])).toEqual([
    [6, undefined],
    [6, undefined],
  ]);
  expect(measure(twelve).accuracy!.distinct).toBeUndefined();
});

test('two runs are compared over the questions that both have', () => {
  const other = twelve.slice(0, 10).map(row => ({ ...row, answer: row.gold!, correct: row.id !== 'item-1' }));
  const comparison = compare(runOf('votes', twelve), runOf('other', other));
  expect(comparison).toMatchObject({ first: 'votes', second: 'other', n: 10, onlyFirst: 1, onlySecond: 3, p: 0.625 });
  expect(comparison.difference).toBeCloseTo(-0.2, 12);
  expect(comparison.low).toBeLessThan(-0.2);
  expect(comparison.high).toBeGreaterThan(-0.2);
});
