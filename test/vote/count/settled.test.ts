import { describe, expect, test } from 'vitest';
import { type StopRule, stopping } from '../../../src/vote/count/stopping.js';
import { summarize } from '../../../src/vote/count/summary.js';
import type { Ballot } from '../../../src/vote/count/tally.js';

/** What a stopped vote must have in common with the vote of all samples. */
const outcome = (ballots: readonly Ballot[], planned: number, minVotes: number) => {
  const stoppedBy = ballots.length < planned ? 'exact' : 'none';
  const { winner, decision, reason, tie } = summarize(ballots, planned, { minVotes, stoppedBy });
  return `${winner} ${decision} ${reason} ${tie}`;
};

type Said = Omit<Ballot, 'index'>;
const spoken = (answer: string): Said => ({ answer });
const forced = (answer: string): Said => ({ answer, forced: true });
const silent: Said = { answer: undefined };

/** Every script of so many samples in which answers first appear in the order A, B, C, D; other names change nothing. */
function* scripts(length: number, answers: number, ways: readonly ((answer: string) => Said)[]): Generator<Said[]> {
  if (length === 0) return yield [];
  for (const said of scripts(length - 1, answers, ways)) {
    yield [...said, silent];
    const known = new Set(said.flatMap(({ answer }) => answer ?? [])).size;
    for (const answer of [...'ABCD'].slice(0, Math.min(answers, known + 1)))
      for (const way of ways) yield [...said, way(answer)];
  }
}

const thresholds = (planned: number) => Array.from({ length: planned }, (_, i) => i + 1);

describe('a vote that `exact` stopped is the vote of all samples: winner, decision, reason, tie', () => {
  test.each([1, 2, 3, 4, 5, 6, 7])('samples finishing in order, %i of them, every threshold', planned => {
    let stops = 0;
    for (const script of scripts(planned, 4, [spoken])) {
      const all = script.map((said, index) => ({ index, ...said }));
      for (const minVotes of thresholds(planned)) {
        const after = all.findIndex((_, i) => stopping({ rule: 'exact', minVotes }, all.slice(0, i + 1), planned).stop);
        if (after + 1 < planned) stops++;
        const [early, full] = [outcome(all.slice(0, after + 1), planned, minVotes), outcome(all, planned, minVotes)];
        if (early !== full) expect.fail(`${JSON.stringify(script)}, ${minVotes} needed: ${early} but ${full}`);
      }
    }
    if (planned > 2) expect(stops).toBeGreaterThan(0);
  });

  test.each([1, 2, 3, 4])('in any order, some asked twice, %i of them, every threshold', planned => {
    for (const script of scripts(planned, 3, [spoken, forced])) {
      const all = script.map((said, index) => ({ index, ...said }));
      for (const minVotes of thresholds(planned)) {
        const full = outcome(all, planned, minVotes);
        for (let finished = 0; finished < 2 ** planned; finished++) {
          const some = all.filter(({ index }) => finished & (1 << index));
          if (!stopping({ rule: 'exact', minVotes }, some, planned).stop) continue;
          const early = outcome(some, planned, minVotes);
          if (early !== full) expect.fail(`${JSON.stringify(some)} of ${JSON.stringify(script)}: ${early} but ${full}`);
        }
      }
    }
  });

  test('and is stopped as soon as that is so', () => {
    for (const planned of [2, 3, 4]) {
      const ways = planned < 4 ? [spoken, forced] : [spoken];
      for (const script of scripts(planned, 3, ways)) {
        const all = script.map((said, index) => ({ index, ...said }));
        for (const minVotes of thresholds(planned)) {
          for (let ran = 1; ran < planned; ran++) {
            const some = all.slice(0, ran);
            const ends = new Set(
              endings(planned - ran, ways).map(end =>
                outcome([...some, ...end.map((said, i) => ({ index: ran + i, ...said }))], planned, minVotes),
              ),
            );
            const { stop } = stopping({ rule: 'exact', minVotes }, some, planned);
            if (stop !== (ends.size === 1))
              expect.fail(`${JSON.stringify(some)}, ${minVotes}: ${[...ends].join(' | ')}`);
          }
        }
      }
    }
  });

  test('with the winner open the decision is still that of the full vote', () => {
    for (const script of scripts(5, 4, [spoken])) {
      const all = script.map((said, index) => ({ index, ...said }));
      for (const minVotes of thresholds(5)) {
        const rule: StopRule = { rule: 'exact', minVotes, winnerOpen: true };
        const after = all.findIndex((_, i) => stopping(rule, all.slice(0, i + 1), 5).stop) + 1;
        const stoppedBy = after < 5 ? 'exact' : 'none';
        const early = summarize(all.slice(0, after), 5, { minVotes, stoppedBy }).decision;
        expect(early).toBe(summarize(all, 5, { minVotes }).decision);
      }
    }
  });
});

test.each<[string, number, number]>([
  ['A A A A', 4, 4],
  ['A A A B A', 4, 5],
  ['A B C A D', 4, 5], // B, C or D could draw level
  ['A A A B -', 5, 4], // nobody can reach five, nobody can catch A
  ['A A B B A', 2, 5], // three or two votes carry A, unless it ends in a tie
  ['A A A', 2, 3],
  ['- - - A', 1, 5], // two answers of five are too few, three are not
])('%s, %i needed: stops after %i', (text, minVotes, after) => {
  const all = text.split(' ').map((a, index) => ({ index, answer: a === '-' ? undefined : a }));
  const stops = all.findIndex((_, i) => stopping({ rule: 'exact', minVotes }, all.slice(0, i + 1), 5).stop) + 1;
  expect(stops === 0 ? 5 : stops).toBe(after);
});

function endings(length: number, ways: readonly ((answer: string) => Said)[]): Said[][] {
  if (length === 0) return [[]];
  const said = [silent, ...['A', 'B', 'C', 'new'].flatMap(answer => ways.map(way => way(answer)))];
  return endings(length - 1, ways).flatMap(rest => said.map(first => [first, ...rest]));
}
