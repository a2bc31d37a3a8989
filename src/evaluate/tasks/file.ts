import { stat } from 'node:fs/promises';
import type { CodePage } from '../../check/encoding.js';
import { MeditronError } from '../../check/errors.js';
import { systemCodePage } from '../../native/codepage.js';
import type { Question } from '../../prompt/question/question.js';
import { questionFromRecord, type RecordReading } from '../../prompt/question/record.js';
import { conversion, readable, unreadable } from './locate.js';
import type { Row } from './row.js';
import { finish, numbered } from './set.js';
import { rowsOf } from './table.js';
import type { Item, LoadOptions, TaskDefinition, TaskSet } from './task.js';

const task = {
  name: 'file',
  title: 'own',
  answers: 'choice',
  partition: 'test',
  counts: {},
  download: ['One JSON object a line: {"question": "...", "options": {"A": "...", "B": "..."}, "answer": "B"}'],
  licence: "the user's",
} as const;

/**
 * The user's own questions, in UTF-8 (on Windows also in the system's code page, which is noted): JSON Lines, a JSON array, or CSV with a header (separated by commas, semicolons or
 * tabs). A record is read as {@link questionFromRecord} reads it; besides, it may have
 *
 * | field | |
 * |---|---|
 * | `id` | text, unique in the file; default: the row's number |
 * | `subject` | text; results are grouped by it |
 * | `cluster` | text; questions with the same cluster count as one in intervals |
 * | `explanation` | reasoning or reference answer, for reading; never in the prompt |
 *
 * All rows are of one kind: multiple choice, yes/no/maybe, or open. Other fields are kept in `meta`.
 */
export const file: TaskDefinition = { ...task, load };

async function load(source: string, { countsFrom, onWarning }: LoadOptions = {}): Promise<TaskSet> {
  const info = await stat(source).catch(error => {
    throw new MeditronError('ERR_INPUT', `Cannot read ${source}: ${(error as Error).message}`, { cause: error });
  });
  if (!info.isFile()) throw new MeditronError('ERR_INPUT', `Expected ${source} to be a file.\n  ${task.download[0]}`);
  if (unreadable.test(source)) throw new MeditronError('ERR_INPUT', `${source}: ${conversion}`);
  const guesses: string[] = [];
  const codePage = systemCodePage('file', message => {
    guesses.push(`${source}: ${message}`);
    onWarning?.(`${source}: ${message}`);
  });
  const items: Item[] = [];
  const found = new Findings();
  let kind: Question['kind'] | undefined;
  for await (const row of recordsOf(source, codePage)) {
    const read = readRecord(row, countsFrom);
    kind ??= read.question.kind;
    if (read.question.kind !== kind) {
      const message = `${row.file}, ${row.where}: expected ${kindWords[kind]} like the first row, got ${kindWords[read.question.kind]}`;
      throw new MeditronError('ERR_INPUT', message);
    }
    found.add(read);
    items.push(itemOf(row, read, numbered('question', items.length)));
  }
  if (items.length === 0) throw new MeditronError('ERR_INPUT', `${source} holds no questions`);
  return finish(task, 'test', items, [...guesses, ...found.notes, ...scoringNotes(items, kind)], undefined, [source]);
}

/** The records of a file of any name; what holds none is named as what it seems to be. */
async function* recordsOf(source: string, codePage: CodePage | undefined): AsyncGenerator<Row> {
  try {
    yield* rowsOf(source, { codePage });
  } catch (error) {
    if (!(error instanceof MeditronError) || readable.test(source)) throw error;
    const hint = 'a table ends in .csv or .tsv; one question as text is asked with `meditron ask`';
    throw new MeditronError(error.code, `${error.message}. Expected JSON Lines or JSON: ${hint}`, { cause: error });
  }
}

const kindWords = {
  choice: 'a multiple choice question',
  boolean: 'a question of yes, no or maybe',
  open: 'an open question',
  chat: 'a conversation',
} as const;

const more = ['subject', 'cluster', 'explanation', 'meta'];

function readRecord(row: Row, countsFrom: 0 | 1 | undefined): RecordReading {
  const entries = Object.keys(row.fields).flatMap(name => {
    const value = row.nested(name);
    if (value === undefined || value === '') return [];
    return [[name, /^id$/i.test(name.trim()) && typeof value === 'number' ? String(value) : value] as const];
  });
  try {
    const read = questionFromRecord(Object.fromEntries(entries), {
      others: 'keep',
      fields: more,
      ...(countsFrom !== undefined && { countsFrom }),
    });
    if (read.question.kind === 'chat') throw new MeditronError('ERR_INPUT', 'a conversation cannot be evaluated');
    return read;
  } catch (error) {
    if (!(error instanceof MeditronError)) throw error;
    throw new MeditronError(error.code, `${row.file}, ${row.where}: ${error.message}`, { cause: error });
  }
}

function itemOf(row: Row, { question, rest }: RecordReading, fallback: string): Item {
  if (question.kind === 'chat') throw row.fail('question', 'no conversation');
  const { id = fallback, question: text, context, answer } = question;
  const subject = row.optionalText('subject');
  const cluster = row.optionalText('cluster');
  const explanation = row.optionalText('explanation') ?? (question.kind === 'open' ? answer : undefined);
  const meta = Object.entries(rest).filter(([name, value]) => !more.includes(name.toLowerCase()) && isPlain(value));
  return {
    id,
    question: text,
    ...(question.kind === 'choice' && { options: question.options }),
    ...goldOf(question),
    ...(context && context.length > 0 && { context }),
    ...(subject && { subject }),
    ...(cluster && { cluster }),
    ...(explanation && { explanation }),
    ...(meta.length > 0 && { meta: Object.fromEntries(meta) as Record<string, string | number | boolean> }),
  };
}

function goldOf(question: Exclude<Question, { kind: 'chat' }>): Pick<Item, 'gold'> {
  const { kind, answer } = question;
  if (answer === undefined || kind === 'open') return {};
  if (kind === 'choice') return { gold: answer.charCodeAt(0) - 65 };
  return answer === 'yes' || answer === 'no' || answer === 'maybe' ? { gold: answer } : {};
}

/** What was found while reading that is more than the usual, each kind once with the number of its rows. */
class Findings {
  readonly #counts = new Map<string, number>();

  add({ findings, rest }: RecordReading): void {
    const kept = Object.keys(rest).filter(name => !more.includes(name.toLowerCase()));
    const messages = findings
      .filter(({ message }) => !message.startsWith('`answer` names'))
      .map(({ message }) => message);
    if (kept.length > 0) messages.push(`kept for reading and not shown to the model: ${kept.join(', ')}`);
    for (const message of new Set(messages)) this.#counts.set(message, (this.#counts.get(message) ?? 0) + 1);
  }

  get notes(): string[] {
    return [...this.#counts].slice(0, 12).map(([message, count]) => `${message} (${count} questions)`);
  }
}

function scoringNotes(items: readonly Item[], kind: Question['kind'] | undefined): string[] {
  if (kind === 'open') return ['open questions: answers are kept and not scored'];
  const unlabelled = items.filter(item => item.gold === undefined).length;
  if (unlabelled === items.length)
    return ['no question has a right answer in a field that is known: nothing will be scored'];
  return unlabelled > 0 ? [`${unlabelled} questions have no right answer and will not be scored`] : [];
}

function isPlain(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}
