import { MeditronError } from '../../check/errors.js';
import { array } from '../../check/options.js';
import { mean } from './arithmetic.js';
import { softmax } from './weighted.js';

/** An order of options: the number at place j is the original option shown there. Kept in every record. */
export type Order = readonly number[];

/**
 * How much a model favours each place (PriDe, arXiv 2309.03882): softmax over places of the mean log-probability. Each row
 * holds the log-probabilities of the places of one item under one order, and every item must come in all rotations.
 */
export function placePrior(rows: readonly (readonly number[])[]): number[] {
  for (const row of array('rows', rows, 1, Number.MAX_SAFE_INTEGER)) array('row', row, 1, 1000);
  return softmax(columns(rows).map(mean));
}

/** Log-probabilities of the places of a new item, less the log of the prior. The highest is the debiased choice. */
export function withoutPrior(logprobs: readonly number[], prior: readonly number[]): number[] {
  sameLength(logprobs, prior);
  return logprobs.map((logprob, j) => logprob - Math.log(prior[j]!));
}

/** The mean probability of each original option over rows of log-probabilities by place, each with its order. */
export function averageOverOrders(rows: readonly (readonly number[])[], orders: readonly Order[]): number[] {
  sameLength(rows, orders);
  const byOption = rows.map((row, i) => {
    sameLength(row, orders[i]!);
    const shares = new Array<number>(row.length);
    for (const [place, logprob] of row.entries()) shares[orders[i]![place]!] = Math.exp(logprob);
    return shares;
  });
  return columns(byOption).map(mean);
}

/** Contextual calibration (Zhao et al. 2021): shares in proportion to p / p of a content-free item. */
export function calibrated(logprobs: readonly number[], contentFree: readonly number[]): number[] {
  sameLength(logprobs, contentFree);
  return softmax(logprobs.map((logprob, j) => logprob - contentFree[j]!));
}

function columns(rows: readonly (readonly number[])[]): number[][] {
  for (const row of rows) sameLength(row, rows[0]!);
  return (rows[0] ?? []).map((_, j) => rows.map(row => row[j]!));
}

function sameLength(a: readonly unknown[], b: readonly unknown[]): void {
  if (a.length !== b.length) {
    throw new MeditronError('ERR_OPTION', `Expected lists of equal length, got ${a.length} and ${b.length}`);
  }
}
