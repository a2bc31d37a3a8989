import { describe, MeditronError } from '../../check/errors.js';
import { string } from '../../check/options.js';
import { letter, parseQuestion, type Question } from './question.js';

/**
 * Reads a question from text: JSON if it starts with `{` (see {@link parseQuestion}), else plain text whose lettered
 * lines (`A. ...`, `A) ...` or `(A) ...`, one style throughout) are the options and whose other lines are the question.
 * A last line `Answer: C` is the known answer. Text without lettered lines is an open question. A first line is never an
 * option, and letters that do not run A, B, C are refused rather than guessed at. Throws `ERR_INPUT`.
 */
export function parseQuestionText(text: string): Question {
  const clean = string('text', text)
    .replace(/^\uFEFF/, '')
    .replace(/\r\n?/g, '\n')
    .trim();
  if (clean === '') throw new MeditronError('ERR_INPUT', 'Expected a question, got blank text');
  return parseQuestion(clean.startsWith('{') ? jsonOf(clean) : plainOf(clean));
}

/** JSON.parse, but a key given twice in one object is an error instead of the last one winning. */
function jsonOf(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new MeditronError('ERR_INPUT', `The question is not valid JSON: ${(error as Error).message}`, {
      cause: error,
    });
  }
  const twice = repeatedKey(text);
  if (twice !== undefined)
    throw new MeditronError('ERR_INPUT', `The key ${describe(twice)} is given twice in one JSON object`);
  return value;
}

/** The first key that some object of valid JSON text has twice. */
function repeatedKey(text: string): string | undefined {
  const objects: (Set<string> | undefined)[] = [];
  for (const [token, key] of text.matchAll(/("(?:[^"\\]|\\.)*")(?=\s*:)|"(?:[^"\\]|\\.)*"|[{}[\]]/gs)) {
    if (token === '{') objects.push(new Set());
    else if (token === '[') objects.push(undefined);
    else if (token === '}' || token === ']') objects.pop();
    else if (key !== undefined) {
      const name = JSON.parse(key) as string;
      const names = objects.at(-1);
      if (names?.has(name)) return name;
      names?.add(name);
    }
  }
  return undefined;
}

interface Labelled {
  readonly style: string;
  readonly name: string;
  readonly rest: string;
}

function plainOf(text: string): unknown {
  const lines = text.split('\n');
  const first = lines.findIndex((line, i) => i > 0 && labelled(line)?.name === 'A');
  const stem = (first < 0 ? lines : lines.slice(0, first)).join('\n');
  const question = stem
    .replace(/^\s*Question:\s*/i, '')
    .replace(/(^|\n)\s*Options:\s*$/i, '')
    .trim();
  if (first < 0) return { question };

  const answer = answerOf(lines.at(-1)!);
  if (answer !== undefined) lines.pop();
  const options: string[] = [];
  const style = labelled(lines[first]!)!.style;
  for (const line of lines.slice(first)) {
    const label = labelled(line);
    if (label === undefined || label.style !== style) {
      options[options.length - 1] += `\n${line}`;
      continue;
    }
    const expected = letter(options.length);
    if (label.name !== expected) {
      throw new MeditronError(
        'ERR_INPUT',
        `Expected option ${expected} next, got a line that starts with ${describe(line.trim().slice(0, 20))}; ` +
          'give the question as JSON if the line belongs to the option before it',
      );
    }
    options.push(label.rest);
  }
  return { question, options: options.map(option => option.trim()), ...(answer === undefined ? {} : { answer }) };
}

function labelled(line: string): Labelled | undefined {
  const match = /^\s*(?:([A-Z])(?:(\.)(?=\s|$)|(\)))|(\()([A-Z])\))\s*(.*)$/.exec(line);
  if (!match) return undefined;
  const [, bare, dot, bracket, opening, enclosed, rest] = match;
  return { style: dot ?? bracket ?? opening!, name: bare ?? enclosed!, rest: rest! };
}

function answerOf(line: string): string | undefined {
  return /^\s*(?:The\s+)?(?:correct\s+)?answer(?:\s+is)?\s*[:=]\s*\(?([A-Z])\)?\.?\s*$/i.exec(line)?.[1]?.toUpperCase();
}
