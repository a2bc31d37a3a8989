import { parseQuestion, type Question } from '../prompt/question/question.js';
import { withoutMeaning } from './meaning.js';
import { type Ask, type AskOptions, checkAsk } from './options.js';

/** A question and how it is asked: checked once, complete, and trusted from here on. */
export interface Asked extends Ask {
  readonly question: Question;
}

/** @throws MeditronError `ERR_INPUT` for the question, `ERR_OPTION` for the options */
export function checkAsked(question: unknown, options: AskOptions): Asked {
  const parsed = parseQuestion(question);
  const ask = checkAsk(parsed, options);
  return { ...ask, question: parsed, warnings: [...ask.warnings, ...withoutMeaning(options, ask)] };
}
