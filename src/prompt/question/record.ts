import { distance } from 'fastest-levenshtein';
import { describe, MeditronError } from '../../check/errors.js';
import { letter, parseQuestion, type Question } from './question.js';
import { noOptions, type ReadingFinding } from './reading.js';
import { readPlain } from './text/read.js';

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

export interface RecordOptions {
  /**
   * What becomes of fields that no question has: `refuse` (default) names the field in an error unless it is known to say
   * nothing to the model, such as `subject`; `keep` returns it in `rest`, unless it looks like a misspelt field.
   */
  readonly others?: 'refuse' | 'keep';
  /** More fields that the caller knows, for telling misspelt ones. */
  readonly fields?: readonly string[];
  /** From where a number counts that names the right option. Default: such a number is refused. */
  readonly countsFrom?: 0 | 1;
}

/**
 * Reads the layouts in which people keep questions, and those of the common data sets.
 *
 * | part | fields, without regard to case, spaces, `_` and `-` |
 * |---|---|
 * | question | `question`, `stem`, ... (see {@link names}) |
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

/** Other names of a part, plain (see {@link plainName}). */
export const names = {
  question: [
    'question',
    'stem',
    'questionstem',
    'questiontext',
    'frage',
    'pregunta',
    'pergunta',
    'domanda',
    '问题',
    '题目',
    '문제',
    '질문',
  ],
  options: ['options', 'choices', 'optionen', 'opciones', 'opcoes', 'opzioni', '选项', '보기'],
  answer: [
    ...['answer', 'label', 'answeridx', 'answerindex', 'answerletter', 'answertext', 'answerkey', 'correctanswer'],
    ...[
      'correct',
      'correctoption',
      'correctchoice',
      'correctindex',
      'correctletter',
      'rightanswer',
      'gold',
      'goldanswer',
    ],
    ...[
      'key',
      'finaldecision',
      'solution',
      'target',
      'ans',
      'cop',
      'antwort',
      'lösung',
      'réponse',
      'respuesta',
      'resposta',
      'gabarito',
    ],
    ...['risposta', '答案', '정답'],
  ],
  context: ['context', 'contexts'],
  id: ['id'],
  kind: ['kind'],
  messages: ['messages'],
} as const;

/** Fields that are known to be no part of what a model is asked. */
const silent = [
  ...[
    'qid',
    'uid',
    'uuid',
    'idx',
    'index',
    'number',
    'no',
    'nr',
    'subject',
    'subjectname',
    'topic',
    'topicname',
    'category',
  ],
  ...[
    'cluster',
    'explanation',
    'rationale',
    'exp',
    'longanswer',
    'reason',
    'comment',
    'comments',
    'note',
    'notes',
    'source',
    'reference',
  ],
  ...[
    'references',
    'url',
    'link',
    'meta',
    'metainfo',
    'metadata',
    'metamapphrases',
    'difficulty',
    'level',
    'tags',
    'tag',
  ],
  ...['year', 'exam', 'split', 'dataset', 'language', 'lang', 'author', 'date', 'choicetype', 'score', 'step'],
];
const images = ['image', 'images', 'img', 'imgs', 'figure', 'figures', 'picture', 'media'];

interface Field {
  readonly name: string;
  readonly value: unknown;
}

/** The fields that hold something, by their plain names. Two fields of one plain name are an error. */
function fieldsOf(record: Record<string, unknown>): Map<string, Field> {
  const fields = new Map<string, Field>();
  for (const [name, value] of Object.entries(record)) {
    const plain = plainName(name);
    const before = fields.get(plain);
    if (before)
      throw bad(`The field \`${name}\` is given twice${before.name === name ? '' : `, as \`${before.name}\` too`}`);
    fields.set(plain, { name, value });
  }
  for (const [plain, { value }] of fields) if (value === null || value === undefined) fields.delete(plain);
  return fields;
}

function plainName(name: string): string {
  return name
    .normalize('NFC')
    .toLowerCase()
    .replace(/[\s_-]+/g, '');
}

/** Takes the fields of one part out of the record; more than one only where they may be `several`. */
function take(fields: Map<string, Field>, part: keyof typeof names, several = false): readonly Field[] {
  const found = names[part].flatMap(name => (fields.has(name) ? [fields.get(name)!] : []));
  if (found.length > 1 && !several)
    throw bad(`The record has both \`${found[0]!.name}\` and \`${found[1]!.name}\`; keep one of them`);
  for (const name of names[part]) fields.delete(name);
  return found.filter(({ value }) => part !== 'answer' || value !== '');
}

function text(field: Field | undefined): unknown {
  return typeof field?.value === 'number' ? String(field.value) : field?.value;
}

interface Choices {
  readonly texts: readonly unknown[];
  /** The names the options have in the record, where they are not letters. */
  readonly numbered: readonly string[] | undefined;
  /** The options that the record marks as right, by index. */
  readonly marked: readonly number[];
}

function choicesOf(fields: Map<string, Field>, findings: ReadingFinding[]): Choices | undefined {
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

/** The right answer by everything that is said of it, which must agree. */
function keyOf(
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

/** The fields that are left, after those that must not be: misspelt ones, and unknown ones where these are refused. */
function restOf(
  fields: Map<string, Field>,
  present: readonly (string | false | undefined)[],
  { others = 'refuse', fields: more = [] }: RecordOptions,
  findings: ReadingFinding[],
): Record<string, unknown> {
  const rest: Record<string, unknown> = {};
  const known = ['question', 'options', 'answer', 'context', 'id', ...more];
  for (const [plain, { name, value }] of fields) {
    if (more.some(field => plainName(field) === plain)) {
      rest[name] = value;
      continue;
    }
    const isKnown = silent.includes(plain) || images.includes(plain);
    const near = isKnown
      ? undefined
      : known.find(field => !present.includes(field) && !fields.has(field) && isSlip(plain, field));
    if (near) throw bad(`Unknown field \`${name}\` in the question; did you mean \`${near}\`?`);
    if (value === '') continue;
    if (others === 'refuse' && !isKnown)
      throw bad(
        `Unknown field \`${name}\` in the question: remove it, or put it into \`question\` or \`context\` if the model should read it`,
      );
    rest[name] = value;
    if (images.includes(plain) && value !== false && value !== 'none' && value !== 'None' && value !== 0)
      findings.push({ kind: 'image', text: name, message: 'the model cannot see what this field shows' });
    else if (others === 'refuse')
      findings.push({ kind: 'field', text: name, message: 'this field is not sent to the model' });
  }
  return rest;
}

/** One letter more, less or other than the known name, or two others: never a short name, which is like anything. */
function isSlip(name: string, known: string): boolean {
  if (name.length < 4) return false;
  const away = distance(name, known);
  return away === 1 || (away === 2 && name.length >= 6 && name.length === known.length);
}

function notARecord(value: unknown): MeditronError {
  return bad(`Expected a JSON object such as ${example}, got ${describe(value)}`);
}

/** The shortest record with everything in it. */
export const example = '{"question": "...", "options": {"A": "...", "B": "..."}}';

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function wrong(field: string, expected: string, actual: unknown): MeditronError {
  return bad(`Expected \`${field}\` to be ${expected}, got ${describe(actual)}`);
}

function bad(message: string): MeditronError {
  return new MeditronError('ERR_INPUT', message);
}
