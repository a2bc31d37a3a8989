import { hasFields } from './locate.js';
import type { Row } from './row.js';
import { type Content, loadSet, numbered } from './set.js';
import type { Item, TaskDefinition } from './task.js';

const task = {
  name: 'medicationqa',
  title: 'MedicationQA',
  answers: 'open',
  partition: 'test',
  counts: { test: 690 },
  download: [
    'Original: MedInfo2019-QA-Medications.xlsx from https://github.com/abachaa/Medication_QA_MedInfo2019; save it as CSV (UTF-8): <data>/medicationqa/medicationqa.csv.',
    'Or Hugging Face truehealth/medicationqa (its only split is called "train"), as JSON, JSON Lines or CSV.',
    '690 questions with the columns Question, Focus (Drug), Question Type, Answer, Section Title, URL.',
  ],
  licence: 'none stated: do not redistribute',
} as const;

/** MedicationQA (Ben Abacha et al. 2019): consumers' open questions. There is no automatic score; people or a model judge. */
export const medicationqa: TaskDefinition = {
  ...task,
  load: (source, options) =>
    loadSet(task, { fits, partition: () => 'test', read }, source, { ...options, partition: 'test' }),
};

function fits(head: string, path: string): boolean {
  const names = ['Focus (Drug)', 'focus_drug', 'Section Title', 'section_title'];
  return hasFields(head, path, 'question', 'answer') && names.some(name => hasFields(head, path, name));
}

function read(rows: readonly Row[]): Content {
  const notes = ['open questions: no accuracy is computed, the published answer is shown for reading'];
  return { items: rows.map((row, i) => itemOf(row, numbered('medicationqa', i))), notes };
}

function itemOf(row: Row, id: string): Item {
  const drug = row.optionalText('focus (drug)', 'focus_drug', 'focus');
  const kind = row.optionalText('question type', 'question_type');
  const url = row.optionalText('url');
  return {
    id,
    question: row.text('question'),
    explanation: row.text('answer'),
    ...(kind && { subject: kind }),
    meta: { ...(drug && { drug }), ...(url && { url }) },
  };
}
