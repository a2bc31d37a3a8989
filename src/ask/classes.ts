import { cleanText } from '../prompt/hygiene/hygiene.js';
import { offered } from '../prompt/question/abstain.js';
import { labelsOf, type Question } from '../prompt/question/question.js';
import { type AnswerClasses, answerClasses } from '../vote/read/classes.js';
import type { Ask, PromptSettings } from './options.js';

export interface Offering extends Pick<Ask, 'protocol'> {
  readonly question: Question;
  readonly prompt?: Pick<PromptSettings, 'abstainOption'>;
}

/** The answers that a question offers: equal options are one, under `strict`, as they are after cleaning. */
export function classesOf({ protocol, question: given, prompt }: Offering): AnswerClasses {
  const question = offered(given, prompt?.abstainOption);
  const texts = question.kind === 'choice' ? question.options.map(option => cleanText(option).text) : undefined;
  return answerClasses(protocol, labelsOf(question), texts);
}
