import type { Answerer, AnswererModel, Fit, Request } from '../answerer/answerer.js';
import { type Scope, scopeOf } from '../clinical/scope.js';
import { beyondTraining } from '../models/trained.js';
import type { Prompt } from '../prompt/prompt.js';
import { offered } from '../prompt/question/abstain.js';
import type { ChoiceQuestion, Question } from '../prompt/question/question.js';
import { type Order, rotation } from '../prompt/question/shuffle.js';
import { sampleSeeds } from '../random/seeds.js';
import type { Asked } from './asked.js';
import { type ChosenFormat, chooseFormat } from './choice.js';
import { classesOf } from './classes.js';
import { bosOf, promptFor, type Variant, variantsOf, vocabularyWarnings } from './prompts.js';
import type { Plan } from './types.js';

/** Everything that is known before the model runs. */
export interface Planned {
  readonly asked: Asked;
  readonly chosen: ChosenFormat;
  readonly seeds: readonly number[];
  readonly variants: readonly Variant[];
  /** Prompts beside those of the samples, which `debias` compares answers after. */
  readonly probes: readonly Probe[];
  readonly fit: Fit;
  readonly plan: Plan;
  /** Whether chains without an answer are asked again. */
  readonly reask: boolean;
  /** What has to be said of the model that ships; undefined for every other model. */
  readonly scope: Scope | undefined;
  readonly warnings: readonly string[];
}

export interface Probe {
  /** The order of the options; null: as given. */
  readonly order: Order | null;
  readonly prompt: Prompt;
}

/** The authors' limit for a chain of thought (epfLLM/meditron evaluation/inference.py). */
const defaultMaxTokens = 1024;
/** Below this a chain of thought is not worth starting. */
const leastTokens = 16;

/** Plans an asking. Throws as buildPrompt does, and `ERR_CONTEXT_FULL` with the numbers. */
export async function planAsking(answerer: Answerer, asked: Asked): Promise<Planned> {
  const { model } = answerer;
  const outline = await outlineOf(model, asked);
  const { prompt } = outline.variants[0]!;
  const scope = scopeFor(model, asked);
  const { warning: equal } = classesOf(asked);
  const fit = await answerer.fit(outline.request, asked.signal);
  const { waves, promptTokens } = fit;
  const maxTokens = asked.mode === 'top-token' ? 1 : fit.maxTokens;
  return {
    ...outline,
    asked,
    fit,
    reask: outline.request.reask,
    plan: { samples: asked.samples, waves, maxTokens, promptTokens },
    scope,
    warnings: [
      ...(scope === undefined ? [] : [scope.warning]),
      ...(equal === undefined ? [] : [equal]),
      ...(outline.chosen.choice?.warnings ?? []),
      ...asked.warnings,
      ...(asked.prompt.shots !== undefined && !outline.chosen.format.accepts.demonstrations
        ? [`\`shots\` has no meaning in the format ${outline.chosen.format.name}, which shows no examples`]
        : []),
      ...fit.warnings,
      ...beyondTraining(outline.chosen.facts, 'The question', promptTokens, maxTokens),
      ...(await vocabularyWarnings(model, prompt)),
    ],
  };
}

/** What a model is asked with decides: the option to abstain is one of the question's. */
export function scopeFor(
  { info }: AnswererModel,
  { question, prompt }: Pick<Asked, 'question' | 'prompt'>,
): Scope | undefined {
  return scopeOf([info.name, info.path], offered(question, prompt.abstainOption));
}

/** What will be asked for, of whichever answerer has this model. */
export async function outlineOf(model: AnswererModel, asked: Asked) {
  const chosen = await chooseFormat(model, asked.format, asked.signal);
  const seeds = sampleSeeds(asked.seed, asked.samples, asked.item);
  const variants = variantsOf(asked, chosen, seeds);
  const probes = probesOf(asked, chosen);
  return { chosen, seeds, variants, probes, request: requestOf(model, asked, variants, probes, seeds) };
}

function requestOf(
  model: AnswererModel,
  asked: Asked,
  variants: readonly Variant[],
  probes: readonly Probe[],
  seeds: readonly number[],
): Request {
  const { mode, protocol, bos, temperature, topP, topK, frequencyPenalty, maxTokens, reask, width } = asked;
  const direct = mode === 'top-token';
  const [{ prompt }] = variants as [Variant];
  const generated = direct && protocol === 'strict' ? [] : seeds;
  const most = direct ? directTokens(asked, prompt) : (maxTokens ?? defaultMaxTokens);
  return {
    prompts: [...variants, ...probes].map(({ prompt: { segments, continuations, reask: again, grammar, stops } }) => ({
      segments,
      continuations,
      reask: again,
      grammar,
      stops: stops.texts,
    })),
    bos: bosOf(bos, prompt, model),
    samples: generated.map((seed, index) => ({
      prompt: variants.findIndex(({ samples }) => samples.includes(index)),
      seed,
    })),
    sampling: { temperature, topP, topK, frequencyPenalty },
    maxTokens: most,
    leastTokens: maxTokens === undefined && !direct ? leastTokens : most,
    width,
    // The authors ran vLLM on tokenizers whose one end token is </s>.
    ends: protocol === 'authors-code' ? 'eos' : 'all',
    reask: reask && prompt.reask !== undefined,
  };
}

/** The authors allow as many tokens as the gold answer has, one, and 8 more with demonstrations. */
function directTokens({ prompt: { shots } }: Asked, { format, protocol }: Prompt): number {
  return protocol === 'authors-code' && format === 'few-shot' && shots !== 0 ? 9 : 1;
}

function probesOf(asked: Asked, { format, choice }: ChosenFormat): Probe[] {
  const { debias, question } = asked;
  const probe = (shown: Question, order: Order | null) => ({
    order,
    prompt: promptFor(format, shown, asked, order, choice),
  });
  if (debias === 'contextual') return [probe(contentFree(question), null)];
  if (debias !== 'permutations' || question.kind !== 'choice') return [];
  const count = question.options.length;
  return Array.from({ length: count - 1 }, (_, i) => probe(question, rotation(count, i + 1)));
}

/** The question with nothing to decide in it (Zhao et al. 2021, arXiv 2102.09690: the input "N/A"). */
function contentFree(question: Question): Question {
  const nothing = 'N/A';
  if (question.kind === 'choice') {
    return { kind: 'choice', question: nothing, options: question.options.map(() => nothing) } satisfies ChoiceQuestion;
  }
  return { kind: 'boolean', question: nothing, context: [nothing] };
}
