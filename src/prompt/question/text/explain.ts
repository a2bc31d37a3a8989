import { named } from '../../../check/errors.js';
import { letter } from '../question.js';
import type { ReadingFinding } from '../reading.js';
import type { QuestionReading } from '../text.js';

/**
 * What was found, in one line: `line 6: the answer key was taken off; it is not sent to the model`. Of the text only its place is named, or
 * the name of a field: warnings end in logs. {@link readingInWords} shows the lines.
 */
export function findingInWords({ kind, line, text, message }: ReadingFinding): string {
  const isField = line === undefined && (kind === 'field' || kind === 'image');
  const where = line === undefined ? '' : `line ${line}: `;
  const what = isField ? `${named(text)}: ` : '';
  return `${where}${what}${message}`;
}

/** How a question was read, for the person who asks: a line of summary, then what each line of the text was read as. */
export function readingInWords({ question, lines, marks }: QuestionReading): string {
  const options = question.kind === 'choice' ? question.options.length : 0;
  const shown = marks ? `, ${marks[0]} to ${marks[1]}, shown to the model as A to ${letter(options - 1)}` : '';
  const kind = {
    choice: `a question with ${options} options${shown}`,
    boolean: 'a question to be answered with yes, no or maybe',
    open: 'an open question, without options',
    chat: 'a conversation',
  }[question.kind];
  const rows = (lines ?? []).map(({ line, as, options, text }) => {
    const role = as === 'option' ? `option ${options!.join(', ')}` : as;
    return `${String(line).padStart(4)}  ${role.padEnd(12)} ${text}`;
  });
  return [`Read as ${kind}.`, ...rows].join('\n');
}
