import { MeditronError } from '../../check/errors.js';
import { type ChoiceQuestion, letter, type Question } from './question.js';

/** The option that is offered to a model that may say that it does not know. Models are trained on it: it never changes. */
export const abstainOptionText = 'I cannot tell';

/** The question as it is asked: with {@link abstainOptionText} as one more option, the last, if that is wanted. It stays last in every order of the others. */
export function offered<Q extends Question>(question: Q, abstainOption: boolean | undefined): Q {
  if (!abstainOption || question.kind !== 'choice') return question;
  return { ...question, options: [...question.options, abstainOptionText] };
}

/** The letter of the option to abstain; undefined where it is not offered. */
export function abstainLabelOf(question: Question, abstainOption: boolean | undefined): string | undefined {
  return abstainOption && question.kind === 'choice' ? letter(question.options.length) : undefined;
}

/** @throws MeditronError `ERR_INPUT` for a question that has this option already, or no letter left for it */
export function checkAbstainOption({ options }: ChoiceQuestion): void {
  if (options.length >= 26)
    throw new MeditronError(
      'ERR_INPUT',
      `Expected at most 25 options beside "${abstainOptionText}", got ${options.length}`,
    );
  const own = options.findIndex(option => plain(option) === plain(abstainOptionText));
  if (own >= 0)
    throw new MeditronError(
      'ERR_INPUT',
      `Option ${letter(own)} of the question is "${abstainOptionText}" itself: ask without \`abstainOption\`, or leave that option out`,
    );
}

function plain(text: string): string {
  return text
    .replace(/[\s.]+/g, ' ')
    .trim()
    .toLowerCase();
}
