import { basename } from 'node:path';
import { MeditronError } from '../../check/errors.js';
import { letter } from '../../prompt/question/question.js';
import { goldOf } from './gold.js';
import { type DataFile, filesOf, hasFields, missing } from './locate.js';
import { baseOf, type Numbered } from './numbering.js';
import type { Row } from './row.js';
import { finish } from './set.js';
import { rowsOf } from './table.js';
import type { Item, LoadOptions, Partition, TaskDefinition, TaskSet } from './task.js';

/** The nine subjects of MMLU-Medical and the rows of their test part (Hendrycks et al., arXiv 2009.03300). */
export const subjects = {
  anatomy: 135,
  clinical_knowledge: 265,
  college_biology: 144,
  college_medicine: 173,
  high_school_biology: 310,
  medical_genetics: 100,
  nutrition: 306,
  professional_medicine: 272,
  virology: 166,
} as const;

type Subject = keyof typeof subjects;

const task = {
  name: 'mmlu-medical',
  title: 'MMLU-Medical',
  answers: 'choice',
  partition: 'test',
  counts: { dev: 45, test: 1_871 },
  download: [
    'Original: https://people.eecs.berkeley.edu/~hendrycks/data.tar, linked from https://github.com/hendrycks/test; put its folders test/ and dev/ into <data>/mmlu/.',
    `Needed: <subject>_test.csv (and <subject>_dev.csv for demonstrations) of ${Object.keys(subjects).join(', ')}.`,
    'Or Hugging Face cais/mmlu, split test, one file a subject (<data>/mmlu/<subject>_test.jsonl) or one with all subjects.',
    'Hugging Face lukaemon/mmlu, which the authors used, is read too but lacks the first row of every subject.',
    `1,871 test questions: ${Object.entries(subjects)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ')}.`,
  ],
  licence: 'MIT',
} as const;

/** MMLU-Medical: the nine subjects of MMLU that the MEDITRON paper (arXiv 2311.16079) evaluates. */
export const mmlu: TaskDefinition = { ...task, load };

async function load(source: string, options: LoadOptions = {}): Promise<TaskSet> {
  const partition = options.partition ?? task.partition;
  const found = await filesOf(source, fits);
  const wanted = found.filter(
    file => file.partition === partition || (file.partition === undefined && partition === 'test'),
  );
  const bySubject = new Map<Subject, { items: Item[]; file: DataFile; lost: boolean }>();
  const paths = new Set<string>();
  const read: [DataFile, ReadSubject[]][] = [];
  for (const file of wanted) read.push([file, await readFile(file)]);
  const numbers = read.flatMap(([, found]) => found.flatMap(({ rows }) => rows.flatMap(numberOf)));
  const base = numbers.length > 0 ? baseOf('answer', numbers, 4, options.countsFrom) : 0;
  for (const [file, found] of read) {
    for (const { subject, rows, lost } of found) {
      const items = rows.map((row, i) => itemOf(row, subject, base, idOf(subject, partition, i)));
      const first = bySubject.get(subject);
      if (first && contents(first.items) !== contents(items)) {
        const message = `${first.file.path} (${first.items.length} rows) and ${file.path} (${items.length} rows) differ; name one of them as the data folder`;
        throw new MeditronError('ERR_INPUT', message);
      }
      if (first) continue;
      bySubject.set(subject, { items, file, lost });
      paths.add(file.path);
    }
  }
  if (bySubject.size === 0) {
    const others = found.slice(0, 5).map(file => file.relative);
    const detail = others.length > 0 ? `only ${others.join(', ')}` : `no file of the nine subjects' ${partition} part`;
    throw await missing(task, source, detail);
  }
  const items: Item[] = [];
  const notes: string[] = [];
  for (const subject of Object.keys(subjects) as Subject[]) {
    const part = bySubject.get(subject);
    if (part) items.push(...part.items);
    const expected = partition === 'test' ? subjects[subject] : partition === 'dev' ? 5 : undefined;
    if (!part) notes.push(`${subject} is missing`);
    else if (partition === 'test' && part.items.length === subjects[subject] - 1) {
      const copy = part.lost ? ', as in the Hugging Face copy lukaemon/mmlu' : '';
      notes.push(`${subject}: ${part.items.length} of ${expected} rows, the first row is lost${copy}`);
    } else if (expected !== undefined && part.items.length !== expected) {
      notes.push(`${subject}: ${part.items.length} rows, the complete ${partition} part has ${expected}`);
    }
  }
  return finish(task, partition, items, notes, task.counts[partition as 'test'], [...paths]);
}

function fits(head: string, path: string): boolean {
  if (/\.csv$/i.test(path) && subjectOf(path)) return true;
  if (hasFields(head, path, 'input', 'target')) return subjectOf(path) !== undefined;
  return (
    hasFields(head, path, 'choices', 'answer') && (subjectOf(path) !== undefined || hasFields(head, path, 'subject'))
  );
}

function subjectOf(path: string): Subject | undefined {
  const name = path.toLowerCase().replace(/[^a-z]+/g, '_');
  return (Object.keys(subjects) as Subject[]).find(subject => new RegExp(`(^|_)${subject}(_|$)`).test(name));
}

interface ReadSubject {
  readonly subject: Subject;
  readonly rows: Row[];
  /** True for the copy whose rows lack the first of every subject. */
  readonly lost: boolean;
}

async function readFile(file: DataFile): Promise<ReadSubject[]> {
  const fromPath = subjectOf(basename(file.path)) ?? subjectOf(file.relative);
  const rows = new Map<Subject, Row[]>();
  let lost = false;
  for await (const row of rowsOf(file.path, { headerless })) {
    const column = row.optionalText('subject');
    if (!column && !fromPath) throw row.fail('subject', 'the name of an MMLU subject');
    const subject = column ? subjectOf(column) : fromPath;
    if (subject === undefined) continue; // one of the 48 other subjects
    const here = rows.get(subject);
    if (here) here.push(row);
    else rows.set(subject, [row]);
    lost ||= row.has('input');
  }
  return [...rows].map(([subject, found]) => ({ subject, rows: found, lost }));
}

function idOf(subject: Subject, partition: Partition, index: number): string {
  return `mmlu-${subject}-${partition}-${String(index + 1).padStart(3, '0')}`;
}

/** The number that names the right option, where it is not a letter. */
function numberOf(row: Row): Numbered[] {
  const stated = statedOf(row);
  return stated !== undefined && /^\d$/.test(stated) ? [{ row, number: Number(stated) }] : [];
}

function statedOf(row: Row): string | undefined {
  const answer = row.value('answer', 'target', 'answer_idx', 'label');
  return answer === undefined ? undefined : String(answer).trim();
}

/** The original files have no header; a first record whose last cell is an answer is data. */
function headerless(first: readonly string[]): readonly string[] | undefined {
  const isData = first.length === 6 && /^\s*[A-D0-4]\s*$/.test(first[5]!);
  return isData ? ['question', 'A', 'B', 'C', 'D', 'answer'] : undefined;
}

function itemOf(row: Row, subject: Subject, base: 0 | 1, id: string): Item {
  const options = row.has('choices') ? row.texts('choices') : optionsOf(row);
  if (options.length !== 4) throw row.fail('choices', 'four options', options.length);
  const [number] = numberOf(row);
  const stated = number ? { index: number.number - base } : { letter: statedOf(row) };
  return {
    id,
    question: row.text('question', 'input'),
    options,
    gold: goldOf(row, 'answer', options, stated),
    subject,
  };
}

function optionsOf(row: Row): string[] {
  return [0, 1, 2, 3].map(i => {
    const name = letter(i);
    return row.text(name, `option_${name}`, `option${i + 1}`, `choice_${name}`, `option ${name}`, `choice${i}`);
  });
}

function contents(items: readonly Item[]): string {
  return JSON.stringify(items.map(({ question, options, gold }) => [question, options, gold]));
}
