import { mean } from '../../vote/count/arithmetic.js';
import { clusterOf, type Outcome, verdictOf } from './outcome.js';
import {
  type Accuracy,
  accuracy,
  auroc,
  brierTop,
  type Calibration,
  calibration,
  type Judged,
  mcNemar,
  pairedBootstrap,
  type RiskCoverage,
  riskCoverage,
} from './statistics.js';

/** A count of a total, shown as both. */
export interface Rate {
  readonly count: number;
  readonly of: number;
}

export interface RunMetrics {
  readonly items: number;
  /** Over the questions with a known answer; absent if there is none. */
  readonly accuracy?: Accuracy;
  readonly calibration?: Calibration;
  /** Mean squared difference between the answer's share and whether it was right. */
  readonly brierTop?: number;
  readonly auroc?: number;
  readonly riskCoverage?: Omit<RiskCoverage, 'risks'>;
  /** What the confidence is: the share of the votes, the probability of the option, or the part of a panel's families. */
  readonly confidence: 'vote share' | 'option probability' | 'family agreement' | 'none';
  /** Samples without an answer. */
  readonly unparsed: Rate;
  readonly ties: Rate;
  readonly forced: Rate;
  /** Questions that could not be asked. */
  readonly failed: Rate;
  /** Questions by decision: agree, split, abstain. */
  readonly decisions: Readonly<Record<string, number>>;
  readonly bySubject: readonly { readonly subject: string; readonly accuracy: Accuracy }[];
  readonly samplesPerQuestion: number;
  readonly newTokensPerQuestion: number;
  readonly promptTokensPerQuestion: number;
  readonly msPerQuestion: number;
}

/** Two runs over the same questions. */
export interface Comparison {
  readonly first: string;
  readonly second: string;
  readonly n: number;
  /** Questions that only the first, only the second got right. */
  readonly onlyFirst: number;
  readonly onlySecond: number;
  /** McNemar, exact, two-sided. */
  readonly p: number;
  /** Accuracy of the first minus the second, with its interval by bootstrap. */
  readonly difference: number;
  readonly low: number;
  readonly high: number;
}

/** All figures of a run, from its outcomes alone: stored rows can be measured again under another parser or rule. */
export function measure(rows: readonly Outcome[]): RunMetrics {
  const scored = rows.filter(row => row.gold !== undefined);
  const judged = judgedOf(scored);
  const samples = rows.flatMap(row => row.samples);
  const voting = rows.filter(row => row.votes.length > 0);
  return {
    items: rows.length,
    ...(scored.length > 0 && { accuracy: accuracyOf(scored) }),
    ...(judged.length > 0 && discrimination(judged)),
    confidence: confidenceKind(rows),
    unparsed: rate(samples, sample => sample.answer === undefined),
    ties: rate(voting, row => row.tie === true),
    forced: rate(rows, row => row.forced === true),
    failed: rate(rows, row => row.error !== undefined),
    decisions: countBy(rows, row => row.decision),
    bySubject: bySubject(scored),
    samplesPerQuestion: meanOrZero(rows.map(row => row.samples.length)),
    newTokensPerQuestion: meanOrZero(
      rows.map(row => row.samples.reduce((sum, sample) => sum + (sample.tokens ?? 0), 0)),
    ),
    promptTokensPerQuestion: meanOrZero(rows.flatMap(row => row.promptTokens ?? [])),
    msPerQuestion: meanOrZero(rows.flatMap(row => row.ms ?? [])),
  };
}

/** Accuracy over questions, repeated ones counted as one in the interval. */
export function accuracyOf(rows: readonly Outcome[]): Accuracy {
  return accuracy(rows.map(verdictOf), rows.map(clusterOf));
}

/** A run as it is compared. */
export interface Compared {
  readonly name: string;
  readonly outcomes: readonly Pick<Outcome, 'id' | 'gold' | 'cluster' | 'correct'>[];
}

/** The paired comparison of two runs, over the questions that both have and whose answer is known. */
export function compare(first: Compared, second: Compared): Comparison {
  const others = new Map(second.outcomes.map(row => [row.id, row]));
  const pairs = first.outcomes.flatMap(row => {
    const other = others.get(row.id);
    return other && row.gold !== undefined && row.gold === other.gold ? [{ row, other }] : [];
  });
  const a = pairs.map(({ row }) => row.correct === true);
  const b = pairs.map(({ other }) => other.correct === true);
  const onlyFirst = a.filter((right, i) => right && !b[i]).length;
  const onlySecond = b.filter((right, i) => right && !a[i]).length;
  const clusters = pairs.map(({ row }) => clusterOf(row));
  const resamples = Math.min(10_000, Math.max(1000, Math.floor(mostDraws / Math.max(1, pairs.length))));
  const paired =
    pairs.length > 0 ? pairedBootstrap(a, b, { clusters, resamples }) : { difference: 0, low: -1, high: 1 };
  return {
    first: first.name,
    second: second.name,
    n: pairs.length,
    onlyFirst,
    onlySecond,
    p: mcNemar(onlyFirst, onlySecond).p,
    difference: paired.difference,
    low: paired.low,
    high: paired.high,
  };
}

/** Beyond this many draws a bootstrap would take minutes, and its quantiles no longer move. */
const mostDraws = 2e8;

/** How sure an answer was: the share of the votes cast, or the probability of the option in top-token mode. */
function confidenceOf(row: Outcome): number | undefined {
  if (row.answer === undefined) return undefined;
  if (row.confidence !== undefined) return row.confidence;
  const score = row.scores?.find(({ answer }) => answer === row.answer);
  if (score) return score.probability;
  const cast = row.votes.reduce((sum, { count }) => sum + count, 0);
  const own = row.votes.find(({ answer }) => answer === row.answer)?.count;
  // One sample always agrees with itself: that says nothing.
  return own === undefined || row.samples.length < 2 ? undefined : own / cast;
}

function judgedOf(scored: readonly Outcome[]): Judged[] {
  return scored.flatMap(row => {
    const confidence = confidenceOf(row);
    return confidence === undefined ? [] : [{ confidence, correct: row.correct === true }];
  });
}

function discrimination(judged: readonly Judged[]): Partial<RunMetrics> {
  const { aurc, perfect, excess, attainable } = riskCoverage(judged);
  const area = auroc(judged);
  return {
    calibration: calibrationOf(judged),
    brierTop: brierTop(judged),
    ...(!Number.isNaN(area) && { auroc: area }),
    riskCoverage: { aurc, perfect, excess, attainable: thinned(attainable) },
  };
}

/** By vote value; probabilities, of which each occurs once, are put into tenths. */
function calibrationOf(judged: readonly Judged[]): Calibration {
  if (new Set(judged.map(({ confidence }) => confidence)).size <= maxLevels) return calibration(judged);
  const tenths = new Map<number, Judged[]>();
  for (const item of judged) {
    const tenth = Math.min(9, Math.floor(item.confidence * 10));
    const group = tenths.get(tenth);
    if (group) group.push(item);
    else tenths.set(tenth, [item]);
  }
  const level = new Map([...tenths].map(([tenth, items]) => [tenth, meanOrZero(items.map(item => item.confidence))]));
  return calibration(
    judged.map(({ confidence, correct }) => ({
      correct,
      confidence: level.get(Math.min(9, Math.floor(confidence * 10)))!,
    })),
  );
}

const maxLevels = 24;

/** At most 200 points, the last one included: enough for a curve. */
function thinned<T>(points: readonly T[]): T[] {
  const step = Math.ceil(points.length / 200);
  return points.filter((_, i) => i % step === 0 || i === points.length - 1);
}

function confidenceKind(rows: readonly Outcome[]): RunMetrics['confidence'] {
  const row = rows.find(candidate => confidenceOf(candidate) !== undefined);
  if (!row) return 'none';
  if (row.confidence !== undefined) return 'family agreement';
  return row.scores ? 'option probability' : 'vote share';
}

function bySubject(rows: readonly Outcome[]): RunMetrics['bySubject'] {
  const groups = new Map<string, Outcome[]>();
  for (const row of rows) {
    if (row.subject === undefined) continue;
    const group = groups.get(row.subject);
    if (group) group.push(row);
    else groups.set(row.subject, [row]);
  }
  if (groups.size < 2) return [];
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([subject, group]) => ({ subject, accuracy: accuracyOf(group) }));
}

function countBy<T>(values: readonly T[], key: (value: T) => string | undefined): Record<string, number> {
  const counts = new Map<string, number>();
  for (const value of values) {
    const name = key(value);
    if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return Object.fromEntries(counts);
}

function rate<T>(values: readonly T[], is: (value: T) => boolean): Rate {
  return { count: values.filter(is).length, of: values.length };
}

function meanOrZero(values: readonly number[]): number {
  return values.length === 0 ? 0 : mean(values);
}
