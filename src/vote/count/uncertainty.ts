import { integer, number } from '../../check/options.js';
import { sum } from './arithmetic.js';

/** Entropy of a vote in nats: 0 if all agree, ln K if K answers have equal counts. 0 without votes. */
export function entropy(counts: readonly number[]): number {
  const cast = sum(counts);
  const nats = sum(counts.filter(count => count > 0).map(count => (count / cast) * Math.log(cast / count)));
  return Math.max(0, nats);
}

/**
 * {@link entropy} as a fraction, 0 to 1, of the largest possible one: ln of the number of answers on offer (at least two),
 * or of the number of different answers given where that is larger, as where a text that nobody could read counts as itself.
 */
export function normalizedEntropy(counts: readonly number[], answers: number): number {
  const offered = integer('answers', answers, 2, Number.MAX_SAFE_INTEGER);
  const given = counts.filter(count => count > 0).length;
  return Math.min(1, entropy(counts) / Math.log(Math.max(offered, given)));
}

/** Bounds of a share. */
export interface Interval {
  /** Lower bound, 0 to 1. */
  readonly low: number;
  /** Upper bound, 0 to 1. */
  readonly high: number;
}

/** The quantile of the normal distribution that leaves 2.5 % above it: 95 % intervals. */
const z95 = 1.959963984540054;

/** Wilson's interval for k of n, as shares from 0 to 1. From 0 to 1 if n is 0: nothing is known. `z`: the normal quantile; default that of 95 %. */
export function wilson(k: number, n: number, z = z95): Interval {
  integer('n', n, 0, Number.MAX_SAFE_INTEGER);
  integer('k', k, 0, n);
  return wilsonOfShare(n === 0 ? 0 : k / n, n, z);
}

/**
 * Wilson's interval for k of n outcomes of which some belong together (samples of one question, copies of a question):
 * `sizes` are those of the groups and add up to n. Outcomes of one group are taken to be no more than one, which gives
 * n² / Σ size² independent ones (Kish's effective sample size with full correlation): the widest interval the design allows.
 */
export function clusteredWilson(k: number, sizes: readonly number[], z = z95): Interval {
  const n = sum(sizes.map(size => integer('sizes', size, 0, Number.MAX_SAFE_INTEGER)));
  integer('k', k, 0, n);
  return n === 0 ? wilson(0, 0, z) : wilsonOfShare(k / n, n ** 2 / sum(sizes.map(size => size ** 2)), z);
}

function wilsonOfShare(p: number, n: number, z: number): Interval {
  number('z', z, 0, 100);
  if (n === 0) return { low: 0, high: 1 };
  const scale = 1 + z ** 2 / n;
  const center = (p + z ** 2 / (2 * n)) / scale;
  const half = (z * Math.sqrt((p * (1 - p)) / n + z ** 2 / (4 * n ** 2))) / scale;
  // The bounds at the ends are exact; rounding must not make them 1e-17 or 0.9999.
  return { low: p === 0 ? 0 : Math.max(0, center - half), high: p === 1 ? 1 : Math.min(1, center + half) };
}

/**
 * Clopper and Pearson's 95 % interval for k of n (Biometrika 26, 1934): the shares under which neither as many as k nor as few are rarer than
 * one in forty. It holds the true share at least that often, whatever n is. From 0 to 1 if n is 0.
 */
export function clopperPearson(k: number, n: number): Interval {
  integer('n', n, 0, 1_000_000);
  integer('k', k, 0, n);
  const logChoose = logChoices(n);
  const atMost = (most: number, p: number): number => {
    let total = 0;
    for (let i = 0; i <= most; i++) total += Math.exp(logChoose[i]! + i * Math.log(p) + (n - i) * Math.log1p(-p));
    return total;
  };
  return {
    low: k === 0 ? 0 : bisected(p => 1 - atMost(k - 1, p) >= 0.025),
    high: k === n ? 1 : bisected(p => atMost(k, p) <= 0.025),
  };
}

/** ln of the number of ways to choose i of n, for every i. */
function logChoices(n: number): Float64Array {
  const logs = new Float64Array(n + 1);
  for (let i = 1; i <= n; i++) logs[i] = logs[i - 1]! + Math.log(n - i + 1) - Math.log(i);
  return logs;
}

/** Where, between 0 and 1, something that grows with p becomes true. */
function bisected(isTrue: (p: number) => boolean): number {
  let [low, high] = [0, 1];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (isTrue(middle)) high = middle;
    else low = middle;
  }
  return (low + high) / 2;
}
