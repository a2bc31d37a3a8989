import { MeditronError } from '../../check/errors.js';
import type { Segment } from '../../types.js';
import type { Question } from '../question/question.js';
import { fixed, join, prompt } from '../segment.js';
import { type Asked, bodyOf } from './body.js';
import type { Demonstration } from './demonstration.js';
import { type Mode, type PromptInput, thinks } from './format.js';
import { examplesFor } from './shown.js';
import { answerPhrase, wordingOf } from './wording.js';

/** One turn of a conversation. */
export interface Turn {
  readonly role: 'user' | 'assistant';
  readonly content: readonly Segment[];
}

/** The question of an input that is not a conversation. */
export function askedOf(question: Question): Asked {
  if (question.kind !== 'chat') return question;
  throw new MeditronError('ERR_PROMPT_FORMAT', 'This prompt format has no conversation; use one-shot for base models');
}

/** The zero-shot prompt of the authors: instruction, question and cue, each with a newline after it. */
export function trainedTurn(input: PromptInput): Segment[] {
  const { instruction, cue } = wordingOf(input);
  const body = bodyOf(askedOf(input.question), input.protocol);
  return instruction ? prompt`${instruction}\n${body}\n${cue}\n` : prompt`${body}\n${cue}\n`;
}

/**
 * The question for models that were tuned on conversations and not on the authors' data: the answer phrase is put into the
 * model's mouth (see {@link prefill}) instead of into the question, and a chain of thought is told how to end.
 */
export function chatTurn(input: PromptInput): Segment[] {
  const { instruction, cue } = wordingOf(input);
  const body = bodyOf(askedOf(input.question), input.protocol);
  const parts = instruction ? [instruction, body] : [body];
  if (!thinks(input.mode)) return join(parts, '\n');
  const ending = input.protocol === 'strict' ? endingOf(input.question) : '';
  return join(ending ? [...parts, cue, fixed(ending)] : [...parts, cue], '\n');
}

/** The turns of an input: a conversation as given, or one turn that asks the question, behind those of worked examples. */
export function turnsOf(input: PromptInput, turn: (input: PromptInput) => Segment[]): readonly Turn[] {
  if (input.question.kind !== 'chat') return [...exampleTurns(input, turn), { role: 'user', content: turn(input) }];
  return input.question.messages
    .filter(message => message.role !== 'system')
    .map(({ role, content }) => ({
      role: role === 'user' ? 'user' : 'assistant',
      content: [{ text: content, template: false }],
    }));
}

/** Worked examples as if they had been asked before, each answered as the question is to be. */
function exampleTurns(input: PromptInput, turn: (input: PromptInput) => Segment[]): Turn[] {
  const examples = examplesFor(input, 0);
  if (examples.length > 0 && input.protocol !== 'strict') {
    throw new MeditronError(
      'ERR_PROMPT_FORMAT',
      `Worked examples as turns of a conversation are this project's own; under ${input.protocol} use few-shot, or strict`,
    );
  }
  return examples.flatMap(example => [
    { role: 'user', content: turn({ ...input, question: example.question }) },
    { role: 'assistant', content: answered(input.mode, example) },
  ]);
}

function answered(mode: Mode, { question, answer, explanation }: Demonstration): Segment[] {
  if (thinks(mode)) return prompt`${explanation!}\nThe answer is: ${answer}`;
  return mode === 'ranked' || question.kind === 'open' ? prompt`${answer}` : prompt`The answer is: ${answer}`;
}

/**
 * The blank between a role and what it says, where the text does not bring its own: these formats end a prompt before it, and
 * a model that answers says it first.
 */
export function blankBefore([first]: readonly Segment[]): readonly Segment[] {
  return fixed(first !== undefined && /^\s/.test(first.text) ? '' : ' ');
}

/** The text of the system turn: the conversation's own, or the caller's. Undefined if there is none. */
export function systemOf(input: PromptInput): string | undefined {
  const first = input.question.kind === 'chat' ? input.question.messages[0] : undefined;
  return first?.role === 'system' ? first.content : input.system;
}

/** What a chat model's answer starts with: the answer phrase where one token is compared, else nothing. */
export function prefill(input: PromptInput): string {
  return input.mode === 'top-token' ? answerPhrase : '';
}

/** What a chain of thought is told of how to end, so that its answer can be read. */
export function endingOf(question: Question): string {
  if (question.kind === 'choice') return 'End with one line "The answer is: " followed by the letter of your choice.';
  return question.kind === 'boolean' ? 'End with one line "The answer is: " followed by yes, no or maybe.' : '';
}
