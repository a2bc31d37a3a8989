import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadTask } from '../../../src/evaluate/tasks/load.js';
import { fixtures, folderWith } from './folder.js';

const anatomy = readFileSync(join(fixtures, 'mmlu/anatomy_test.csv'), 'utf8');

test('the original CSV: no header, quoted fields with quotation marks and line breaks', async () => {
  const { items } = await loadTask('mmlu-medical', join(fixtures, 'mmlu'));
  expect(items).toHaveLength(16);
  expect(items[1]).toEqual({
    id: 'mmlu-anatomy-test-002',
    question: 'A "dished face" profile is often associated with',
    options: [
      'a protruding mandible due to reactivation of the condylar cartilage by acromegaly.',
      'a recessive maxilla due to failure of elongation of the cranial base.',
      'an enlarged frontal bone due to hydrocephaly.',
      'defective development of the maxillary air sinus.',
    ],
    gold: 1,
    subject: 'anatomy',
  });
  const nutrition = items.find(item => item.subject === 'nutrition')!;
  expect(nutrition.question).toBe(
    'Which foods tend to be consumed in lower quantities in Wales and Scotland (as of 2020)?\n',
  );
  expect(nutrition.gold).toBe(2);
});

test('the hub’s CSV export (choices as numpy prints them, answers as indices) holds the same questions', async () => {
  const original = await loadTask('mmlu-medical', join(fixtures, 'mmlu'));
  const hub = await loadTask('mmlu-medical', join(fixtures, 'mmlu-hub'));
  expect(hub.items).toEqual(original.items);
});

test('a header row, and answers as indices without one', async () => {
  const original = await loadTask('mmlu-medical', folderWith({ 'anatomy_test.csv': anatomy }));
  const withHeader = folderWith({ 'test/anatomy_test.csv': `question,A,B,C,D,answer\n${anatomy}` });
  const indexed = folderWith({
    'anatomy_test.csv': anatomy.replace(/,([A-D])$/gm, (_, letter) => `,${'ABCD'.indexOf(letter)}`),
  });
  for (const data of [withHeader, indexed])
    expect((await loadTask('mmlu-medical', data)).items).toEqual(original.items);
});

test('one file with all subjects: the nine are taken, and copies of them are read once', async () => {
  const original = await loadTask('mmlu-medical', folderWith({ 'anatomy_test.csv': anatomy }));
  const rows = original.items.map(({ question, options, gold }) => ({
    question,
    choices: options,
    answer: gold,
    subject: 'anatomy',
  }));
  const other = { question: 'Which star?', choices: ['a', 'b', 'c', 'd'], answer: 1, subject: 'astronomy' };
  const data = folderWith({ 'all/test.jsonl': [other, ...rows], 'anatomy_test.csv': anatomy });
  expect((await loadTask('mmlu-medical', data)).items).toEqual(original.items);
});

test('the copy that lost the first row of a subject is reported', async () => {
  const row = { A: '1', B: '2', C: '3', D: '4', target: 'B' };
  const rows = Array.from({ length: 99 }, (_, i) => ({ input: `Which gene, ${i}?`, ...row }));
  const set = await loadTask('mmlu-medical', folderWith({ 'medical_genetics_test.jsonl': rows }));
  expect(set.items).toHaveLength(99);
  expect(set.notes).toContain(
    'medical_genetics: 99 of 100 rows, the first row is lost, as in the Hugging Face copy lukaemon/mmlu',
  );
  expect(set.notes).toContain('anatomy is missing');
});

test('a question that is in two subjects is one cluster', async () => {
  const line = 'Which vein?,1,2,3,4,B\n';
  const set = await loadTask(
    'mmlu-medical',
    folderWith({
      'clinical_knowledge_test.csv': `${line}Which nerve?,1,2,3,4,A\n`,
      'college_medicine_test.csv': line,
    }),
  );
  expect(set.items.map(item => item.cluster)).toEqual([
    'mmlu-clinical_knowledge-test-001',
    undefined,
    'mmlu-clinical_knowledge-test-001',
  ]);
  expect(set.notes).toContain('1 questions repeat an earlier one; each group is one cluster (2 distinct)');
});

test('a letter past D, a missing column and a column that contradicts the file', async () => {
  const bad = (text: string) =>
    loadTask('mmlu-medical', folderWith({ 'anatomy_test.csv': `First?,1,2,3,4,A\n${text}` }));
  await expect(bad('Which?,1,2,3,4,E\n')).rejects.toThrow(
    /anatomy_test\.csv, line 2: expected `answer` to be a letter from A to D, got "E"/,
  );
  await expect(bad('"Which\none?",1,2,3,4,A\nWhich?,1,2,3,A\n')).rejects.toThrow(/line 4: expected 6 columns, got 5/);
  await expect(bad('Which?,1,2,3,4,7\n')).rejects.toThrow(
    /line 2: expected `answer` to be the number of one of 4 options, got 7/,
  );
});

test('the development part is for demonstrations', async () => {
  const set = await loadTask('mmlu-medical', join(fixtures, 'mmlu'), { partition: 'dev' });
  expect(set.items.map(item => item.id)).toContain('mmlu-nutrition-dev-005');
  expect(set.items).toHaveLength(10);
});

test('the nine subjects and their counts are in the error for an empty folder', async () => {
  await expect(loadTask('mmlu-medical', folderWith({}))).rejects.toThrow(
    /anatomy 135, clinical_knowledge 265.*virology 166/,
  );
});

test('answers as numbers of which none is 0 or 4 are not guessed at', async () => {
  const data = folderWith({
    'anatomy_test.csv': 'First?,a,b,c,d,1\nSecond?,a,b,c,d,3\n',
    'virology_test.csv': 'Third?,a,b,c,d,2\n',
  });
  await expect(loadTask('mmlu-medical', data)).rejects.toThrow(/none of 3 rows has `answer` 0 or 4/);
  const golds = async (countsFrom: 0 | 1) =>
    (await loadTask('mmlu-medical', data, { countsFrom })).items.map(item => item.gold);
  expect([await golds(0), await golds(1)]).toEqual([
    [1, 3, 2],
    [0, 2, 1],
  ]);
});
