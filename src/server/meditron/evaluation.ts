import { randomUUID } from 'node:crypto';
import { MeditronError } from '../../check/errors.js';
import { evaluate, type Progress } from '../../evaluate/evaluate.js';
import type { EvaluationReport } from '../../evaluate/report/types.js';
import { localTarget } from '../../evaluate/run/target.js';
import { readRow } from '../../evaluate/score/read.js';
import type { ResultRow } from '../../evaluate/storage/rows.js';
import type { EvaluationConfig } from '../../evaluate/storage/types.js';
import { tasks } from '../../evaluate/tasks/load.js';
import type { Pool } from '../pool/pool.js';
import { failureOf } from './failure.js';
import { Log } from './log.js';
import type { Failure, MeasuredAccuracy, RunProgress, RunRow, RunState, RunStreamEvent } from './protocol.js';
import type { EvaluationWork } from './runwork.js';

/** Events that somebody who comes back may have missed. */
const keptEvents = 1000;

/** An evaluation that runs, or has ended. Its rows are in its folder alone. */
export class LiveEvaluation {
  readonly id: string;
  readonly created = new Date().toISOString();
  readonly log = new Log<RunStreamEvent>(undefined, keptEvents);
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
  /** Accuracies of one that is done. */
  measured: readonly MeasuredAccuracy[] = [];
  readonly #stop = new AbortController();
  #state: RunState['state'] = 'running';
  #notes: readonly string[];
  #progress: RunProgress | null = null;
  #error: Failure | null = null;
  #hasRows = false;
  #config: EvaluationConfig | undefined;
  /** When the run that goes on began, and which rows of it with a known answer came since, and were right. */
  #since = { at: 0, count: 0, of: 0 };

  constructor(
    private readonly pool: Pool,
    readonly work: EvaluationWork,
    id: string = randomUUID(),
  ) {
    this.id = id;
    this.#notes = work.questions.set.notes;
    this.ended = this.#run();
  }

  /** Whether there is anything to report. */
  get hasRows(): boolean {
    return this.#hasRows;
  }

  get running(): boolean {
    return this.#state === 'running' || this.#state === 'stopping';
  }

  get state(): RunState {
    const { id, work, created } = this;
    const { set } = work.questions;
    return {
      ...{ id, created, model: work.model, file: work.file, out: work.out, kept: work.kept },
      title: this.#config?.title ?? `${set.task === 'file' ? 'Own questions' : tasks[set.task].title}, ${work.model}`,
      modes: this.#config?.runs.map(({ name }) => name) ?? work.options.modes ?? [],
      state: this.#state,
      notes: this.#notes,
      progress: this.#progress,
      error: this.#error,
    };
  }

  /** Rows that are finished stay. */
  stop(): void {
    if (!this.running) return;
    this.#become('stopping');
    this.#stop.abort(new MeditronError('ERR_ABORTED', 'It was stopped'));
  }

  /** The run as it is, then what happens from then on; from behind the event numbered `after`, if that is given. */
  async *watch(after: number, signal: AbortSignal): AsyncGenerator<unknown> {
    const { running, log } = this;
    const from = after > 0 ? after : running ? log.length : log.length - 1;
    yield { type: 'run', run: this.state } satisfies RunStreamEvent;
    yield* log.watch(from, signal);
  }

  async #run(): Promise<void> {
    const { model, out, questions, options, limit, parallel, resume } = this.work;
    const { signal } = this.#stop;
    try {
      await using use = await this.pool.use(model, signal, { computes: false });
      const report = await evaluate(localTarget(use.model, {}, { loadOnCpu: use.loadOnCpu }), {
        ...{ ...questions, ...options, out, limit, parallel, resume, signal },
        onPlan: (notes, config) => this.#planned(notes, config),
        onProgress: progress => this.#came(progress),
        onIncident: message => this.log.add({ type: 'incident', message }),
        onWarning: message => this.log.add({ type: 'warning', message }),
      });
      this.measured = measuredIn(report);
      this.#state = 'done';
    } catch (error) {
      this.#state = signal.aborted ? 'stopped' : 'failed';
      if (!signal.aborted) this.#error = failureOf(error);
    }
    if (this.#error) this.log.add({ type: 'failed', error: this.#error });
    else this.log.add({ type: 'ended', run: this.state });
    this.log.end();
  }

  #become(state: RunState['state']): void {
    this.#state = state;
    this.log.add({ type: 'run', run: this.state });
  }

  #planned(notes: readonly string[], config: EvaluationConfig): void {
    this.#notes = notes;
    this.#config = config;
    this.log.add({ type: 'notes', notes });
  }

  #came({ row, ...progress }: Progress): void {
    if (!row) this.#since = { at: performance.now(), count: 0, of: 0 };
    const read = row && this.#read(row);
    if (read?.correct !== undefined) {
      this.#since.of++;
      if (read.correct) this.#since.count++;
    }
    const { at, count, of } = this.#since;
    this.#hasRows ||= progress.done > 0;
    const came = progress.done - progress.resumed;
    const seconds = (performance.now() - at) / 1000;
    const secondsLeft = came === 0 ? null : Math.round((seconds / came) * (progress.total - progress.done));
    this.#progress = { ...progress, right: { count, of }, secondsLeft };
    this.log.add({ type: 'progress', progress: this.#progress, row: read ?? null });
  }

  #read(row: ResultRow): RunRow {
    const run = this.#config!.runs.find(({ key }) => key === row.run)!;
    const { answer = null, correct, decision = null, error = null } = readRow(row, run, {});
    return { item: row.item, answer, ...(correct !== undefined && { correct }), decision, error };
  }
}

function measuredIn({ title, created, runs }: EvaluationReport): MeasuredAccuracy[] {
  return runs.flatMap(({ name, metrics: { accuracy } }) => (accuracy ? [{ title, run: name, accuracy, created }] : []));
}
