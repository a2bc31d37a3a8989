import { MeditronError } from '../check/errors.js';
import { scopeWarning } from '../models/known.js';
import type { PromptFormat } from '../prompt/format/format.js';
import { buildPrompt, type Prompt } from '../prompt/prompt.js';
import type { ChoiceQuestion, Question } from '../prompt/question/question.js';
import { type Order, ordersOf, reordered } from '../prompt/question/shuffle.js';
import { sampleSeeds } from '../random/seeds.js';
import { planWaves } from '../vote/count/stopping.js';
import { type ChosenFormat, chooseFormat, tokenId } from './choice.js';
import type { Ask } from './options.js';
import type { AskEngine, AskModel } from './surface.js';

/** One prompt, and the samples that share it. */
export interface Variant {
  /** Null: options as given. */
  readonly order: Order | null;
  readonly prompt: Prompt;
  readonly tokens: Int32Array;
  readonly samples: readonly number[];
}

/** How the samples are run. */
export interface Plan {
  readonly samples: number;
  /** Samples at once, wave after wave. */
  readonly waves: readonly number[];
  /** Most new tokens of a sample. */
  readonly maxTokens: number;
  /** Of the longest prompt. */
  readonly promptTokens: number;
}

export interface Prepared {
  readonly ask: Ask;
  readonly question: Question;
  readonly chosen: ChosenFormat;
  readonly variants: readonly Variant[];
  readonly seeds: readonly number[];
  /** How many tokens all prompts begin with, and are evaluated once where that pays; 0 where it does not. */
  readonly shared: number;
  readonly plan: Plan;
  /** Whether chains without an answer can be asked again. */
  readonly reask: boolean;
  /** Whether the model was not made for such a question. */
  readonly outside: boolean;
  readonly warnings: readonly string[];
}

/** The authors' limit for a chain of thought (epfLLM/meditron evaluation/inference.py). */
export const defaultMaxTokens = 1024;
/** Below this a chain of thought is not worth starting. */
const leastTokens = 16;

/** Everything that can be known before the model runs. Throws as buildPrompt does, and `ERR_CONTEXT_FULL` with the numbers. */
export async function prepare(engine: AskEngine, question: Question, ask: Ask): Promise<Prepared> {
  const { model } = engine;
  const chosen = await chooseFormat(model, ask.format, ask.signal);
  const seeds = sampleSeeds(ask.seed, ask.samples, ask.item);
  const variants = await variantsOf(model, question, ask, chosen, seeds);
  const { prompt } = variants[0]!;
  const outside = scopeWarning([model.info.name, model.info.path], JSON.stringify(question));
  const warnings = [
    ...(outside === undefined ? [] : [outside]),
    ...ask.warnings,
    ...engine.settings.warnings,
    ...(await vocabularyWarnings(model, prompt)),
  ];
  const reask = ask.reask && prompt.reask !== undefined;
  const spare = reask ? await reaskTokens(model, prompt) : 0;
  const promptTokens = Math.max(...variants.map(v => v.tokens.length));
  const maxTokens = ask.mode === 'top-token' ? 1 : tokensThatFit(engine, ask, promptTokens, spare, warnings);
  const { shared, waves } = wavesOf(engine, ask, variants, maxTokens, spare, warnings);
  return {
    ask,
    question,
    chosen,
    variants,
    seeds,
    shared,
    plan: { samples: ask.samples, waves, maxTokens, promptTokens },
    reask,
    outside: outside !== undefined,
    warnings,
  };
}

/** The prompt of one order of options. */
export function promptFor(
  format: PromptFormat,
  question: Question,
  ask: Ask,
  order: Order | null,
  choice?: ChosenFormat['choice'],
): Prompt {
  const shown = order === null ? question : reordered(question as ChoiceQuestion, order);
  // A fine-tune's own task is used where it asks this kind of question; else the question's kind decides.
  const trained = choice?.task;
  const fits =
    trained !== undefined &&
    (trained === 'pubmedqa') === (question.kind === 'boolean') &&
    (question.kind === 'boolean' || question.kind === 'choice');
  return buildPrompt(format, {
    question: shown,
    mode: ask.mode,
    protocol: ask.protocol,
    ...(fits && ask.prompt.task === undefined && { task: trained }),
    ...(format.name === 'few-shot' && choice && ask.prompt.shots === undefined && { shots: choice.shots }),
    ...ask.prompt,
  });
}

export async function variantsOf(
  model: AskModel,
  question: Question,
  ask: Ask,
  { format, choice }: ChosenFormat,
  seeds: readonly number[],
): Promise<Variant[]> {
  const orders =
    ask.shuffle === 'none' || question.kind !== 'choice'
      ? seeds.map(() => null)
      : ordersOf(ask.shuffle, question.options.length, seeds);
  const byOrder = new Map<string, { order: Order | null; samples: number[] }>();
  orders.forEach((order, sample) => {
    const key = order?.join(' ') ?? '';
    const group = byOrder.get(key);
    if (group) group.samples.push(sample);
    else byOrder.set(key, { order, samples: [sample] });
  });
  const variants: Variant[] = [];
  for (const { order, samples } of byOrder.values()) {
    const prompt = promptFor(format, question, ask, order, choice);
    variants.push({ order, samples, prompt, tokens: await model.tokenize(prompt.segments, { bos: ask.bos }) });
  }
  return variants;
}

/** What the vocabulary lacks of a format, in words. */
export async function vocabularyWarnings(model: AskModel, prompt: Prompt): Promise<string[]> {
  const warnings: string[] = [];
  const marks = prompt.segments.filter(s => s.template).flatMap(s => s.text.match(/<\|[a-z_]+\|>/g) ?? []);
  for (const mark of new Set(marks)) {
    if ((await tokenId(model, mark)) !== undefined) continue;
    warnings.push(
      `The format ${prompt.format} is made of ${mark}, which this model's vocabulary does not have: it reads it as plain text`,
    );
  }
  for (const end of prompt.stops.tokens) {
    const id = await tokenId(model, end);
    if (id !== undefined && !model.info.ends.includes(id)) {
      warnings.push(
        `${end} should end an answer in the format ${prompt.format}, and this model file does not say so: samples may run on`,
      );
    }
  }
  return warnings;
}

/** New tokens that asking again needs behind the chain. */
async function reaskTokens(model: AskModel, { reask }: Prompt): Promise<number> {
  const suffix = await model.tokenize(reask!.suffix, { bos: 'never', inside: true });
  const lengths = await Promise.all(
    reask!.continuations.map(async text => (await model.continuation(suffix, text)).length),
  );
  return suffix.length + Math.max(...lengths);
}

function tokensThatFit(engine: AskEngine, ask: Ask, promptTokens: number, spare: number, warnings: string[]): number {
  const { sequenceSize, contextSize } = engine.settings;
  const room = Math.min(sequenceSize, contextSize) - promptTokens - spare;
  const wanted = ask.maxTokens ?? defaultMaxTokens;
  if (room >= wanted) return wanted;
  if (ask.maxTokens !== undefined || room < leastTokens) {
    throw new MeditronError(
      'ERR_CONTEXT_FULL',
      `The prompt has ${promptTokens} tokens${spare > 0 ? `, asking again takes ${spare}` : ''}, and ${ask.maxTokens ?? `at least ${leastTokens}`} new ones are needed; ` +
        `${Math.min(sequenceSize, contextSize)} fit in a sequence. Shorten the question or lower \`maxTokens\`; nothing is cut silently.`,
    );
  }
  warnings.push(
    `Samples may have ${room} new tokens instead of ${wanted}: the prompt takes ${promptTokens} of ${Math.min(sequenceSize, contextSize)}`,
  );
  return room;
}

function wavesOf(
  engine: AskEngine,
  ask: Ask,
  variants: readonly Variant[],
  maxTokens: number,
  spare: number,
  warnings: string[],
): { shared: number; waves: number[] } {
  if (ask.mode === 'top-token') return { shared: 0, waves: [1] };
  const { maxSequences, contextSize } = engine.settings;
  const common = commonTokens(variants.map(v => v.tokens));
  const wanted = widthOf(engine.model.info, ask);
  const sharing = (width: number) => (width < ask.samples || variants.length > 1) && common > 0 && maxSequences > 1;
  const fits = (width: number) => {
    const shared = sharing(width) ? common : 0;
    const prompts = Math.max(...windows(ask.samples, width).map(samples => promptCells(variants, samples, shared)));
    return width + (shared > 0 ? 1 : 0) <= maxSequences && shared + prompts + width * maxTokens + spare <= contextSize;
  };
  let width = wanted;
  while (width > 1 && !fits(width)) width--;
  if (width < wanted) {
    warnings.push(
      `${width} of ${ask.samples} samples run at once: the engine has ${maxSequences} sequences and ${contextSize} cells. ` +
        'Open it with a larger `maxSequences` or `contextSize` for more',
    );
  }
  // One sample at a time and still short of cells: the prompt is evaluated for each anew rather than kept beside it.
  const shared = sharing(width) && fits(width) ? common : 0;
  return { shared, waves: planWaves(ask.samples, width) };
}

/**
 * Four on a CPU: a fifth at once costs there as much as the four before it, and is often not needed. The same whatever the
 * stopping rule, because the number of samples at once changes floating point results, and a rule must not change samples.
 */
export function widthOf(info: Pick<AskModel['info'], 'gpuLayers' | 'loadMode'>, ask: Ask): number {
  const width = ask.width ?? (info.gpuLayers === 0 && info.loadMode === 'read' ? 4 : ask.samples);
  return Math.min(ask.samples, width);
}

function windows(samples: number, width: number): number[][] {
  let at = 0;
  return planWaves(samples, width).map(count => Array.from({ length: count }, () => at++));
}

function promptCells(variants: readonly Variant[], samples: readonly number[], shared: number): number {
  return variants
    .filter(variant => variant.samples.some(sample => samples.includes(sample)))
    .reduce((sum, { tokens }) => sum + tokens.length - shared, 0);
}

/** How many tokens all lists begin with, leaving each at least one of its own. */
function commonTokens(lists: readonly Int32Array[]): number {
  const [first, ...others] = lists as [Int32Array, ...Int32Array[]];
  const most = Math.min(...lists.map(list => list.length)) - 1;
  let count = 0;
  while (count < most && others.every(list => list[count] === first[count])) count++;
  return count;
}
