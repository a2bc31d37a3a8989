import { sum } from './arithmetic.js';
import { conformalThreshold } from './conformal.js';
import { clopperPearson, type Interval } from './uncertainty.js';

/** How many there are with 0 votes, with 1, and so on up to all samples. */
export type ByVotes = readonly number[];

/** What is kept of questions that a measurement is made on. */
export interface MeasuredSets {
  /** Questions by the votes of their right answer. */
  readonly right: ByVotes;
  /** Answers on offer, of all questions together, by their votes. */
  readonly answers: ByVotes;
  /** Questions by the votes of their first answer, and of their second. */
  readonly first: ByVotes;
  readonly second: ByVotes;
}

/** What sets did on questions that had no part in the calibration. */
export interface SetCoverage {
  readonly questions: number;
  /** Those whose set held the right answer. */
  readonly held: number;
  /** Of the share of questions whose set holds it: 95 %, Clopper and Pearson's. */
  readonly interval: Interval;
  /** Mean number of answers in a set. */
  readonly size: number;
  /** Sets of one answer, and sets of none. */
  readonly single: number;
  readonly empty: number;
}

/**
 * The fewest votes an answer needs to be in the set, so that sets hold the right answer in at least `coverage` of the cases: split conformal
 * prediction with the score 1 - votes / samples and the rank ⌈(n + 1) · coverage⌉ (see {@link conformalThreshold}). All answers that have as many votes are in the
 * set, so that ties only make it larger and nothing is drawn. 0: every answer is, because nothing less can be promised.
 */
export function neededVotes(right: ByVotes, coverage: number): number {
  const samples = right.length - 1;
  const shares = right.flatMap((count, votes) => new Array<number>(count).fill(votes / samples));
  if (shares.length === 0) return 0;
  const { threshold } = conformalThreshold(shares, 1 - coverage);
  return threshold === Infinity ? 0 : Math.max(0, Math.round((1 - threshold) * samples));
}

/** What sets of all answers with at least `needed` votes did. */
export function coverageOf({ right, answers, first, second }: MeasuredSets, needed: number): SetCoverage {
  const questions = sum(right);
  const atLeast = (by: ByVotes) => sum(by.slice(needed));
  const held = atLeast(right);
  return {
    questions,
    held,
    interval: clopperPearson(held, questions),
    size: questions === 0 ? 0 : atLeast(answers) / questions,
    single: atLeast(first) - atLeast(second),
    empty: questions - atLeast(first),
  };
}

/** Counts how many have each number of votes. */
export function byVotes(votes: readonly number[], samples: number): number[] {
  const counts = new Array<number>(samples + 1).fill(0);
  for (const each of votes) counts[each]!++;
  return counts;
}
