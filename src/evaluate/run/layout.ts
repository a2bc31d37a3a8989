import { commonTokens } from '../../answerer/beginning.js';
import type { ChosenFormat } from '../../ask/choice.js';
import { promptFor } from '../../ask/prompts.js';
import { MeditronError } from '../../check/errors.js';
import { availableMemory } from '../../engine/capacity/memory.js';
import type { EngineOptions, Model } from '../../engine/model.js';
import { labelsOf } from '../../prompt/question/question.js';
import type { Layout } from '../storage/types.js';
import { questionOf } from '../tasks/question.js';
import type { Item } from '../tasks/task.js';
import type { Run } from './runs.js';

export interface LayoutOptions {
  /** Default: as many as fill a batch and fit in memory. */
  readonly parallel?: number | undefined;
  readonly engine?: EngineOptions | undefined;
}

/** Below this a shared beginning is not worth a sequence of its own. */
const leastShared = 16;
/** Rows of a batch beyond which a step gains little: on a CPU, and on a GPU. */
const fullBatch = { cpu: 16, gpu: 64 } as const;
/** Prompts that are looked at; of more, evenly spread ones. */
const mostPrompts = 4000;
/** Cells for asking a chain again, and for scoring answers, beyond the samples. */
const spare = 64;

/** What of a layout is decided before an engine is opened; batch and threads are the engine's. */
export type Size = Omit<Layout, 'batchSize' | 'threads'>;

/**
 * Sizes an engine for a run: every question in flight can have all its samples, their second question and the shared
 * beginning at once, so that nobody waits for cells that another holds. A function of the whole set, the options and, where
 * `contextSize` is not given, at most half of the memory that is free now: it is reckoned once, when a run begins.
 */
export async function sizeFor(
  model: Model,
  run: Run,
  chosen: ChosenFormat,
  items: readonly Item[],
  { parallel, engine = {} }: LayoutOptions = {},
): Promise<Size> {
  const prompts = await promptsOf(model, run, chosen, items);
  const longest = Math.max(...prompts.map(tokens => tokens.length));
  const common = prompts.length > 1 ? commonTokens(prompts) : 0;
  const sharedTokens = common >= leastShared ? common : 0;

  const { ask } = run;
  const labels = labelsOf(questionOf(items[0]!)).length;
  const trained = model.info.contextLength ?? 2048;
  const room = Math.max(1, trained - longest);
  const newTokens = ask.mode === 'top-token' ? 1 : Math.min(ask.maxTokens ?? 1024, room);
  const rows = ask.mode === 'top-token' ? labels : ask.samples;
  const sequences = ask.mode === 'top-token' ? labels + 2 : ask.samples + labels + 1;
  const cells = longest - sharedTokens + rows * newTokens + spare + 8 * labels;

  const most = engine.contextSize ?? cellsThatFit(model, engine);
  const wanted = parallel ?? Math.ceil((model.info.gpuLayers > 0 ? fullBatch.gpu : fullBatch.cpu) / rows);
  const fitting = Math.min(Math.floor(255 / sequences), Math.floor((most - sharedTokens) / cells), items.length);
  const width = Math.max(1, parallel === undefined ? Math.min(wanted, fitting) : Math.min(parallel, items.length));
  const contextSize = Math.min(most, sharedTokens + width * cells);
  return {
    parallel: width,
    sharedTokens,
    contextSize: Math.max(contextSize, Math.min(longest + newTokens + spare, most)),
    maxSequences: Math.max(2, Math.min(256, width * sequences + 1)),
  };
}

/** The first so many tokens of the prompt of a set's first question that can be asked. */
export async function beginningOf(
  model: Model,
  run: Run,
  chosen: ChosenFormat,
  items: readonly Item[],
  count: number,
): Promise<Int32Array> {
  if (count === 0) return new Int32Array(0);
  const [first] = await promptsOf(model, run, chosen, items, 1);
  return first!.slice(0, count);
}

/** The tokens of all prompts, or of evenly spread ones. A question that cannot be asked is left to the run to report. */
async function promptsOf(
  model: Model,
  { ask }: Run,
  { format, choice }: ChosenFormat,
  items: readonly Item[],
  most = mostPrompts,
): Promise<Int32Array[]> {
  const step = most === 1 ? 1 : Math.ceil(items.length / most);
  const prompts: Int32Array[] = [];
  let failure: unknown;
  for (let i = 0; i < items.length && prompts.length < most; i += step) {
    try {
      const prompt = promptFor(format, questionOf(items[i]!), ask, null, choice);
      prompts.push(await model.tokenize(prompt.segments, { bos: ask.bos }));
    } catch (error) {
      if (!(error instanceof MeditronError) || error.code !== 'ERR_INPUT') throw error;
      failure = error;
    }
  }
  if (prompts.length === 0) throw failure;
  return prompts;
}

/** Half of the memory that is left now, in cells: of the GPUs' if the model is there. */
function cellsThatFit({ info }: Model, { kvType = 'f16' }: EngineOptions): number {
  const gpus = info.gpuLayers > 0 ? info.devices.filter(device => device.type !== 'cpu') : [];
  const memory = gpus.length > 0 ? gpus.reduce((sum, gpu) => sum + gpu.memoryFree, 0) : availableMemory();
  const bytes = info.kvBytesPerToken?.[kvType] ?? 2 ** 20; // unknown: as much as the 7B takes in f32
  return Math.max(256, Math.min(1 << 20, Math.floor(memory / 2 / bytes)));
}
