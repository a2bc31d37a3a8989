import { goldOf, letteredOptions } from './gold.js';
import { hasFields } from './locate.js';
import type { Row } from './row.js';
import { type Content, loadSet } from './set.js';
import type { Item, TaskDefinition } from './task.js';

const task = {
  name: 'clinical',
  title: 'clinical scores',
  answers: 'choice',
  partition: 'test',
  counts: {},
  download: ['Nothing: write questions with `npm run questions -- --seed 1 --count 1000 --out <data>/clinical.jsonl`.'],
  licence: "this package's own",
} as const;

/** Questions about clinical scores, written by this package's own generator: one JSON object a line. */
export const clinical: TaskDefinition = {
  ...task,
  load: (source, options) =>
    loadSet(task, { fits, partition: () => 'test', read }, source, { ...options, partition: 'test' }),
};

function fits(head: string, path: string): boolean {
  return hasFields(head, path, 'score', 'question', 'options', 'answer', 'explanation');
}

function read(rows: readonly Row[]): Content {
  return { items: rows.map(itemOf), notes: [] };
}

function itemOf(row: Row): Item {
  const options = letteredOptions(row, 'options');
  const explanation = row.optionalText('explanation');
  return {
    id: row.text('id'),
    question: row.text('question'),
    options,
    gold: goldOf(row, 'answer', options, { letter: row.text('answer') }),
    subject: row.text('score'),
    ...(explanation && { explanation }),
  };
}
