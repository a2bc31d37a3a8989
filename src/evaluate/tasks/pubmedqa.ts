import { basename } from 'node:path';
import { describe, MeditronError } from '../../check/errors.js';
import { filesOf, hasFields } from './locate.js';
import type { Row } from './row.js';
import { type Content, type Copy, loadSet, numbered } from './set.js';
import { readJson } from './table.js';
import type { Item, TaskDefinition, YesNoMaybe } from './task.js';

const task = {
  name: 'pubmedqa',
  title: 'PubMedQA',
  answers: 'yesno',
  partition: 'test',
  counts: { train: 450, validation: 50, dev: 50, test: 500 },
  download: [
    'Original: data/ori_pqal.json (1,000 labelled questions) and data/test_ground_truth.json (the 500 test ids) from https://github.com/pubmedqa/pubmedqa; put both into <data>/pubmedqa/.',
    'Or the test_set.json that its split_dataset.py writes: <data>/pubmedqa/test_set.json.',
    'Or Hugging Face bigbio/pubmed_qa, configuration pubmed_qa_labeled_fold0_source, split test: <data>/pubmedqa/test.jsonl.',
    'Or Hugging Face qiaojin/PubMedQA, configuration pqa_labeled (its split "train" is all 1,000), with test_ground_truth.json beside it.',
    '500 test questions: yes 276, no 169, maybe 55.',
  ],
  licence: 'MIT',
} as const;

/** PubMedQA (Jin et al., arXiv 1909.06146): the 500 expert-labelled test questions. The conclusion (`LONG_ANSWER`) is never context. */
export const pubmedqa: TaskDefinition = {
  ...task,
  load: (source, options) =>
    // A file with `pubid` is Hugging Face's pqa_labeled, whose only split is called "train" and is the whole set.
    loadSet(
      task,
      { fits, partition: (file, head) => (hasFields(head, file.path, 'pubid') ? undefined : file.partition), read },
      source,
      options,
    ),
};

function fits(head: string, path: string): boolean {
  if (/pqaa|pqau|artificial|unlabeled/i.test(path)) return false; // machine-labelled and unlabelled questions
  if (/fold[1-9]/i.test(path)) return false; // ten folds share the test part; the authors use fold 0
  return hasFields(head, path, 'final_decision', 'question');
}

async function read(rows: readonly Row[], copy: Copy): Promise<Content> {
  const all = rows.map((row, i) => itemOf(row, numbered(`pubmedqa-${copy.partition}`, i)));
  const truthFile = (await filesOf(copy.source, (_, path) => basename(path).toLowerCase() === truthName))[0]?.path;
  const truth = truthFile ? await truthOf(truthFile) : undefined;
  const identified = rows.every(row => row.key !== undefined || row.has('pubid'));
  const notes = ['the conclusion of each abstract (LONG_ANSWER) is kept out of the prompt'];
  const test = copy.partition === 'test';
  if (!identified || !truth) {
    const most = test ? task.counts.test : task.counts.train;
    if (all.length > most) {
      const reason = identified
        ? `${truthName}, which tells the 500 test questions, is not there`
        : 'PubMed ids are missing';
      throw tooMany(rows[0]!, all.length, reason);
    }
    return { items: all, notes };
  }
  for (const [i, { id, gold }] of all.entries()) {
    const label = truth.get(id);
    if (label !== undefined && label !== gold) throw rows[i]!.fail('final_decision', `"${label}" as in ${truthFile}`);
  }
  const items = all.filter(({ id }) => truth.has(id) === test);
  if (items.length === 0)
    throw tooMany(rows[0]!, all.length, `${test ? 'none' : 'each'} of its ids is in ${truthFile}`);
  if (test || items.length <= task.counts.train) return { items, notes, also: [truthFile!] };
  notes.push('training and validation questions together: every labelled question that is not a test question');
  return { items, notes, also: [truthFile!], expectedCount: task.counts.test };
}

const truthName = 'test_ground_truth.json';

function itemOf(row: Row, fallback: string): Item {
  const inner = row.nested('context');
  const context = isContext(inner) ? inner.contexts : row.texts('contexts');
  if (context.length === 0 || context.some(passage => typeof passage !== 'string' || passage.trim() === '')) {
    throw row.fail('contexts', 'one passage of text or more');
  }
  const gold = row.text('final_decision').trim().toLowerCase();
  if (gold !== 'yes' && gold !== 'no' && gold !== 'maybe') throw row.fail('final_decision', 'yes, no or maybe');
  const explanation = row.optionalText('long_answer');
  const year = row.optionalText('year');
  return {
    id: row.key ?? row.optionalText('pubid') ?? fallback,
    question: row.text('question'),
    context,
    gold,
    ...(explanation && { explanation }),
    ...(year && { meta: { year } }),
  };
}

function isContext(value: unknown): value is { contexts: string[] } {
  return typeof value === 'object' && value !== null && 'contexts' in value && Array.isArray(value.contexts);
}

async function truthOf(path: string): Promise<Map<string, YesNoMaybe>> {
  const value = await readJson(path);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new MeditronError('ERR_INPUT', `${path}: expected an object of PubMed id and label, got ${describe(value)}`);
  }
  const truth = new Map<string, YesNoMaybe>();
  for (const [id, label] of Object.entries(value)) {
    if (label !== 'yes' && label !== 'no' && label !== 'maybe') {
      throw new MeditronError('ERR_INPUT', `${path}: expected "${id}" to be yes, no or maybe, got ${describe(label)}`);
    }
    truth.set(id, label);
  }
  return truth;
}

function tooMany(row: Row, count: number, reason: string): MeditronError {
  const message = `${row.file} holds ${count} questions, and ${reason}.\n${task.download.map(line => `  ${line}`).join('\n')}`;
  return new MeditronError('ERR_INPUT', message);
}
