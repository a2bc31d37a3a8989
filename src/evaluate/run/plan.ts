import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { endsInThinking } from '../../ask/read.js';
import { MeditronError } from '../../check/errors.js';
import { buildPrompt } from '../../prompt/prompt.js';
import { referenceModel } from '../score/reference.js';
import { readEvaluation } from '../storage/evaluation.js';
import { resultsName } from '../storage/lines.js';
import type { EvaluationConfig, Layout, StoredRun } from '../storage/types.js';
import { tasks } from '../tasks/load.js';
import { questionOf } from '../tasks/question.js';
import type { Item, TaskSet } from '../tasks/task.js';
import { type OnDeath, untilDone } from './again.js';
import { type RunOptions, type Runs, runsFor } from './runs.js';
import type { PlannedRun, Target } from './target.js';

export interface PlanOptions extends RunOptions {
  readonly set: TaskSet;
  readonly train?: (() => Promise<TaskSet>) | undefined;
  /** Questions in flight at once. Default: what fills a batch and fits in memory. */
  readonly parallel?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** The folder whose results are gone on with, if there are any: they are laid out already. */
  readonly resumed?: string | undefined;
  /** Told of every death of the engine's process. */
  readonly onDeath?: OnDeath | undefined;
}

export interface Plan {
  readonly runs: readonly PlannedRun[];
  readonly chosen: Runs['chosen'];
  /** All of it that decides the rows; becomes the header of the results. */
  readonly config: EvaluationConfig;
}

/**
 * What will be run, and how: checked against the model and the first question before anything is computed. What decides
 * floating point results follows from the whole set and the options, never from the questions that are left; of a run that
 * is gone on with it stands in the header already and is taken from there.
 *
 * @throws MeditronError what {@link runsFor} throws
 */
export async function planEvaluation(target: Target, options: PlanOptions): Promise<Plan> {
  const { set, parallel, signal, resumed, onDeath } = options;
  const format = options.format ?? target.defaultFormat;
  const noTrain = async () => {
    throw new MeditronError('ERR_INPUT', 'There are no questions to draw demonstrations from');
  };
  const asked = { ...options, format, reask: target.continues?.(format ?? 'raw') };
  const runsNow = () => runsFor(target.model, set, asked, options.train ?? noTrain);
  const { runs, chosen, notes } = await untilDone(runsNow, onDeath);
  const before = resumed === undefined ? undefined : await layoutsIn(resumed);
  const planned: PlannedRun[] = [];
  for (const run of runs) {
    const planNow = () => target.plan(run, chosen, set.items, { parallel, signal });
    const layout = before?.get(run.key) ?? (await untilDone(planNow, onDeath));
    // Another number of questions in flight is another layout: opening the results names the difference.
    planned.push({ ...run, layout: layout && parallel !== undefined ? { ...layout, parallel } : layout });
  }
  const config = await configFor(target, set, { runs: planned, chosen, notes }, options);
  return { runs: planned, chosen, config };
}

/** The layouts of the runs in a folder; undefined if it holds no results yet. */
async function layoutsIn(dir: string): Promise<Map<string, Layout | null> | undefined> {
  const size = await stat(join(dir, resultsName)).then(
    info => info.size,
    () => 0,
  );
  if (size === 0) return undefined;
  const { config } = await readEvaluation(dir);
  return new Map(config.runs.map(({ key, layout }) => [key, layout]));
}

async function configFor(
  target: Target,
  set: TaskSet,
  { runs, chosen, notes }: { runs: readonly PlannedRun[]; chosen: Runs['chosen']; notes: readonly string[] },
  { signal, unanswerable }: PlanOptions,
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
    ...(unanswerable !== undefined && { unanswerable }),
  };
}

/** The first of a model's names that stands for one the paper measured; conversations were not. */
function paperName(names: readonly (string | undefined)[]): string | undefined {
  return names.find(name => name !== undefined && referenceModel(name) !== undefined && !/chat|instruct/i.test(name));
}

function storedRun(run: PlannedRun, format: Runs['chosen']['format'], first: Item): StoredRun {
  const { key, name, mode, ask, demonstrations, layout } = run;
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
    ...(ask.prompt.abstainOption && { abstainOption: true }),
    ...(ask.reading === 2 && { reading: ask.reading }),
    ...(endsInThinking(prompt.segments) && { begunThinking: true }),
    stops: prompt.stops.texts,
    shots: demonstrations?.items.length ?? ask.prompt.shots ?? 0,
    demonstrations: demonstrations ? { seed: demonstrations.seed, note: demonstrations.note } : null,
    layout,
  };
}
