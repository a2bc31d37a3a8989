import { number } from '../../check/options.js';
import { sum } from './arithmetic.js';

/** One sample with how sure it was, in the unit of the method. */
export interface Weighted {
  readonly answer: string;
  readonly value: number;
}

export interface WeightedVote {
  /** The answer with the most weight; equal weights go to the answer given first. Undefined without samples. */
  readonly answer: string | undefined;
  /** By weight, heaviest first. */
  readonly totals: readonly { readonly answer: string; readonly weight: number }[];
  /** The weight of each sample, in the order given. */
  readonly weights: readonly number[];
}

/**
 * Confidence-informed self-consistency (CISC, arXiv 2502.06233): each sample weighs as much as the softmax over all samples
 * of its confidence divided by the temperature. Changes the answer by design; another protocol than counting.
 */
export function ciscVote(samples: readonly Weighted[], temperature = 1): WeightedVote {
  number('temperature', temperature, Number.MIN_VALUE, Number.MAX_VALUE);
  return total(samples, softmax(samples.map(s => finite(s.value) / temperature)));
}

/** Each sample weighs as much as its length-normalised probability; `value` is its mean log-probability a token, in nats. */
export function probabilityVote(samples: readonly Weighted[]): WeightedVote {
  return total(
    samples,
    samples.map(s => Math.exp(finite(s.value))),
  );
}

/** Shares that add up to 1, safe for very small and very large inputs. */
export function softmax(values: readonly number[]): number[] {
  const highest = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const raised = values.map(v => (v === highest ? 1 : Math.exp(v - highest)));
  const all = sum(raised);
  return raised.map(v => v / all);
}

function total(samples: readonly Weighted[], weights: readonly number[]): WeightedVote {
  const sums = new Map<string, number>();
  for (const [i, { answer }] of samples.entries()) sums.set(answer, (sums.get(answer) ?? 0) + weights[i]!);
  const totals = [...sums].map(([answer, weight]) => ({ answer, weight })).sort((a, b) => b.weight - a.weight);
  return { answer: totals[0]?.answer, totals, weights };
}

function finite(value: number): number {
  return number('value', value, -Number.MAX_VALUE, Number.MAX_VALUE);
}
