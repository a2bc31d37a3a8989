import { cachedTokens } from '../answerer/beginning.js';
import { roomyNeed } from '../answerer/layout.js';
import { type AskModel, measure } from '../answerer/measure.js';
import { object } from '../check/options.js';
import { lowCells } from '../engine/capacity/low.js';
import { availableMemory } from '../engine/capacity/memory.js';
import { together } from '../engine/capacity/need.js';
import type { EngineOptions } from '../engine/model.js';
import type { Question } from '../prompt/question/question.js';
import { checkAsked } from './asked.js';
import type { AskOptions } from './options.js';
import { outlineOf } from './plan.js';

/**
 * The engine options that a question needs: a context with room for its prompts and all samples that run at once, and enough
 * sequences. Give them to `Model.createEngine`, with options of your own beside them.
 *
 * @throws MeditronError as ask() does for the question, the options and the format; `ERR_CONTEXT_FULL` if the model's trained
 *   context is too short
 */
export async function roomFor(
  model: AskModel,
  question: Question,
  options: AskOptions = {},
): Promise<Required<Pick<EngineOptions, 'contextSize' | 'maxSequences'>>> {
  object('model.info', object('model', model).info);
  return roomBehind(new Int32Array(), model, question, options);
}

/** The same for an engine that also holds a beginning of the prompts, which takes its room there. */
export async function roomBehind(
  beginning: Int32Array,
  model: AskModel,
  question: Question,
  options: AskOptions,
): ReturnType<typeof roomFor> {
  const asked = checkAsked(question, options);
  const { request } = await outlineOf(model, asked);
  const measured = await measure(model, request, {
    cached: prompt => cachedTokens(prompt, beginning),
    signal: asked.signal,
  });
  const most = model.info.lowMemory ? lowCells(model.info, availableMemory()) : Infinity;
  const need = roomyNeed(measured, model.info.contextLength ?? 2048, most - beginning.length);
  const { cells, sequences } = beginning.length > 0 ? together(need, { sequences: 1, cells: beginning.length }) : need;
  return { contextSize: cells, maxSequences: sequences };
}
