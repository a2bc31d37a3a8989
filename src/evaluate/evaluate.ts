import { setMaxListeners } from 'node:events';
import type { Death } from '../check/died.js';
import { MeditronError } from '../check/errors.js';
import { incidentInWords } from './report/incidents.js';
import { reportOf } from './report/report.js';
import type { EvaluationReport } from './report/types.js';
import { untilDone } from './run/again.js';
import { runOptions } from './run/options.js';
import { type Plan, planEvaluation } from './run/plan.js';
import { runItems } from './run/runner.js';
import type { RunOptions } from './run/runs.js';
import type { PlannedRun, Target } from './run/target.js';
import { openEvaluation, readEvaluation } from './storage/evaluation.js';
import { type DeathIncident, IncidentLog, type StandInIncident } from './storage/incidents.js';
import type { Journal } from './storage/journal.js';
import { type ResultRow, rowId, type StandIn } from './storage/rows.js';
import type { EvaluationConfig } from './storage/types.js';
import type { Questions } from './tasks/load.js';
import type { Item, TaskSet } from './tasks/task.js';
import { withUnanswerable } from './tasks/unanswerable.js';

export interface EvaluateOptions extends RunOptions, Questions {
  /** Only the first so many questions of the file. */
  readonly limit?: number | undefined;
  /** The folder of the results. */
  readonly out: string;
  /** Go on with the results that the folder holds. Default false. */
  readonly resume?: boolean | undefined;
  /** Questions in flight at once. Default: what fills a batch and fits in memory. Only 1 repeats exactly. */
  readonly parallel?: number | undefined;
  /**
   * Keeps what all prompts of a run begin with in this file, evaluated and saved the first time, then loaded; of several runs each has its own,
   * whose name ends in the run's. Results are the same with and without it.
   */
  readonly prefix?: string | undefined;
  /** Told why a prefix could not be kept. */
  readonly onWarning?: ((message: string) => void) | undefined;
  /** Stops after the rows that are finished. */
  readonly signal?: AbortSignal | undefined;
  /** Told once, before the first question is asked, what a reader of the figures has to know, and all that is stored of the runs. */
  readonly onPlan?: ((notes: readonly string[], config: EvaluationConfig) => void) | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Told in a sentence what befell the engine and how it goes on. */
  readonly onIncident?: ((message: string) => void) | undefined;
}

export interface Progress {
  /** As reports show it. */
  readonly run: string;
  /** 1 for the first of `runs`. */
  readonly place: number;
  readonly runs: number;
  /** Rows of this run on the disk; `resumed` of them were there before. */
  readonly done: number;
  readonly resumed: number;
  readonly total: number;
  /** The row that came last; undefined when a run begins. */
  readonly row?: ResultRow;
}

/**
 * Evaluates a model on questions that were loaded: plans the runs, runs them, stores every row as soon as it is there, then
 * scores the rows and reports. Whatever ends it, the rows on the disk stay, and the same call with `resume` goes on behind
 * them. An engine whose process dies is asked again, and where it is down for good the target's stand-in goes on; the report
 * says so. The report is of the questions asked for here; the folder may hold more.
 *
 * @throws MeditronError what `planEvaluation`, `openEvaluation`, `ask()` and `reportOf` throw; `ERR_ENGINE_DOWN` if the engine
 *   dies again and again and nothing stands in for it; the signal's reason
 */
export async function evaluate(target: Target, given: EvaluateOptions): Promise<EvaluationReport> {
  const options = { ...given, set: asAsked(given) };
  const { set, out, limit, resume = false } = options;
  const signal = sharedSignal(options.signal);
  const early: Death[] = [];
  const onDeath = async (death: Death) => void early.push(death);
  const plan = await planEvaluation(target, { ...options, signal, resumed: resume ? out : undefined, onDeath });
  const items = set.items.slice(0, limit);

  await using results = await openEvaluation(out, plan.config, { resume });
  const incidents = await IncidentLog.open(out, results);
  for (const death of early) await incidents.add(deathIncident(death, null, null));
  options.onPlan?.(plan.config.notes, plan.config);
  await using asked = new Asked(target, incidents, { ...options, signal });
  for (const [i, run] of plan.runs.entries()) {
    const todo = items.filter(item => !results.done.has(rowId(run.key, item)));
    const onRow = progressOf(options, {
      ...{ run: run.name, place: i + 1, runs: plan.runs.length },
      ...{ resumed: items.length - todo.length, total: items.length },
    });
    if (todo.length === 0) continue;
    signal?.throwIfAborted();
    await asked.run(run, plan, todo, results, onRow);
  }
  await results.close();

  return reportOf(await readEvaluation(out), {}, new Set(items.map(item => item.id)));
}

/** The questions, without the right option in the part that shall have none. */
function asAsked({ set, unanswerable, seed }: EvaluateOptions): TaskSet {
  if (unanswerable === undefined) return set;
  const fraction = runOptions.unanswerable.kind.check('unanswerable', unanswerable);
  return withUnanswerable(set, { fraction, seed: runOptions.seed.kind.check('seed', seed ?? 0) });
}

/** Whom the questions are asked: the target, until its stand-in takes over for good. */
class Asked implements AsyncDisposable {
  #standIn: { readonly as: StandIn; readonly target: Target & AsyncDisposable } | undefined;

  constructor(
    private readonly planned: Target,
    private readonly incidents: IncidentLog,
    private readonly options: EvaluateOptions,
  ) {}

  /** Asks what has no row yet. */
  async run(
    run: PlannedRun,
    plan: Plan,
    items: readonly Item[],
    results: Journal<ResultRow>,
    onRow: (row: ResultRow) => void,
  ): Promise<void> {
    const { set, parallel, signal, onWarning } = this.options;
    const { target, as } = this.#standIn ?? { target: this.planned, as: undefined };
    const prefix = as === undefined ? this.#prefixOf(run, plan) : undefined;
    try {
      const openNow = () => target.open(run, plan.chosen, set.items, { parallel, prefix, onWarning, signal });
      await using opened = await untilDone(openNow, death => this.#told(deathIncident(death, run.key, null)));
      await runItems(opened.answerer, run, items, results, {
        ...{
          parallel: opened.parallel,
          probe: opened.probe,
          signal,
          onRow,
          standIn: as,
          replaceable: target.standIn !== undefined,
        },
        onDeath: ({ death, width }) => this.#told(deathIncident(death, run.key, width)),
      });
    } catch (error) {
      if (!target.standIn || !(error instanceof MeditronError) || error.code !== 'ERR_ENGINE_DOWN') throw error;
      const { as: standIn, insteadOf: devices, open } = target.standIn;
      await this.#told({ kind: 'stand-in', run: run.key, standIn, devices });
      this.#standIn = { as: standIn, target: await open(signal) };
      await this.run(run, plan, items, results, onRow);
    }
  }

  #prefixOf({ key }: PlannedRun, { runs }: Plan): string | undefined {
    const { prefix } = this.options;
    return prefix === undefined || runs.length === 1 ? prefix : `${prefix}.${key}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#standIn?.target[Symbol.asyncDispose]();
  }

  async #told(incident: DeathIncident | StandInIncident): Promise<void> {
    await this.incidents.add(incident);
    this.options.onIncident?.(incidentInWords(incident));
  }
}

function deathIncident(
  { model: _, ...death }: Death,
  run: string | null,
  width: DeathIncident['width'],
): DeathIncident {
  return { kind: 'death', run, ...death, width };
}

/** Tells that a run begins; call the result for every row. */
function progressOf({ onProgress }: EvaluateOptions, about: Omit<Progress, 'done' | 'row'>): (row: ResultRow) => void {
  let done = about.resumed;
  onProgress?.({ ...about, done });
  return row => onProgress?.({ ...about, done: ++done, row });
}

/** The same signal for hundreds of listeners: every question in flight has some, and Node takes eleven for a leak. */
function sharedSignal(signal: AbortSignal | undefined): AbortSignal | undefined {
  if (!signal) return undefined;
  const shared = AbortSignal.any([signal]);
  setMaxListeners(0, shared);
  return shared;
}
