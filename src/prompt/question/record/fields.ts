import { distance } from 'fastest-levenshtein';
import { describe, MeditronError, named } from '../../../check/errors.js';
import type { ReadingFinding } from '../reading.js';

/** How the fields of a record are taken. */
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

/** Other names of a part, plain (see {@link plainName}). */
const names = {
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

export interface Field {
  readonly name: string;
  readonly value: unknown;
}

/** The fields that hold something, by their plain names. Two fields of one plain name are an error. */
export function fieldsOf(record: Record<string, unknown>): Map<string, Field> {
  const fields = new Map<string, Field>();
  for (const [name, value] of Object.entries(record)) {
    const plain = plainName(name);
    const before = fields.get(plain);
    if (before)
      throw bad(
        `The field ${named(name)} is given twice${before.name === name ? '' : `, as ${named(before.name)} too`}`,
      );
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
export function take(fields: Map<string, Field>, part: keyof typeof names, several = false): readonly Field[] {
  const found = names[part].flatMap(name => (fields.has(name) ? [fields.get(name)!] : []));
  if (found.length > 1 && !several)
    throw bad(`The record has both \`${found[0]!.name}\` and \`${found[1]!.name}\`; keep one of them`);
  for (const name of names[part]) fields.delete(name);
  return found.filter(({ value }) => part !== 'answer' || value !== '');
}

/** The fields that are left, after those that must not be: misspelt ones, and unknown ones where these are refused. */
export function restOf(
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
    if (near) throw bad(`Unknown field ${named(name)} in the question; did you mean \`${near}\`?`);
    if (value === '') continue;
    if (others === 'refuse' && !isKnown)
      throw bad(
        `Unknown field ${named(name)} in the question: remove it, or put it into \`question\` or \`context\` if the model should read it`,
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

export function wrong(field: string, expected: string, actual: unknown): MeditronError {
  return bad(`Expected \`${field}\` to be ${expected}, got ${describe(actual)}`);
}

export function bad(message: string): MeditronError {
  return new MeditronError('ERR_INPUT', message);
}
