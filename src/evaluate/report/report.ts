import { MeditronError } from '../../check/errors.js';
import { nameOf, offering } from '../run/runs.js';
import { abstentionOf } from '../score/abstention.js';
import { type Comparison, compare, measure, type RunMetrics } from '../score/measure.js';
import { type Outcome, outcomeOf } from '../score/outcome.js';
import { Pool } from '../score/pool.js';
import { type Reading, readRow } from '../score/read.js';
import { referenceModel, referencesFor } from '../score/reference.js';
import type { StoredEvaluation } from '../storage/evaluation.js';
import type { ResultRow } from '../storage/rows.js';
import type { StoredRun } from '../storage/types.js';
import { describeRun, Warnings } from './describe.js';
import { incidentLine, incidentsInBrief } from './incidents.js';
import type { EvaluationReport, ListedRow, RunReport } from './types.js';

/**
 * The report of a stored evaluation, from its rows alone, which are read one after another. `only` limits it to these items.
 *
 * @throws MeditronError `ERR_OPTION` for a reading that no run can be given, or if there are no rows; `ERR_INPUT` for damaged rows
 */
export async function reportOf(
  evaluation: StoredEvaluation,
  reading: Reading = {},
  only?: ReadonlySet<string>,
): Promise<EvaluationReport> {
  const { config, created, dir, incidents } = evaluation;
  const unreadable = config.runs.flatMap(run => whyUnreadable(run, reading) ?? []);
  const scorings = new Map(
    config.runs
      .filter(run => !whyUnreadable(run, reading))
      .map(run => [run.key, new Scoring(evaluation, run, reading)]),
  );
  for await (const row of evaluation.rows()) if (!only || only.has(row.item)) scorings.get(row.run)?.add(row);
  const scored = [...scorings.values()].filter(({ empty }) => !empty);
  if (scored.length === 0) throw new MeditronError('ERR_OPTION', unreadable.at(-1) ?? `${dir} holds no rows yet`);
  const runs = scored.map(scoring => scoring.report);
  const notes = [...config.notes, ...unreadable, ...scored.flatMap(scoring => scoring.notes), ...overSeeds(runs)];
  const comparisons = comparisonsOf(scored, runs);
  const places = new Map(runs.map(({ run }, i) => [run.key, i]));
  return { title: config.title, created, notes, incidents, runs, comparisons, rows };

  async function* rows(): AsyncGenerator<ListedRow> {
    for await (const row of evaluation.rows()) {
      const place = places.get(row.run);
      if (place === undefined || (only && !only.has(row.item))) continue;
      yield { ...readRow(row, runs[place]!.run, reading), run: place };
    }
  }
}

/** Two evaluations of the same questions: runs of the same mode are paired, or the only run of each. `marks` tell their runs apart. */
export async function compareEvaluations(
  first: StoredEvaluation,
  second: StoredEvaluation,
  reading: Reading = {},
  marks: readonly [string, string] = [first.dir, second.dir],
): Promise<EvaluationReport> {
  const [a, b] = [await reportOf(first, reading), await reportOf(second, reading)];
  const marked = (runs: readonly RunReport[], mark: string) =>
    runs.map(run => ({ ...run, name: `${run.name} (${mark})` }));
  const [left, right] = [marked(a.runs, marks[0]), marked(b.runs, marks[1])];
  const pairs =
    left.length === 1 && right.length === 1
      ? [[left[0]!, right[0]!] as const]
      : left.flatMap(one => right.filter(other => other.run.key === one.run.key).map(other => [one, other] as const));
  const comparisons = pairs.map(([one, other]) => compare(one, other)).filter(({ n }) => n > 0);
  if (comparisons.length === 0) {
    const message = `${first.dir} and ${second.dir} have no run of the same mode over the same questions with known answers`;
    throw new MeditronError('ERR_INPUT', message);
  }
  const title = `${first.config.title} and ${second.config.title}`;
  const notes = [...new Set([...a.notes, ...b.notes])];
  const incidents = [...a.incidents, ...b.incidents];
  return { title, created: new Date().toISOString(), notes, incidents, runs: [...left, ...right], comparisons, rows };

  async function* rows(): AsyncGenerator<ListedRow> {
    yield* a.rows();
    for await (const row of b.rows()) yield { ...row, run: row.run + left.length };
  }
}

/** The figures as one JSON object for scripts, without the questions. */
export function reportJson(report: EvaluationReport): Record<string, unknown> {
  const { title, created, runs, comparisons, notes, incidents } = report;
  return {
    title,
    created,
    runs: runs.map(({ name, run, facts, metrics, pool, abstention, references, standIn }) => ({
      name,
      mode: run.mode,
      protocol: run.protocol,
      samples: run.samples,
      temperature: run.temperature,
      seed: run.seed,
      demoSeed: run.demonstrations?.seed ?? null,
      metrics: { ...metrics, ...pool, ...(abstention && { abstention }) },
      references,
      standIn,
      facts: Object.fromEntries(facts.map(fact => [fact.name, fact.value])),
    })),
    comparisons,
    notes,
    incidents: {
      summary: incidentsInBrief(report) ?? null,
      list: incidents.map(incident => ({ ...incident, text: incidentLine(incident) })),
    },
  };
}

/** Takes the rows of one run, one after another. */
class Scoring {
  readonly #outcomes: Outcome[] = [];
  readonly #pool: Pool;
  readonly #parallel = new Set<number>();
  readonly #warnings = new Warnings();
  #open = true;
  #standIn = 0;

  constructor(
    private readonly evaluation: StoredEvaluation,
    private readonly run: StoredRun,
    private readonly reading: Reading,
  ) {
    this.#pool = new Pool(run, reading);
  }

  get empty(): boolean {
    return this.#outcomes.length === 0;
  }

  add(row: ResultRow): void {
    const read = readRow(row, this.run, this.reading);
    this.#outcomes.push(outcomeOf(read));
    this.#pool.add(row, read);
    this.#parallel.add(row.parallel);
    this.#warnings.add(row.warnings ?? []);
    this.#open &&= row.kind === 'open';
    if (row.standIn !== undefined) this.#standIn++;
  }

  get report(): RunReport {
    const { run, reading } = this;
    const { config } = this.evaluation;
    const outcomes = this.#outcomes;
    const pool = this.#pool.metrics;
    const model = referenceModel(config.model);
    const parallel = [...this.#parallel].sort((a, b) => a - b);
    const standIn = { count: this.#standIn, of: outcomes.length };
    return {
      name: runName(run, reading),
      run,
      facts: [...config.subject, ...describeRun(run, reading, { outcomes, pool, parallel, standIn })],
      metrics: this.#metrics,
      pool,
      ...(this.#abstains && { abstention: abstentionOf(outcomes, run.abstainOption ?? false) }),
      references: model && run.mode !== 'free' ? referencesFor({ model, mode: run.mode, task: config.task }) : [],
      outcomes,
      standIn,
    };
  }

  get notes(): string[] {
    return this.#warnings.lines.map(line => `${runName(this.run, this.reading)}: ${line}`);
  }

  /** A vote beside its first sample alone; empty where there is no vote. */
  againstFirst(report: RunReport): Comparison[] {
    const { first } = this.#pool;
    return first.length > 0 ? [compare(report, { name: 'its first sample alone', outcomes: first })] : [];
  }

  get #abstains(): boolean {
    const { runs, unanswerable } = this.evaluation.config;
    return unanswerable !== undefined || runs.some(({ abstainOption }) => abstainOption);
  }

  get #metrics(): RunMetrics {
    const metrics = measure(this.#outcomes);
    return this.#open ? { ...metrics, unparsed: { count: 0, of: 0 } } : metrics;
  }
}

/** As the paper reports few-shot runs: the mean over draws of demonstrations, and its standard deviation. */
function overSeeds(runs: readonly RunReport[]): string[] {
  return [...new Set(runs.map(({ run }) => run.mode))].flatMap(mode => {
    const drawn = runs.filter(({ run }) => run.mode === mode && run.demonstrations !== null);
    const values = drawn.flatMap(({ metrics }) => metrics.accuracy?.accuracy ?? []);
    if (values.length < 2) return [];
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
    return [
      `${mode}: ${(100 * mean).toFixed(1)} ± ${(100 * Math.sqrt(variance)).toFixed(2)} % (mean and standard deviation over ${values.length} draws of demonstrations)`,
    ];
  });
}

function runName(run: StoredRun, { protocol, stop, samples, weighting }: Reading): string {
  const planned = Math.min(samples ?? run.samples, run.samples);
  const marks = [
    run.demonstrations && run.key.includes('@') && `demonstrations ${run.demonstrations.seed}`,
    ...offering(run),
    protocol && protocol !== run.protocol && `read as ${protocol}`,
    stop && run.mode === 'sc-cot' && stop.rule !== run.stop.rule && `stopped by ${stop.rule}`,
    weighting && run.mode === 'sc-cot' && weighting !== run.weighting && `weighted by ${weighting}`,
  ].filter(mark => typeof mark === 'string');
  return [nameOf({ mode: run.mode, samples: planned }), ...marks].join(', ');
}

function whyUnreadable(run: StoredRun, { protocol }: Reading): string | undefined {
  if (run.abstainOption && protocol !== undefined && protocol !== 'strict')
    return `${run.name} was asked with a further option, which ${protocol} does not know: it is read under strict alone`;
  if (run.mode !== 'top-token' || run.protocol !== 'strict' || protocol === undefined || protocol === 'strict')
    return undefined;
  return `${run.name} was asked under strict, which compares the answers and generates no text that ${protocol} could read: ask it again under ${protocol}`;
}

/** Every pair of runs, and a vote beside its first sample alone. */
function comparisonsOf(scorings: readonly Scoring[], runs: readonly RunReport[]): Comparison[] {
  return runs
    .flatMap((one, i) => [...runs.slice(i + 1).map(other => compare(other, one)), ...scorings[i]!.againstFirst(one)])
    .filter(pair => pair.n > 0);
}
