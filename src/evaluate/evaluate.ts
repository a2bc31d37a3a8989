import { setMaxListeners } from 'node:events';
import { basename } from 'node:path';
import { MeditronError } from '../check/errors.js';
import { buildPrompt } from '../prompt/prompt.js';
import { runItems } from './run/runner.js';
import { type Run, type RunOptions, type Runs, runsFor } from './run/runs.js';
import type { Target } from './run/target.js';
import { referenceModel } from './score/reference.js';
import { type ResultRow, rowId } from './storage/rows.js';
import { openStore } from './storage/store.js';
import { type EvaluationConfig, packConfig, type StoredRun } from './storage/stored.js';
import { tasks } from './tasks/load.js';
import { questionOf } from './tasks/question.js';
import type { Item, TaskSet } from './tasks/task.js';

export interface EvaluateOptions extends RunOptions {
  readonly set: TaskSet;
  /** Gives the questions that demonstrations are drawn from; called only if there are to be any. */
  readonly train?: (() => Promise<TaskSet>) | undefined;
  /** Only the first so many questions of the file. */
  readonly limit?: number | undefined;
  /** The folder of the results. */
  readonly out: string;
  /** Go on with the results that the folder holds. Default false. */
  readonly resume?: boolean | undefined;
  /** Questions in flight at once. Default: what fills a batch and fits in memory. */
  readonly parallel?: number | undefined;
  /** Stops after the rows that are finished. */
  readonly signal?: AbortSignal | undefined;
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

export interface Evaluated {
  readonly dir: string;
  /** The items that were asked for: the folder may hold more. */
  readonly items: ReadonlySet<string>;
}

/**
 * Runs an evaluation and appends every row to the results in `out` as soon as it is there. Whatever ends it, the rows on the
 * disk stay, and the same call with `resume` goes on behind them.
 *
 * @throws MeditronError what {@link runsFor}, `openStore` and `ask()` throw; the signal's reason, rows until then are kept
 */
export async function evaluate(target: Target, options: EvaluateOptions): Promise<Evaluated> {
  const { set, out, onProgress } = options;
  const signal = sharedSignal(options.signal);
  const items = options.limit === undefined ? set.items : set.items.slice(0, options.limit);
  const noTrain = async () => {
    throw new MeditronError('ERR_INPUT', 'There are no questions to draw demonstrations from');
  };
  const format = options.format ?? target.defaultFormat;
  const runs = await runsFor(
    target.model,
    set,
    { ...options, format, reask: target.continues?.(format ?? 'raw') },
    options.train ?? noTrain,
  );
  const config = await configFor(target, set, runs, signal);
  await using store = await openStore<ResultRow>(out, packConfig(config), {
    resume: options.resume ?? false,
  });

  const isDone = (run: Run) => (item: Item) => store.done.has(rowId(run.key, item));
  for (const [i, run] of runs.runs.entries()) {
    const todo = items.filter(item => !isDone(run)(item));
    const resumed = items.length - todo.length;
    const about = { run: run.name, place: i + 1, runs: runs.runs.length, resumed, total: items.length };
    let done = resumed;
    onProgress?.({ ...about, done });
    if (todo.length === 0) continue;
    signal?.throwIfAborted();
    await using opened = await target.open(run, runs.chosen, todo, { parallel: options.parallel, signal });
    const onRow = (row: ResultRow) => onProgress?.({ ...about, done: ++done, row });
    const { answerer, parallel } = opened;
    await runItems(answerer, run, todo, store, { parallel, signal, onRow });
  }
  return { dir: out, items: new Set(items.map(item => item.id)) };
}

/** The same signal for hundreds of listeners: every question in flight has some, and Node takes eleven for a leak. */
function sharedSignal(signal: AbortSignal | undefined): AbortSignal | undefined {
  if (!signal) return undefined;
  const shared = AbortSignal.any([signal]);
  setMaxListeners(0, shared);
  return shared;
}

async function configFor(
  target: Target,
  set: TaskSet,
  { runs, chosen, notes }: Runs,
  signal: AbortSignal | undefined,
): Promise<EvaluationConfig> {
  const { format, choice } = chosen;
  const known = choice
    ? `${choice.model}, known by its ${choice.by} (${choice.source})`
    : `asked for (${format.source})`;
  const how = target.layOut?.(format.name) ?? `${format.name}: ${known}`;
  const subject = await target.describe(signal);
  return {
    kind: 'meditron-evaluation',
    version: 1,
    task: set.task,
    title: `${set.task === 'file' ? 'Own questions' : `${tasks[set.task].title} (${set.partition})`}, ${target.name}`,
    partition: set.partition,
    files: set.files.map(({ bytes, sha256 }) => ({ bytes, sha256 })),
    questions: set.items.length,
    subject: [...subject, { name: 'prompt format', value: how }],
    model: paperName([choice?.model, target.name, basename(target.model.info.path)]) ?? target.name,
    runs: runs.map(run => storedRun(run, chosen.format, set.items[0]!)),
    notes: [...set.notes, ...notes],
  };
}

/** The first of a model's names that stands for one the paper measured; conversations were not. */
function paperName(names: readonly (string | undefined)[]): string | undefined {
  return names.find(name => name !== undefined && referenceModel(name) !== undefined && !/chat|instruct/i.test(name));
}

function storedRun(run: Run, format: Runs['chosen']['format'], first: Item): StoredRun {
  const { key, name, mode, ask, demonstrations } = run;
  const { protocol, samples, temperature, topP, topK, frequencyPenalty, seed, maxTokens, stop, weighting, bos } = ask;
  const prompt = buildPrompt(format, { question: questionOf(first), mode, protocol, ...ask.prompt });
  return {
    key,
    name,
    mode,
    protocol,
    samples,
    temperature,
    topP,
    topK,
    frequencyPenalty,
    seed,
    maxTokens: maxTokens ?? null,
    stop,
    weighting,
    format: format.name,
    task: prompt.task!,
    bos,
    stops: prompt.stops.texts,
    shots: demonstrations?.items.length ?? ask.prompt.shots ?? 0,
    demonstrations: demonstrations ? { seed: demonstrations.seed, note: demonstrations.note } : null,
  };
}
