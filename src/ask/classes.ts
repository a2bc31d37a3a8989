import { cleanText } from '../prompt/hygiene/hygiene.js';
import { labelsOf, type Question } from '../prompt/question/question.js';
import { type AnswerClasses, answerClasses } from '../vote/read/classes.js';
import type { Ask } from './options.js';

/** The answers that a question offers: equal options are one, under `strict`, as they are after cleaning. */
export function classesOf({
  protocol,
  question,
}: Pick<Ask, 'protocol'> & { readonly question: Question }): AnswerClasses {
  const texts = question.kind === 'choice' ? question.options.map(option => cleanText(option).text) : undefined;
  return answerClasses(protocol, labelsOf(question), texts);
}
