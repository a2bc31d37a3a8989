import { MeditronError } from '../../check/errors.js';
import { goldOf } from './gold.js';
import { hasFields } from './locate.js';
import type { Row } from './row.js';
import { type Content, type Copy, loadSet, numbered } from './set.js';
import type { Item, LoadOptions, TaskDefinition } from './task.js';

const task = {
  name: 'medmcqa',
  title: 'MedMCQA',
  answers: 'choice',
  partition: 'validation',
  counts: { train: 182_822, validation: 4_183, dev: 4_183, test: 6_150 },
  download: [
    'Original: data.zip, linked from https://github.com/medmcqa/medmcqa; put dev.json (one object a line, `cop` 1 to 4) into <data>/medmcqa/.',
    'Or Hugging Face openlifescienceai/medmcqa, split validation, as JSON, JSON Lines or CSV (`cop` 0 to 3): <data>/medmcqa/validation.jsonl.',
    '4,183 validation questions (train 182,822); right answers A 1,348, B 1,085, C 925, D 825. The test part is unlabelled.',
  ],
  licence: 'MIT (repository), Apache-2.0 (Hugging Face)',
} as const;

/** MedMCQA (Pal et al., arXiv 2203.14371): its validation part, because the labels of its test part are not public. */
export const medmcqa: TaskDefinition = {
  ...task,
  load: (source, options = {}) => {
    const fits = (head: string, path: string) => hasFields(head, path, 'opa', 'opb', 'opc', 'opd');
    return loadSet(task, { fits, read: (rows, copy) => read(rows, copy, options) }, source, options);
  },
};

function read(rows: readonly Row[], copy: Copy, options: LoadOptions): Content {
  const cops = rows.map(copOf);
  const base = options.copBase ?? baseOf(rows, cops);
  const items = rows.map((row, i) => itemOf(row, cops[i]! - base, numbered(`medmcqa-${copy.partition}`, i)));
  const notes = [`\`cop\` counts from ${base}`];
  const multi = items.filter(item => item.meta?.choiceType === 'multi').length;
  if (multi > 0)
    notes.push(`${multi} questions are marked "multi" and still have one right answer; some papers leave them out`);
  const equal = items.filter(item => new Set(item.options).size < item.options!.length).length;
  if (equal > 0) notes.push(`${equal} questions have two options with the same text`);
  return { items, notes };
}

function copOf(row: Row): number {
  const value = row.value('cop');
  const cop = typeof value === 'string' && /^-?\d$/.test(value.trim()) ? Number(value) : value;
  if (cop === -1 || cop === undefined) {
    const message = `${row.file}, ${row.where}: no right answer (\`cop\`): this is the unlabelled test part; use the validation part`;
    throw new MeditronError('ERR_INPUT', message);
  }
  if (typeof cop !== 'number' || !Number.isInteger(cop) || cop < 0 || cop > 4)
    throw row.fail('cop', 'an integer from 0 to 4');
  return cop;
}

/**
 * The original files count from 1, the Hugging Face copy from 0. A 4 or a 0 decides. Without either, a quarter to a third
 * of the answers being A, 24 rows are enough to know that a 0 would have occurred; fewer are not guessed at.
 */
function baseOf(rows: readonly Row[], cops: readonly number[]): 0 | 1 {
  const zero = cops.indexOf(0);
  const four = cops.indexOf(4);
  if (zero >= 0 && four >= 0) {
    const message = `${rows[0]!.file}: \`cop\` is 0 at ${rows[zero]!.where} and 4 at ${rows[four]!.where}; it must count from 0 or from 1 throughout`;
    throw new MeditronError('ERR_INPUT', message);
  }
  if (zero >= 0) return 0;
  if (four >= 0 || cops.length >= 24) return 1;
  const message =
    `${rows[0]!.file}: ${cops.length} rows, none with \`cop\` 0 or 4, do not tell whether \`cop\` counts from 0 (Hugging Face) ` +
    'or from 1 (original); use the complete file';
  throw new MeditronError('ERR_INPUT', message);
}

function itemOf(row: Row, index: number, fallback: string): Item {
  // An option may be blank, the right one may not.
  const options = ['opa', 'opb', 'opc', 'opd'].map(field => row.optionalText(field) ?? '');
  row.text(`op${'abcd'[index]}`);
  const explanation = row.optionalText('exp');
  const subject = row.optionalText('subject_name');
  const choiceType = row.optionalText('choice_type');
  const topic = row.optionalText('topic_name');
  return {
    id: row.optionalText('id') ?? fallback,
    question: row.text('question'),
    options,
    gold: goldOf(row, 'cop', options, { index }),
    ...(subject && { subject }),
    ...(explanation && { explanation }),
    meta: { ...(choiceType && { choiceType }), ...(topic && { topic }) },
  };
}
