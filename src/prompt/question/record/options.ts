import { describe } from '../../../check/errors.js';
import { letter } from '../question.js';
import type { ReadingFinding } from '../reading.js';
import { bad, type Field, fieldsOf, take, wrong } from './fields.js';

export interface Choices {
  readonly texts: readonly unknown[];
  /** The names the options have in the record, where they are not letters. */
  readonly numbered: readonly string[] | undefined;
  /** The options that the record marks as right, by index. */
  readonly marked: readonly number[];
}

export function choicesOf(fields: Map<string, Field>, findings: ReadingFinding[]): Choices | undefined {
  const columns = columnsOf(fields);
  const whole = take(fields, 'options')[0];
  if (whole === undefined || whole.value === '') return columns;
  if (columns) throw bad(`The record has its options both in \`${whole.name}\` and in columns; keep one of them`);
  const { value, name } = whole;
  if (Array.isArray(value)) {
    const choices = value.every(isObject) ? fromPairs(value, name) : { texts: value, numbered: undefined, marked: [] };
    return withoutMarks(choices, name, findings);
  }
  if (!isObject(value)) throw wrong(name, 'an object {"A": "...", ...} or an array of texts', value);
  const entries = Object.entries(value);
  // {"label": ["A", "B"], "text": ["...", "..."]}, as ARC and CommonsenseQA have it.
  if (Array.isArray(value.text) && Array.isArray(value.label) && value.text.length === value.label.length) {
    const { text, label } = value as { text: unknown[]; label: unknown[] };
    return ordered(
      label.map((key, i) => [String(key), text[i]]),
      name,
    );
  }
  return ordered(entries, name);
}

/** A field for each option: `A`, `B`, ... or `option_a`, `opa`, `choice1`, ... Blank ones at the end are none. */
function columnsOf(fields: Map<string, Field>): Choices | undefined {
  const found = (['', 'option', 'choice', 'opt', 'op', 'answer', 'ans', 'alternative'] as const).flatMap(prefix => {
    const cells = [...fields.keys()].filter(
      name => name.startsWith(prefix) && /^(?:[a-j]|\d{1,2})$/.test(name.slice(prefix.length)),
    );
    const keys = new Set(cells.map(name => name.slice(prefix.length)));
    const complete = (keys.has('a') && keys.has('b')) || (keys.has('1') && keys.has('2'));
    return complete ? [{ prefix, cells }] : [];
  });
  if (found.length === 0) return undefined;
  if (found.length > 1)
    throw bad(`The record has its options twice: ${found.map(f => `\`${f.cells[0]}\``).join(' and ')}`);
  const { prefix, cells } = found[0]!;
  const entries = cells.map(name => [name.slice(prefix.length), fields.get(name)!.value] as const);
  for (const name of cells) fields.delete(name);
  const sorted = [...entries].sort(([a], [b]) => byName(a, b));
  while (sorted.length > 0 && typeof sorted.at(-1)![1] === 'string' && (sorted.at(-1)![1] as string).trim() === '')
    sorted.pop();
  return ordered(sorted, 'options');
}

/** Options by name: letters from A without a gap, or numbers from 1 or from 0. */
function ordered(entries: readonly (readonly [string, unknown])[], field: string): Choices {
  const named = entries
    .filter(([, value]) => value !== null)
    .map(([key, value]) => [nameOf(key), value] as const)
    .sort(([a], [b]) => byName(a, b));
  const keys = named.map(([key]) => key);
  const texts = named.map(([, value]) => (typeof value === 'number' ? String(value) : value));
  keys.forEach((key, i) => {
    if (key === keys[i - 1]) throw bad(`Option ${key} is given twice`);
  });
  if (keys.every((key, i) => key === letter(i))) return { texts, numbered: undefined, marked: [] };
  const first = Number(keys[0]);
  if ((first === 0 || first === 1) && keys.every((key, i) => key === String(first + i)))
    return { texts, numbered: keys, marked: [] };
  throw bad(
    `Expected \`${field}\` to be lettered A, B, C, ... or numbered 1, 2, 3, ... without a gap, got ${keys.slice(0, 30).join(', ')}`,
  );
}

/** The letter or number in an option's name: `a`, `(B)`, `C.`, `option_d`, `opa`. */
function nameOf(key: string): string {
  const found = /^\W*(?:option|choice|opt|op)?[\s_-]*([a-z]|\d{1,2})\W*$/i.exec(key)?.[1];
  if (found === undefined) throw bad(`Expected an option's name to be one of A to Z or a number, got ${describe(key)}`);
  return found.toUpperCase();
}

function byName(a: string, b: string): number {
  return Number(a) - Number(b) || (a < b ? -1 : a > b ? 1 : 0);
}

/** `[{"key": "A", "value": "..."}]` in its usual spellings; `is_correct` marks the right one. */
function fromPairs(values: readonly Record<string, unknown>[], field: string): Choices {
  const pairs = values.map((value, i) => {
    const fields = fieldsOf(value);
    const one = (...known: readonly string[]) => known.map(name => fields.get(name)?.value).find(v => v !== undefined);
    const content = one('value', 'text', 'option', 'content', 'choice');
    if (content === undefined)
      throw wrong(`${field}[${i}]`, 'a text, or an object {"key": "A", "value": "..."}', value);
    return { name: one('key', 'label', 'letter', 'id', 'name'), content, right: one('iscorrect', 'correct') === true };
  });
  const marked = pairs.flatMap(({ right }, i) => (right ? [i] : []));
  if (pairs.every(({ name }) => name === undefined))
    return { texts: pairs.map(({ content }) => content), numbered: undefined, marked };
  const choices = ordered(
    pairs.map(({ name, content }) => [String(name ?? ''), content] as const),
    field,
  );
  const places = pairs.map(({ name }) => name).sort((a, b) => byName(nameOf(String(a)), nameOf(String(b))));
  return { ...choices, marked: marked.map(i => places.indexOf(pairs[i]!.name)) };
}

/** An array whose texts begin with their own letters: `["A. ...", "B. ..."]`. */
function withoutMarks(choices: Choices, field: string, findings: ReadingFinding[]): Choices {
  const marks = choices.texts.map(option =>
    typeof option === 'string' ? /^\s*(\(?)([A-Za-z])([.):])\s+(?=\S)/.exec(option) : null,
  );
  const numbers = choices.texts.map(option => (typeof option === 'number' ? String(option) : option));
  if (marks.length < 2 || marks.some((mark, i) => mark?.[2]?.toUpperCase() !== letter(i)))
    return { ...choices, texts: numbers };
  findings.push({
    kind: 'mark',
    text: marks[0]![0].trim(),
    message: `the letters before the texts of \`${field}\` were taken off`,
  });
  return { ...choices, texts: choices.texts.map((option, i) => (option as string).slice(marks[i]![0].length)) };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
