import { expect, test } from 'vitest';
import { loadTask } from '../../../src/evaluate/tasks/load.js';
import { goldLabel, questionOf } from '../../../src/evaluate/tasks/question.js';
import { parseQuestion } from '../../../src/prompt/question/question.js';
import { folderWith } from './folder.js';

const truthful = [
  'Type,Category,Question,Best Answer,Correct Answers,Incorrect Answers,Source',
  'Adversarial,Health,Is it safe?,It is,It is; It is safe,It is not; Never; Nobody knows; never,x',
  'Adversarial,Law,Is it legal?,Yes,Yes,No,x',
  'Adversarial,Nutrition,Is it food?,Yes it is,Yes,No; No it is not,x',
].join('\n');

test('TruthfulQA: the health categories, options drawn and shuffled by the seed', async () => {
  const data = folderWith({ 'TruthfulQA.csv': truthful });
  const set = await loadTask('truthfulqa', data, { seed: 5 });
  expect(set.items.map(item => item.subject)).toEqual(['Health', 'Nutrition']);
  expect(set.items.map(item => item.options![item.gold as number])).toEqual(['It is', 'Yes it is']);
  expect([...set.items[0]!.options!].sort()).toEqual(['It is', 'It is not', 'Never', 'Nobody knows']);
  expect(set.items[1]!.options).toHaveLength(3);
  expect(await loadTask('truthfulqa', data, { seed: 5 })).toEqual(set);
  expect(set.notes.join('\n')).toContain('default_rng([5, row])');
});

test('TruthfulQA: the right answer does not stay in one place', async () => {
  const rows = Array.from({ length: 40 }, (_, i) => `Adversarial,Health,Question ${i}?,right,right,a;b;c,x`);
  const { items } = await loadTask(
    'truthfulqa',
    folderWith({ 'TruthfulQA.csv': [truthful.split('\n')[0], ...rows].join('\n') }),
  );
  expect(new Set(items.map(item => item.gold)).size).toBe(4);
});

test('TruthfulQA: multiple_choice is joined with the categories of the CSV by its question', async () => {
  const targets = { choices: ['It is', 'It is not', 'Never'], labels: [1, 0, 0] };
  const rows = [
    { question: 'Is it  safe?', mc1_targets: targets },
    { question: 'Is it legal?', mc1_targets: targets },
  ];
  await expect(loadTask('truthfulqa', folderWith({ 'validation.jsonl': rows }))).rejects.toThrow(
    /has no categories[\s\S]*TruthfulQA\.csv/,
  );
  // The CSV beside it would be a second copy of the questions: it is used for the categories only.
  const data = folderWith({ 'mc/validation.jsonl': rows, 'TruthfulQA.csv': truthful });
  const { items } = await loadTask('truthfulqa', data);
  expect(items.map(item => item.question)).toContain('Is it  safe?');
  expect(items.map(item => item.options![item.gold as number])).toEqual(['It is']);
});

test('TruthfulQA: two right answers in mc1_targets are refused', async () => {
  const rows = [{ question: 'Is it?', category: 'Health', mc1_targets: { choices: ['a', 'b'], labels: [1, 1] } }];
  await expect(loadTask('truthfulqa', folderWith({ 'validation.jsonl': rows }))).rejects.toThrow(/exactly one label 1/);
});

const concept = (i: number, gold: 'A' | 'B' | 'C' | 'D') => {
  const options = ['ear pain', 'eye pain', 'leg pain', 'arm pain'];
  return {
    question_id: i,
    answer: options['ABCD'.indexOf(gold)],
    answer_id: gold,
    ...Object.fromEntries(options.map((text, j) => [`option${j + 1}`, text])),
    question: `\n    Question: What is the code ${i} in ATC?\n    A. ear pain\n    B. eye pain\n    C. leg pain\n    D. arm pain\n    `,
    vocab: 'ATC',
    level: 'easy',
  };
};

test('MedConceptsQA: the options that the question repeats are taken out', async () => {
  const { items } = await loadTask('medconceptsqa', folderWith({ 'atc_easy/test.jsonl': [concept(1, 'B')] }));
  expect(items).toEqual([
    {
      id: 'atc-easy-1',
      question: 'Question: What is the code 1 in ATC?',
      options: ['ear pain', 'eye pain', 'leg pain', 'arm pain'],
      gold: 1,
      subject: 'ATC',
      meta: { level: 'easy' },
    },
  ]);
});

test('MedConceptsQA: options that differ from those inside the question are refused', async () => {
  const data = folderWith({ 'test.jsonl': [{ ...concept(1, 'A'), option2: 'arm pain', option4: 'eye pain' }] });
  await expect(loadTask('medconceptsqa', data)).rejects.toThrow(
    /line 1: expected `question` to be the question followed by the same options/,
  );
});

test('MedConceptsQA: a file in which C is never right says so', async () => {
  const rows = Array.from({ length: 30 }, (_, i) => concept(i, 'ABD'[i % 3] as 'A'));
  const set = await loadTask('medconceptsqa', folderWith({ 'test.jsonl': rows }));
  expect(set.notes[0]).toMatch(/^C is never the right answer.*33\.3 %/);
  expect(
    (await loadTask('medconceptsqa', folderWith({ 'test.jsonl': [...rows, concept(99, 'C')] }))).notes[0],
  ).not.toMatch(/never/);
});

test('MedConceptsQA: rows of a configuration that are in "all" too are read once', async () => {
  const data = folderWith({
    'all/test.jsonl': [concept(1, 'A'), concept(2, 'B')],
    'atc_easy/test.jsonl': [concept(1, 'A')],
  });
  expect((await loadTask('medconceptsqa', data)).items.map(item => item.id)).toEqual(['atc-easy-1', 'atc-easy-2']);
});

test('MedicationQA: open questions without gold; the published answer is kept for reading only', async () => {
  const csv =
    'Question,Focus (Drug),Question Type,Answer,Section Title,URL\n"what, exactly, is it",aspirin,Information,A drug.,About,http://x\n';
  const { items } = await loadTask('medicationqa', folderWith({ 'train.csv': csv }));
  expect(items).toEqual([
    {
      id: 'medicationqa-0001',
      question: 'what, exactly, is it',
      explanation: 'A drug.',
      subject: 'Information',
      meta: { drug: 'aspirin', url: 'http://x' },
    },
  ]);
  expect(questionOf(items[0]!)).toEqual({ kind: 'open', id: 'medicationqa-0001', question: 'what, exactly, is it' });
});

test('clinical scores: letters, score as subject', async () => {
  const row = {
    id: 'c-1',
    score: 'CURB-65',
    question: 'Which?',
    options: { A: '1', B: '2', C: '3', D: '4' },
    answer: 'C',
    explanation: '1 + 2 = 3',
  };
  const { items } = await loadTask('clinical', folderWith({ 'questions.jsonl': [row] }));
  expect(items).toEqual([
    {
      id: 'c-1',
      question: 'Which?',
      options: ['1', '2', '3', '4'],
      gold: 2,
      subject: 'CURB-65',
      explanation: '1 + 2 = 3',
    },
  ]);
  expect(goldLabel(items[0]!)).toBe('C');
});

const own = (rows: readonly object[], options = {}) =>
  loadTask('file', `${folderWith({ 'own.jsonl': rows })}/own.jsonl`, options);
const sheet = (text: string, name = 'own.csv') => loadTask('file', `${folderWith({ [name]: text })}/${name}`);

test('own questions: options by letter or in a list, the answer by letter or by text', async () => {
  const { items } = await own([
    { question: 'One?', options: { A: 'x', B: 'y' }, answer: 'B' },
    { id: 'two', question: 'Two?', options: ['x', 'y', 'z'], answer: 'z', subject: 's', context: 'Text.', ward: 7 },
  ]);
  expect(items).toEqual([
    { id: 'question-0001', question: 'One?', options: ['x', 'y'], gold: 1 },
    {
      id: 'two',
      question: 'Two?',
      options: ['x', 'y', 'z'],
      gold: 2,
      subject: 's',
      context: ['Text.'],
      meta: { ward: 7 },
    },
  ]);
});

test('own questions: yes/no/maybe, and open', async () => {
  expect((await own([{ question: 'Is it?', answer: 'Maybe' }])).items[0]).toMatchObject({ gold: 'maybe' });
  const open = await own([{ question: 'Why?' }, { question: 'How?', answer: 'With water.' }]);
  expect(open.items).toEqual([
    { id: 'question-0001', question: 'Why?' },
    { id: 'question-0002', question: 'How?', explanation: 'With water.' },
  ]);
  expect(open.notes).toEqual(['open questions: answers are kept and not scored']);
});

test.each([
  ['label', 'B'],
  ['answer_idx', 'B'],
  ['correct_answer', 'y'],
  ['Answer', 'b'],
])('own questions: the right answer may stand in `%s`', async (name, value) => {
  const { items, notes } = await own([{ question: 'One?', options: { A: 'x', B: 'y' }, [name]: value }]);
  expect(items[0]).toMatchObject({ gold: 1 });
  expect(items[0]!.meta).toBeUndefined();
  expect(notes.join()).not.toMatch(/not be scored|nothing will be scored/);
});

test('own questions: numbers count from where it is said', async () => {
  const rows = [{ question: 'One?', options: ['x', 'y', 'z'], answer: 1 }];
  await expect(own(rows)).rejects.toThrow(/line 1: .*counts from/);
  expect((await own(rows, { countsFrom: 0 })).items[0]!.gold).toBe(1);
  expect((await own(rows, { countsFrom: 1 })).items[0]!.gold).toBe(0);
});

test('own questions: what will not be scored is told', async () => {
  const [a, b] = [
    { question: 'One?', options: ['x', 'y'] },
    { question: 'Two?', options: ['x', 'y'], answer: 'A' },
  ];
  expect((await own([a, b])).notes).toContain('1 questions have no right answer and will not be scored');
  expect((await own([a])).notes).toContain(
    'no question has a right answer in a field that is known: nothing will be scored',
  );
});

test.each([
  ['letter columns', 'question,A,B,C,D,answer\nWhich?,w,x,y,z,B\n'],
  ['lower-case columns', 'Question,a,b,c,d,Answer\nWhich?,w,x,y,z,b\n'],
  ['semicolons', 'question;A;B;C;D;answer\n"Which?";w;x;y;z;B\n'],
  ['tabs', 'question\tA\tB\tC\tD\tanswer\nWhich?\tw\tx\ty\tz\tB\n'],
  ['a byte order mark', '\ufeffquestion;A;B;C;D;answer\r\nWhich?;w;x;y;z;B\r\n'],
  ['numbered columns', 'question,option1,option2,option3,option4,answer\nWhich?,w,x,y,z,x\n'],
])('own questions in a table with %s', async (_, text) => {
  expect((await sheet(text)).items).toEqual([
    { id: 'question-0001', question: 'Which?', options: ['w', 'x', 'y', 'z'], gold: 1 },
  ]);
});

test('own questions: fields that are no part of the question are kept, never sent, and told', async () => {
  const { items, notes } = await own([
    { question: 'One?', options: { A: 'x', B: 'y' }, answer: 'B', qid: 'x1', ward: 'none' },
  ]);
  expect(items[0]!.meta).toEqual({ qid: 'x1', ward: 'none' });
  expect(notes.join('\n')).toMatch(/kept for reading and not shown to the model: qid, ward/);
});

test('own questions: what cannot be understood without guessing is refused, with its line', async () => {
  const options = ['x', 'y'];
  await expect(own([{ question: 'One?', options, answer: 'C' }])).rejects.toThrow(/own\.jsonl, line 1: .*C/);
  await expect(own([{ question: 'One?', options, anwser: 'A' }])).rejects.toThrow(
    /line 1: Unknown field `anwser`.*; did you mean `answer`/,
  );
  await expect(own([{ question: '', options, answer: 'A' }])).rejects.toThrow(/line 1: .*question/);
  await expect(own([{ question: 'One?', options, answer: 'A' }, { question: 'Two?' }])).rejects.toThrow(
    /line 2: expected a multiple choice question like the first row, got an open question/,
  );
  await expect(own([{ messages: [{ role: 'user', content: 'Hi' }] }])).rejects.toThrow(/line 1: a conversation/);
  await expect(own([])).rejects.toThrow(/holds no questions/);
  await expect(
    own([
      { id: 'a', question: 'One?' },
      { id: 'a', question: 'Two?' },
    ]),
  ).rejects.toThrow(/expected every `id` once, got "a" twice/);
  await expect(sheet('{"question": "One?", "question": "Two?"}\n', 'own.jsonl')).rejects.toThrow(
    /line 1: the key `question` is given twice/,
  );
  await expect(sheet('question,A,a,answer\nOne?,x,y,A\n')).rejects.toThrow(/the column "a" is there twice/);
  await expect(sheet('Which vitamin?\nA. x\nB. y\n', 'own.txt')).rejects.toThrow(
    /own\.txt is not valid JSON.*one question as text is asked with `meditron ask`/,
  );
  await expect(sheet('PAR1', 'own.parquet')).rejects.toThrow(/Parquet, Arrow, Excel/);
});

test('a folder that does not exist ends in what to download', async () => {
  for (const name of [
    'medqa',
    'medqa4',
    'medmcqa',
    'pubmedqa',
    'mmlu-medical',
    'medconceptsqa',
    'truthfulqa',
    'medicationqa',
    'clinical',
  ])
    await expect(loadTask(name, '/no/such/folder')).rejects.toMatchObject({
      code: 'ERR_INPUT',
      message: expect.stringMatching(/there is no such folder\nWhat to download, and where to put it:\n/),
    });
});

test('text that is not UTF-8 is refused instead of damaged', async () => {
  const { writeFileSync } = await import('node:fs');
  const path = `${folderWith({})}/own.jsonl`;
  writeFileSync(path, Buffer.from('{"question": "fi\xe8vre?"}\n', 'latin1'));
  await expect(loadTask('file', path)).rejects.toThrow(/not UTF-8/);
});

test('a byte order mark and Windows line ends are no part of the data', async () => {
  const path = `${folderWith({ 'own.csv': '\ufeffquestion,options,answer\r\n"One?","[""x"",""y""]",B\r\n' })}/own.csv`;
  expect((await loadTask('file', path)).items[0]).toEqual({
    id: 'question-0001',
    question: 'One?',
    options: ['x', 'y'],
    gold: 1,
  });
});

test.each([
  [
    'mmlu-medical',
    {
      'anatomy_test.jsonl': [
        { question: 'One?', choices: ['a', '', 'c', 'd'], answer: 'A' },
        { question: 'Two?', choices: ['a', 'b', 'c', 'd'], answer: 'B' },
      ],
    },
  ],
  ['truthfulqa', { 'TruthfulQA.csv': `${truthful}\nAdversarial,Health,${'x'.repeat(1_000_001)},Yes,Yes,No,x\n` }],
] as const)(
  '%s: what could not be asked is left out before it could count as wrong, and named',
  async (name, files) => {
    const { items, notes } = await loadTask(name, folderWith(files));
    for (const item of items) expect(() => parseQuestion(questionOf(item))).not.toThrow();
    expect(notes.join('\n')).toMatch(/^1 questions cannot be asked and are left out, neither asked nor counted: /m);
  },
);
