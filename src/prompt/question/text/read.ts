import { MeditronError } from '../../../check/errors.js';
import { letter } from '../question.js';
import { answerOf } from './answer.js';
import { chooseOptions, refuseSecondQuestion } from './choose.js';
import { Draft, type PlainReading } from './draft.js';
import { linesOf } from './lines.js';
import { openReading } from './open.js';
import { optionsOf, refuseReferences } from './options.js';
import { refused, runsOf } from './runs.js';
import { withoutSigns } from './signs.js';
import { stemOf } from './stem.js';

/**
 * Reads plain text. The last list of at least two marks of one style is the options, what stands before it the question, and what
 * stands behind it must be a key, an explanation, a footer or the like, which are taken off. All else is refused by line.
 * Throws `ERR_INPUT`.
 */
export function readPlain(text: string): PlainReading {
  refuseMarkup(text);
  const { lines, wrapping } = linesOf(text);
  const draft = new Draft(lines);
  if (wrapping.quotes) draft.find('mark', undefined, '>', 'the quotation marks before the lines were taken off');
  if (wrapping.breaks) draft.find('mark', undefined, '<br>', 'each was read as the end of a line');
  const runs = runsOf(lines);
  const run = chooseOptions(draft, runs);
  if (!run) return openReading(draft, runs);
  const given = optionsOf(draft, run);
  refuseSecondQuestion(draft, runs, run, given);
  const [first, last] = [run.items[0]!, run.items.at(-1)!];
  const opening = lines[first.line];
  const question = stemOf(draft, first, runs);
  if (question === '') throw refused(opening, 'expected a `question` before the options');
  const { options, marked } = withoutSigns(draft, given, run);
  refuseReferences(draft, options, run, runs);
  const answer = answerOf(draft, options, run, marked);
  const marks = [first.mark.shown, last.mark.shown] as const;
  if (run.sequence !== 'A') {
    const shown = `the model is shown the options as A to ${letter(options.length - 1)}`;
    draft.find('renamed', opening, marks.join(' … '), shown);
  }
  return { question, options, ...(answer !== undefined && { answer }), marks, ...draft.report() };
}

/** Web pages and the answer formats of quiz programs are not plain text. */
function refuseMarkup(text: string): void {
  const tag = /<\/?(p|div|li|ol|ul|td|tr|table|span|html|body|input|label)(?:\s[^<>]{0,300})?>/i.exec(text);
  if (tag)
    throw new MeditronError(
      'ERR_INPUT',
      `Expected plain text or JSON, got a web page's markup (<${tag[1]}>); copy the text as it is shown`,
    );
  if ((text.match(/\{[^{}]{1,2000}\}/g) ?? []).some(part => part.includes('=') && part.includes('~')))
    throw new MeditronError(
      'ERR_INPUT',
      'Expected plain text or JSON, got a quiz format in which `=` marks the right answer; write the options as `A. text`',
    );
}
