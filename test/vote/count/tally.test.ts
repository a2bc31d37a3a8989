import { describe, expect, test } from 'vitest';
import { type Ballot, settled, vote } from '../../../src/vote/count/tally.js';

/** `A - B`: samples 0, 1, 2; a dash abstains. */
const inOrder = (text: string): Ballot[] =>
  text.split(' ').map((a, index) => ({ index, answer: a === '-' ? undefined : a }));

/** `2:A 0:-`: sample 2, then sample 0. */
const finished = (text: string): Ballot[] =>
  text.split(' ').map(part => {
    const [index, answer] = part.split(':');
    return { index: Number(index), answer: answer === '-' ? undefined : answer };
  });

const shown = (ballots: Ballot[], planned: number) => {
  const { answer, votes, tie, abstained } = vote(ballots, planned);
  return { answer, votes: votes.map(v => `${v.answer}${v.count}`).join(' '), tie, abstained };
};

describe('the winner', () => {
  test.each<[string, string | undefined, string, boolean, number]>([
    ['A A B A C', 'A', 'A3 B1 C1', false, 0],
    ['B A A B C', 'B', 'B2 A2 C1', true, 0],
    ['A B A B C', 'A', 'A2 B2 C1', true, 0],
    ['A B C D E', 'A', 'A1 B1 C1 D1 E1', true, 0],
    ['- - A B B', 'B', 'B2 A1', false, 2],
    ['- - - - -', undefined, '', false, 5],
  ])('of %s', (sequence, answer, votes, tie, abstained) => {
    expect(shown(inOrder(sequence), 5)).toEqual({ answer, votes, tie, abstained });
  });

  test('does not depend on the order in which samples finished', () => {
    const counted = vote(finished('4:B 2:A 0:A 3:B 1:C'), 5);
    expect(counted).toMatchObject({ answer: 'A', tie: true, margin: 0, cast: 5, notRun: 0 });
    expect(counted.votes.slice(0, 2)).toEqual([
      { answer: 'A', count: 2, firstIndex: 0 },
      { answer: 'B', count: 2, firstIndex: 3 },
    ]);
  });

  test('an empty text is a vote, as the authors count it', () => {
    expect(vote([{ index: 0, answer: '' }], 1)).toMatchObject({ answer: '', cast: 1, abstained: 0 });
  });

  test('answers named like properties of objects are counted like others', () => {
    const ballots = ['__proto__', 'constructor', '__proto__'].map((answer, index) => ({ index, answer }));
    expect(vote(ballots, 3).votes[0]).toEqual({ answer: '__proto__', count: 2, firstIndex: 0 });
  });

  test.each([[[5]], [[-1]], [[0.5]], [[1, 1]]])('sample indices %j of five are refused', indices => {
    expect(() =>
      vote(
        indices.map(index => ({ index, answer: 'A' })),
        5,
      ),
    ).toThrow(/index from 0 to 4, given once/);
  });
});

describe('the winner is settled', () => {
  test.each<[number, string, number | undefined, string | undefined]>([
    [5, 'A A A', 3, 'A'],
    [5, 'A A B A', 4, 'A'],
    [5, 'A B A A', 4, 'A'],
    [5, 'A B C A', 4, 'A'],
    [5, 'B A A C', undefined, undefined],
    [5, 'B A A C A', 5, 'A'],
    [5, 'B A A C B', 5, 'B'],
    [5, 'A A B B', undefined, undefined],
    [5, 'A B A B C', 5, 'A'],
    [5, 'A B C D E', 5, 'A'],
    [1, 'A', 1, 'A'],
    [5, 'A - A', 3, 'A'],
    [5, '- - A A', 4, 'A'],
    [5, '- - - - -', 5, undefined],
    [4, 'A A', 2, 'A'],
    [4, 'A B A', 3, 'A'],
    [3, 'A A', 2, 'A'],
    [7, 'A A B A A', 5, 'A'],
    [7, 'A B A C A', 5, 'A'],
    [10, 'A A A A A', 5, 'A'],
    [10, 'B A A A A A', undefined, undefined],
  ])('of %i, %s: after %s', (planned, sequence, after, winner) => {
    const all = inOrder(sequence);
    const first = all.findIndex((_, i) => settled(all.slice(0, i + 1), planned));
    expect(first < 0 ? undefined : first + 1).toBe(after);
    if (after) expect(vote(all, planned).answer).toBe(winner);
  });

  test.each<[number, string, boolean]>([
    [5, '1:A 3:A 4:A', true],
    [5, '1:A 2:A 4:B', false],
    [4, '2:A 3:A', false],
    [4, '0:A 3:A', true],
    [5, '0:A 2:A 3:B 4:C', true],
    [5, '1:A 2:A 3:B 4:C', false],
    [5, '0:B 2:A 3:A 4:C', false],
    [5, '0:- 1:- 2:A 4:A', true],
  ])('of %i finished as %s: %s', (planned, sequence, expected) => {
    expect(settled(finished(sequence), planned)).toBe(expected);
  });

  test('before any sample has finished, nothing is settled', () => {
    expect(settled([], 1)).toBe(false);
  });

  test('exactly when no completion whatever changes the winner', () => {
    const random = lehmer(7);
    const answers = ['A', 'B', 'C', undefined];
    for (let run = 0; run < 1200; run++) {
      const planned = 3 + (run % 4);
      const ballots = Array.from({ length: planned }, (_, index) => ({ index, answer: answers[random(4)] }))
        .map(ballot => ({ ballot, key: random(1000) }))
        .sort((a, b) => a.key - b.key)
        .map(({ ballot }) => ballot)
        .slice(0, 1 + random(planned));
      const pending = [...Array(planned).keys()].filter(i => !ballots.some(b => b.index === i));
      const winners = new Set(completions(pending).map(rest => winner([...ballots, ...rest])));
      // Nobody has voted yet: even if a single winner were possible, there is none to settle on.
      const expected = winners.size === 1 && (pending.length === 0 || winner(ballots) !== undefined);
      expect({ ballots, planned, settled: settled(ballots, planned) }).toEqual({ ballots, planned, settled: expected });
    }
  });
});

/** All ways the pending samples can end, with an answer nobody has given yet among them. */
function completions(pending: number[]): Ballot[][] {
  const [index, ...rest] = pending;
  if (index === undefined) return [[]];
  const tails = completions(rest);
  return ['A', 'B', 'C', 'new', undefined].flatMap(answer => tails.map(tail => [{ index, answer }, ...tail]));
}

/** The rule once more, by brute force: go through the samples by index and keep an answer that is strictly ahead. */
function winner(ballots: Ballot[]): string | undefined {
  let best: string | undefined;
  const votesFor = (answer: string | undefined) => ballots.filter(b => b.answer === answer).length;
  for (const { answer } of [...ballots].sort((a, b) => a.index - b.index)) {
    if (answer !== undefined && (best === undefined || votesFor(answer) > votesFor(best))) best = answer;
  }
  return best;
}

function lehmer(seed: number): (below: number) => number {
  let state = seed;
  return below => {
    state = (state * 48271) % 2147483647;
    return state % below;
  };
}
