import { letter as nameOf } from '../../prompt/question/question.js';
import type { Row } from './row.js';

/** What a row says about its answer: the option's letter, its index from 0, or its text. */
export interface Stated {
  readonly letter?: string | undefined;
  readonly index?: number | undefined;
  readonly text?: string | undefined;
}

/**
 * The index of the right option. Everything the row states must agree; a contradiction is an error, never a choice.
 * `field` names the field in the error.
 */
export function goldOf(row: Row, field: string, options: readonly string[], stated: Stated): number {
  const index =
    stated.index ?? (stated.letter === undefined ? undefined : indexOfLetter(row, field, stated.letter, options));
  if (index !== undefined && !(Number.isInteger(index) && index >= 0 && index < options.length)) {
    throw row.fail(field, `one of the ${options.length} options`, index);
  }
  if (stated.text === undefined) {
    if (index === undefined) throw row.fail(field, 'the right answer');
    return index;
  }
  const same = matches(stated.text, options);
  if (index !== undefined) {
    if (same.includes(index)) return index;
    const other = same.length > 0 ? `the text of option ${nameOf(same[0]!)}` : 'the text of no option';
    throw row.fail(field, `option ${nameOf(index)} in letter and in text, but the text is ${other}`, stated.text);
  }
  if (same.length !== 1) throw row.fail(field, 'the text of exactly one option', stated.text);
  return same[0]!;
}

/** Options keyed by letter, in order: `{ "A": "...", "B": "..." }` or `[{ "key": "A", "value": "..." }]`. */
export function letteredOptions(row: Row, field: string): string[] {
  const value = row.nested(field);
  const entries = Array.isArray(value)
    ? value.map(option => [option?.key, option?.value] as const)
    : typeof value === 'object' && value !== null
      ? Object.entries(value)
      : [];
  const sorted = entries.filter(([, text]) => text !== null).sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
  const complete = sorted.every(
    ([key, text], i) => key === nameOf(i) && typeof text === 'string' && text.trim() !== '',
  );
  if (sorted.length < 2 || !complete)
    throw row.fail(field, 'options lettered A, B, C, ... without a gap, each with a text', value);
  return sorted.map(([, text]) => text as string);
}

function indexOfLetter(row: Row, field: string, letter: string, options: readonly string[]): number {
  const found = /^\(?([A-Za-z])[).]?$/.exec(letter.trim())?.[1];
  const index = found ? found.toUpperCase().charCodeAt(0) - 65 : -1;
  if (index < 0 || index >= options.length)
    throw row.fail(field, `a letter from A to ${nameOf(options.length - 1)}`, letter);
  return index;
}

/** Options with this text; exact first, then without regard to case and white space. */
function matches(text: string, options: readonly string[]): number[] {
  const find = (same: (option: string) => boolean) => options.flatMap((option, i) => (same(option) ? [i] : []));
  const exact = find(option => option === text);
  return exact.length > 0 ? exact : find(option => plain(option) === plain(text));
}

/** Text as it is compared: composed, lower case, single spaces. */
export function plain(text: string): string {
  return text.normalize('NFC').replace(/\s+/g, ' ').trim().toLowerCase();
}
