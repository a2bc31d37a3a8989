import { expect, test } from 'vitest';
import { loadTask } from '../../../src/evaluate/tasks/load.js';
import { folderWith } from './folder.js';

const five = {
  question: 'Which drug?',
  answer: 'Nitrofurantoin',
  options: { A: 'Ampicillin', B: 'Ceftriaxone', C: 'Doxycycline', D: 'Nitrofurantoin', E: 'Gentamicin' },
  meta_info: 'step2&3',
  answer_idx: 'D',
};
const four = {
  ...five,
  options: { A: 'Ampicillin', B: 'Nitrofurantoin', C: 'Ceftriaxone', D: 'Doxycycline' },
  answer_idx: 'B',
  metamap_phrases: ['drug'],
};
const original = () =>
  folderWith({
    'questions/US/test.jsonl': [five],
    'questions/US/train.jsonl': [{ ...five, question: 'Another?' }],
    'questions/US/4_options/phrases_no_exclude_test.jsonl': [four],
    'questions/Mainland/test.jsonl': [{ ...five, question: '哪种药?' }],
  });

test('the 5- and 4-option forms of the original archive are told apart, and each keeps its own letters', async () => {
  const data = original();
  expect((await loadTask('medqa', data)).items).toEqual([
    {
      id: 'medqa-test-0001',
      question: 'Which drug?',
      options: Object.values(five.options),
      gold: 3,
      meta: { step: 'step2&3' },
    },
  ]);
  expect((await loadTask('medqa4', data)).items[0]).toMatchObject({ options: Object.values(four.options), gold: 1 });
});

test('the training part is read for demonstrations', async () => {
  const train = await loadTask('medqa', original(), { partition: 'train' });
  expect(train.items.map(item => item.question)).toEqual(['Another?']);
  expect(train.expectedCount).toBe(10_178);
});

test('options as a list of keys and values, in JSON Lines and as pandas prints it into CSV', async () => {
  const list = Object.entries(five.options).map(([key, value]) => ({ key, value }));
  const json = folderWith({ 'test.jsonl': [{ ...five, options: list }] });
  const printed = list.map(({ key, value }) => `{'key': '${key}', 'value': '${value}'}`).join('\n ');
  const csv = folderWith({
    'test.csv': `meta_info,question,answer_idx,answer,options\nstep1,Which drug?,D,Nitrofurantoin,"[${printed}]"\n`,
  });
  for (const data of [json, csv]) {
    expect((await loadTask('medqa', data)).items[0]).toMatchObject({ options: Object.values(five.options), gold: 3 });
  }
});

test('the "-hf" form: endings and a label from 0', async () => {
  const data = folderWith({
    'test.csv':
      'id,sent1,sent2,ending0,ending1,ending2,ending3,label\ntest-00000,Which drug?,,"a, b",c,d,e,2\n1,Why?,,a,b,c,d,0\n',
  });
  const { items } = await loadTask('medqa4', data);
  expect(items.slice(0, 1)).toEqual([
    { id: 'test-00000', question: 'Which drug?', options: ['a, b', 'c', 'd', 'e'], gold: 2 },
  ]);
});

test('a letter that contradicts the text of the answer is refused, with file, row and field', async () => {
  const data = folderWith({ 'test.jsonl': [five, { ...five, answer_idx: 'C' }] });
  await expect(loadTask('medqa', data)).rejects.toMatchObject({
    code: 'ERR_INPUT',
    message: expect.stringMatching(
      /test\.jsonl, line 2: expected `answer` to be option C in letter and in text.*option D/,
    ),
  });
});

test('an answer whose text is no option is refused', async () => {
  const data = folderWith({ 'test.jsonl': [{ ...five, answer: 'Penicillin' }] });
  await expect(loadTask('medqa', data)).rejects.toThrow(/text of no option/);
});

test('a gap in the letters of the options is refused', async () => {
  const data = folderWith({ 'test.jsonl': [{ ...five, options: { A: 'x', C: 'Nitrofurantoin' } }] });
  await expect(loadTask('medqa', data)).rejects.toThrow(/line 1: expected `options` to be options lettered A, B, C/);
});

test('only the other variant is there: the error names it and says what to download', async () => {
  const data = folderWith({ 'test.jsonl': [four] });
  await expect(loadTask('medqa', data)).rejects.toThrow(
    /test\.jsonl is another variant[\s\S]*questions\/US\/test\.jsonl[\s\S]*1,273/,
  );
});

test('two files that differ are not chosen between', async () => {
  const data = folderWith({ 'a/test.jsonl': [five], 'b/test.jsonl': [{ ...five, question: 'Which antibiotic?' }] });
  await expect(loadTask('medqa', data)).rejects.toThrow(
    /Several MedQA[\s\S]*a[/\\]test\.jsonl[\s\S]*b[/\\]test\.jsonl/,
  );
});

test('an empty folder: file names, layout and counts of what to download; files that are not read are named', async () => {
  const data = folderWith({ 'test-00000-of-00001.parquet': 'PAR1' });
  await expect(loadTask('medqa', data)).rejects.toMatchObject({
    code: 'ERR_INPUT',
    message: expect.stringMatching(/test-00000-of-00001\.parquet\. Parquet.*not read.*to_json[\s\S]*bigbio\/med_qa/),
  });
});

test('parts of one split are joined, and a missing part is an error', async () => {
  const part = (i: number) => [{ ...five, question: `Which drug, ${i}?` }];
  const data = folderWith({ 'test-00000-of-00002.jsonl': part(0), 'test-00001-of-00002.jsonl': part(1) });
  expect((await loadTask('medqa', data)).items.map(item => item.id)).toEqual(['medqa-test-0001', 'medqa-test-0002']);
  const torn = folderWith({ 'test-00000-of-00002.jsonl': part(0) });
  await expect(loadTask('medqa', torn)).rejects.toThrow(/expected 2 parts/);
});

test('an unknown task and a misspelt one', () => {
  expect(() => loadTask('medqu', '.')).toThrow(/did you mean medqa/);
});

test('labels of which none is 0 or 4 are not guessed at', async () => {
  const head = 'id,sent1,sent2,ending0,ending1,ending2,ending3,label';
  const data = folderWith({ 'test.csv': `${head}\n1,Which?,,a,b,c,d,2\n2,Why?,,a,b,c,d,1\n` });
  await expect(loadTask('medqa4', data)).rejects.toThrow(/none of 2 rows has `label` 0 or 4/);
  expect((await loadTask('medqa4', data, { countsFrom: 1 })).items.map(item => item.gold)).toEqual([1, 0]);
});
