import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadTask } from '../../../src/evaluate/tasks/load.js';
import { questionOf } from '../../../src/evaluate/tasks/question.js';
import { fixtures, folderWith } from './folder.js';

const labelled = readFileSync(join(fixtures, 'pubmedqa/ori_pqal.json'), 'utf8');
const truth = readFileSync(join(fixtures, 'pubmedqa/test_ground_truth.json'), 'utf8');
const published = JSON.parse(labelled);
const testIds = ['18802997', '18284441', '24669960', '24577079', '19100463'];

test('the test part is the ids of test_ground_truth.json, in the order of the file', async () => {
  const { items } = await loadTask(
    'pubmedqa',
    folderWith({ 'data/ori_pqal.json': labelled, 'data/test_ground_truth.json': truth }),
  );
  expect(items.map(item => item.id)).toEqual(testIds);
  expect(items.map(item => item.gold)).toEqual(testIds.map(id => published[id].final_decision));
  expect(items[0]!.context).toEqual(published['18802997'].CONTEXTS);
});

test('the rest is for demonstrations', async () => {
  const data = folderWith({ 'ori_pqal.json': pad(published), 'test_ground_truth.json': truth });
  const { items } = await loadTask('pubmedqa', data, { partition: 'train' });
  expect(items.map(item => item.id)).not.toContain(testIds[0]);
  expect(items).toHaveLength(460 - 5);
});

test('the hub’s CSV of pqa_labeled holds the same questions, contexts and answers', async () => {
  const set = await loadTask('pubmedqa', join(fixtures, 'pubmedqa-hub'));
  expect(set.items.map(({ id, question, context, gold }) => ({ id, question, context, gold }))).toEqual(
    [...testIds, '26163474', '12377809'].map(id => ({
      id,
      question: published[id].QUESTION,
      context: published[id].CONTEXTS,
      gold: published[id].final_decision,
    })),
  );
});

test('the conclusion never reaches the question that a model is asked', async () => {
  for (const item of (await loadTask('pubmedqa', join(fixtures, 'pubmedqa'))).items) {
    expect(item.explanation).toBe(published[item.id].LONG_ANSWER);
    const asked = JSON.stringify(questionOf(item));
    expect(asked).not.toContain(JSON.stringify(item.explanation).slice(1, -1));
    expect(Object.keys(questionOf(item)).sort()).toEqual(['context', 'id', 'kind', 'question']);
  }
});

test('a label that contradicts test_ground_truth.json is refused', async () => {
  const wrong = { ...JSON.parse(truth), [testIds[1]!]: published[testIds[1]!].final_decision === 'no' ? 'yes' : 'no' };
  const data = folderWith({ 'ori_pqal.json': pad(published), 'test_ground_truth.json': JSON.stringify(wrong) });
  await expect(loadTask('pubmedqa', data)).rejects.toThrow(/record "18284441": expected `final_decision`/);
});

test('all 1,000 without the list of test ids are refused, and the list is named', async () => {
  const thousand = Array.from({ length: 1000 }, (_, i) => hubRow(i));
  const data = folderWith({ 'pqa_labeled/train.jsonl': thousand });
  await expect(loadTask('pubmedqa', data)).rejects.toThrow(/1000 questions, and test_ground_truth\.json/);
});

test('machine-labelled questions and other folds are passed over', async () => {
  const data = folderWith({
    'pqa_artificial/train.jsonl': [hubRow(1)],
    'pqal_fold1/train_set.json': JSON.stringify(published),
    'test.jsonl': [{ QUESTION: 'Does it?', CONTEXTS: ['It does.'], final_decision: 'yes', LONG_ANSWER: 'Yes.' }],
  });
  expect((await loadTask('pubmedqa', data)).items.map(item => item.question)).toEqual(['Does it?']);
});

test('an answer that is none of yes, no and maybe is refused', async () => {
  const data = folderWith({ 'test.jsonl': [{ ...hubRow(1), final_decision: 'unclear' }] });
  await expect(loadTask('pubmedqa', data)).rejects.toThrow(
    /line 1: expected `final_decision` to be yes, no or maybe, got a text of 7 characters/,
  );
});

function hubRow(i: number): object {
  return {
    pubid: i,
    question: `Is ${i}?`,
    context: { contexts: ['Text.'] },
    long_answer: 'Yes.',
    final_decision: 'yes',
  };
}

/** The real rows and enough others to be more than a training fold, as JSON text in the order of the file. */
function pad(rows: Record<string, unknown>): string {
  const record = { QUESTION: 'Is it?', CONTEXTS: ['Text.'], LONG_ANSWER: 'Yes.', final_decision: 'yes' };
  const others = Array.from(
    { length: 453 },
    (_, i) => `"${90_000_000 - i}": ${JSON.stringify({ ...record, QUESTION: `Is it ${i}?` })}`,
  );
  const real = [...testIds, '26163474', '12377809'].map(id => `"${id}": ${JSON.stringify(rows[id])}`);
  return `{${[...real, ...others].join(',\n')}}`;
}
