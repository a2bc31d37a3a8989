import type { AnswererModel } from '../answerer/answerer.js';
import type { BosRule } from '../engine/jobs/options.js';
import type { PromptFormat } from '../prompt/format/format.js';
import { isPlain } from '../prompt/format/formats.js';
import { specialShape } from '../prompt/hygiene/special.js';
import { buildPrompt, type Prompt } from '../prompt/prompt.js';
import type { ChoiceQuestion, Question } from '../prompt/question/question.js';
import { type Order, ordersOf, reordered } from '../prompt/question/shuffle.js';
import type { Asked } from './asked.js';
import type { ChosenFormat } from './choice.js';
import type { Ask } from './options.js';

/** One prompt, and the samples that share it. */
export interface Variant {
  /** Null: options as given. */
  readonly order: Order | null;
  readonly prompt: Prompt;
  readonly samples: readonly number[];
}

/** The prompt of one order of options. */
export function promptFor(
  format: PromptFormat,
  question: Question,
  ask: Pick<Ask, 'mode' | 'protocol' | 'prompt'>,
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

/** The prompts of all samples: one, or one for each order of the options. */
export function variantsOf(asked: Asked, { format, choice }: ChosenFormat, seeds: readonly number[]): Variant[] {
  const { question, shuffle } = asked;
  const orders =
    shuffle === 'none' || question.kind !== 'choice'
      ? seeds.map(() => null)
      : ordersOf(shuffle, question.options.length, seeds);
  const byOrder = new Map<string, { order: Order | null; samples: number[] }>();
  orders.forEach((order, sample) => {
    const key = order?.join(' ') ?? '';
    const group = byOrder.get(key);
    if (group) group.samples.push(sample);
    else byOrder.set(key, { order, samples: [sample] });
  });
  return [...byOrder.values()].map(({ order, samples }) => ({
    order,
    samples,
    prompt: promptFor(format, question, asked, order, choice),
  }));
}

/** When the token that begins a text is put before a prompt: as asked; `auto` is what the format's template does, else what the model file says. */
export function bosOf(rule: BosRule, { bos }: Pick<Prompt, 'bos'>, { info }: Pick<AnswererModel, 'info'>): BosRule {
  if (rule !== 'auto' || bos === undefined) return rule;
  if (!bos) return 'never';
  return info.specialTokens.bos === undefined ? 'auto' : 'always';
}

/** What the vocabulary lacks of a format, in words. */
export async function vocabularyWarnings(model: AnswererModel, prompt: Prompt): Promise<string[]> {
  const warnings: string[] = [];
  const spelled = prompt.segments.filter(s => s.template).flatMap(s => s.text.match(specialShape) ?? []);
  for (const mark of new Set(spelled.filter(text => !isPlain(prompt.format, text)))) {
    if ((await model.special(mark)) !== undefined) continue;
    warnings.push(
      `The format ${prompt.format} is made of ${mark}, which this model's vocabulary does not have: it reads it as plain text`,
    );
  }
  const ends = await Promise.all(prompt.stops.tokens.map(async end => ({ end, id: await model.special(end) })));
  if (ends.length > 0 && ends.every(({ id }) => id === undefined)) {
    warnings.push(
      `None of the tokens that end an answer in the format ${prompt.format} (${prompt.stops.tokens.join(', ')}) is in this model's vocabulary: it was made for another format`,
    );
  }
  for (const { end, id } of ends) {
    if (id !== undefined && !Array.from(model.info.ends).includes(id)) {
      warnings.push(
        `${end} should end an answer in the format ${prompt.format}, and this model file does not say so: samples may run on`,
      );
    }
  }
  return warnings;
}
