import { integer } from '../../check/options.js';
import type { StopRuleName } from './rule.js';
import { type Ballot, type Vote, vote } from './tally.js';

/** Why a vote gives no answer to rely on. */
export type AbstainReason =
  | 'no_answer' // no sample gave an answer, or none of those that agree before it was asked again
  | 'too_few' // fewer than half gave an answer, or of those that agree fewer than half before they were asked again
  | 'tie' // two answers have the most votes
  | 'low_agreement' // the winner has fewer votes than asked for
  | 'cannot_tell' // the option to abstain was chosen more often than any other
  | 'set_not_single' // the calibrated set holds no answer or several
  | 'out_of_scope' // the model was not made for such a question
  | 'overflow' // the context was too small to run all samples
  | 'deadline' // the time was up before all samples ran
  | 'aborted' // the caller stopped it
  | 'failed'; // whatever answers failed, as when the process of an engine dies

/** What kept samples from running, apart from a stopping rule. */
export type Interruption = 'overflow' | 'deadline' | 'aborted' | 'failed';

const interruptions: readonly Interruption[] = ['overflow', 'deadline', 'aborted', 'failed'];

/** What ended a vote, if no rule of its own did. */
export function interruptionIn(stoppedBy: string): Interruption | undefined {
  return interruptions.find(name => name === stoppedBy);
}

export interface DecisionOptions {
  /** Votes the winner needs if all samples run. Default: four fifths of them, rounded up. */
  readonly minVotes?: number | undefined;
  /** The rule that stopped the vote early. Default `none`. */
  readonly stoppedBy?: StopRuleName | undefined;
  /** What kept samples from running, if no rule did. Default, where samples did not run: `aborted`. */
  readonly interrupted?: Interruption | undefined;
  /** The calibrated set of answers, where there is a calibration. */
  readonly set?: readonly string[] | undefined;
}

export interface Decision {
  /**
   * `agree`: enough samples gave the winner. `split`: there are answers, but they do not carry one. `abstain`: there are not
   * enough answers to say anything.
   */
  readonly decision: 'agree' | 'split' | 'abstain';
  /** Why it is not `agree`; undefined for `agree`. */
  readonly reason: AbstainReason | undefined;
  /** What the winner needed. */
  readonly needed: {
    /** Votes, at least. */
    readonly votes: number;
    /** Of how many samples. */
    readonly of: number;
  };
}

/** Four of five votes by default; the threshold is a placeholder until it has been calibrated for a model. */
export function defaultMinVotes(planned: number): number {
  return Math.ceil((4 * integer('planned', planned, 1, 100_000)) / 5);
}

/**
 * Whether a vote carries its winner. After `beta` or `esc`, and after `exact` without `minVotes`, the outcome of a full vote
 * may be unknown; the winner then needs the same fraction of the samples that did run.
 */
export function decide(counted: Vote, options: DecisionOptions = {}): Decision {
  const { planned, notRun } = counted;
  const minVotes = integer('minVotes', options.minVotes ?? defaultMinVotes(planned), 1, planned);
  const ran = planned - notRun;
  const first = counted.votes[0]?.count ?? 0;
  const known = notRun === 0 || first >= minVotes || first + notRun < minVotes;
  const of = known ? planned : ran;
  const needed = { votes: known ? minVotes : Math.max(1, Math.ceil((minVotes * ran) / planned)), of };
  const reason = reasonFor(counted, options, needed);
  if (!reason) return { decision: 'agree', reason, needed };
  const undecided = reason === 'set_not_single' && options.set!.length > 1;
  const split = reason === 'tie' || reason === 'low_agreement' || undecided;
  return { decision: split ? 'split' : 'abstain', reason, needed };
}

/**
 * True when no sample still to come can change the winner, whether it is a tie, the decision or its reason. Another answer
 * can win or draw level unless the winner leads by more votes than are pending. Then only three numbers are open (votes
 * cast, votes cast unasked, votes of the winner), and whatever they can lead to, one of five completions leads to it.
 */
export function decisionSettled(ballots: readonly Ballot[], planned: number, minVotes: number): boolean {
  const now = vote(ballots, planned);
  if (now.notRun === 0) return true;
  if (now.margin <= now.notRun) return false;
  const other = `not ${now.answer}`;
  const completions: readonly Omit<Ballot, 'index'>[] = [
    { answer: undefined },
    { answer: now.answer },
    { answer: now.answer, forced: true },
    { answer: other },
    { answer: other, forced: true },
  ];
  const reasons = completions.map(pending => decide(vote(completed(ballots, planned, pending), planned), { minVotes }));
  return reasons.every(({ reason }) => reason === reasons[0]!.reason);
}

/** True when no answer can reach `minVotes` any more and the decision will be `split`, whoever wins. */
export function splitSettled(ballots: readonly Ballot[], planned: number, minVotes: number): boolean {
  const { votes, cast, notRun } = vote(ballots, planned);
  return (votes[0]?.count ?? 0) + notRun < minVotes && cast >= half(planned);
}

function reasonFor(counted: Vote, options: DecisionOptions, needed: Decision['needed']): AbstainReason | undefined {
  const { votes, cast, forced, planned, notRun, tie } = counted;
  const stoppedByRule = options.stoppedBy !== undefined && options.stoppedBy !== 'none';
  if (notRun > 0 && !stoppedByRule) return options.interrupted ?? 'aborted';
  if (cast === 0) return 'no_answer';
  if (cast + notRun < half(planned)) return 'too_few';
  if (tie && notRun === 0) return 'tie';
  if (votes[0]!.count < needed.votes) return 'low_agreement';
  const unasked = cast - forced;
  if (unasked < half(needed.of)) return unasked === 0 ? 'no_answer' : 'too_few';
  if (options.set && options.set.length !== 1) return 'set_not_single';
  return undefined;
}

function half(samples: number): number {
  return Math.ceil(samples / 2);
}

/** The ballots with the same one for every sample that is pending. */
function completed(ballots: readonly Ballot[], planned: number, pending: Omit<Ballot, 'index'>): Ballot[] {
  const finished = new Set(ballots.map(({ index }) => index));
  const missing = Array.from({ length: planned }, (_, index) => index).filter(index => !finished.has(index));
  return [...ballots, ...missing.map(index => ({ index, ...pending }))];
}
