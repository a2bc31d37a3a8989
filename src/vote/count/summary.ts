import { object } from '../../check/options.js';
import { type Decision, type DecisionOptions, decide, type Interruption } from './decision.js';
import type { StopRuleName } from './rule.js';
import { type Ballot, settled, vote } from './tally.js';
import { entropy, type Interval, normalizedEntropy, wilson } from './uncertainty.js';

/** What a vote has to say of one answer. */
export interface AnswerReport {
  /** As the samples gave it: a letter, yes/no/maybe, or a name. */
  readonly answer: string;
  /** Samples that gave it. */
  readonly count: number;
  /** Indices of the samples that gave it, ascending. */
  readonly samples: readonly number[];
  /** How many of them gave it only when asked a second time. */
  readonly forced: number;
  /** Part of the samples that gave an answer, 0 to 1. Agreement of one model with itself, not a probability of being right. */
  readonly share: number;
  /**
   * 95 % Wilson bounds of how often this model would give this answer again. Only if all samples ran: after early stopping
   * the number of samples depends on the votes, and the bounds would be wrong.
   */
  readonly wilson: Interval | undefined;
}

/** Everything a vote has to say. */
export interface VoteReport extends Decision {
  /** Most votes, then lowest sample index; also where the decision is not `agree`. Undefined if nobody voted. */
  readonly winner: string | undefined;
  /** By count, then by lowest sample index. */
  readonly votes: readonly AnswerReport[];
  /** Samples that were to run. */
  readonly planned: number;
  /** Samples that gave an answer. */
  readonly cast: number;
  /** Samples that finished without an answer. */
  readonly abstained: number;
  /** Samples whose answer had to be asked for a second time; they are among `cast`. */
  readonly forced: number;
  /** Samples that were not run, or cut before they finished. */
  readonly notRun: number;
  /** True if another answer has as many votes as the winner. */
  readonly tie: boolean;
  /** Votes between the first and the second answer. */
  readonly margin: number;
  /** True if samples that were not run could not have changed the winner. */
  readonly settled: boolean;
  /** Nats, over the votes cast. */
  readonly entropy: number;
  /** Entropy as a fraction of the largest possible with this number of answers on offer; undefined if that is not known. */
  readonly normalizedEntropy: number | undefined;
  /** The rule that stopped the vote, or what kept samples from running; `none` if all ran. */
  readonly stoppedBy: StopRuleName | Interruption;
  /** The counts in words: `4 of 5, 1 not run`. Never a percentage, which would read as a probability of being right. */
  readonly text: string;
}

/** What {@link summarize} may be told. */
export interface SummaryOptions extends DecisionOptions {
  /** How many answers were on offer, for the normalised entropy. */
  readonly answers?: number | undefined;
}

/** Everything a vote has to say: counts first, then how far they carry. Pure. */
export function summarize(ballots: readonly Ballot[], planned: number, options: SummaryOptions = {}): VoteReport {
  object('options', options);
  const counted = vote(ballots, planned);
  const { answer: winner, cast, forced, abstained, notRun, tie, margin } = counted;
  const counts = counted.votes.map(v => v.count);
  const decision = decide(counted, options);
  const byRule = options.stoppedBy !== undefined && options.stoppedBy !== 'none';
  const votes = counted.votes.map(({ answer, count }) => ({
    answer,
    count,
    samples: ballots
      .filter(b => b.answer === answer)
      .map(b => b.index)
      .sort((a, b) => a - b),
    forced: ballots.filter(b => b.forced && b.answer === answer).length,
    share: count / cast,
    wilson: notRun === 0 ? wilson(count, planned) : undefined,
  }));
  return {
    ...decision,
    winner,
    votes,
    planned,
    cast,
    abstained,
    forced,
    notRun,
    tie,
    margin,
    settled: settled(ballots, planned),
    entropy: entropy(counts),
    normalizedEntropy:
      options.answers !== undefined && options.answers >= 2 ? normalizedEntropy(counts, options.answers) : undefined,
    stoppedBy: byRule ? options.stoppedBy! : notRun > 0 ? (options.interrupted ?? 'aborted') : 'none',
    text: inWords(votes[0]?.count ?? 0, { planned, abstained, notRun, forced: votes[0]?.forced ?? 0 }),
  };
}

export interface CountsInWords {
  readonly planned: number;
  readonly abstained?: number;
  readonly notRun?: number;
  /** Of the votes for the winner. */
  readonly forced?: number;
}

/** `5 of 5`; `4 of 5, 1 not run`; `3 of 5, 1 gave no answer`: of the samples planned, how many gave the winner. */
export function inWords(count: number, { planned, abstained = 0, notRun = 0, forced = 0 }: CountsInWords): string {
  const parts = [`${count} of ${planned}`];
  if (forced > 0) parts.push(`${forced} of them only when asked again`);
  if (abstained > 0) parts.push(`${abstained} gave no answer`);
  if (notRun > 0) parts.push(`${notRun} not run`);
  return parts.join(', ');
}

/** The reason in a sentence for people. */
export function explain({ decision, reason, needed, cast = 0 }: Decision & { readonly cast?: number }): string {
  // Answers there are, but too few before they were asked for again.
  if (reason === 'no_answer' && cast > 0) return 'No sample named an answer until it was asked again.';
  if (reason === 'too_few' && cast >= needed.of / 2)
    return 'Fewer than half of the samples named an answer before they were asked again.';
  const sentences = {
    no_answer: 'No sample gave an answer.',
    too_few: 'Fewer than half of the samples gave an answer.',
    tie: 'Two answers have the same number of votes.',
    low_agreement: `Fewer than ${needed.votes} of ${needed.of} samples agree.`,
    cannot_tell: '"I cannot tell" has the most votes.',
    set_not_single: 'The calibrated set does not hold exactly one answer.',
    out_of_scope: 'The model was not made for such a question.',
    overflow: 'The context was too small to run all samples.',
    deadline: 'The time was up before all samples had finished.',
    aborted: 'The vote was stopped before all samples had finished.',
    failed: 'The model failed before all samples had finished.',
  } as const;
  return reason ? sentences[reason] : `At least ${needed.votes} of ${needed.of} samples agree (${decision}).`;
}
