import { commonTokens } from '../answerer/beginning.js';
import type { AskModel } from '../answerer/measure.js';
import type { Question } from '../prompt/question/question.js';
import { checkAsked } from './asked.js';
import type { AskOptions } from './options.js';
import { outlineOf } from './plan.js';

/**
 * The tokens that prompts begin with whatever is asked: instruction, system text, worked examples. Nothing that the question says is among
 * them: they are what its prompts have in common with those of two questions of its kind that differ from each other in every text.
 *
 * @throws MeditronError as ask() does for the question, the options and the format
 */
export async function questionFree(model: AskModel, question: Question, options: AskOptions): Promise<Int32Array> {
  const prompts: Int32Array[] = [];
  for (const each of [question, saying(question, '0'), saying(question, 'Z')]) {
    const asked = checkAsked(each, options);
    const { request } = await outlineOf(model, asked);
    for (const { segments } of request.prompts)
      prompts.push(await model.tokenize(segments, { bos: request.bos, signal: asked.signal }));
  }
  return prompts[0]!.slice(0, Math.max(0, commonTokens(prompts)));
}

/** A question of the same kind and size in which every text is another. */
function saying(question: Question, text: string): Question {
  switch (question.kind) {
    case 'chat':
      return { kind: 'chat', messages: question.messages.map(({ role }) => ({ role, content: text })) };
    case 'choice':
      return {
        ...texts(question, text),
        kind: 'choice',
        options: question.options.map((_, i) => `${text}${i}`),
      };
    case 'boolean':
      return { kind: 'boolean', question: text, context: question.context.map(() => text) };
    case 'open':
      return { ...texts(question, text), kind: 'open' };
  }
}

function texts({ context }: { readonly context?: readonly string[] }, text: string) {
  return { question: text, ...(context && { context: context.map(() => text) }) };
}
