import { type Interval, z95 } from '../../vote/count/uncertainty.js';
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
  riskCoverage,
} from '../score/metrics.js';
import type { Comparison, Rate, ReportRow, RunMetrics, RunReport } from './types.js';

/** All figures of a run, from its rows alone: stored rows can be measured again under another parser or rule. */
export function measure(rows: readonly ReportRow[]): RunMetrics {
  const scored = rows.filter(row => row.gold !== undefined);
  const judged = judgedOf(scored);
  const samples = rows.flatMap(row => row.samples);
  const voting = rows.filter(row => row.votes.length > 0);
  const clusters = clusterSizes(scored);
  const all = accuracy(scored.map(outcomeOf));
  return {
    items: rows.length,
    ...(scored.length > 0 && { accuracy: all }),
    ...(clusters.length < scored.length && { clustered: clusteredInterval(all, clusters) }),
    ...(judged.length > 0 && discrimination(judged)),
    confidence: confidenceKind(rows),
    unparsed: rate(samples, sample => sample.answer === undefined),
    ties: rate(voting, row => row.tie === true),
    forced: rate(rows, row => row.forced === true),
    failed: rate(rows, row => row.error !== undefined),
    decisions: countBy(rows, row => row.decision),
    bySubject: bySubject(scored),
    samplesPerQuestion: mean(rows.map(row => row.samples.length)),
    newTokensPerQuestion: mean(rows.map(row => row.samples.reduce((sum, sample) => sum + (sample.tokens ?? 0), 0))),
    promptTokensPerQuestion: mean(rows.flatMap(row => row.promptTokens ?? [])),
    msPerQuestion: mean(rows.flatMap(row => row.ms ?? [])),
  };
}

/** The paired comparison of two runs, over the questions that both have and whose answer is known. */
export function compare(first: RunReport, second: RunReport): Comparison {
  const others = new Map(second.rows.map(row => [row.id, row]));
  const pairs = first.rows.flatMap(row => {
    const other = others.get(row.id);
    return other && row.gold !== undefined && row.gold === other.gold ? [{ row, other }] : [];
  });
  const a = pairs.map(({ row }) => row.correct === true);
  const b = pairs.map(({ other }) => other.correct === true);
  const onlyFirst = a.filter((right, i) => right && !b[i]).length;
  const onlySecond = b.filter((right, i) => right && !a[i]).length;
  const clusters = pairs.map(({ row }) => row.cluster ?? row.id);
  const paired = pairs.length > 0 ? pairedBootstrap(a, b, { clusters }) : { difference: 0, low: -1, high: 1 };
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

/** How sure an answer was: the share of the votes cast, or the probability of the option in top-token mode. */
export function confidenceOf(row: ReportRow): number | undefined {
  if (row.answer === undefined) return undefined;
  const score = row.scores?.find(({ answer }) => answer === row.answer);
  if (score) return score.probability;
  const cast = row.votes.reduce((sum, { count }) => sum + count, 0);
  const own = row.votes.find(({ answer }) => answer === row.answer)?.count;
  // One sample always agrees with itself: that says nothing.
  return own === undefined || row.samples.length < 2 ? undefined : own / cast;
}

function outcomeOf(row: ReportRow): boolean | undefined {
  return row.answer === undefined ? undefined : row.correct === true;
}

function judgedOf(scored: readonly ReportRow[]): Judged[] {
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
    tenths.set(tenth, [...(tenths.get(tenth) ?? []), item]);
  }
  const level = new Map([...tenths].map(([tenth, items]) => [tenth, mean(items.map(item => item.confidence))]));
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

function confidenceKind(rows: readonly ReportRow[]): RunMetrics['confidence'] {
  const row = rows.find(candidate => confidenceOf(candidate) !== undefined);
  if (!row) return 'none';
  return row.scores ? 'option probability' : 'vote share';
}

function clusterSizes(rows: readonly ReportRow[]): number[] {
  return Object.values(countBy(rows, row => row.cluster ?? `item ${row.id}`));
}

/** Wilson's interval for as many independent questions as the repeated ones are worth: n² / Σ (cluster size)². */
function clusteredInterval({ accuracy: p, n }: Accuracy, sizes: readonly number[]): Interval & { clusters: number } {
  const worth = n ** 2 / sizes.reduce((sum, size) => sum + size ** 2, 0);
  const scale = 1 + z95 ** 2 / worth;
  const center = (p + z95 ** 2 / (2 * worth)) / scale;
  const half = (z95 * Math.sqrt((p * (1 - p)) / worth + z95 ** 2 / (4 * worth ** 2))) / scale;
  return { low: Math.max(0, center - half), high: Math.min(1, center + half), clusters: sizes.length };
}

function bySubject(rows: readonly ReportRow[]): RunMetrics['bySubject'] {
  const subjects = [...new Set(rows.flatMap(row => row.subject ?? []))].sort();
  if (subjects.length < 2) return [];
  return subjects.map(subject => ({
    subject,
    accuracy: accuracy(rows.filter(row => row.subject === subject).map(outcomeOf)),
  }));
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

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
