import { MeditronError } from '../../check/errors.js';
import { integer, number } from '../../check/options.js';

/** Entropy of a vote in nats: 0 if all agree, ln K if K answers have equal counts. 0 without votes. */
export function entropy(counts: readonly number[]): number {
  const cast = sum(counts);
  const nats = sum(counts.filter(count => count > 0).map(count => (count / cast) * Math.log(cast / count)));
  return Math.max(0, nats);
}

/** {@link entropy} as a fraction of the largest possible one, ln of the number of answers on offer (at least two). */
export function normalizedEntropy(counts: readonly number[], answers: number): number {
  return entropy(counts) / Math.log(integer('answers', answers, 2, Number.MAX_SAFE_INTEGER));
}

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** The quantile of the normal distribution that leaves 2.5 % above it: 95 % intervals. */
export const z95 = 1.959963984540054;

/** Wilson's interval for k of n, as shares from 0 to 1. From 0 to 1 if n is 0: nothing is known. */
export function wilson(k: number, n: number, z = z95): Interval {
  integer('n', n, 0, Number.MAX_SAFE_INTEGER);
  integer('k', k, 0, n);
  number('z', z, 0, 100);
  if (n === 0) return { low: 0, high: 1 };
  const p = k / n;
  const scale = 1 + z ** 2 / n;
  const center = (p + z ** 2 / (2 * n)) / scale;
  const half = (z * Math.sqrt((p * (1 - p)) / n + z ** 2 / (4 * n ** 2))) / scale;
  // The bounds at the ends are exact; rounding must not make them 1e-17 or 0.9999.
  return { low: k === 0 ? 0 : Math.max(0, center - half), high: k === n ? 1 : Math.min(1, center + half) };
}

export interface SemanticEntropy {
  /** Nats, over the share of each cluster in the normalised likelihood of all texts. */
  readonly entropy: number;
  readonly shares: readonly number[];
  /** Nats, over the number of texts in each cluster. */
  readonly discrete: number;
}

/**
 * Semantic entropy of free texts that have been sorted into clusters of equal meaning (Farquhar et al. 2024). `clusters`
 * holds a number from 0 for each text, `logLikelihoods` the log-likelihood of each text in nats.
 */
export function semanticEntropy(clusters: readonly number[], logLikelihoods: readonly number[]): SemanticEntropy {
  if (clusters.length !== logLikelihoods.length || clusters.length === 0) {
    const got = `${clusters.length} and ${logLikelihoods.length}`;
    throw new MeditronError('ERR_OPTION', `Expected a cluster and a log-likelihood for each text, got ${got}`);
  }
  const highest = Math.max(...logLikelihoods);
  const weights = new Array<number>(Math.max(...clusters) + 1).fill(0);
  const sizes = new Array<number>(weights.length).fill(0);
  for (const [i, cluster] of clusters.entries()) {
    integer('cluster', cluster, 0, clusters.length);
    weights[cluster]! += Math.exp(logLikelihoods[i]! - highest);
    sizes[cluster]!++;
  }
  const all = sum(weights);
  return { entropy: entropy(weights), shares: weights.map(w => w / all), discrete: entropy(sizes) };
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}
