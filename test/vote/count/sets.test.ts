import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { uniform } from '../../../src/random/splitmix.js';
import { byVotes, coverageOf, neededVotes } from '../../../src/vote/count/sets.js';
import { clopperPearson } from '../../../src/vote/count/uncertainty.js';

describe('Clopper and Pearson’s interval', () => {
  // Bisected over exact fractions in Python.
  test.each([
    [0, 10, 0, 0.3084971],
    [10, 10, 0.6915029, 1],
    [1, 10, 0.002528579, 0.4450161],
    [7, 10, 0.3475471, 0.9332605],
    [45, 50, 0.7818646, 0.9667249],
    [91, 100, 0.8360177, 0.9580164],
    [0, 0, 0, 1],
  ])('%i of %i', (k, n, low, high) => {
    const found = clopperPearson(k, n);
    expect(found.low).toBeCloseTo(low, 6);
    expect(found.high).toBeCloseTo(high, 6);
  });

  test('holds the share it is of, and mirrors', () => {
    const counts = fc
      .integer({ min: 1, max: 300 })
      .chain(n => fc.tuple(fc.integer({ min: 0, max: n }), fc.constant(n)));
    fc.assert(
      fc.property(counts, ([k, n]) => {
        const { low, high } = clopperPearson(k, n);
        const other = clopperPearson(n - k, n);
        expect(low).toBeLessThanOrEqual(k / n);
        expect(high).toBeGreaterThanOrEqual(k / n);
        expect(low).toBeCloseTo(1 - other.high, 9);
      }),
    );
  });
});

describe('the votes an answer needs', () => {
  test('are the largest number that keeps as many right answers as the rank asks for', () => {
    const votes = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(votes, fc.constantFrom(0.5, 0.8, 0.9, 0.95, 0.99), (right, coverage) => {
        const rank = Math.ceil((right.length + 1) * coverage - 1e-9);
        const keeps = (needed: number) => right.filter(count => count >= needed).length;
        const needed = neededVotes(byVotes(right, 5), coverage);
        if (rank > right.length) expect(needed).toBe(0);
        else {
          expect(keeps(needed)).toBeGreaterThanOrEqual(rank);
          if (needed < 5) expect(keeps(needed + 1)).toBeLessThan(rank);
        }
      }),
    );
  });

  test('and what sets are counted from is that of the sets themselves', () => {
    const question = fc.tuple(
      fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 2, maxLength: 5 }),
      fc.nat({ max: 4 }),
    );
    fc.assert(
      fc.property(
        fc.array(question, { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 0, max: 5 }),
        (drawn, needed) => {
          const questions = drawn.map(([counts, gold]) => ({ counts, right: counts[gold % counts.length]! }));
          const sorted = questions.map(({ counts }) => [...counts].sort((a, b) => b - a));
          const found = coverageOf(
            {
              right: byVotes(
                questions.map(({ right }) => right),
                5,
              ),
              answers: byVotes(sorted.flat(), 5),
              first: byVotes(
                sorted.map(([first]) => first!),
                5,
              ),
              second: byVotes(
                sorted.map(([, second]) => second!),
                5,
              ),
            },
            needed,
          );
          const sets = questions.map(({ counts, right }) => ({
            size: counts.filter(c => c >= needed).length,
            held: right >= needed,
          }));
          expect(found).toMatchObject({
            questions: sets.length,
            held: sets.filter(({ held }) => held).length,
            single: sets.filter(({ size }) => size === 1).length,
            empty: sets.filter(({ size }) => size === 0).length,
          });
          expect(found.size).toBeCloseTo(sets.reduce((sum, { size }) => sum + size, 0) / sets.length, 9);
        },
      ),
    );
  });
});

describe('coverage on fresh questions', () => {
  /** Five votes on one question among four options, right the more often the easier it is; some questions mislead. */
  function votesOfRight(next: () => number): number {
    const ease = next();
    const right = next() < 0.15 ? 0.1 : 0.25 + 0.75 * ease;
    let votes = 0;
    for (let i = 0; i < 5; i++) if (next() < right) votes++;
    return votes;
  }

  test.each([
    [40, 0.8],
    [100, 0.9],
    [300, 0.9],
  ])(
    '%i questions for %f: is as promised on average, and within its interval nineteen times in twenty',
    (n, coverage) => {
      const next = uniform(n);
      const fresh = byVotes(
        Array.from({ length: 100_000 }, () => votesOfRight(next)),
        5,
      );
      const truly = (needed: number) => fresh.slice(needed).reduce((a, b) => a + b, 0) / 100_000;
      const rounds = 600;
      let within = 0;
      let covered = 0;
      for (let round = 0; round < rounds; round++) {
        const drawn = Array.from({ length: n }, () => votesOfRight(next));
        const needed = neededVotes(byVotes(drawn.slice(0, n / 2), 5), coverage);
        const right = byVotes(drawn.slice(n / 2), 5);
        const { interval } = coverageOf({ right, answers: right, first: right, second: right }, needed);
        const truth = truly(needed);
        covered += truth;
        if (truth >= interval.low - 0.002 && truth <= interval.high + 0.002) within++;
      }
      expect(covered / rounds).toBeGreaterThan(coverage - 0.005);
      // At least 95 %: fewer than 92 % of 600 is less than once in a thousand times.
      expect(within / rounds).toBeGreaterThan(0.92);
    },
  );
});
