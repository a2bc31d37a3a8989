import { MeditronError } from '../../check/errors.js';
import { integer, number } from '../../check/options.js';

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

/**
 * How peaked the distribution of a token was (DeepConf, arXiv 2508.15260): minus the mean of the log-probabilities of the
 * most probable tokens, 20 in the paper. High when one token had nearly all the probability.
 */
export function tokenConfidence(topLogprobs: readonly number[]): number {
  if (topLogprobs.length === 0)
    throw new MeditronError('ERR_OPTION', 'Expected at least one log-probability, got none');
  return -mean(topLogprobs.map(finite));
}

/** The means of the token confidences over a window that slides by one token; one mean if the trace is shorter. */
export function groupConfidences(trace: readonly number[], window: number): number[] {
  integer('window', window, 1, Number.MAX_SAFE_INTEGER);
  if (trace.length <= window) return trace.length === 0 ? [] : [mean(trace)];
  const groups: number[] = [];
  let sum = 0;
  for (const [i, value] of trace.entries()) {
    sum += value - (i >= window ? trace[i - window]! : 0);
    if (i >= window - 1) groups.push(sum / window);
  }
  return groups;
}

/** `min`: the lowest group. `bottom`: the mean of the lowest tenth of the groups. `tail`: the last window. `mean`: all. */
export type TraceMeasure = 'min' | 'bottom' | 'tail' | 'mean';

/**
 * How confident a whole sample was. The paper's window is 2,048 tokens, for traces of thousands; for chains of some hundred
 * tokens 32 to 64 is a guess that nobody has tested. NaN for an empty trace.
 */
export function traceConfidence(trace: readonly number[], measure: TraceMeasure, window: number): number {
  if (trace.length === 0) return Number.NaN;
  if (measure === 'mean') return mean(trace);
  if (measure === 'tail') return mean(trace.slice(-window));
  const groups = groupConfidences(trace, window).sort((a, b) => a - b);
  return measure === 'min' ? groups[0]! : mean(groups.slice(0, Math.max(1, Math.floor(groups.length / 10))));
}

/** The online threshold: the percentile 100 - eta of the lowest groups of the warm-up samples. eta is 90 in the code. */
export function deepConfThreshold(minima: readonly number[], eta = 90): number {
  return percentile(minima, 100 - number('eta', eta, 0, 100));
}

/** After how many tokens a trace falls below the threshold for the first time, counting full windows; undefined if never. */
export function deepConfCut(trace: readonly number[], window: number, threshold: number): number | undefined {
  if (trace.length < window) return undefined;
  const at = groupConfidences(trace, window).findIndex(group => group < threshold);
  return at < 0 ? undefined : at + window;
}

/** DeepConf offline: keeps the samples whose confidence is at or above this percentile, and adds up their confidences. */
export function deepConfVote(samples: readonly Weighted[], keepFrom = 90): WeightedVote {
  if (samples.length === 0) return total([], []);
  const threshold = percentile(
    samples.map(s => finite(s.value)),
    number('keepFrom', keepFrom, 0, 100),
  );
  return total(
    samples,
    samples.map(s => (s.value >= threshold ? s.value : 0)),
  );
}

/** The percentile with linear interpolation between the two nearest values, as numpy computes it. */
export function percentile(values: readonly number[], p: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = [...values].sort((a, b) => a - b);
  const at = (number('p', p, 0, 100) / 100) * (sorted.length - 1);
  const low = sorted[Math.floor(at)]!;
  return low + (sorted[Math.ceil(at)]! - low) * (at - Math.floor(at));
}

/** Shares that add up to 1, safe for very small and very large inputs. */
export function softmax(values: readonly number[]): number[] {
  const highest = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const raised = values.map(v => (v === highest ? 1 : Math.exp(v - highest)));
  const sum = raised.reduce((a, b) => a + b, 0);
  return raised.map(v => v / sum);
}

function total(samples: readonly Weighted[], weights: readonly number[]): WeightedVote {
  const sums = new Map<string, number>();
  for (const [i, { answer }] of samples.entries()) sums.set(answer, (sums.get(answer) ?? 0) + weights[i]!);
  const totals = [...sums].map(([answer, weight]) => ({ answer, weight })).sort((a, b) => b.weight - a.weight);
  return { answer: totals[0]?.answer, totals, weights };
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

function finite(value: number): number {
  return number('value', value, -Number.MAX_VALUE, Number.MAX_VALUE);
}
