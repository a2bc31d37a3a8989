import { MeditronError, optionError } from '../../check/errors.js';
import { integer } from '../../check/options.js';
import { uniform } from '../../random/splitmix.js';
import { mean, sum } from '../../vote/count/arithmetic.js';
import { clusteredWilson, type Interval, wilson } from '../../vote/count/uncertainty.js';

/** One question that was answered: how sure the answer was (0 to 1, or any scale that only orders) and whether it was right. */
export interface Judged {
  readonly confidence: number;
  readonly correct: boolean;
}

export interface Accuracy {
  readonly n: number;
  readonly correct: number;
  readonly answered: number;
  /** Abstentions count as wrong. NaN without items. */
  readonly accuracy: number;
  /** 95 %; items of one cluster count as one. */
  readonly wilson: Interval;
  /** How many clusters the items fall into; absent if each is one of its own. */
  readonly distinct?: number;
  /** Of the answered ones. NaN if none was. */
  readonly ofAnswered: number;
  readonly answeredShare: number;
}

/**
 * Accuracy over items that were right, wrong (`false`) or not answered (`undefined`). Items with the same name in `clusters`
 * depend on each other: samples of one question, or one question asked twice.
 */
export function accuracy(outcomes: readonly (boolean | undefined)[], clusters?: readonly string[]): Accuracy {
  const n = outcomes.length;
  const correct = outcomes.filter(o => o === true).length;
  const answered = outcomes.filter(o => o !== undefined).length;
  const sizes = clusters && clusterSizes(clusters);
  const repeated = sizes !== undefined && sizes.length < n;
  return {
    n,
    correct,
    answered,
    accuracy: correct / n,
    wilson: repeated ? clusteredWilson(correct, sizes) : wilson(correct, n),
    ...(repeated && { distinct: sizes.length }),
    ofAnswered: correct / answered,
    answeredShare: answered / n,
  };
}

function clusterSizes(names: readonly string[]): number[] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts.values()];
}

export interface ReliabilityBin {
  readonly confidence: number;
  readonly n: number;
  readonly correct: number;
  readonly accuracy: number;
  readonly wilson: Interval;
}

export interface Calibration {
  /** Expected calibration error: the mean gap between confidence and accuracy, weighted by items. */
  readonly ece: number;
  /** One bin for every confidence that occurs, lowest first: with N samples the shares are N + 1 values, so bins are exact. */
  readonly bins: readonly ReliabilityBin[];
}

/** Calibration by vote value; confidences are shares from 0 to 1. */
export function calibration(items: readonly Judged[]): Calibration {
  const bins = levels(items).map(({ confidence, group }) => {
    const correct = group.filter(item => item.correct).length;
    const n = group.length;
    return { confidence, n, correct, accuracy: correct / n, wilson: wilson(correct, n) };
  });
  const gaps = bins.map(bin => (bin.n / items.length) * Math.abs(bin.accuracy - bin.confidence));
  return { ece: sum(gaps), bins };
}

/** The shares of the votes that every option got, in the options' order, and the index of the right one. */
export interface Shares {
  readonly shares: readonly number[];
  readonly gold: number;
}

/**
 * Brier score over all options, 0 (certain and right) to 2 (certain and wrong), mean over items. For an item without votes
 * give equal shares, or leave it out, and say which.
 */
export function brier(items: readonly Shares[]): number {
  return mean(items.map(({ shares, gold }) => sum(shares.map((share, i) => (share - (i === gold ? 1 : 0)) ** 2))));
}

/** Brier score of the answer alone: mean of (its share - whether it was right) squared, 0 to 1. */
export function brierTop(items: readonly Judged[]): number {
  return mean(items.map(({ confidence, correct }) => (confidence - (correct ? 1 : 0)) ** 2));
}

/**
 * The probability that a right answer was surer than a wrong one, equal ones counted half. NaN if all are right or all wrong.
 */
export function auroc(items: readonly Judged[]): number {
  let wrongBelow = 0;
  let wins = 0;
  for (const { group } of levels(items)) {
    const right = group.filter(item => item.correct).length;
    const wrong = group.length - right;
    wins += right * (wrongBelow + wrong / 2);
    wrongBelow += wrong;
  }
  return wins / (wrongBelow * (items.length - wrongBelow));
}

export interface RiskCoverage {
  /** The expected share of wrong answers among the c surest items, for c = 1 … n; ties are broken at random. */
  readonly risks: readonly number[];
  /** The mean of `risks`. */
  readonly aurc: number;
  /** What `aurc` would be if every right answer were surer than every wrong one. */
  readonly perfect: number;
  /** `aurc - perfect`: what a better confidence could still gain. */
  readonly excess: number;
  /** The coverages that a threshold on the confidence can reach, surest first. */
  readonly attainable: readonly { readonly confidence: number; readonly answered: number; readonly wrong: number }[];
}

/** Selective risk against coverage. */
export function riskCoverage(items: readonly Judged[]): RiskCoverage {
  const risks: number[] = [];
  const attainable: { confidence: number; answered: number; wrong: number }[] = [];
  let wrongAbove = 0;
  for (const { confidence, group } of levels(items).reverse()) {
    const wrong = group.filter(item => !item.correct).length;
    for (let j = 1; j <= group.length; j++) risks.push((wrongAbove + (wrong * j) / group.length) / (risks.length + 1));
    wrongAbove += wrong;
    attainable.push({ confidence, answered: risks.length, wrong: wrongAbove });
  }
  const right = items.length - wrongAbove;
  const aurc = mean(risks);
  const perfect = mean(risks.map((_, i) => Math.max(0, i + 1 - right) / (i + 1)));
  return { risks, aurc, perfect, excess: aurc - perfect, attainable };
}

export interface McNemar {
  /** Exact, two-sided: the one to report. */
  readonly p: number;
  /** Mid-p, two-sided: half of the observed outcome's probability less at either end. */
  readonly midP: number;
  /** With continuity correction; 0 without discordant pairs. */
  readonly chiSquared: number;
  readonly chiSquaredP: number;
}

/** McNemar's test for two systems on the same items: `b` items only the first got right, `c` only the second. */
export function mcNemar(b: number, c: number): McNemar {
  const n = integer('b', b, 0, 1_000_000) + integer('c', c, 0, 1_000_000);
  if (n === 0) return { p: 1, midP: 1, chiSquared: 0, chiSquaredP: 1 };
  const smaller = Math.min(b, c);
  const { atMost, exactly } = halfBinomial(n, smaller);
  const chiSquared = Math.max(0, Math.abs(b - c) - 1) ** 2 / n;
  return {
    p: Math.min(1, 2 * atMost),
    midP: Math.min(1, 2 * atMost - exactly),
    chiSquared,
    chiSquaredP: erfc(Math.sqrt(chiSquared / 2)),
  };
}

/** P(X ≤ k) and P(X = k) for X from Bin(n, ½), in logarithms so that no term under- or overflows. */
function halfBinomial(n: number, k: number): { atMost: number; exactly: number } {
  let log = -n * Math.LN2;
  let atMost = Math.exp(log);
  for (let i = 1; i <= k; i++) {
    log += Math.log((n - i + 1) / i);
    atMost += Math.exp(log);
  }
  return { atMost, exactly: Math.exp(log) };
}

/** The complementary error function for x ≥ 0: its Taylor series near zero, its continued fraction further out. */
function erfc(x: number): number {
  if (x < 2.5) {
    let term = x;
    let series = x;
    for (let i = 1; Math.abs(term) > 1e-17 * Math.abs(series); i++) {
      term *= -(x * x) / i;
      series += term / (2 * i + 1);
    }
    return 1 - (2 / Math.sqrt(Math.PI)) * series;
  }
  let fraction = x;
  for (let i = 120; i > 0; i--) fraction = x + i / 2 / fraction;
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / fraction;
}

export interface BootstrapOptions {
  /** Default 10,000. */
  readonly resamples?: number;
  /** Default 0. */
  readonly seed?: number;
  /** A name for each item; items with the same name are drawn together, because duplicates are not independent. */
  readonly clusters?: readonly string[];
}

export interface PairedDifference extends Interval {
  /** First accuracy minus second, -1 to 1. `low` and `high` hold the middle 95 % of the resamples. */
  readonly difference: number;
  readonly resamples: number;
}

/** The paired bootstrap over items: how far the accuracy of two systems on the same items differs. */
export function pairedBootstrap(
  first: readonly boolean[],
  second: readonly boolean[],
  options: BootstrapOptions = {},
): PairedDifference {
  if (first.length !== second.length || first.length === 0) {
    throw new MeditronError(
      'ERR_OPTION',
      `Expected results for the same items, got ${first.length} and ${second.length}`,
    );
  }
  const resamples = integer('resamples', options.resamples ?? 10_000, 1, 10_000_000);
  const random = uniform(integer('seed', options.seed ?? 0, 0, Number.MAX_SAFE_INTEGER));
  const clusters = differences(first, second, options.clusters);
  const means = new Float64Array(resamples);
  for (let r = 0; r < resamples; r++) {
    let total = 0;
    let items = 0;
    for (let i = 0; i < clusters.length; i++) {
      const drawn = clusters[Math.floor(random() * clusters.length)]!;
      total += drawn.total;
      items += drawn.items;
    }
    means[r] = total / items;
  }
  means.sort();
  const at = (q: number): number => {
    const place = q * (resamples - 1);
    const low = means[Math.floor(place)]!;
    return low + (means[Math.ceil(place)]! - low) * (place - Math.floor(place));
  };
  const difference = sum(clusters.map(c => c.total)) / first.length;
  return { difference, low: at(0.025), high: at(0.975), resamples };
}

function differences(first: readonly boolean[], second: readonly boolean[], names: readonly string[] | undefined) {
  if (names && names.length !== first.length) throw optionError('clusters', `${first.length} names`, names);
  const byName = new Map<string, { total: number; items: number }>();
  for (const [i, right] of first.entries()) {
    const name = names?.[i] ?? String(i);
    const cluster = byName.get(name) ?? { total: 0, items: 0 };
    cluster.total += Number(right) - Number(second[i]);
    cluster.items++;
    byName.set(name, cluster);
  }
  return [...byName.values()];
}

/** Items of equal confidence together, lowest first. Shares that differ by rounding only are equal. */
function levels(items: readonly Judged[]): { confidence: number; group: Judged[] }[] {
  const found: { confidence: number; group: Judged[] }[] = [];
  for (const item of [...items].sort((a, b) => a.confidence - b.confidence)) {
    const last = found.at(-1);
    if (last && item.confidence - last.confidence <= 1e-12) last.group.push(item);
    else found.push({ confidence: item.confidence, group: [item] });
  }
  return found;
}
