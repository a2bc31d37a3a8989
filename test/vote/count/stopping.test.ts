import { describe, expect, test } from 'vitest';
import { betaConfidence, planWaves, type StopRule, stopping } from '../../../src/vote/count/stopping.js';
import { type Ballot, vote } from '../../../src/vote/count/tally.js';

const easy = [0.85, 0.1, 0.03, 0.02];
const mid = [0.6, 0.25, 0.1, 0.05];
const hard = [0.4, 0.35, 0.15, 0.1];

const ballots = (text: string): Ballot[] =>
  text.split(' ').map((a, index) => ({ index, answer: a === '-' ? undefined : a }));

/** How many samples a rule draws from a sequence. */
const drawn = (rule: StopRule, text: string, planned: number) => {
  const all = ballots(text);
  return all.findIndex((_, i) => stopping(rule, all.slice(0, i + 1), planned).stop) + 1;
};

describe('beta', () => {
  test.each([
    [1, [0.75, 0.5]],
    [2, [0.875, 0.6875, 0.5]],
    [3, [0.9375, 0.8125, 0.6562, 0.5]],
    [4, [0.9688, 0.8906, 0.7734, 0.6367, 0.5]],
    [5, [0.9844, 0.9375, 0.8555, 0.7461, 0.623]],
    [6, [0.9922, 0.9648, 0.9102, 0.8281, 0.7256]],
    [7, [0.9961, 0.9805, 0.9453, 0.8867, 0.8062]],
    [8, [0.998, 0.9893, 0.9673, 0.927, 0.8666]],
    [9, [0.999, 0.9941, 0.9807, 0.9539, 0.9102]],
    [10, [0.9995, 0.9968, 0.9888, 0.9713, 0.9408]],
  ])('the confidence of %i votes against 0, 1, 2 …', (first, expected) => {
    for (const [second, value] of expected.entries()) {
      expect(Math.abs(betaConfidence(first, second) - value)).toBeLessThanOrEqual(0.5001e-4);
    }
  });

  test('the confidence is exact: the sum of binomials over a power of two', () => {
    expect(betaConfidence(4, 0)).toBe(31 / 32);
    expect(betaConfidence(10, 4)).toBe(30827 / 32768);
    expect(betaConfidence(0, 0)).toBe(0.5);
    expect(betaConfidence(2000, 0)).toBe(1);
  });

  test.each([
    [0.9, [3, 5, 6, 8, 9, 11, 12, 13, 15, 16]],
    [0.95, [4, 6, 8, 9, 11, 12, 14, 15, 17, 18]],
    [0.975, [5, 7, 9, 11, 12, 14, 16, 17, 19, 20]],
    [0.99, [6, 9, 11, 13, 14, 16, 18, 19, 21, 23]],
  ])('at %f the leader needs this many votes against 0, 1, 2 …', (confidence, needed) => {
    const smallest = needed.map((_, second) => {
      let first = second;
      while (betaConfidence(first, second) < confidence) first++;
      return first;
    });
    expect(smallest).toEqual(needed);
  });

  test('reads samples in index order: later ones that finished first do not count', () => {
    const early = [1, 2, 3, 4, 5].map(index => ({ index, answer: 'A' }));
    expect(stopping({ rule: 'beta' }, early, 20)).toEqual({ stop: false, stoppedBy: 'none', counted: [] });
    const now = stopping({ rule: 'beta' }, [...early, { index: 0, answer: 'A' }], 20);
    expect(now).toMatchObject({ stop: true, stoppedBy: 'beta' });
    expect(now.counted.map(b => b.index)).toEqual([0, 1, 2, 3]);
  });
});

describe('esc', () => {
  test('stops at the first unanimous window', () => {
    expect(drawn({ rule: 'esc', window: 3 }, 'A B A A A A B B B', 9)).toBe(6);
    expect(drawn({ rule: 'esc', window: 3 }, 'A A - A A A', 6)).toBe(6);
    expect(drawn({ rule: 'esc', window: 3 }, '- - - A B A', 6)).toBe(6);
  });

  test('counts everything drawn, not the window alone', () => {
    const all = ballots('B B B B A B B B B A B B B B A A A A A A');
    const { counted, stoppedBy } = stopping({ rule: 'esc' }, all, 25);
    expect(stoppedBy).toBe('esc');
    expect(vote(counted, 25)).toMatchObject({ answer: 'B', cast: 20 });
  });

  test('samples left over after the last full window are run', () => {
    expect(drawn({ rule: 'esc', window: 3 }, 'A B A B A', 5)).toBe(5);
  });
});

describe('exact', () => {
  test('takes samples in any order', () => {
    const finished = [4, 1, 3].map(index => ({ index, answer: 'A' }));
    expect(stopping({ rule: 'exact' }, finished, 5)).toEqual({ stop: true, stoppedBy: 'exact', counted: finished });
  });

  test('with a threshold it waits until the decision is settled, and by default until winner and tie are too', () => {
    expect(drawn({ rule: 'exact', minVotes: 4 }, 'A A A A A', 5)).toBe(4);
    expect(drawn({ rule: 'exact', minVotes: 4 }, 'A A B B A', 5)).toBe(5);
    expect(drawn({ rule: 'exact', minVotes: 4, winnerOpen: true }, 'A A B B A', 5)).toBe(4);
    expect(drawn({ rule: 'exact', minVotes: 4 }, 'A A A B A', 5)).toBe(5);
  });

  test('when all samples have run, no rule has stopped them', () => {
    expect(stopping({ rule: 'exact' }, ballots('A A A A A'), 5)).toMatchObject({ stop: true, stoppedBy: 'none' });
    expect(stopping({ rule: 'none' }, ballots('A A A A'), 5)).toMatchObject({ stop: false, stoppedBy: 'none' });
    expect(stopping({ rule: 'none' }, ballots('A A A A A'), 5)).toMatchObject({ stop: true, stoppedBy: 'none' });
  });
});

describe('what the rules save with four answers, computed over all sequences', () => {
  const cases: [name: string, N: number, rule: StopRule, means: [number, number, number], agree?: number[]][] = [
    ['exact', 3, { rule: 'exact' }, [2.2662, 2.565, 2.685]],
    ['exact', 5, { rule: 'exact' }, [3.4628, 4.0946, 4.3403]],
    ['exact', 7, { rule: 'exact' }, [4.6259, 5.616, 6.0662]],
    ['exact', 9, { rule: 'exact' }, [5.7726, 7.1301, 7.8308]],
    ['exact', 10, { rule: 'exact' }, [5.9784, 7.79, 8.7033]],
    ['beta', 3, { rule: 'beta' }, [3, 3, 3]],
    ['beta', 5, { rule: 'beta' }, [4.4779, 4.8664, 4.9588]],
    ['beta', 7, { rule: 'beta' }, [5.4337, 6.5992, 6.8764]],
    ['beta', 9, { rule: 'beta' }, [5.8608, 8.1089, 8.7418], [99.995, 99.956, 99.97]],
    ['beta', 10, { rule: 'beta' }, [6.0293, 8.8093, 9.6529], [99.995, 99.938, 99.942]],
    ['esc 3', 3, { rule: 'esc', window: 3 }, [3, 3, 3]],
    ['esc 3', 5, { rule: 'esc', window: 3 }, [3.7697, 4.5345, 4.7775]],
    ['esc 3', 7, { rule: 'esc', window: 3 }, [4.3026, 5.8904, 6.4561], [99.92, 99.34, 99.222]],
    ['esc 5', 9, { rule: 'esc' }, [7.2251, 8.685, 8.9377]],
    ['4 of 5', 5, { rule: 'exact', minVotes: 4, winnerOpen: true }, [4.3433, 4.2361, 4.0027]],
    ['3 of 5', 5, { rule: 'exact', minVotes: 3, winnerOpen: true }, [3.4893, 4.2191, 4.517]],
    ['7 of 10', 10, { rule: 'exact', minVotes: 7, winnerOpen: true }, [8.0969, 8.4658, 7.698]],
  ];

  test.each(cases)('%s, N = %i', (_, planned, rule, means, agree) => {
    for (const [i, p] of [easy, mid, hard].entries()) {
      const { mean, same } = enumerate(rule, planned, p);
      expect(Math.abs(mean - means[i]!)).toBeLessThanOrEqual(0.5001e-4);
      const open = rule.rule === 'exact' && rule.winnerOpen;
      if (!open) expect(Math.abs(100 * same - (agree?.[i] ?? 100))).toBeLessThanOrEqual(0.5001e-3);
    }
  });

  test('the fifth sample is needed in 8, 33 and 45 % of the cases', () => {
    const expected = [
      [0.6152, 0.3069, 0.078],
      [0.2328, 0.4399, 0.3273],
      [0.1112, 0.4372, 0.4515],
    ];
    for (const [i, p] of [easy, mid, hard].entries()) {
      for (const [j, share] of enumerate({ rule: 'exact' }, 5, p).stopAt.slice(3).entries()) {
        expect(Math.abs(share - expected[i]![j]!)).toBeLessThanOrEqual(0.5001e-4);
      }
    }
  });

  test('a majority of five is right more often than one sample only if the answer is the mode', () => {
    const right = (p: number) => {
      let sum = 0;
      for (let mask = 0; mask < 32; mask++) {
        const said = Array.from({ length: 5 }, (_, index) => ({
          index,
          answer: mask & (1 << index) ? 'right' : 'wrong',
        }));
        const k = said.filter(b => b.answer === 'right').length;
        if (vote(said, 5).answer === 'right') sum += p ** k * (1 - p) ** (5 - k);
      }
      return Number(sum.toFixed(4));
    };
    expect([0.6, 0.7, 0.8, 0.45].map(right)).toEqual([0.6826, 0.8369, 0.9421, 0.4069]);
  });
});

describe('waves', () => {
  test.each([
    [5, 4, [4, 1]],
    [10, 4, [4, 4, 2]],
    [4, 4, [4]],
    [3, 8, [3]],
    [1, 1, [1]],
  ])('%i samples at most %i at once', (planned, width, expected) => {
    expect(planWaves(planned, width)).toEqual(expected);
  });
});

test('a rule with impossible settings is refused', () => {
  expect(() => stopping({ rule: 'exact', minVotes: 6 }, [], 5)).toThrow(/minVotes/);
  expect(() => stopping({ rule: 'beta', confidence: 0.3 }, [], 5)).toThrow(/confidence/);
  expect(() => stopping({ rule: 'esc', window: 1 }, [], 5)).toThrow(/window/);
  expect(() => stopping({ rule: 'often' as 'none' }, [], 5)).toThrow(/one of none, exact, beta, esc/);
});

interface State {
  readonly sequence: readonly number[];
  readonly stopped?: { readonly winner: string | undefined } | undefined;
  readonly probability: number;
}

/** Exact: all sequences, with those merged that no rule can tell apart. */
function enumerate(rule: StopRule, planned: number, p: readonly number[]) {
  const stopAt = new Array<number>(planned + 1).fill(0);
  let states = new Map<string, State>([['', { sequence: [], probability: 1 }]]);
  for (let drawnSoFar = 1; drawnSoFar <= planned; drawnSoFar++) {
    const next = new Map<string, State>();
    for (const state of states.values()) {
      for (const [answer, share] of p.entries()) {
        const grown = step(rule, state, answer, share, planned);
        if (grown.stopped && !state.stopped) stopAt[drawnSoFar]! += grown.probability;
        const key = keyOf(grown, rule);
        const seen = next.get(key);
        next.set(key, seen ? { ...seen, probability: seen.probability + grown.probability } : grown);
      }
    }
    states = next;
  }
  let same = 0;
  for (const { sequence, stopped, probability } of states.values()) {
    if (vote(toBallots(sequence), planned).answer === stopped!.winner) same += probability;
  }
  return { mean: stopAt.reduce((sum, x, i) => sum + x * i, 0), stopAt, same };
}

function step(rule: StopRule, state: State, answer: number, share: number, planned: number): State {
  const sequence = [...state.sequence, answer];
  const probability = state.probability * share;
  if (state.stopped) return { sequence, probability, stopped: state.stopped };
  const decision = stopping(rule, toBallots(sequence), planned);
  return {
    sequence,
    probability,
    stopped: decision.stop ? { winner: vote(decision.counted, planned).answer } : undefined,
  };
}

/** Counts in order of first appearance, and for windows what has been seen of the current one. */
function keyOf({ sequence, stopped }: State, rule: StopRule): string {
  const counts = new Map<number, number>();
  for (const a of sequence) counts.set(a, (counts.get(a) ?? 0) + 1);
  const window = rule.rule === 'esc' ? (rule.window ?? 5) : 1;
  const current = stopped ? [] : [...new Set(sequence.slice(sequence.length - (sequence.length % window)))];
  const open = current.length > 1 ? 'mixed' : current;
  return JSON.stringify([[...counts], stopped ?? 0, open]);
}

function toBallots(sequence: readonly number[]): Ballot[] {
  return sequence.map((a, index) => ({ index, answer: 'ABCD'[a] }));
}
