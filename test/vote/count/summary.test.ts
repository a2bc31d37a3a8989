import { describe, expect, test } from 'vitest';
import { type DecisionOptions, defaultMinVotes } from '../../../src/vote/count/decision.js';
import { explain, summarize } from '../../../src/vote/count/summary.js';
import type { Ballot } from '../../../src/vote/count/tally.js';

const ballots = (text: string): Ballot[] =>
  text === '' ? [] : text.split(' ').map((a, index) => ({ index, answer: a === '-' ? undefined : a }));

const decided = (text: string, planned: number, options: DecisionOptions = {}) => {
  const { decision, reason } = summarize(ballots(text), planned, options);
  return reason ? `${decision}: ${reason}` : decision;
};

describe('what a vote decides', () => {
  test.each<[string, number, DecisionOptions, string]>([
    ['A A A A A', 5, {}, 'agree'],
    ['A A B A A', 5, {}, 'agree'],
    ['A A B A B', 5, {}, 'split: low_agreement'],
    ['A A B A B', 5, { minVotes: 3 }, 'agree'],
    ['A B A B C', 5, {}, 'split: tie'],
    ['A B C D E', 5, { minVotes: 1 }, 'split: tie'],
    ['- - - - -', 5, {}, 'abstain: no_answer'],
    ['A - A - -', 5, {}, 'abstain: too_few'],
    ['A - A A -', 5, { minVotes: 3 }, 'agree'],
    ['A', 1, {}, 'agree'],
    ['-', 1, {}, 'abstain: no_answer'],
    ['A A A A', 5, { interrupted: 'deadline' }, 'abstain: deadline'],
    ['A A A', 5, { interrupted: 'overflow' }, 'abstain: overflow'],
    ['', 5, { interrupted: 'aborted' }, 'abstain: aborted'],
    ['A A A', 5, { interrupted: 'failed' }, 'abstain: failed'],
    ['A A A', 5, {}, 'abstain: aborted'],
    ['A A A A', 5, { stoppedBy: 'exact' }, 'agree'],
    ['A A A', 5, { stoppedBy: 'exact' }, 'agree'],
    ['A A B A', 5, { stoppedBy: 'exact' }, 'split: low_agreement'],
    ['A A B B', 5, { stoppedBy: 'exact' }, 'split: low_agreement'],
    ['A A A A', 20, { stoppedBy: 'beta' }, 'agree'],
    ['A A A A A', 5, { set: ['A'] }, 'agree'],
    ['A A A A A', 5, { set: ['A', 'B'] }, 'split: set_not_single'],
    ['A A A A A', 5, { set: [] }, 'abstain: set_not_single'],
  ])('%s of %i, %j: %s', (text, planned, options, expected) => {
    expect(decided(text, planned, options)).toBe(expected);
  });

  test('by default four fifths must agree', () => {
    expect([1, 2, 3, 5, 10, 15, 40].map(defaultMinVotes)).toEqual([1, 2, 3, 4, 8, 12, 32]);
  });

  test('says how many votes were needed, and of how many', () => {
    expect(summarize(ballots('A A A'), 5, { stoppedBy: 'exact' }).needed).toEqual({ votes: 3, of: 3 });
    expect(summarize(ballots('A A A A'), 5, { stoppedBy: 'exact' }).needed).toEqual({ votes: 4, of: 5 });
    expect(explain(summarize(ballots('A A B B C'), 5))).toBe('Two answers have the same number of votes.');
    expect(explain(summarize(ballots('A A A B B'), 5))).toBe('Fewer than 4 of 5 samples agree.');
  });
});

describe('a report', () => {
  test.each<[string, string]>([
    ['A A A A A', '5 of 5'],
    ['A A A A', '4 of 5, 1 not run'],
    ['A A A B -', '3 of 5, 1 gave no answer'],
    ['A - A A', '3 of 5, 1 gave no answer, 1 not run'],
    ['- - - - -', '0 of 5, 5 gave no answer'],
    ['', '0 of 5, 5 not run'],
  ])('of %s says %s', (text, words) => {
    expect(summarize(ballots(text), 5, { stoppedBy: 'exact' }).text).toBe(words);
  });

  test('lists all answers with their samples, and no interval unless all ran', () => {
    const full = summarize(ballots('B A A B A'), 5, { answers: 4 });
    expect(full.votes.map(({ answer, count, samples }) => ({ answer, count, samples }))).toEqual([
      { answer: 'A', count: 3, samples: [1, 2, 4] },
      { answer: 'B', count: 2, samples: [0, 3] },
    ]);
    expect(full.votes[0]!.wilson!.low).toBeCloseTo(0.231, 3);
    expect(full).toMatchObject({ winner: 'A', margin: 1, settled: true, stoppedBy: 'none' });
    expect(full.entropy).toBeCloseTo(0.673012, 6);
    expect(full.normalizedEntropy).toBeCloseTo(0.485475, 6);

    const early = summarize(ballots('A A A'), 5, { stoppedBy: 'exact' });
    expect(early.votes[0]!.wilson).toBeUndefined();
    expect(early).toMatchObject({ notRun: 2, stoppedBy: 'exact', settled: true, normalizedEntropy: undefined });
  });

  test('shows apart what was said only when asked again', () => {
    const asked = ballots('A A - A B').map(b => (b.index === 3 ? { ...b, forced: true } : b));
    const report = summarize(asked, 5);
    expect(report).toMatchObject({
      forced: 1,
      cast: 4,
      text: '3 of 5, 1 of them only when asked again, 1 gave no answer',
    });
    expect(report.votes.map(v => v.forced)).toEqual([1, 0]);
  });

  test('says when the samples that were not run could have changed the winner', () => {
    expect(summarize(ballots('A A B'), 5, { interrupted: 'deadline' })).toMatchObject({
      winner: 'A',
      settled: false,
      stoppedBy: 'deadline',
    });
  });

  test('holds no percentage, whatever happened', () => {
    for (const text of ['', '-', 'A', 'A A', 'A B', 'A A A A A']) {
      const report = summarize(ballots(text), 5, { stoppedBy: 'exact' });
      expect(`${report.text} ${explain(report)}`).not.toMatch(/%|percent/);
    }
  });
});
