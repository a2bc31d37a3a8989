import { optionError } from '../../check/errors.js';
import { array, integer, object } from '../../check/options.js';
import { sum } from './arithmetic.js';

/** What one sample said. */
export interface Ballot {
  /** The sample's index, 0 … planned - 1. */
  readonly index: number;
  /** Its answer; undefined if it finished without one: it abstains. */
  readonly answer: string | undefined;
  /** True if the answer had to be asked for a second time, after a chain that gave none. It counts, and is shown apart. */
  readonly forced?: boolean;
}

/** The votes of one answer. */
export interface AnswerCount {
  /** As the samples gave it. */
  readonly answer: string;
  /** Samples that gave it. */
  readonly count: number;
  /** The lowest index of a sample that gave this answer; it decides ties. */
  readonly firstIndex: number;
}

/** Votes counted, without a judgement. */
export interface Vote {
  /** The winner: most votes, then the lowest index that voted for it. Undefined if nobody voted. */
  readonly answer: string | undefined;
  /** By count, then by lowest index. */
  readonly votes: readonly AnswerCount[];
  /** Samples that gave an answer. */
  readonly cast: number;
  /** Samples among `cast` whose answer had to be asked for a second time. */
  readonly forced: number;
  /** Samples that finished without one. */
  readonly abstained: number;
  /** Samples that were to run. */
  readonly planned: number;
  /** Samples that did not finish: not run, or cancelled. */
  readonly notRun: number;
  /** True if another answer has as many votes as the winner. */
  readonly tie: boolean;
  /** Votes between the first and the second answer. */
  readonly margin: number;
}

/**
 * Counts votes. The order in which samples finished does not matter: short chains finish first and may favour an answer.
 * Throws ERR_OPTION if an index is out of range or given twice.
 */
export function vote(ballots: readonly Ballot[], planned: number): Vote {
  checkBallots(ballots, planned);
  const votes = counts(ballots);
  const cast = sum(votes.map(v => v.count));
  const first = votes[0]?.count ?? 0;
  const second = votes[1]?.count ?? 0;
  return {
    answer: votes[0]?.answer,
    votes,
    cast,
    forced: ballots.filter(({ answer, forced }) => forced && answer !== undefined).length,
    abstained: ballots.length - cast,
    planned,
    notRun: planned - ballots.length,
    tie: first > 0 && first === second,
    margin: first - second,
  };
}

/**
 * True when no answer of the samples still to come can change the winner of {@link vote}. Exact: an answer that could only
 * draw level is safe if, and only if, its lowest index would come after the winner's.
 */
export function settled(ballots: readonly Ballot[], planned: number): boolean {
  checkBallots(ballots, planned);
  const pending = planned - ballots.length;
  if (pending === 0) return true;
  const [leader, ...others] = counts(ballots);
  if (!leader) return false;
  const firstPending = lowestPending(ballots, planned);
  return [...others, { count: 0, firstIndex: Infinity }].every(other => {
    const reach = other.count + pending;
    if (reach !== leader.count) return reach < leader.count;
    return leader.firstIndex < Math.min(other.firstIndex, firstPending);
  });
}

function counts(ballots: readonly Ballot[]): AnswerCount[] {
  const byAnswer = new Map<string, { count: number; firstIndex: number }>();
  for (const { index, answer } of ballots) {
    if (answer === undefined) continue;
    const seen = byAnswer.get(answer);
    if (seen) {
      seen.count++;
      seen.firstIndex = Math.min(seen.firstIndex, index);
    } else byAnswer.set(answer, { count: 1, firstIndex: index });
  }
  return [...byAnswer]
    .map(([answer, { count, firstIndex }]) => ({ answer, count, firstIndex }))
    .sort((a, b) => b.count - a.count || a.firstIndex - b.firstIndex);
}

function lowestPending(ballots: readonly Ballot[], planned: number): number {
  const finished = new Set(ballots.map(b => b.index));
  let index = 0;
  while (index < planned && finished.has(index)) index++;
  return index;
}

function checkBallots(ballots: readonly Ballot[], planned: number): void {
  array('ballots', ballots, 0, Number.MAX_SAFE_INTEGER);
  integer('planned', planned, 0, Number.MAX_SAFE_INTEGER);
  const seen = new Set<number>();
  for (const ballot of ballots) {
    const { index } = object('ballot', ballot) as unknown as Ballot;
    const good = Number.isInteger(index) && index >= 0 && index < planned && !seen.has(index);
    if (!good) throw optionError('index', `a sample's own index from 0 to ${planned - 1}, given once`, index);
    seen.add(index);
  }
}
