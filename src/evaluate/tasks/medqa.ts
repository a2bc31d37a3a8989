import { goldOf, letteredOptions } from './gold.js';
import { hasFields } from './locate.js';
import { baseOf } from './numbering.js';
import type { Row } from './row.js';
import { type Content, type Format, loadSet, numbered } from './set.js';
import type { Item, LoadOptions, TaskDefinition } from './task.js';

/** MedQA (USMLE) with five options, as in Jin et al., arXiv 2009.13081. */
export const medqa: TaskDefinition = definition('medqa', 'MedQA (5 options)', 5, [
  'Original: data_clean.zip, linked from https://github.com/jind11/MedQA; put questions/US/test.jsonl into <data>/medqa/.',
  'Or Hugging Face bigbio/med_qa, configuration med_qa_en_source, exported as JSON, JSON Lines or CSV: <data>/medqa/test.jsonl.',
  '1,273 test questions (train 10,178, dev 1,272); right answers A 273, B 277, C 252, D 269, E 202.',
]);

/** The same questions with four options; the letters differ from those of the five. */
export const medqa4: TaskDefinition = definition('medqa4', 'MedQA (4 options)', 4, [
  'Original: data_clean.zip, linked from https://github.com/jind11/MedQA; put questions/US/4_options/phrases_no_exclude_test.jsonl into <data>/medqa/.',
  'Or Hugging Face GBaker/MedQA-USMLE-4-options or GBaker/MedQA-USMLE-4-options-hf, as JSON, JSON Lines or CSV: <data>/medqa/test.jsonl.',
  '1,273 test questions (train 10,178, dev 1,272); right answers A 353, B 309, C 346, D 265.',
]);

function definition(name: 'medqa' | 'medqa4', title: string, size: 4 | 5, download: readonly string[]): TaskDefinition {
  const task = {
    name,
    title,
    answers: 'choice',
    partition: 'test',
    counts: { train: 10_178, validation: 1_272, dev: 1_272, test: 1_273 },
    download: [...download, 'Both variants may lie side by side: they are told apart by their number of options.'],
    licence: 'MIT (repository); the copyright of the examination questions themselves is unclear',
  } as const;
  const load = (source: string, options: LoadOptions = {}) => {
    const format: Format = { fits, read: (rows, { partition }) => read(rows, partition, size, name, options) };
    return loadSet(task, format, source, options);
  };
  return { ...task, load };
}

function fits(head: string, path: string): boolean {
  if (/mainland|taiwan/i.test(path)) return false; // the same archive's Chinese examinations
  return hasFields(head, path, 'answer_idx', 'options') || hasFields(head, path, 'ending0', 'sent1');
}

function read(
  rows: readonly Row[],
  partition: string,
  size: number,
  name: string,
  { countsFrom }: LoadOptions,
): Content | undefined {
  const labels = rows.filter(isEndings).map(row => ({ row, number: labelOf(row) }));
  const base = labels.length > 0 && size === 4 ? baseOf('label', labels, 4, countsFrom) : 0;
  const items = rows.map((row, i) => itemOf(row, base, numbered(`medqa-${partition}`, i)));
  const sizes = new Set(items.map(item => item.options!.length));
  if (!sizes.has(size)) return undefined;
  const odd = items.findIndex(item => item.options!.length !== size);
  if (odd >= 0) throw rows[odd]!.fail('options', `${size} options as in the other rows`, items[odd]!.options!.length);
  const notes = ['many questions mention an image or a table that is not part of the data set'];
  if (name === 'medqa4')
    notes.push('the letters of the 4-option form differ from those of the 5-option form of the same question');
  return { items, notes };
}

/** The form of Hugging Face's `-hf` copies: four endings and the number of the right one. */
function isEndings(row: Row): boolean {
  return row.has('ending0');
}

function labelOf(row: Row): number {
  const label = row.value('label');
  const number = typeof label === 'string' && /^\d$/.test(label) ? Number(label) : label;
  if (typeof number !== 'number') throw row.fail('label', 'the number of the right option');
  return number;
}

function itemOf(row: Row, base: 0 | 1, id: string): Item {
  if (isEndings(row)) {
    const endings = [0, 1, 2, 3].map(i => row.text(`ending${i}`));
    const stem = [row.text('sent1'), row.optionalText('sent2')].filter(part => part?.trim()).join(' ');
    return {
      id: row.optionalText('id') ?? id,
      question: stem,
      options: endings,
      gold: goldOf(row, 'label', endings, { index: labelOf(row) - base }),
    };
  }
  const options = letteredOptions(row, 'options');
  const letter = row.optionalText('answer_idx');
  const gold = goldOf(row, 'answer', options, { letter, text: row.text('answer') });
  const step = row.optionalText('meta_info');
  return { id, question: row.text('question'), options, gold, ...(step && { meta: { step } }) };
}
