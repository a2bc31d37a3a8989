import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MeditronError } from '../../../src/check/errors.js';
import { parseJson, repeatedKey } from '../../../src/prompt/question/json.js';
import { questionFromRecord, type RecordOptions } from '../../../src/prompt/question/record.js';

const scurvy = { kind: 'choice', question: 'Which vitamin prevents scurvy?', options: ['Vitamin A', 'Vitamin C'] };
const question = scurvy.question;
const [a, c] = scurvy.options;

function refusal(record: unknown, options?: RecordOptions): string {
  try {
    questionFromRecord(record, options);
  } catch (error) {
    expect(error).toBeInstanceOf(MeditronError);
    expect((error as MeditronError).code).toBe('ERR_INPUT');
    return (error as MeditronError).message;
  }
  throw new Error('nothing was refused');
}

describe('a question and its options', () => {
  test.each<[string, object]>([
    ['letters', { question, options: { A: a, B: c } }],
    ['small letters', { question, options: { a, b: c } }],
    ['letters in brackets', { question, options: { '(A)': a, '(B)': c } }],
    ['named letters', { question, options: { option_a: a, option_b: c } }],
    ['letters in another order', { question, options: { B: c, A: a } }],
    ['numbers from 1', { question, options: { 1: a, 2: c } }],
    ['numbers from 0', { question, options: { 0: a, 1: c } }],
    ['a list', { question, options: [a, c] }],
    ['a list with its letters', { question, options: [`A. ${a}`, `B. ${c}`] }],
    [
      'pairs',
      {
        question,
        options: [
          { key: 'A', value: a },
          { key: 'B', value: c },
        ],
      },
    ],
    [
      'pairs in another order',
      {
        question,
        options: [
          { label: 'B', text: c },
          { label: 'A', text: a },
        ],
      },
    ],
    ['texts in objects', { question, choices: [{ text: a }, { text: c }] }],
    ['two lists', { question, choices: { label: ['A', 'B'], text: [a, c] } }],
    ['columns by letter', { Question: question, A: a, B: c }],
    ['columns by letter with blank ones behind', { question, a, b: c, c: '', d: '  ' }],
    ['columns by name and letter', { question, 'Option A': a, 'Option B': c }],
    ['columns of MedMCQA', { question, opa: a, opb: c, opc: null }],
    ['columns by number', { question, option1: a, option2: c }],
    ['another name', { stem: question, choices: [a, c] }],
    ['another language', { Frage: question, A: a, B: c }],
    ['fields that say nothing', { question, options: [a, c], qid: 'x1', img: 'none', subject: 'diet', note: null }],
  ])('%s', (_, record) => {
    expect(questionFromRecord(record).question).toEqual(scurvy);
  });

  test('numbers in a list of options are read as they are printed', () => {
    expect(questionFromRecord({ question, options: [5, 1] }).question).toEqual({ ...scurvy, options: ['5', '1'] });
  });

  test('id, context and conversations are those of parseQuestion', () => {
    expect(questionFromRecord({ question, id: 7, context: ['x'], answer: 'Maybe' })).toMatchObject({
      question: { kind: 'boolean', id: '7', context: ['x'], answer: 'maybe' },
      key: 'maybe',
    });
    expect(questionFromRecord({ question }).question).toEqual({ kind: 'open', question });
    expect(questionFromRecord({ messages: [{ role: 'user', content: 'x' }] }).question).toMatchObject({ kind: 'chat' });
  });
});

describe('the right answer', () => {
  const options = { A: a, B: c };
  test.each<[string, object]>([
    ['the letter', { answer: 'B' }],
    ['a small letter in brackets', { answer: '(b)' }],
    ['the text', { answer: ' vitamin  C' }],
    ['letter and text', { answer: 'B. Vitamin C' }],
    ['the fields of MedQA', { answer: 'Vitamin C', answer_idx: 'B', meta_info: 'step1' }],
    ...['label', 'answer_idx', 'correct_answer', 'correctAnswer', 'Correct Option', 'gold', 'key'].map(
      name => [name, { [name]: 'B' }] as [string, object],
    ),
    ['a number that the letter settles', { answer: 'B', label: 1 }],
    ['a number that the text settles', { answer: 'Vitamin C', answer_idx: 2 }],
  ])('%s', (_, stated) => {
    const read = questionFromRecord({ question, options, ...stated });
    expect(read).toMatchObject({ key: 'B', question: { ...scurvy, answer: 'B' } });
    expect(read.findings[0]).toMatchObject({ kind: 'key', text: 'B' });
  });

  test('a number names a numbered option', () => {
    expect(questionFromRecord({ question, options: { 1: a, 2: c }, answer: 2 }).key).toBe('B');
    expect(questionFromRecord({ question, options: { 0: a, 1: c }, answer: '1' }).key).toBe('B');
  });

  test('a number counts from where the caller says', () => {
    expect(questionFromRecord({ question, options, answer: 1 }, { countsFrom: 1 }).key).toBe('A');
    expect(questionFromRecord({ question, options, answer: 1 }, { countsFrom: 0 }).key).toBe('B');
    expect(refusal({ question, options, answer: 2 }, { countsFrom: 0 })).toMatch(/`answer`/);
  });

  test('an option may be marked as the right one', () => {
    const pairs = [
      { text: a, is_correct: false },
      { text: c, is_correct: true },
    ];
    expect(questionFromRecord({ question, options: pairs }).key).toBe('B');
    expect(refusal({ question, options: pairs, answer: 'A' })).toMatch(/expected one option/);
  });

  test('a text that two options have is no answer, unless the letter says which', () => {
    const record = { question, options: ['x', 'x', 'y'], answer: 'x' };
    expect(refusal(record)).toMatch(/exactly one option \(it is that of A and B\)/);
    expect(questionFromRecord({ ...record, label: 'B' }).key).toBe('B');
  });

  test('without options: yes, no or maybe, or words', () => {
    expect(questionFromRecord({ question, answer: 'No' }).question).toMatchObject({ kind: 'boolean', answer: 'no' });
    expect(questionFromRecord({ question, answer: 'Vitamin C' }).question).toMatchObject({ kind: 'open' });
  });
});

describe('refused with the field', () => {
  const options = { A: a, B: c };
  test.each<[string, unknown, RegExp]>([
    ['null', null, /a JSON object such as .*got null/],
    ['an array', [{ question }], /got an array of 1/],
    ['a string', 'x', /got "x"/],
    ['a number', 3, /got 3/],
    ['a misspelt field', { question, options, anwser: 'A' }, /`anwser`.*did you mean `answer`/],
    ['a misspelt question', { qestion: 'x', options }, /`qestion`.*did you mean `question`/],
    ['an unknown field', { question, options, lab: 'x' }, /`lab`/],
    ['a short unknown field is not said to be another', { question, options, xd: 'x' }, /^(?!.*did you mean).*`xd`/],
    ['two fields of one name', { question, Question: 'x' }, /`Question` is given twice/],
    ['two questions', { question, stem: 'x' }, /both `question` and `stem`/],
    ['options in two places', { question, options, A: a, B: c }, /both in `options` and in columns/],
    ['a letter twice', { question, options: { A: a, a: c, B: 'x' } }, /Option A is given twice/],
    ['a gap', { question, options: { A: a, C: c } }, /without a gap, got A, C/],
    ['a gap in columns', { question, A: a, B: c, D: 'x' }, /without a gap, got A, B, D/],
    ['a blank column between others', { question, A: a, B: ' ', C: 'x' }, /options\[1\]/],
    ['letters and numbers', { question, options: { A: a, 1: c } }, /without a gap/],
    [
      'a name that is none',
      { question, options: { first: a, second: c } },
      /one of A to Z or a number, got a text of 5 characters/,
    ],
    ['options in a text', { question, options: 'x, y' }, /`options`/],
    ['one option', { question, options: { A: a } }, /2 to 26 options, got 1/],
    ['an answer that is no option', { question, options, answer: 'C' }, /a letter from A to B, got "C"/],
    [
      'a text that is no option',
      { question, options, answer: 'Vitamin D' },
      /the text of an option, got a text of 9 characters/,
    ],
    [
      'a number that counts from nowhere',
      { question, options, label: 1 },
      /a number does not say where it counts from/,
    ],
    ['a number in words', { question, options, label: '1' }, /a number does not say where it counts from/],
    ['two answers', { question, options, answer: 'A', label: 'B' }, /`answer` and `label`: expected one option/],
    ['a letter that is the text of another', { question, options: ['B', 'A'], answer: 'A' }, /in letter and in text/],
    ['several answers', { question, options, answer: ['A', 'B'] }, /`answer`/],
  ])('%s', (_, record, message) => {
    expect(refusal(record)).toMatch(message);
  });
});

test('other fields are kept for those who ask for them, misspelt ones never', () => {
  const record = { question, options: [a, c], ward: 7, qid: 'x1', img: 'none', cluster: 'k', empty: '' };
  const { rest } = questionFromRecord(record, { others: 'keep', fields: ['cluster', 'subject'] });
  expect(rest).toEqual({ ward: 7, qid: 'x1', img: 'none', cluster: 'k' });
  expect(refusal({ ...record, subjcet: 'x' }, { others: 'keep', fields: ['cluster', 'subject'] })).toMatch(/`subject`/);
});

test('a question that holds its options in its text is refused, one without options says so', () => {
  expect(refusal({ question: 'Which?\nA. x\nB. y\nAnswer: A' })).toMatch(/`question` seems to hold the options/);
  expect(questionFromRecord({ question: 'Which?\nA. x\nB. y', kind: 'open' }).question).toMatchObject({ kind: 'open' });
  expect(questionFromRecord({ question: 'Why?' }).findings).toMatchObject([{ kind: 'no-options' }]);
});

test('what is not sent is said, an image above all', () => {
  const { findings } = questionFromRecord({ question, options: { 1: a, 2: c }, answer: 1, topic: 'x', image: 'x.png' });
  expect(findings.map(({ kind, text }) => [kind, text])).toEqual([
    ['key', 'A'],
    ['renamed', '1, 2'],
    ['field', 'topic'],
    ['image', 'image'],
  ]);
});

describe('JSON', () => {
  test('a key given twice is found at any depth, and nowhere else', () => {
    expect(repeatedKey('{"a":1,"b":{"a":2,"a":3}}')).toBe('a');
    expect(repeatedKey('[{"a":1},{"a":1}]')).toBeUndefined();
    expect(repeatedKey('{"a":"b","b":"a","\\u0061":1}')).toBe('a');
    fc.assert(
      fc.property(fc.jsonValue(), value => {
        expect(repeatedKey(JSON.stringify(value))).toBeUndefined();
      }),
    );
  });

  test('is refused as what it is', () => {
    expect(() => parseJson('{"a":1,"a":2}', 'The question')).toThrow(/`a` is given twice/);
    expect(() => parseJson('{', 'The question')).toThrow(/^The question is not valid JSON/);
  });
});
