import { setMaxListeners } from 'node:events';
import { reportOf } from './report/report.js';
import type { EvaluationReport } from './report/types.js';
import { planEvaluation } from './run/plan.js';
import { runItems } from './run/runner.js';
import type { RunOptions } from './run/runs.js';
import type { Target } from './run/target.js';
import { openEvaluation, readEvaluation } from './storage/evaluation.js';
import { type ResultRow, rowId } from './storage/rows.js';
import type { Questions } from './tasks/load.js';

export interface EvaluateOptions extends RunOptions, Questions {
  /** Only the first so many questions of the file. */
  readonly limit?: number | undefined;
  /** The folder of the results. */
  readonly out: string;
  /** Go on with the results that the folder holds. Default false. */
  readonly resume?: boolean | undefined;
  /** Questions in flight at once. Default: what fills a batch and fits in memory. Only 1 repeats exactly. */
  readonly parallel?: number | undefined;
  /** Stops after the rows that are finished. */
  readonly signal?: AbortSignal | undefined;
  /** Told once what a reader of the figures has to know, before the first question is asked. */
  readonly onPlan?: ((notes: readonly string[]) => void) | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
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
 * them. The report is of the questions asked for here; the folder may hold more.
 *
 * @throws MeditronError what `planEvaluation`, `openEvaluation`, `ask()` and `reportOf` throw; the signal's reason
 */
export async function evaluate(target: Target, options: EvaluateOptions): Promise<EvaluationReport> {
  const { set, out, limit, parallel, resume = false } = options;
  const signal = sharedSignal(options.signal);
  const plan = await planEvaluation(target, { ...options, signal, resumed: resume ? out : undefined });
  const items = set.items.slice(0, limit);

  await using results = await openEvaluation(out, plan.config, { resume });
  options.onPlan?.(plan.config.notes);
  for (const [i, run] of plan.runs.entries()) {
    const todo = items.filter(item => !results.done.has(rowId(run.key, item)));
    const progress = progressOf(options, {
      ...{ run: run.name, place: i + 1, runs: plan.runs.length },
      ...{ resumed: items.length - todo.length, total: items.length },
    });
    if (todo.length === 0) continue;
    signal?.throwIfAborted();
    await using opened = await target.open(run, plan.chosen, set.items, { parallel, signal });
    await runItems(opened.answerer, run, todo, results, { parallel: opened.parallel, signal, onRow: progress });
  }
  await results.close();

  return reportOf(await readEvaluation(out), {}, new Set(items.map(item => item.id)));
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
