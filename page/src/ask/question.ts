import type { Question } from '../../../src/server/meditron/protocol.js';
import type { Messages } from '../words/en.js';
import { writing } from '../words/words.js';

/** How a question is to be answered, as the person chooses it. */
export type Kind = 'choice' | 'boolean' | 'ranked' | 'free';

/** The letter of the i-th option. */
export const letter = (i: number) => String.fromCharCode(65 + i);

export function textOf(question: Question): string {
  return question.kind === 'chat' ? (question.messages.at(-1)?.content ?? '') : question.question;
}

export function contextOf(question: Question): readonly string[] {
  return question.kind === 'chat' ? [] : (question.context ?? []);
}

/** What may be answered, with the letter or word that stands for it. */
export function choicesOf(
  question: Question,
  words: Messages,
): readonly { readonly label: string; readonly text: string }[] {
  if (question.kind === 'choice') return question.options.map((text, i) => ({ label: letter(i), text }));
  if (question.kind === 'boolean')
    return (['yes', 'no', 'maybe'] as const).map(label => ({ label, text: words.answer.booleans[label] }));
  return [];
}

/** An answer in full: `B. Apixaban`; yes, no and maybe in the page's language. */
export function inFull(answer: string, question: Question, words: Messages): string {
  if (isCannotTell(answer, question)) return `${answer}. ${words.answer.cannotTell}`;
  const choice = choicesOf(question, words).find(({ label }) => label === answer);
  if (!choice) return answer;
  return question.kind === 'boolean' ? choice.text : `${choice.label}. ${writing.value.isolated(choice.text)}`;
}

/** An answer in short: its letter, or the word. */
export function inShort(answer: string, question: Question, words: Messages): string {
  if (isCannotTell(answer, question)) return words.answer.cannotTell;
  return question.kind === 'boolean' ? inFull(answer, question, words) : answer;
}

/** The letter behind those of the options is that of the option to abstain, where it is offered. */
function isCannotTell(answer: string, question: Question): boolean {
  return question.kind === 'choice' && answer === letter(question.options.length);
}
