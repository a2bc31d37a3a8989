import { MeditronError } from '../../check/errors.js';
import { labelsOf } from '../../prompt/question/question.js';
import type { StopRule } from '../../vote/count/stopping.js';
import { nameOf } from '../run/runs.js';
import { type Accuracy, accuracy, brier } from '../score/metrics.js';
import { referenceModel, referencesFor } from '../score/reference.js';
import { type Reading, readRow } from '../score/rescore.js';
import { questionOfRow, type ResultRow } from '../storage/rows.js';
import type { StoredEvaluation, StoredRun } from '../storage/stored.js';
import { commonWarnings, factsOf } from './facts.js';
import { compare, measure } from './measure.js';
import type { Comparison, EvaluationReport, Rate, ReportRow, RunMetrics, RunReport } from './types.js';

/** A run with the figures that a report has no place for. */
export interface RunFigures {
  readonly run: StoredRun;
  readonly report: RunReport;
  readonly more: MoreMetrics;
}

export interface MoreMetrics {
  /** Over all options, 0 to 2; a question without votes counts as equal shares. */
  readonly brier?: number;
  /** Votes that a rule closed before all samples ran. */
  readonly earlyStops: Rate;
  /** Samples whose answer came only when the chain was asked again. */
  readonly forcedSamples: Rate;
  /** Samples that ran into the token limit. */
  readonly cut: Rate;
  /** The mean over all samples, each counted alone; for `sc-cot`. */
  readonly singleSample?: Accuracy;
  /** Accuracy of the vote over the first 1, 2, … samples. */
  readonly bySamples?: readonly (Accuracy & { readonly samples: number })[];
  /** What each rule would have run, replayed on the same samples, and how often the winner would have been another. */
  readonly stopRules?: Readonly<
    Record<string, { readonly samples: number; readonly otherWinner: Rate; readonly accuracy?: Accuracy }>
  >;
  /** Wall time of all questions together, milliseconds. */
  readonly totalMs: number;
}

export interface Figures {
  readonly report: EvaluationReport;
  readonly runs: readonly RunFigures[];
}

/** The figures of a stored evaluation, from its rows alone. `only` limits them to these items. */
export function figuresOf(evaluation: StoredEvaluation, reading: Reading = {}, only?: ReadonlySet<string>): Figures {
  const { config, created } = evaluation;
  const notes = [...config.notes];
  const runs: RunFigures[] = [];
  for (const run of config.runs) {
    const rows = evaluation.rows.filter(row => row.run === run.key && (!only || only.has(row.item)));
    if (rows.length === 0) continue;
    const unreadable = whyUnreadable(run, reading);
    if (unreadable !== undefined) notes.push(unreadable);
    else runs.push(runFigures(evaluation, run, rows, reading, notes));
  }
  if (runs.length === 0) throw new MeditronError('ERR_OPTION', notes.at(-1) ?? `${evaluation.dir} holds no rows yet`);
  notes.push(...overSeeds(runs));
  const report: EvaluationReport = {
    title: config.title,
    created,
    notes,
    runs: runs.map(({ report: shown }) => shown),
    comparisons: comparisonsOf(evaluation, runs, reading),
  };
  return { report, runs };
}

/** As the paper reports few-shot runs: the mean over draws of demonstrations, and its standard deviation. */
function overSeeds(runs: readonly RunFigures[]): string[] {
  return [...new Set(runs.map(({ run }) => run.mode))].flatMap(mode => {
    const drawn = runs.filter(({ run }) => run.mode === mode && run.demonstrations !== null);
    const values = drawn.flatMap(({ report }) => report.metrics.accuracy?.accuracy ?? []);
    if (values.length < 2) return [];
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
    return [
      `${mode}: ${(100 * mean).toFixed(1)} ± ${(100 * Math.sqrt(variance)).toFixed(2)} % (mean and standard deviation over ${values.length} draws of demonstrations)`,
    ];
  });
}

/** Two evaluations of the same questions: runs of the same mode are paired, or the only run of each. */
export function compareEvaluations(first: StoredEvaluation, second: StoredEvaluation, reading: Reading = {}): Figures {
  const [a, b] = [figuresOf(first, reading), figuresOf(second, reading)];
  const marked = (runs: readonly RunFigures[], mark: string) =>
    runs.map(({ run, report, more }) => ({ run, more, report: { ...report, name: `${report.name} (${mark})` } }));
  const [left, right] = [marked(a.runs, first.dir), marked(b.runs, second.dir)];
  const pairs =
    left.length === 1 && right.length === 1
      ? [[left[0]!, right[0]!] as const]
      : left.flatMap(one => right.filter(other => other.run.key === one.run.key).map(other => [one, other] as const));
  const comparisons = pairs.map(([one, other]) => compare(one.report, other.report)).filter(({ n }) => n > 0);
  if (comparisons.length === 0) {
    const message = `${first.dir} and ${second.dir} have no run of the same mode over the same questions with known answers`;
    throw new MeditronError('ERR_INPUT', message);
  }
  const notes = [...new Set([...a.report.notes, ...b.report.notes])];
  const runs = [...left, ...right];
  const title = `${first.config.title} and ${second.config.title}`;
  const created = new Date().toISOString();
  return { runs, report: { title, created, notes, runs: runs.map(({ report }) => report), comparisons } };
}

/** The figures as one JSON object for scripts, without the questions. */
export function figuresJson({ report, runs }: Figures): Record<string, unknown> {
  return {
    title: report.title,
    created: report.created,
    runs: runs.map(({ run, report: { name, facts, metrics, references }, more }) => ({
      name,
      mode: run.mode,
      protocol: run.protocol,
      samples: run.samples,
      temperature: run.temperature,
      seed: run.seed,
      demoSeed: run.demonstrations?.seed ?? null,
      metrics: { ...metrics, ...more },
      references,
      facts: Object.fromEntries(facts.map(fact => [fact.name, fact.value])),
    })),
    comparisons: report.comparisons ?? [],
    notes: report.notes,
  };
}

function runFigures(
  evaluation: StoredEvaluation,
  run: StoredRun,
  rows: readonly ResultRow[],
  reading: Reading,
  notes: string[],
): RunFigures {
  const read = rows.map(row => readRow(row, run, reading));
  const name = runName(run, reading);
  const measured = measure(read);
  const open = rows.every(row => row.kind === 'open');
  const metrics: RunMetrics = open ? { ...measured, unparsed: { count: 0, of: 0 } } : measured;
  const model = referenceModel(evaluation.config.model);
  const references =
    model && run.mode !== 'free' ? referencesFor({ model, mode: run.mode, task: evaluation.config.task }) : [];
  const more = moreMetrics(rows, read, run, reading);
  for (const warning of commonWarnings(rows)) notes.push(`${name}: ${warning}`);
  const facts = [...evaluation.config.subject, ...factsOf(run, rows, reading, more)];
  return { run, more, report: { name, facts, metrics, references, rows: read } };
}

function runName(run: StoredRun, { protocol, stop, samples }: Reading): string {
  const planned = Math.min(samples ?? run.samples, run.samples);
  const marks = [
    run.demonstrations && run.key.includes('@') && `demonstrations ${run.demonstrations.seed}`,
    protocol && protocol !== run.protocol && `read as ${protocol}`,
    stop && stop.rule !== run.stop.rule && `stopped by ${stop.rule}`,
  ].filter(mark => typeof mark === 'string');
  return [nameOf({ mode: run.mode, samples: planned }), ...marks].join(', ');
}

function whyUnreadable(run: StoredRun, { protocol }: Reading): string | undefined {
  if (run.mode !== 'top-token' || run.protocol !== 'strict' || protocol === undefined || protocol === 'strict')
    return undefined;
  return `${run.name} was asked under strict, which compares the answers and generates no text that ${protocol} could read: ask it again under ${protocol}`;
}

function moreMetrics(
  rows: readonly ResultRow[],
  read: readonly ReportRow[],
  run: StoredRun,
  reading: Reading,
): MoreMetrics {
  const samples = rows.flatMap(row => row.samples);
  const planned = Math.min(reading.samples ?? run.samples, run.samples);
  const voting = run.mode === 'sc-cot' && planned > 1;
  const shared = brierOf(read, rows);
  const asSampled = (reading.protocol ?? run.protocol) === 'strict'; // no other protocol asks again
  return {
    ...(shared !== undefined && { brier: shared }),
    earlyStops: {
      count: read.filter((row, i) => !row.error && row.samples.length < Math.min(planned, rows[i]!.planned)).length,
      of: read.filter(row => !row.error).length,
    },
    forcedSamples: { count: samples.filter(sample => sample.forced && asSampled).length, of: samples.length },
    cut: {
      count: samples.filter(sample => sample.finish === 'length' && run.mode !== 'top-token').length,
      of: samples.length,
    },
    ...(voting && votesOf(rows, run, { ...reading, samples: planned }, read)),
    totalMs: rows.reduce((sum, row) => sum + row.ms, 0),
  };
}

/** What only a vote has. Rules are replayed on complete pools alone: of a vote that was stopped the rest is not known. */
function votesOf(
  rows: readonly ResultRow[],
  run: StoredRun,
  reading: Reading,
  read: readonly ReportRow[],
): Pick<MoreMetrics, 'singleSample' | 'bySamples' | 'stopRules'> {
  const scored = rows.filter(row => row.gold !== undefined);
  const single = read.flatMap(row =>
    row.gold === undefined
      ? []
      : row.samples.map(({ answer }) => (answer === undefined ? undefined : answer === row.gold)),
  );
  const complete = rows.every(row => row.error || row.samples.length >= row.planned);
  const right = (list: readonly ReportRow[]) => accuracy(list.map(outcome));
  const at = (samples: number, stop: StopRule): ReportRow[] =>
    rows.map(row => readRow(row, run, { ...reading, samples, stop }));
  const planned = reading.samples!;
  return {
    ...(scored.length > 0 && { singleSample: accuracy(single) }),
    ...(complete &&
      scored.length > 0 && {
        bySamples: Array.from({ length: planned }, (_, i) => ({
          samples: i + 1,
          ...right(at(i + 1, { rule: 'none' }).filter(row => row.gold !== undefined)),
        })),
      }),
    ...(complete && {
      stopRules: Object.fromEntries(
        rulesFor(planned).map(stop => {
          const stopped = at(planned, stop);
          const full = at(planned, { rule: 'none' });
          return [
            stop.rule,
            {
              samples: stopped.reduce((sum, row) => sum + row.samples.length, 0) / stopped.length,
              otherWinner: {
                count: stopped.filter((row, i) => row.answer !== full[i]!.answer).length,
                of: stopped.length,
              },
              ...(scored.length > 0 && { accuracy: right(stopped.filter(row => row.gold !== undefined)) }),
            },
          ];
        }),
      ),
    }),
  };
}

function rulesFor(planned: number): StopRule[] {
  const window = planned >= 10 ? 5 : 3;
  const rules: StopRule[] = [{ rule: 'exact' }, { rule: 'beta' }];
  return planned > window ? [...rules, { rule: 'esc', window }] : rules;
}

function outcome(row: ReportRow): boolean | undefined {
  return row.answer === undefined ? undefined : row.correct === true;
}

function brierOf(read: readonly ReportRow[], rows: readonly ResultRow[]): number | undefined {
  const items = read.flatMap((row, i) => {
    const labels = labelsOf(questionOfRow(rows[i]!));
    const gold = row.gold === undefined ? -1 : labels.indexOf(row.gold);
    if (gold < 0 || row.error || (row.samples.length < 2 && !row.scores)) return [];
    const cast = row.votes.reduce((sum, { count }) => sum + count, 0);
    const shareOf = (label: string) =>
      row.scores
        ? (row.scores.find(({ answer }) => answer === label)?.probability ?? 0)
        : cast === 0
          ? 1 / labels.length
          : (row.votes.find(({ answer }) => answer === label)?.count ?? 0) / cast;
    return [{ shares: labels.map(shareOf), gold }];
  });
  return items.length > 0 ? brier(items) : undefined;
}

/** Every pair of runs, and a vote beside its first sample alone. */
function comparisonsOf(evaluation: StoredEvaluation, runs: readonly RunFigures[], reading: Reading): Comparison[] {
  const pairs: Comparison[] = [];
  for (const [i, one] of runs.entries()) {
    for (const other of runs.slice(i + 1)) pairs.push(compare(other.report, one.report));
    if (one.run.mode !== 'sc-cot' || (reading.samples ?? one.run.samples) < 2 || one.run.samples < 2) continue;
    const rows = evaluation.rows.filter(row => row.run === one.run.key);
    const shown = new Set(one.report.rows.map(row => row.id));
    const first = rows
      .filter(row => shown.has(row.item))
      .map(row => readRow(row, one.run, { protocol: reading.protocol, samples: 1 }));
    pairs.push(compare(one.report, { ...one.report, name: 'its first sample alone', rows: first }));
  }
  return pairs.filter(pair => pair.n > 0);
}
