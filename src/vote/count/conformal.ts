import { array, number } from '../../check/options.js';

/** A conformal calibration: which share of the votes an answer needs to be in the set. */
export interface ConformalThreshold {
  /** The highest score (1 - share) that is kept; Infinity keeps every option. */
  readonly threshold: number;
  /** The rank of the calibration score that was taken. */
  readonly rank: number;
  /** The number of calibration items. */
  readonly n: number;
  readonly alpha: number;
}

/** Of a rank that rounding lifts above a whole number. */
const tolerance = 1e-12;

/**
 * Calibrates sets that contain the right answer in at least 1 - alpha of the cases, on average over calibrations and over
 * exchangeable items, not for a single patient (split conformal prediction, arXiv 2305.18404). `goldShares` holds, for each
 * calibration item, the share of the votes that the right answer got. Few items give a threshold of Infinity: all options.
 */
export function conformalThreshold(goldShares: readonly number[], alpha: number): ConformalThreshold {
  array('goldShares', goldShares, 1, Number.MAX_SAFE_INTEGER);
  number('alpha', alpha, 1e-9, 1 - 1e-9);
  const scores = goldShares.map(share => 1 - number('goldShares', share, 0, 1)).sort((a, b) => a - b);
  const n = scores.length;
  const rank = Math.ceil((n + 1) * (1 - alpha) - tolerance);
  return { threshold: scores[rank - 1] ?? Infinity, rank, n, alpha };
}
