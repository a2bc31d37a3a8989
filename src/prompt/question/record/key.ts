import { describe } from '../../../check/errors.js';
import { letter } from '../question.js';
import { bad, type Field, wrong } from './fields.js';
import type { Choices } from './options.js';

/** The right answer by everything that is said of it, which must agree. */
export function keyOf(
  stated: readonly Field[],
  choices: Choices | undefined,
  countsFrom: 0 | 1 | undefined,
): string | undefined {
  if (!choices) {
    const [first, ...more] = stated;
    const other = more.find(({ value }) => String(value).trim() !== String(first!.value).trim());
    if (other) throw bad(`\`${first!.name}\` and \`${other.name}\` do not say the same`);
    return first && (typeof first.value === 'number' ? String(first.value) : answerText(first));
  }
  const texts = choices.texts.map(option => (typeof option === 'string' ? option : ''));
  const said = stated.map(field => ({ field, places: placesOf(field, texts, choices.numbered, countsFrom) }));
  // A number that could count from 0 or from 1 is settled by an answer in letters or in words.
  const settled = said.reduce<readonly number[]>(
    (left, { places }) => left.filter(place => places.includes(place)),
    texts.map((_, i) => i),
  );
  if (choices.marked.length > 1)
    throw bad('Several options are marked as correct; a question here has one right answer');
  const marked = choices.marked[0];
  if (said.length === 0) return marked === undefined ? undefined : letter(marked);
  const names = said.map(({ field }) => `\`${field.name}\``).join(' and ');
  if (settled.length === 0 || (marked !== undefined && !settled.includes(marked)))
    throw bad(
      `${names}: expected one option in letter and in text, got ${said.map(({ field }) => describe(field.value)).join(' and ')}`,
    );
  if (settled.length === 1) return letter(settled[0]!);
  if (marked !== undefined) return letter(marked);
  const { field, places } = said[0]!;
  if (said.every(({ field: { value } }) => /^\W*\d+\W*$/.test(String(value))))
    throw wrong(
      field.name,
      'a letter or the text of an option (a number does not say where it counts from)',
      field.value,
    );
  throw wrong(
    field.name,
    `the text of exactly one option (it is that of ${places.map(letter).join(' and ')})`,
    field.value,
  );
}

/** The options that one field can mean, by index. */
function placesOf(
  field: Field,
  texts: readonly string[],
  numbered: readonly string[] | undefined,
  countsFrom: 0 | 1 | undefined,
): readonly number[] {
  const value = Array.isArray(field.value) && field.value.length === 1 ? field.value[0] : field.value;
  const said = typeof value === 'number' ? String(value) : value;
  const last = letter(texts.length - 1);
  if (typeof said !== 'string')
    throw wrong(field.name, `a letter from A to ${last} or the text of an option`, field.value);
  const same = sameText(said, texts);
  const named = namedPlaces(said.trim(), texts, numbered, countsFrom);
  if (same.length > 0 && named.length > 0) {
    const both = same.filter(place => named.includes(place));
    if (both.length > 0) return both;
    throw bad(
      `\`${field.name}\`: expected one option in letter and in text, got ${describe(value)}, which is the name of one option and the text of another`,
    );
  }
  if (same.length + named.length > 0) return same.length > 0 ? same : named;
  const expected = /^\W*[a-z]\W*$/i.test(said) ? `a letter from A to ${last}` : 'the letter or the text of an option';
  throw wrong(field.name, expected, value);
}

/** The options that a letter or number names. */
function namedPlaces(
  said: string,
  texts: readonly string[],
  numbered: readonly string[] | undefined,
  countsFrom: 0 | 1 | undefined,
): readonly number[] {
  const inside = (places: readonly number[]) => places.filter(place => place >= 0 && place < texts.length);
  const name = /^(?:(?:option|choice)\s+)?\(?([A-Z]|\d{1,2})[).:]?$/i.exec(said)?.[1];
  if (name === undefined) {
    // "B. Vitamin C": the letter and the text of one option.
    const both = /^\(?([A-Z])(?:[).:]|\s+-)\s*(.+)$/is.exec(said);
    const place = both ? inside([both[1]!.toUpperCase().charCodeAt(0) - 65]) : [];
    return place.filter(i => sameText(both![2]!, texts).includes(i));
  }
  if (!/^\d/.test(name)) return inside([name.toUpperCase().charCodeAt(0) - 65]);
  if (numbered) return inside([numbered.indexOf(String(Number(name)))]);
  const number = Number(name);
  return inside(countsFrom === undefined ? [number - 1, number] : [number - countsFrom]);
}

/** Options with this text; exact first, then without regard to case and white space. */
function sameText(said: string, texts: readonly string[]): readonly number[] {
  const places = (same: (option: string) => boolean) => texts.flatMap((option, i) => (same(option) ? [i] : []));
  const exact = places(option => option === said);
  return exact.length > 0 ? exact : places(option => plainText(option) === plainText(said));
}

function plainText(text: string): string {
  return text.normalize('NFC').replace(/\s+/g, ' ').trim().toLowerCase();
}

function answerText({ name, value }: Field): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  throw wrong(name, 'a text', value);
}
