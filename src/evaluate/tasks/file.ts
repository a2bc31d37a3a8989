import { stat } from 'node:fs/promises';
import { MeditronError } from '../../check/errors.js';
import { nearest } from '../../check/options.js';
import { letter } from '../../prompt/question/question.js';
import { goldOf, letteredOptions, plain } from './gold.js';
import type { Row } from './row.js';
import { finish, numbered } from './set.js';
import { rowsOf } from './table.js';
import type { Item, TaskDefinition, TaskSet, YesNoMaybe } from './task.js';

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
 * The user's own questions: a UTF-8 file with one JSON object a line (a JSON array and CSV with a header work too).
 *
 * | field | | |
 * |---|---|---|
 * | `question` | required | text |
 * | `options` | multiple choice | an object of letter and text, `{"A": "...", "B": "..."}`, or an array of texts; 2 to 26 |
 * | `answer` | to score it | the letter, or the full text of an option; without `options`: `yes`, `no` or `maybe` |
 * | `id` | optional | text, unique in the file; default: the row's number |
 * | `context` | optional | a text or an array of texts that stand before the question |
 * | `subject` | optional | text; results are grouped by it |
 * | `cluster` | optional | text; questions with the same cluster count as one in intervals |
 * | `explanation` | optional | reasoning or reference answer, for reading; never in the prompt |
 *
 * All rows are of one kind: multiple choice, yes/no/maybe, or open (neither `options` nor `answer`). A number is refused
 * as `answer`, because it does not say whether it counts from 0 or from 1. Other fields are kept in `meta`; one that
 * looks like a misspelt field of the table is an error.
 */
export const file: TaskDefinition = { ...task, load };

async function load(source: string): Promise<TaskSet> {
  const info = await stat(source).catch(error => {
    throw new MeditronError('ERR_INPUT', `Cannot read ${source}: ${(error as Error).message}`, { cause: error });
  });
  if (!info.isFile()) throw new MeditronError('ERR_INPUT', `Expected ${source} to be a file.\n  ${task.download[0]}`);
  const items: Item[] = [];
  for await (const row of rowsOf(source)) {
    const item = itemOf(row, numbered('question', items.length));
    if (items[0] && kindOf(items[0]) !== kindOf(item)) {
      throw row.fail('answer', `${kindOf(items[0])} like the first row`, kindOf(item));
    }
    items.push(item);
  }
  if (items.length === 0) throw new MeditronError('ERR_INPUT', `${source} holds no questions`);
  const unlabelled = items.filter(item => item.options && item.gold === undefined).length;
  const notes = unlabelled > 0 ? [`${unlabelled} questions have no answer and are not scored`] : [];
  return finish(task, 'test', items, notes, undefined, [source]);
}

const known = ['id', 'question', 'options', 'answer', 'context', 'subject', 'cluster', 'explanation', 'meta'];

function itemOf(row: Row, fallback: string): Item {
  for (const name of row.names) {
    const near = known.includes(name)
      ? undefined
      : nearest(
          name,
          known.filter(field => !row.has(field)),
        );
    if (near && name !== 'score')
      throw new MeditronError(
        'ERR_INPUT',
        `${row.file}, ${row.where}: unknown field \`${name}\`; did you mean \`${near}\`?`,
      );
  }
  const options = row.has('options') ? optionsOf(row) : undefined;
  const gold = answerOf(row, options);
  const context = row.nested('context');
  const passages = context === undefined ? undefined : typeof context === 'string' ? [context] : row.texts('context');
  const subject = row.optionalText('subject');
  const cluster = row.optionalText('cluster');
  const explanation = row.optionalText('explanation');
  const rest = row.names.filter(name => !known.includes(name));
  const meta = Object.fromEntries(
    rest.map(name => [name, row.value(name)] as const).filter(([, value]) => isPlain(value)),
  );
  return {
    id: row.optionalText('id') ?? fallback,
    question: row.text('question'),
    ...(options && { options }),
    ...(gold !== undefined && { gold }),
    ...(passages && { context: passages }),
    ...(subject && { subject }),
    ...(cluster && { cluster }),
    ...(explanation && { explanation }),
    ...(rest.length > 0 && { meta: meta as Record<string, string | number | boolean> }),
  };
}

function optionsOf(row: Row): string[] {
  const options =
    Array.isArray(row.nested('options')) && typeof (row.nested('options') as unknown[])[0] === 'string'
      ? row.texts('options')
      : letteredOptions(row, 'options');
  if (options.length < 2 || options.length > 26) throw row.fail('options', '2 to 26 options', options.length);
  if (options.some(option => option.trim() === '')) throw row.fail('options', 'texts that are not empty', '');
  return options;
}

function answerOf(row: Row, options: readonly string[] | undefined): number | YesNoMaybe | undefined {
  const answer = row.value('answer');
  if (answer === undefined || answer === '') return undefined;
  if (typeof answer !== 'string') {
    throw row.fail('answer', 'a letter or the text of an option (a number does not say where it counts from)', answer);
  }
  if (options) {
    const isText = options.filter(option => plain(option) === plain(answer)).length === 1;
    // Where options are themselves letters, "A" can mean two things: then both have to be the same option.
    const isLetter =
      !isText || (/^[A-Za-z]$/.test(answer.trim()) && answer.trim().toUpperCase() <= letter(options.length - 1));
    return goldOf(row, 'answer', options, { ...(isLetter && { letter: answer }), ...(isText && { text: answer }) });
  }
  const word = answer.trim().toLowerCase();
  if (word !== 'yes' && word !== 'no' && word !== 'maybe') {
    throw row.fail('answer', 'yes, no or maybe where there are no options', answer);
  }
  return word;
}

function kindOf(item: Item): string {
  if (item.options) return 'multiple choice';
  return item.gold === undefined ? 'an open question' : 'yes, no or maybe';
}

function isPlain(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}
