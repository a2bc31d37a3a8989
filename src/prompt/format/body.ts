import type { Protocol, Segment } from '../../types.js';
import { type ChatQuestion, type ChoiceQuestion, letter, type Question } from '../question/question.js';
import { fixed, join, prompt } from '../segment.js';

export type Asked = Exclude<Question, ChatQuestion>;

/**
 * A question without instruction and cue, and without a newline at its end. Choices follow `format_mcq`, yes/no/maybe and
 * open questions `ClosedPubMedQA` (contexts, then the question, all unlabelled) of epfLLM/meditron
 * evaluation/benchmarks.py. A choice with a context, which the authors do not have, puts it above with an empty line between.
 */
export function bodyOf(question: Asked, protocol: Protocol): Segment[] {
  const context = join((question.context ?? []).map(outside), '\n');
  if (question.kind !== 'choice')
    return context.length > 0 ? prompt`${context}\n${question.question}` : outside(question.question);
  const choices = choicesOf(question, protocol);
  return context.length > 0 ? prompt`${context}\n\n${choices}` : choices;
}

/** The choice as the paper prints it (arXiv 2311.16079, section 4.2): `(A) text`, no empty line before `Options:`. */
export function paperChoice(question: ChoiceQuestion): Segment[] {
  const context = join((question.context ?? []).map(outside), '\n');
  const options = join(
    question.options.map((option, i) => prompt`${fixed(`(${letter(i)}) `)}${option}`),
    '\n',
  );
  return prompt`${context}${fixed(context.length > 0 ? '\n\n' : '')}Question: ${question.question}\nOptions:\n${options}`;
}

function choicesOf(question: ChoiceQuestion, protocol: Protocol): Segment[] {
  const options = join(
    question.options.map((option, i) => prompt`${fixed(`${letter(i)}. `)}${option}`),
    '\n',
  );
  return prompt`Question: ${stemOf(question.question, protocol)}\n\nOptions:\n${options}`;
}

/** The authors' code puts a question mark after every stem that ends in neither `?` nor `.`, a colon included. */
function stemOf(stem: string, protocol: Protocol): string {
  return protocol === 'strict' || /[?.]$/.test(stem) ? stem : `${stem}?`;
}

function outside(text: string): Segment[] {
  return [{ text, template: false }];
}
