import { describe, MeditronError } from '../../check/errors.js';
import { string } from '../../check/options.js';
import { parseJson } from './json.js';
import { parseQuestion, type Question } from './question.js';
import type { ReadingFinding } from './reading.js';
import { example, questionFromRecord } from './record.js';
import type { PlainReading } from './text/draft.js';
import { readPlain } from './text/read.js';

/** A question, and how it was read out of a text. */
export interface QuestionReading {
  /** The question, as {@link parseQuestion} returns it. */
  readonly question: Question;
  /** The right answer that the text names, as in `question.answer`. Never part of a prompt. */
  readonly key?: string;
  /** What was taken off, renamed or not found, for the person who asks. */
  readonly findings: readonly ReadingFinding[];
  /** What each line was read as; absent for JSON. Blank lines are left out. */
  readonly lines?: PlainReading['lines'];
  /** The marks of the first and the last option as they were written: `a)`, `d)`. */
  readonly marks?: PlainReading['marks'];
}

/** Reads a question from text; {@link readQuestionText} without how it was read. */
export function parseQuestionText(text: string): Question {
  return readQuestionText(text).question;
}

/**
 * Reads a question from text: JSON (see {@link parseQuestion}), or plain text whose last two or more marked lines are the
 * options: `A.`, `a)`, `(1)`, `•`, `④` and their like, one style throughout. Answer keys, explanations and page footers are taken
 * off and reported in `findings`; text without options is an open question. A line that could be two things is refused: nothing
 * is guessed at, and nothing is attached to an option unread. Throws `ERR_INPUT` with the line.
 */
export function readQuestionText(text: string): QuestionReading {
  const trimmed = unfenced(
    string('text', text)
      .replace(/^\uFEFF/, '')
      .trim(),
  );
  if (trimmed === '') throw new MeditronError('ERR_INPUT', 'Expected a question, got blank text');
  const record = jsonIn(trimmed);
  if (record !== undefined) return questionFromRecord(record.value);
  const { question, options, answer, ...reading } = readPlain(text);
  const parsed = parseQuestion({ question, ...(options && { options }), ...(answer !== undefined && { answer }) });
  return { question: parsed, ...(answer !== undefined && { key: answer }), ...reading };
}

/** Without the fence of a Markdown code block around it. */
function unfenced(text: string): string {
  return /^```\w*\n([\s\S]*)\n```$/.exec(text)?.[1]?.trim() ?? text;
}

/** The JSON that a text is; undefined if it is meant to be none. */
function jsonIn(text: string): { readonly value: unknown } | undefined {
  if (/^\{\s*(?:["'}]|\w+\s*:)/.test(text)) {
    const lines = text.split('\n').filter(line => line.trim() !== '');
    if (lines.length > 1 && lines.slice(0, 2).every(isObjectLine))
      throw new MeditronError(
        'ERR_INPUT',
        `Expected one question, got ${lines.length} lines of JSON; \`eval --file\` takes many`,
      );
    return { value: parseJson(text, 'The question') };
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    if (!/^\[\s*[{"]/.test(text)) return undefined;
    value = [];
  }
  throw new MeditronError(
    'ERR_INPUT',
    `Expected a question in words or a JSON object such as ${example}, got JSON that is no question: ${describe(value)}`,
  );
}

function isObjectLine(line: string): boolean {
  try {
    return /^\s*\{/.test(line) && typeof JSON.parse(line) === 'object';
  } catch {
    return false;
  }
}
