import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  accuracy,
  auroc,
  brier,
  brierTop,
  calibration,
  type Judged,
  mcNemar,
  pairedBootstrap,
  riskCoverage,
} from '../../../src/evaluate/score/statistics.js';
import { entropy } from '../../../src/vote/count/uncertainty.js';

// Twelve questions, five votes each over A to D; the answer is always A.
const votes = '5000 5000 4100 4010 3200 3110 2210 5000 4100 3200 2111 3101'.split(' ').map(v => [...v].map(Number));
const golds = [...'AAAABABBAADA'];
const items: Judged[] = votes.map((v, i) => ({ confidence: v[0]! / 5, correct: golds[i] === 'A' }));
const shares = votes.map((v, i) => ({ shares: v.map(x => x / 5), gold: 'ABCD'.indexOf(golds[i]!) }));

const near = (actual: readonly number[], expected: readonly number[]) => {
  expect(actual).toHaveLength(expected.length);
  for (const [i, value] of expected.entries()) expect(actual[i]).toBeCloseTo(value, 6);
};

describe('twelve questions of five votes', () => {
  test('accuracy with its interval', () => {
    const all = accuracy(items.map(item => item.correct));
    expect(all).toMatchObject({ n: 12, correct: 8, answered: 12, answeredShare: 1 });
    near([all.accuracy, all.wilson.low, all.wilson.high], [0.666667, 0.390622, 0.86188]);
  });

  test('calibration by vote value', () => {
    const { ece, bins } = calibration(items);
    expect(ece).toBeCloseTo(0.25, 12);
    near(
      bins.map(bin => bin.confidence),
      [0.4, 0.6, 0.8, 1],
    );
    expect(bins.map(bin => [bin.n, bin.correct])).toEqual([
      [2, 0],
      [4, 3],
      [3, 3],
      [3, 2],
    ]);
    near(
      bins.map(bin => Math.abs(bin.accuracy - bin.confidence)),
      [0.4, 0.15, 0.2, 0.333333],
    );
  });

  test('Brier scores', () => {
    expect(brier(shares)).toBeCloseTo(0.433333, 6);
    expect(brierTop(items)).toBeCloseTo(0.19, 12);
  });

  test('AUROC of the share and of the entropy', () => {
    expect(auroc(items)).toBe(0.734375);
    const sure = votes.map((v, i) => ({ confidence: -entropy(v), correct: items[i]!.correct }));
    expect(auroc(sure)).toBe(0.703125);
  });

  test('risk against coverage', () => {
    const { risks, aurc, perfect, excess, attainable } = riskCoverage(items);
    const third = 1 / 3;
    near(risks, [third, third, third, 0.25, 0.2, 0.166667, 0.178571, 0.1875, 0.194444, 0.2, 0.272727, third]);
    near([aurc, perfect, excess], [0.248604, 0.076431, 0.172173]);
    expect(attainable.map(a => [a.answered, a.wrong])).toEqual([
      [3, 1],
      [6, 1],
      [10, 2],
      [12, 4],
    ]);
  });
});

describe('McNemar', () => {
  test.each([
    [10, 3, 0.092285, 0.057373, 2.769231, 0.096092],
    [6, 0, 0.03125, 0.015625, 4.166667, 0.041227],
    [5, 5, 1, 1, 0, 1],
    [25, 12, 0.047031, 0.033552, 3.891892, 0.04852],
    [96, 59, 0.003693, 0.002931, 8.36129, 0.003833],
    [0, 0, 1, 1, 0, 1],
  ])('%i against %i', (b, c, p, midP, chiSquared, chiSquaredP) => {
    const test = mcNemar(b, c);
    near([test.p, test.midP, test.chiSquared, test.chiSquaredP], [p, midP, chiSquared, chiSquaredP]);
    expect(mcNemar(c, b)).toEqual(test);
  });

  test('is exact in small cases, and finite where a power of two underflows', () => {
    for (let n = 1; n <= 12; n++) {
      for (let b = 0; b <= n; b++) {
        let tail = 0;
        for (let mask = 0; mask < 2 ** n; mask++) tail += ones(mask) <= Math.min(b, n - b) ? 1 : 0;
        expect(mcNemar(b, n - b).p).toBeCloseTo(Math.min(1, (2 * tail) / 2 ** n), 12);
      }
    }
    expect(mcNemar(1030, 1020).p).toBeCloseTo(0.842, 2);
    expect(mcNemar(3000, 0).p).toBe(0);
  });

  test.each([
    [101, 90, 0.46932693655560154],
    [150, 89, 0.0001039947501437208],
    [40, 0, 6.984393061522137e-10],
  ])('the tail of chi squared for %i against %i is that of scipy', (b, c, p) => {
    expect(Math.abs(mcNemar(b, c).chiSquaredP / p - 1)).toBeLessThan(1e-6);
  });
});

describe('the paired bootstrap', () => {
  const first = Array.from({ length: 400 }, (_, i) => i % 10 < 7);
  const second = Array.from({ length: 400 }, (_, i) => i % 10 < 5 || i % 10 === 9);

  test('finds the interval that the variance of the differences predicts', () => {
    const { difference, low, high } = pairedBootstrap(first, second, { seed: 1 });
    expect(difference).toBeCloseTo(0.1, 12);
    // Differences are +1 in two of ten, -1 in one of ten: variance 0.3 - 0.01.
    const half = 1.96 * Math.sqrt(0.29 / 400);
    expect(low).toBeCloseTo(0.1 - half, 2);
    expect(high).toBeCloseTo(0.1 + half, 2);
  });

  test('repeats for its seed', () => {
    const run = (seed: number) => pairedBootstrap(first, second, { seed, resamples: 500 });
    expect(run(3)).toEqual(run(3));
    expect(run(3)).not.toEqual(run(4));
  });

  test('copies of an item widen the interval when they are kept together', () => {
    const twice = (list: boolean[]) => [...list, ...list];
    const names = twice(first).map((_, i) => `item ${i % 400}`);
    const width = (options: object) => {
      const { low, high } = pairedBootstrap(twice(first), twice(second), { ...options, resamples: 4000 });
      return high - low;
    };
    expect(width({ clusters: names }) / width({})).toBeCloseTo(Math.SQRT2, 1);
  });

  test('refuses lists that do not belong together', () => {
    expect(() => pairedBootstrap([true], [])).toThrow(/same items/);
    expect(() => pairedBootstrap([true], [true], { clusters: [] })).toThrow(/1 names/);
  });
});

test('abstentions are wrong in the accuracy and left out of the accuracy of answered ones', () => {
  const result = accuracy([true, false, undefined, true]);
  expect(result).toMatchObject({ accuracy: 0.5, answered: 3, answeredShare: 0.75 });
  expect(result.ofAnswered).toBeCloseTo(2 / 3, 12);
});

test('confidence that says nothing has an AUROC of one half, a perfect one has no excess risk', () => {
  expect(auroc(items.map(item => ({ ...item, confidence: 1 })))).toBe(0.5);
  expect(riskCoverage(items.map(item => ({ ...item, confidence: item.correct ? 1 : 0 }))).excess).toBe(0);
  expect(auroc([{ confidence: 1, correct: true }])).toBeNaN();
});

const scipy = JSON.parse(readFileSync(new URL('../../fixtures/evaluate/scipy.json', import.meta.url), 'utf8'));

test('intervals, tests and areas are those of scipy', () => {
  for (const { k, n, low, high } of scipy.wilson) {
    const outcomes = Array.from({ length: n }, (_, i) => i < k);
    near(Object.values(accuracy(outcomes).wilson), [low, high]);
    if (n > 5000) continue;
    // Every item five times over is worth no more than once.
    const five = outcomes.flatMap(right => Array<boolean>(5).fill(right));
    const clustered = accuracy(
      five,
      five.map((_, i) => `item ${Math.floor(i / 5)}`),
    );
    near(Object.values(clustered.wilson), [low, high]);
    expect([clustered.n, clustered.distinct]).toEqual([5 * n, n]);
  }
  for (const { b, c, ...expected } of scipy.mcNemar) {
    const found = mcNemar(b, c);
    for (const name of ['p', 'midP', 'chiSquared', 'chiSquaredP'] as const)
      expect(found[name]).toBeCloseTo(expected[name], 9);
  }
  for (const { items: judged, auroc: expected } of scipy.auroc) expect(auroc(judged)).toBeCloseTo(expected, 12);
});

function ones(mask: number): number {
  return mask.toString(2).replaceAll('0', '').length;
}
