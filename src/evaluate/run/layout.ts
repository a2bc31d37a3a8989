import { commonTokens } from '../../answerer/beginning.js';
import { roomyNeed } from '../../answerer/layout.js';
import { measure } from '../../answerer/measure.js';
import { checkAsked } from '../../ask/asked.js';
import type { ChosenFormat } from '../../ask/choice.js';
import { outlineOf } from '../../ask/plan.js';
import { bosOf, promptFor } from '../../ask/prompts.js';
import { MeditronError } from '../../check/errors.js';
import { questionsNeed, questionsThatFit } from '../../engine/capacity/ask.js';
import { cellsInMemory } from '../../engine/capacity/context.js';
import { lowCells, lowKvType } from '../../engine/capacity/low.js';
import { availableBeside, availableMemory } from '../../engine/capacity/memory.js';
import type { Need } from '../../engine/capacity/need.js';
import type { EngineOptions, Model } from '../../engine/model.js';
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

/** What of a layout is decided before an engine is opened; batch, threads and kernels are the engine's. */
export type Size = Omit<Layout, 'batchSize' | 'threads' | 'kernels'>;

/**
 * Sizes an engine for a run: every question in flight can have all that it may need at once, so that nobody waits for cells
 * that another holds. A function of the whole set, the options and, where `contextSize` is not given, at most half of the
 * memory that is free now: it is reckoned once, when a run begins.
 */
export async function sizeFor(
  model: Model,
  run: Run,
  chosen: ChosenFormat,
  items: readonly Item[],
  { parallel, engine = {} }: LayoutOptions = {},
): Promise<Size> {
  const prompts = await promptsOf(model, run, chosen, items);
  const common = prompts.length > 1 ? commonTokens(prompts.map(({ tokens }) => tokens)) : 0;
  const sharedTokens = common >= leastShared ? common : 0;
  const shared = { sequences: sharedTokens > 0 ? 1 : 0, cells: sharedTokens };
  const most = engine.contextSize ?? (await cellsThatFit(model, engine));
  const { each, atOnce } = await largestNeed(model, run, prompts, sharedTokens, most);

  const wanted = Math.ceil((model.info.gpuLayers > 0 ? fullBatch.gpu : fullBatch.cpu) / atOnce);
  const width = Math.min(parallel ?? Math.min(wanted, questionsThatFit(each, shared, most)), items.length);
  const { sequences, cells } = questionsNeed(each, shared, width);
  return { parallel: width, sharedTokens, contextSize: Math.min(most, cells), maxSequences: sequences };
}

/** What the question with the longest prompt that fits at all takes beside the shared beginning, and its samples at once. */
async function largestNeed(
  model: Model,
  run: Run,
  prompts: readonly MeasuredPrompt[],
  sharedTokens: number,
  contextSize: number,
): Promise<{ each: Need; atOnce: number }> {
  const sequenceSize = Math.min(model.info.contextLength ?? 2048, contextSize);
  let failure: unknown;
  for (const { item } of [...prompts].sort((a, b) => b.tokens.length - a.tokens.length)) {
    const asked = checkAsked(questionOf(item), { ...run.options, item: item.id });
    const { request } = await outlineOf(model, asked);
    const measured = await measure(model, request, { cached: prompt => Math.min(sharedTokens, prompt.length - 1) });
    try {
      return {
        each: roomyNeed(measured, sequenceSize, model.info.lowMemory ? contextSize : Infinity),
        atOnce: measured.direct?.length ?? measured.width,
      };
    } catch (error) {
      if (!(error instanceof MeditronError) || error.code !== 'ERR_CONTEXT_FULL') throw error;
      failure = error; // the run will say so of this question
    }
  }
  throw failure;
}

/** The first so many tokens of the prompt of a set's first question. */
export async function beginningOf(
  model: Model,
  run: Run,
  chosen: ChosenFormat,
  items: readonly Item[],
  count: number,
): Promise<Int32Array> {
  if (count === 0) return new Int32Array(0);
  const [first] = await promptsOf(model, run, chosen, items.slice(0, 1));
  return first!.tokens.slice(0, count);
}

interface MeasuredPrompt {
  readonly item: Item;
  readonly tokens: Int32Array;
}

/** The tokens of all prompts, or of evenly spread ones. */
async function promptsOf(
  model: Model,
  { ask }: Run,
  { format, choice }: ChosenFormat,
  items: readonly Item[],
): Promise<MeasuredPrompt[]> {
  const step = Math.ceil(items.length / mostPrompts);
  const prompts: MeasuredPrompt[] = [];
  for (let i = 0; i < items.length; i += step) {
    const item = items[i]!;
    const prompt = promptFor(format, questionOf(item), ask, null, choice);
    prompts.push({ item, tokens: await model.tokenize(prompt.segments, { bos: bosOf(ask.bos, prompt, model) }) });
  }
  return prompts;
}

/** Half of the memory that is free now, in cells, wherever the model's layers are. */
async function cellsThatFit(model: Model, given: EngineOptions): Promise<number> {
  const { lowMemory } = model.info;
  const kvType = given.kvType ?? (lowMemory ? lowKvType(model.info, given.flashAttention) : 'f16');
  if (lowMemory) return lowCells(model.info, availableMemory(), kvType);
  const devices = model.info.gpuLayers > 0 ? await model.devices() : [];
  const cells = cellsInMemory(model.info, kvType, availableBeside(model.info), devices);
  return Math.max(256, Math.min(1 << 20, cells));
}
