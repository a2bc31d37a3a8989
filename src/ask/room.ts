import type { EngineOptions } from '../engine/model.js';
import { parseQuestion, type Question } from '../prompt/question/question.js';
import { sampleSeeds } from '../random/seeds.js';
import { chooseFormat } from './choice.js';
import { type AskOptions, checkAsk } from './options.js';
import { defaultMaxTokens, variantsOf, widthOf } from './prepare.js';
import type { AskModel } from './surface.js';

/** Tokens that asking a chain again takes, with a margin. */
const spare = 64;

/**
 * The engine options that a question needs: a context with room for its prompts and all samples that run at once, and enough
 * sequences. Give them to `Model.createEngine`, with options of your own beside them.
 *
 * @throws MeditronError as ask() does for the question, the options and the format
 */
export async function roomFor(
  model: AskModel,
  question: Question,
  options: AskOptions = {},
): Promise<Required<Pick<EngineOptions, 'contextSize' | 'maxSequences'>>> {
  const asked = parseQuestion(question);
  const ask = checkAsk(asked, options);
  const chosen = await chooseFormat(model, ask.format, ask.signal);
  const variants = await variantsOf(model, asked, ask, chosen, sampleSeeds(ask.seed, ask.samples, ask.item));
  const labels = variants[0]!.prompt.labels.length;
  const longest = Math.max(...variants.map(({ tokens }) => tokens.length));
  const trained = model.info.contextLength ?? 2048;
  if (ask.mode === 'top-token')
    return { contextSize: Math.max(2 * longest, longest + 32 * labels), maxSequences: labels + 2 };
  const width = widthOf(model.info, ask);
  const maxTokens = ask.maxTokens ?? Math.max(1, Math.min(defaultMaxTokens, trained - longest));
  const prompts = variants.reduce((sum, { tokens }) => sum + tokens.length, 0);
  return { contextSize: prompts + width * maxTokens + spare, maxSequences: width + labels + 2 };
}
