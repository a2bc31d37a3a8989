import { integer } from '../../check/options.js';
import type { StopRuleName } from './stopping.js';
import type { Vote } from './tally.js';

/** Why a vote gives no answer to rely on. */
export type AbstainReason =
  | 'no_answer' // no sample gave an answer
  | 'too_few' // all ran, but fewer than half gave an answer
  | 'tie' // two answers have the most votes
  | 'low_agreement' // the winner has fewer votes than asked for
  | 'set_not_single' // the calibrated set holds no answer or several
  | 'out_of_scope' // the model was not made for such a question
  | 'overflow' // the context was too small to run all samples
  | 'deadline' // the time was up before all samples ran
  | 'aborted'; // the caller stopped it

/** What kept samples from running, apart from a stopping rule. */
export type Interruption = 'overflow' | 'deadline' | 'aborted';

export interface DecisionOptions {
  /** Votes the winner needs if all samples run. Default: four fifths of them, rounded up. */
  readonly minVotes?: number | undefined;
  /** The rule that stopped the vote early. Default `none`. */
  readonly stoppedBy?: StopRuleName | undefined;
  readonly interrupted?: Interruption | undefined;
  /** The calibrated set of answers, where there is a calibration. */
  readonly set?: readonly string[] | undefined;
}

export interface Decision {
  /**
   * `agree`: enough samples gave the winner. `split`: there are answers, but they do not carry one. `abstain`: there are not
   * enough answers to say anything. `reason` is undefined only for `agree`.
   */
  readonly decision: 'agree' | 'split' | 'abstain';
  readonly reason: AbstainReason | undefined;
  /** The votes the winner needed, and of how many samples. */
  readonly needed: { readonly votes: number; readonly of: number };
}

/** Four of five votes by default; the threshold is a placeholder until it has been calibrated for a model. */
export function defaultMinVotes(planned: number): number {
  return Math.ceil((4 * integer('planned', planned, 1, 100_000)) / 5);
}

/**
 * Whether a vote carries its winner. After `beta` or `esc`, and after `exact` without `minVotes`, the outcome of a full vote
 * may be unknown; the winner then needs the same fraction of the samples that did run.
 */
export function decide(vote: Vote, options: DecisionOptions = {}): Decision {
  const { planned, notRun } = vote;
  const minVotes = integer('minVotes', options.minVotes ?? defaultMinVotes(planned), 1, planned);
  const ran = planned - notRun;
  const first = vote.votes[0]?.count ?? 0;
  const known = notRun === 0 || first >= minVotes || first + notRun < minVotes;
  const of = known ? planned : ran;
  const needed = { votes: known ? minVotes : Math.max(1, Math.ceil((minVotes * ran) / planned)), of };
  const reason = reasonFor(vote, options, needed.votes);
  if (!reason) return { decision: 'agree', reason, needed };
  const undecided = reason === 'set_not_single' && options.set!.length > 1;
  const split = reason === 'tie' || reason === 'low_agreement' || undecided;
  return { decision: split ? 'split' : 'abstain', reason, needed };
}

function reasonFor(vote: Vote, options: DecisionOptions, needed: number): AbstainReason | undefined {
  const stoppedByRule = options.stoppedBy !== undefined && options.stoppedBy !== 'none';
  if (vote.notRun > 0 && !stoppedByRule) return options.interrupted ?? 'aborted';
  if (vote.cast === 0) return 'no_answer';
  if (vote.notRun === 0 && vote.cast < Math.ceil(vote.planned / 2)) return 'too_few';
  if (vote.tie && vote.notRun === 0) return 'tie';
  if (vote.votes[0]!.count < needed) return 'low_agreement';
  if (options.set && options.set.length !== 1) return 'set_not_single';
  return undefined;
}
