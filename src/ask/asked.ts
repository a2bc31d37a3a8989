import { parseQuestion, type Question } from '../prompt/question/question.js';
import { asCalibrated } from './calibrated.js';
import { calibrationKind } from './calibration.js';
import { withoutMeaning } from './meaning.js';
import { type Ask, type AskOptions, checkAsk } from './options.js';

/** A question and how it is asked: checked once, complete, and trusted from here on. */
export interface Asked extends Ask {
  readonly question: Question;
}

/** @throws MeditronError `ERR_INPUT` for the question, `ERR_OPTION` for the options, `ERR_CALIBRATION` for those that are not the calibration's */
export function checkAsked(question: unknown, options: AskOptions): Asked {
  const parsed = parseQuestion(question);
  const calibration =
    options?.calibration === undefined ? undefined : calibrationKind.check('calibration', options.calibration);
  const ask = checkAsk(parsed, calibration ? asCalibrated(parsed, calibration, options) : options);
  return { ...ask, question: parsed, warnings: [...ask.warnings, ...withoutMeaning(options, ask)] };
}
