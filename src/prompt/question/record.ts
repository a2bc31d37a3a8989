import { describe, type MeditronError } from '../../check/errors.js';
import { parseQuestion, type Question } from './question.js';
import { noOptions, type ReadingFinding } from './reading.js';
import { bad, type Field, fieldsOf, type RecordOptions, restOf, take } from './record/fields.js';
import { keyOf } from './record/key.js';
import { choicesOf } from './record/options.js';
import { readPlain } from './text/read.js';

export type { RecordOptions } from './record/fields.js';

/** A question out of a record: one JSON object, or one row of a table. */
export interface RecordReading {
  /** With its `answer`, if the record states one. */
  readonly question: Question;
  /** The right answer as models give it (a letter; yes, no or maybe), or the text of an open question's answer. */
  readonly key?: string;
  /** The fields that are no part of the question, by their own names; those whose value is null or blank are left out. */
  readonly rest: Readonly<Record<string, unknown>>;
  readonly findings: readonly ReadingFinding[];
}

/**
 * Reads the layouts in which people keep questions, and those of the common data sets.
 *
 * | part | fields, without regard to case, spaces, `_` and `-` |
 * |---|---|
 * | question | `question`, `stem`, ..., and their like in other languages |
 * | options | `options` or `choices`: `{"A": "...", "B": "..."}` with letters or numbers, an array of texts, or of `{key, value}`; or a field each: `A`, `B`, ... or `option_a`, `opa`, `choice1`, ... |
 * | right answer | `answer`, `label`, `answer_idx`, `correct_answer`, ...: the letter, the text of an option, or both; where options are numbered, the number |
 * | others | `id`, `context`, `kind`, `messages` as {@link parseQuestion} has them |
 *
 * Everything a record says of its right answer must agree. A number that does not say whether it counts from 0 or from 1
 * is refused. Throws `ERR_INPUT` with the field, what was expected and what came.
 */
export function questionFromRecord(record: unknown, options: RecordOptions = {}): RecordReading {
  if (typeof record !== 'object' || record === null || Array.isArray(record)) throw notARecord(record);
  const fields = fieldsOf(record as Record<string, unknown>);
  const findings: ReadingFinding[] = [];
  const stated = take(fields, 'answer', true);
  const { question, context, id, kind, messages } = {
    question: text(take(fields, 'question')[0]),
    context: take(fields, 'context')[0]?.value,
    id: take(fields, 'id')[0]?.value,
    kind: take(fields, 'kind')[0]?.value,
    messages: take(fields, 'messages')[0]?.value,
  };
  const choices = choicesOf(fields, findings);
  const key = keyOf(stated, choices, options.countsFrom);
  if (choices?.numbered) {
    const text = choices.numbered.join(', ');
    findings.push({ kind: 'renamed', text, message: 'the model is shown the options as A, B, C, ...' });
  }
  const present = [
    question !== undefined && 'question',
    choices && 'options',
    stated.length > 0 && 'answer',
    context !== undefined && 'context',
    id !== undefined && 'id',
    messages !== undefined && 'question',
  ];
  const rest = restOf(fields, present, options, findings);
  const isWord = !choices && key !== undefined && /^(?:yes|no|maybe)$/i.test(key);
  const read = parseQuestion({
    ...(question !== undefined && { question }),
    ...(choices && { options: choices.texts }),
    ...(context !== undefined && { context }),
    ...(messages !== undefined && { messages }),
    ...(id !== undefined && { id }),
    ...(kind !== undefined ? { kind } : isWord && { kind: 'boolean' }),
    ...(key !== undefined && { answer: key }),
  });
  if (read.kind === 'open') {
    if (kind === undefined && holdsOptions(read.question))
      throw bad('`question` seems to hold the options in its text: give them as `options`, or say `"kind": "open"`');
    if (options.others !== 'keep') findings.push({ kind: 'no-options', text: '', message: noOptions });
  }
  const answer = read.kind === 'chat' ? undefined : read.answer;
  if (answer !== undefined) {
    const names = stated.map(({ name }) => `\`${name}\``).join(', ');
    findings.unshift({ kind: 'key', text: answer, message: `${names} names the right answer: not sent to the model` });
  }
  return { question: read, ...(answer !== undefined && { key: answer }), rest, findings };
}

/** Whether the text of a question is itself a question with options. */
function holdsOptions(question: string): boolean {
  try {
    return readPlain(question).options !== undefined;
  } catch {
    return false;
  }
}

function text(field: Field | undefined): unknown {
  return typeof field?.value === 'number' ? String(field.value) : field?.value;
}

function notARecord(value: unknown): MeditronError {
  return bad(`Expected a JSON object such as ${example}, got ${describe(value)}`);
}

/** The shortest record with everything in it. */
export const example = '{"question": "...", "options": {"A": "...", "B": "..."}}';
