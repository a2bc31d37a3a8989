import { MeditronError } from '../../check/errors.js';
import { letter } from '../../prompt/question/question.js';
import { goldOf, plain } from './gold.js';
import { type DataFile, filesOf, hasFields, missing } from './locate.js';
import type { Row } from './row.js';
import { finish } from './set.js';
import { rowsOf } from './table.js';
import type { Item, LoadOptions, TaskDefinition, TaskSet } from './task.js';

const task = {
  name: 'medconceptsqa',
  title: 'MedConceptsQA',
  answers: 'choice',
  partition: 'test',
  counts: { dev: 60, validation: 60, test: 819_832 },
  download: [
    'Hugging Face ofir408/MedConceptsQA, configuration all or any of {icd9cm, icd10cm, icd9proc, icd10proc, atc}_{easy, medium, hard}, as JSON Lines or CSV:',
    '<data>/medconceptsqa/<configuration>/test.jsonl (and dev.jsonl, 60 rows, for demonstrations).',
    '819,832 test questions in all; name one configuration’s folder to evaluate it alone.',
  ],
  licence: 'Apache-2.0 (its page)',
} as const;

/** MedConceptsQA (arXiv 2405.07348). MEDITRON is at chance here: a test of abstention more than of knowledge. */
export const medconceptsqa: TaskDefinition = { ...task, load };

async function load(source: string, options: LoadOptions = {}): Promise<TaskSet> {
  const partition = options.partition ?? task.partition;
  const dev = (file: DataFile) => file.partition === 'dev' || file.partition === 'validation';
  const found = await filesOf(source, (head, path) => hasFields(head, path, 'answer_id', 'option1'));
  const wanted = found.filter(file => (partition === 'test' ? !dev(file) && file.partition !== 'train' : dev(file)));
  if (wanted.length === 0)
    throw await missing(task, source, found.length > 0 ? `only ${found[0]!.relative}` : 'no file has its fields');
  const items = new Map<string, Item>();
  let repeated = 0;
  for (const file of wanted) {
    const here = new Set<string>();
    for await (const row of rowsOf(file.path)) {
      let item = itemOf(row);
      // A configuration and `all` hold the same rows; within one file, every row is a question of its own.
      if (!here.has(item.id) && same(items.get(item.id), item)) {
        repeated++;
        here.add(item.id);
        continue;
      }
      for (let i = 2; items.has(item.id); i++) item = { ...item, id: `${itemOf(row).id}-${i}` };
      items.set(item.id, item);
      here.add(item.id);
    }
  }
  const paths = wanted.map(file => file.path);
  if (items.size === 0) throw new MeditronError('ERR_INPUT', `${paths[0]} holds no rows`);
  const read = [...items.values()];
  const notes = goldNotes(read);
  if (repeated > 0) notes.push(`${repeated} rows occur in more than one file and were read once`);
  const count = task.counts[partition as 'test'];
  return finish(task, partition, read, notes, count, paths);
}

function same(a: Item | undefined, b: Item): boolean {
  return (
    a !== undefined &&
    a.question === b.question &&
    a.gold === b.gold &&
    a.options!.every((text, i) => text === b.options![i])
  );
}

function itemOf(row: Row): Item {
  const options = [1, 2, 3, 4].map(i => row.text(`option${i}`));
  const gold = goldOf(row, 'answer', options, { letter: row.text('answer_id'), text: row.text('answer') });
  const vocab = row.text('vocab');
  const level = row.optionalText('level');
  return {
    id: `${vocab}-${level ?? 'all'}-${row.text('question_id')}`.toLowerCase(),
    question: stemOf(row, options),
    options,
    gold,
    subject: vocab,
    ...(level && { meta: { level } }),
  };
}

/** The question without the four indented option lines that the published text already contains. */
function stemOf(row: Row, options: readonly string[]): string {
  const text = row.text('question');
  const start = [...text.matchAll(/^[ \t]*A[.):]/gm)].at(-1)?.index;
  if (start === undefined) return text.trim();
  const parts = text
    .slice(start)
    .split(/^[ \t]*[A-D][.):][ \t]*/m)
    .slice(1);
  if (parts.length !== 4) return text.trim();
  if (!parts.every((part, i) => part.trim() === options[i] || plain(part) === plain(options[i]!))) {
    throw row.fail('question', 'the question followed by the same options as in option1 to option4', text);
  }
  return text.slice(0, start).trim();
}

/** The published generator maps the third option to no letter (nadavlab/MedConceptsQA). */
function goldNotes(items: readonly Item[]): string[] {
  if (items.length < 24) return [];
  const absent = [0, 1, 2, 3].filter(index => !items.some(item => item.gold === index)).map(letter);
  if (absent.length === 0) return [];
  const letters = absent.join(' and ');
  const chance = (100 / (4 - absent.length)).toFixed(1);
  return [
    `${letters} is never the right answer, a known fault of the published generator: someone who knows this reaches ${chance} % by guessing`,
  ];
}
