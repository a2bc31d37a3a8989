import type { ClinicalQuestion } from '../src/clinical/question.js';
import { letters } from '../src/clinical/question.js';
import { abstainOptionText } from '../src/prompt/question/abstain.js';
import { letter } from '../src/prompt/question/question.js';

/** A question as it is trained on: its options as they are shown, and the place of the right one. */
export interface Case {
  readonly question: string;
  readonly options: readonly string[];
  readonly answer: number;
  /** The sum, finding by finding, with the total at its end. */
  readonly sum: string;
}

/** Whether "I cannot tell" is among the options: not at all, beside the right one, or in its place. */
export type Offer = 'none' | 'offered' | 'needed';

export function caseOf({ question, options, answer, explanation }: ClinicalQuestion, offer: Offer): Case {
  const shown = letters.map(key => options[key]);
  const gold = letters.indexOf(answer);
  const sum = explanation.split('\n', 1)[0]!;
  if (offer === 'none') return { question, options: shown, answer: gold, sum };
  if (offer === 'offered') return { question, options: [...shown, abstainOptionText], answer: gold, sum };
  const rest = shown.filter((_, i) => i !== gold);
  return { question, options: [...rest, abstainOptionText], answer: rest.length, sum };
}

/**
 * The chain that leads to the answer: the sum, then the options up to the right one as the prompt has them, then the authors'
 * answer phrase. A sum that equals none of the options goes through all of them, to the one that abstains.
 */
export function chainFor({ options, answer, sum }: Case, bracketed: boolean, beginning: string): string {
  const tried = options
    .slice(0, answer + 1)
    .map((option, i) => (bracketed ? `(${letter(i)}) ${option}` : `${letter(i)}. ${option}`));
  return `${beginning}${[sum, ...tried].join('\n')}.\nThe answer is: ${letter(answer)} ###`;
}
