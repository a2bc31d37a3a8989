import { MeditronError } from '../../check/errors.js';
import { integer } from '../../check/options.js';
import { permutation } from '../../random/numpy.js';
import { plain } from './gold.js';
import { filesOf, hasFields } from './locate.js';
import type { Row } from './row.js';
import { type Content, type Copy, loadSet, numbered } from './set.js';
import { rowsOf } from './table.js';
import type { Item, TaskDefinition } from './task.js';

/** The categories that the MEDITRON paper reports (Table 13), and their questions. */
export const categories = { Health: 55, Nutrition: 16, Psychology: 19, Science: 9 } as const;

const task = {
  name: 'truthfulqa',
  title: 'TruthfulQA (health categories)',
  answers: 'choice',
  partition: 'validation',
  counts: { validation: 99 },
  download: [
    'Original: TruthfulQA.csv from https://github.com/sylinrl/TruthfulQA (columns Type, Category, Question, Best Answer, Correct Answers, Incorrect Answers, Source); put it into <data>/truthfulqa/.',
    'Or Hugging Face truthfulqa/truthful_qa, configuration generation, split validation, as JSON, JSON Lines or CSV.',
    'Its configuration multiple_choice has no categories: put TruthfulQA.csv beside it, the questions are joined by their text.',
    '817 questions, of which 99 are used: Health 55, Nutrition 16, Psychology 19, Science 9.',
  ],
  licence: 'Apache-2.0',
} as const;

/**
 * TruthfulQA (Lin et al., arXiv 2109.07958), as multiple choice: the best answer and up to three wrong ones, drawn without
 * replacement and shuffled by a recorded seed. (The authors draw with replacement and without a seed.)
 */
export const truthfulqa: TaskDefinition = {
  ...task,
  load: async (source, options = {}) => {
    const seed = integer('seed', options.seed ?? 0, 0, 2 ** 32 - 1);
    // The multiple-choice form first: where it is, the CSV beside it is for the categories.
    const choices = (await filesOf(source, isChoices)).length > 0;
    const format = {
      fits: choices ? isChoices : hasBestAnswer,
      partition: () => 'validation' as const, // whatever the file is called, there is one part
      read: (rows: readonly Row[], copy: Copy) => read(rows, copy, seed),
    };
    return loadSet(task, format, source, { ...options, partition: 'validation' });
  },
};

function isChoices(head: string, path: string): boolean {
  return hasFields(head, path, 'mc1_targets');
}

function hasBestAnswer(head: string, path: string): boolean {
  return hasFields(head, path, 'Best Answer') || hasFields(head, path, 'best_answer');
}

interface Raw {
  readonly question: string;
  readonly right: string;
  readonly wrong: readonly string[];
  readonly category: string | undefined;
}

async function read(rows: readonly Row[], copy: Copy, seed: number): Promise<Content | undefined> {
  let raws = rows.map(rawOf);
  const also: string[] = [];
  if (raws.some(raw => raw.category === undefined)) {
    const joined = await join(raws, copy);
    if (!joined)
      throw new MeditronError(
        'ERR_INPUT',
        `${rows[0]!.file} has no categories.\n${task.download.map(line => `  ${line}`).join('\n')}`,
      );
    raws = joined.raws;
    also.push(joined.path);
  }
  const items: Item[] = [];
  for (const [i, raw] of raws.entries()) {
    if (raw.category && raw.category in categories) items.push(itemOf(raw, i, seed));
  }
  if (items.length === 0)
    throw new MeditronError('ERR_INPUT', `${rows[0]!.file} has no question of ${Object.keys(categories).join(', ')}`);
  const few = items.filter(item => item.options!.length < 4).length;
  const notes = [
    `options: the best answer and up to three wrong ones, drawn without replacement and shuffled by numpy's default_rng([${seed}, row])`,
    'the authors draw wrong answers with replacement and without a seed: single items cannot be compared with theirs',
  ];
  if (few > 0)
    notes.push(`${few} questions have fewer than three different wrong answers and so fewer than four options`);
  return { items, notes, also };
}

function itemOf(raw: Raw, index: number, seed: number): Item {
  const drawn = [...permutation(raw.wrong.length, [seed, index, 0])].slice(0, 3).map(i => raw.wrong[i]!);
  const unshuffled = [raw.right, ...drawn];
  const order = [...permutation(unshuffled.length, [seed, index, 1])];
  return {
    id: numbered('truthfulqa', index),
    question: raw.question,
    options: order.map(i => unshuffled[i]!),
    gold: order.indexOf(0),
    subject: raw.category!,
  };
}

function rawOf(row: Row): Raw {
  const question = row.text('question');
  const category = row.optionalText('category')?.trim();
  const targets = row.nested('mc1_targets');
  if (targets !== undefined) {
    const { choices, labels } = choicesOf(targets);
    if (labels.length !== choices.length || labels.filter(label => label === 1).length !== 1) {
      throw row.fail('mc1_targets', '`choices` and `labels` of equal length with exactly one label 1');
    }
    const right = choices[labels.indexOf(1)]!;
    return {
      question,
      right,
      wrong: wrongOf(
        row,
        choices.filter((_, i) => labels[i] !== 1),
        right,
      ),
      category,
    };
  }
  const right = row.text('best answer', 'best_answer').trim();
  const list = row.nested('incorrect answers', 'incorrect_answers');
  const wrong = Array.isArray(list) ? list : row.text('incorrect answers', 'incorrect_answers').split(';');
  return { question, right, wrong: wrongOf(row, wrong, right), category };
}

/** `{ choices, labels }` on the hub, `{ [choice]: label }` in the original `mc_task.json`. */
function choicesOf(targets: unknown): { choices: string[]; labels: unknown[] } {
  if (typeof targets !== 'object' || targets === null) return { choices: [], labels: [] };
  const { choices, labels } = targets as { choices?: unknown; labels?: unknown };
  if (!Array.isArray(choices) || !Array.isArray(labels))
    return { choices: Object.keys(targets), labels: Object.values(targets) };
  return { choices: choices.map(String), labels };
}

function wrongOf(row: Row, texts: readonly unknown[], right: string): string[] {
  const wrong = new Map<string, string>();
  for (const text of texts)
    if (typeof text === 'string' && text.trim()) wrong.set(plain(text), wrong.get(plain(text)) ?? text.trim());
  if (wrong.has(plain(right))) throw row.fail('incorrect answers', 'without the best answer', right);
  if (wrong.size === 0) throw row.fail('incorrect answers', 'one wrong answer or more');
  return [...wrong.values()];
}

async function join(raws: readonly Raw[], copy: Copy): Promise<{ raws: Raw[]; path: string } | undefined> {
  const withCategory = await filesOf(
    copy.source,
    (head, path) => hasFields(head, path, 'category') && hasBestAnswer(head, path),
  );
  const path = withCategory[0]?.path;
  if (!path) return undefined;
  const byQuestion = new Map<string, string>();
  for await (const row of rowsOf(path)) byQuestion.set(plain(row.text('question')), row.text('category').trim());
  return { path, raws: raws.map(raw => ({ ...raw, category: byQuestion.get(plain(raw.question)) ?? '' })) };
}
