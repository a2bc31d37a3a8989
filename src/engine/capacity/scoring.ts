import { fits, jobNeed, largest, type Need } from './need.js';

/** Tokens of a text that one step scores at most, as `MOST_SCORED` of the native code has it. */
export const scoredInStep = 32;

/**
 * How continuations of one prompt are scored:
 * - `together`: one job, one evaluation of the prompt.
 * - `shared`: the prompt but for its last token is evaluated once and held; jobs of `atOnce` continuations follow. Runs in a lease.
 * - `apart`: every continuation is a job that evaluates the prompt itself; all that one sequence allows.
 */
export interface ScoringPlan {
  readonly way: 'together' | 'shared' | 'apart';
  /** Continuations of one job; at least 1. */
  readonly atOnce: number;
  /** What runs at once takes at most; what a lease for it has to have. */
  readonly need: Need;
}

/**
 * The way that fits in `room` and evaluates least. `promptTokens` includes what is pending of a held sequence, `lengths` are the
 * tokens of each continuation. The scores are the same every way, to rounding. A plan may need more than `room`: then nothing fits.
 */
export function planScoring(promptTokens: number, lengths: readonly number[], room: Need): ScoringPlan {
  const all = jobNeed({ promptTokens, branchCells: lengths.map(length => length - 1) });
  if (lengths.length === 1 || fits(all, room)) return { way: 'together', atOnce: lengths.length, need: all };
  const longest = largest(lengths);
  const head = promptTokens - 1;
  if (head > 0 && fits({ sequences: 2, cells: head + longest }, room)) {
    // As many at once as there is room for, reckoned as if all were as long as the longest.
    const most = Math.min(lengths.length, room.sequences - 1, Math.floor((room.cells - head) / longest));
    return { way: 'shared', atOnce: most, need: { sequences: most + 1, cells: head + most * longest } };
  }
  return { way: 'apart', atOnce: 1, need: { sequences: 1, cells: promptTokens + longest - 1 } };
}

/** The least room in which continuations of one prompt can be scored at all. */
export function leastScoringNeed(promptTokens: number, lengths: readonly number[]): Need {
  return { sequences: 1, cells: promptTokens + largest(lengths) - 1 };
}

/** The room in which continuations of one prompt are scored in one job. */
export function wholeScoringNeed(promptTokens: number, lengths: readonly number[]): Need {
  return jobNeed({ promptTokens, branchCells: lengths.map(length => length - 1) });
}

/** How continuations share the beginning of their texts. */
export interface HeadPlan {
  /** Tokens of the prompt that are evaluated once. Those behind them are two, so that no step is of one token. */
  readonly head: number;
  /** Continuations of one job; at least 1. */
  readonly atOnce: number;
  /** What a lease for all of it has to have. */
  readonly need: Need;
}

/** How the continuations of one prompt share its evaluation in steps that score no more tokens than those of one text; undefined if there is no room. */
export function planHead(promptTokens: number, lengths: readonly number[], room: Need): HeadPlan | undefined {
  const longest = largest(lengths);
  const head = promptTokens - 2;
  if (head < 1) return undefined;
  const cells = head + 1 + 2; // a token is sampled behind the head, and dropped
  const most = Math.min(lengths.length, room.sequences - 1, Math.floor((room.cells - cells) / longest));
  if (most < 1) return undefined;
  const atOnce = Math.min(most, Math.max(1, Math.floor(scoredInStep / longest)));
  return { head, atOnce, need: { sequences: atOnce + 1, cells: cells + atOnce * longest } };
}
