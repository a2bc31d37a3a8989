import { wordError } from '../../check/errors.js';
import { array, integer, number, object } from '../../check/options.js';
import { decisionSettled, splitSettled } from './decision.js';
import type { StopRule, StopRuleName } from './rule.js';
import { type Ballot, settled } from './tally.js';

export type { StopRule, StopRuleName };

/** Whether a vote goes on. */
export interface StopDecision {
  /** True if no further sample is to run. */
  readonly stop: boolean;
  /** The rule that stopped the vote before all samples ran; `none` while it goes on and after all ran. */
  readonly stoppedBy: StopRuleName;
  /**
   * The samples that count. `beta` and `esc` read samples in index order, so a later sample that finished early counts only
   * once all before it have finished, and not at all if the rule stops before it.
   */
  readonly counted: readonly Ballot[];
}

/**
 * Decides after any finished sample whether to go on. Pure: give it all that have finished so far, in any order.
 * Throws ERR_OPTION for a rule with impossible settings.
 */
export function stopping(rule: StopRule, ballots: readonly Ballot[], planned: number): StopDecision {
  checkRule(rule, planned);
  for (const ballot of array('ballots', ballots, 0, Number.MAX_SAFE_INTEGER)) object('ballot', ballot);
  if (rule.rule === 'beta' || rule.rule === 'esc') return inOrder(rule, ballots, planned);
  const all = ballots.length === planned;
  const final = rule.rule === 'exact' && isFinal(rule, ballots, planned);
  return { stop: all || final, stoppedBy: final && !all ? rule.rule : 'none', counted: ballots };
}

/**
 * P(the leader's share of leader and runner-up is above one half) after `first` and `second` votes, with a flat prior:
 * the upper tail of Beta(first + 1, second + 1) at one half, which is a binomial sum, exact in integers.
 */
export function betaConfidence(first: number, second: number): number {
  integer('first', first, 0, 100_000);
  integer('second', second, 0, 100_000);
  const n = first + second + 1;
  let term = 1n;
  let sum = 1n;
  for (let k = 1; k <= first; k++) {
    term = (term * BigInt(n - k + 1)) / BigInt(k);
    sum += term;
  }
  return Number((sum << 64n) >> BigInt(n)) / 2 ** 64;
}

/**
 * How many samples to run at once, wave after wave: `planWaves(5, 4)` is `[4, 1]`. Four is the width that llama.cpp's
 * repacked CPU kernels take in one pass over the weights; a fifth costs as much as all four (`ggml-cpu/repack.cpp`).
 */
export function planWaves(planned: number, width: number): number[] {
  integer('planned', planned, 1, 100_000);
  integer('width', width, 1, 100_000);
  const waves: number[] = [];
  for (let left = planned; left > 0; left -= width) waves.push(Math.min(left, width));
  return waves;
}

function isFinal(rule: StopRule & { rule: 'exact' }, ballots: readonly Ballot[], planned: number): boolean {
  const { minVotes, winnerOpen } = rule;
  if (minVotes === undefined) return settled(ballots, planned);
  return (
    decisionSettled(ballots, planned, minVotes) || (winnerOpen === true && splitSettled(ballots, planned, minVotes))
  );
}

function inOrder(rule: StopRule & { rule: 'beta' | 'esc' }, ballots: readonly Ballot[], planned: number): StopDecision {
  const byIndex = new Map(ballots.map(b => [b.index, b]));
  const fires = rule.rule === 'beta' ? beta(rule.confidence ?? 0.95) : esc(rule.window ?? 5);
  const counted: Ballot[] = [];
  for (let ballot = byIndex.get(0); ballot; ballot = byIndex.get(counted.length)) {
    counted.push(ballot);
    if (counted.length === planned) return { stop: true, stoppedBy: 'none', counted };
    if (fires(ballot.answer)) return { stop: true, stoppedBy: rule.rule, counted };
  }
  return { stop: false, stoppedBy: 'none', counted };
}

/** Takes one answer after another, and says after each whether to stop. */
type Fires = (answer: string | undefined) => boolean;

function beta(confidence: number): Fires {
  const counts = new Map<string, number>();
  return answer => {
    if (answer === undefined) return false;
    counts.set(answer, (counts.get(answer) ?? 0) + 1);
    const [first = 0, second = 0] = [...counts.values()].sort((a, b) => b - a);
    return betaConfidence(first, second) >= confidence;
  };
}

function esc(window: number): Fires {
  let seen = 0;
  let opening: string | undefined;
  let unanimous = false;
  return answer => {
    if (seen % window === 0) [opening, unanimous] = [answer, answer !== undefined];
    seen++;
    unanimous &&= answer === opening;
    return unanimous && seen % window === 0;
  };
}

function checkRule(rule: StopRule, planned: number): void {
  object('rule', rule);
  integer('planned', planned, 1, 100_000);
  if (rule.rule === 'exact' && rule.minVotes !== undefined) integer('minVotes', rule.minVotes, 1, planned);
  if (rule.rule === 'beta' && rule.confidence !== undefined) number('confidence', rule.confidence, 0.5, 1);
  if (rule.rule === 'esc' && rule.window !== undefined) integer('window', rule.window, 2, 1000);
  if (!['none', 'exact', 'beta', 'esc'].includes(rule.rule)) {
    throw wordError('rule', 'one of none, exact, beta, esc', rule.rule);
  }
}
