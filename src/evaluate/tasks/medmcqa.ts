import { MeditronError } from '../../check/errors.js';
import { goldOf } from './gold.js';
import { hasFields } from './locate.js';
import { baseOf, type Numbered } from './numbering.js';
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

function read(rows: readonly Row[], copy: Copy, { countsFrom }: LoadOptions): Content {
  const cops = rows.map(row => ({ row, number: copOf(row) }));
  const base = baseOf('cop', cops, 4, countsFrom);
  checkLetters(cops, base);
  const items = cops.map(({ row, number }, i) => itemOf(row, number - base, numbered(`medmcqa-${copy.partition}`, i)));
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
 * Explanations often begin with the letter of the right option (`Ans. is 'c'`): in the first 2,000 published rows 512 do, and
 * every one agrees. Where more of them say the answer beside, the numbers count from elsewhere.
 */
function checkLetters(cops: readonly Numbered[], base: 0 | 1): void {
  const stated = cops.flatMap(cop => {
    const letter = /^\W*(?:correct\s+)?ans(?:wer)?\W{0,3}(?:is\W{0,4})?([a-d])(?![a-z])/i.exec(
      cop.row.optionalText('exp') ?? '',
    )?.[1];
    return letter === undefined ? [] : [{ ...cop, off: cop.number - base - 'abcd'.indexOf(letter.toLowerCase()) }];
  });
  const [right, beside] = [stated.filter(({ off }) => off === 0), stated.filter(({ off }) => off === 1 - 2 * base)];
  if (beside.length <= right.length) return;
  const { row } = beside[0]!;
  const message =
    `${row.file}, ${row.where}: \`exp\` names another letter than \`cop\` counted from ${base}; so do ${beside.length} rows, ` +
    `and ${right.length} name the same. It seems to count from ${1 - base}`;
  throw new MeditronError('ERR_INPUT', message);
}

function itemOf(row: Row, index: number, fallback: string): Item {
  const options = ['opa', 'opb', 'opc', 'opd'].map(field => row.optionalText(field) ?? '');
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
