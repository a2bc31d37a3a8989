import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AnswerForm, extract } from '../../../src/vote/read/extract.js';

const texts = ['Aspirin', 'E. coli infection', 'Vitamin B12', 'D-dimer'];
const form: AnswerForm = { kind: 'mcq', letters: ['A', 'B', 'C', 'D'], optionTexts: texts };
const yesNo: AnswerForm = { kind: 'boolean' };
const read = (text: string, of: AnswerForm = form) => extract('strict', text, of);

/** What a box holds for an option, by letter and text. */
const contents: readonly ((letter: string, text: string) => string)[] = [
  letter => letter,
  letter => ` ${letter} `,
  letter => `(${letter})`,
  letter => `${letter}.`,
  letter => `\\text{${letter}}`,
  letter => `\\textbf{(${letter})}`,
  letter => `\\mathrm{${letter}}`,
  letter => `\\mathbf{\\text{${letter}}}`,
  letter => `\\text{Option ${letter}}`,
  letter => `\\text{The answer is ${letter}}`,
  letter => `$${letter}$`,
  (letter, text) => `${letter}. ${text}`,
  (letter, text) => `\\text{${letter}. ${text}}`,
  (letter, text) => `\\text{${letter}}: \\text{${text}}`,
  (letter, text) => `(${letter}) \\text{ ${text} }`,
  (_, text) => text,
  (_, text) => `\\text{${text}}`,
  (_, text) => `\\textbf{${text}}.`,
];
const boxes: readonly ((content: string) => string)[] = [
  content => `\\boxed{${content}}`,
  content => `$\\boxed{${content}}$`,
  content => `$$\n\\boxed{${content}}\n$$`,
  content => `\\[\\boxed{${content}}\\]`,
  content => `\\(\\boxed {${content}}\\).`,
  content => `\\fbox{${content}}`,
  content => `\\boxed{\\boxed{${content}}}`,
  content => `**\\boxed{${content}}**`,
  content => `The final answer is $\\boxed{${content}}$. I hope it is correct.`,
  content => `**Final Answer**\n\n\\boxed{${content}}\n\n`,
  content => `<answer>${content}</answer>`,
  content => `<Answer>\n${content}\n</Answer>`,
];
const before = fc.constantFrom(
  '',
  'First, fever. ',
  'Option A is wrong.\n',
  'A line\n\n',
  'Put it in \\boxed{}.\n',
  '\\frac{1}{2} and ',
);
const option = fc.nat({ max: 3 });

describe('an answer in a box', () => {
  test('is read, whatever stands in it for the option', () => {
    fc.assert(
      fc.property(before, option, fc.constantFrom(...contents), fc.constantFrom(...boxes), (lead, i, content, box) => {
        const letter = 'ABCD'[i]!;
        expect(read(lead + box(content(letter, texts[i]!))).answer).toBe(letter);
      }),
      { numRuns: 1000 },
    );
  });

  test.each(['yes', 'no', 'maybe'])('may be %s', word => {
    const wrap = [word, word.toUpperCase(), `\\text{${word}}`, `\\textbf{${word}}.`, `\\text{ ${word}, because of it}`];
    for (const content of wrap)
      for (const box of boxes) expect(read(box(content), yesNo)).toMatchObject({ answer: word });
  });

  test.each([
    '\\boxed{}',
    '\\boxed{ }',
    '\\boxed{A, B}',
    '\\boxed{A \\text{ or } B}',
    '\\boxed{\\text{not } B}',
    '\\boxed{AB}',
    '\\boxed{B_1}',
    '\\boxed{42}',
    '\\boxed{E}',
    '\\boxed{B',
    '\\boxed{\\text{B}',
    '<answer>A/B/C/D</answer>',
    '<answer></answer>\nA man of 45',
    'Put your answer in \\boxed{}\nA man of 45',
    `\\boxed{B ${'x'.repeat(2000)}}`,
  ])('%j is none', text => {
    expect(read(text).answer).toBeUndefined();
  });

  test('and one that is said elsewhere: the last counts, and two are a conflict', () => {
    expect(read('The answer is: A. No: \\boxed{B}')).toMatchObject({ answer: 'B', conflict: true, rule: 'boxed' });
    expect(read('\\boxed{B}, so the answer is: B')).toMatchObject({ answer: 'B', conflict: false, rule: 'cue' });
    expect(read('\\boxed{A}\n\\boxed{C}')).toMatchObject({ answer: 'C', conflict: true });
  });

  test('puts no blank line where there was none, which would end an answer in formats of plain text', () => {
    const last = (text: string) => extract('strict', text, form, { blankLineEnds: true }).answer;
    expect(last('The answer is: A\n\\boxed{B}')).toBe('B');
    expect(last('\\boxed{A}\n\\boxed{B}')).toBe('B');
    expect(last('\\boxed{A}\n\nWhich next?\n\\boxed{B}')).toBe('A');
  });

  test('is none for the authors, nor for the rules of before', () => {
    expect(extract('authors-code', 'so \\boxed{B}', form).answer).toBeUndefined();
    expect(extract('strict', 'so \\boxed{B}', form, { rules: 1 }).answer).toBeUndefined();
  });
});

describe('forms in which reasoning models end', () => {
  test.each([
    ['**Final Answer:** B', 'B'],
    ['**Final answer**: (B)', 'B'],
    ['Answer: (B)', 'B'],
    ['**Answer: B. E. coli infection**', 'B'],
    ['## Final Answer\n\nB', 'B'],
    ['### Final Answer\n**B**', 'B'],
    ['### Final Answer: B', 'B'],
    ['Step 1\n### The final answer\n\n(B) E. coli infection', 'B'],
    ['**Final Answer**\n\nE. coli infection', 'B'],
    ['## Final answer\nVitamin B12', 'C'],
    ['Final Answer → B', 'B'],
    ['Correct answer - B', 'B'],
    ['Final answer — **B**', 'B'],
    ['The final answer is $B$.', 'B'],
    ['The answer is: \\(\\text{B}\\)', 'B'],
    ['Answer: \\textbf{B}', 'B'],
    ['## Answer\n\nA 45-year-old man most likely has it.', undefined],
    ['Final Answer\n\nBoth are right', undefined],
    ['Answer\nA or B', undefined],
  ])('%j', (text, answer) => {
    expect(read(text).answer).toBe(answer);
  });

  test.each([
    ['**Final Answer**\n\nYes', 'yes'],
    ['## Answer\nNo, it is not.', 'no'],
    ['## Answer\nNo difference was seen.', undefined],
  ])('%j', (text, answer) => {
    expect(read(text, yesNo).answer).toBe(answer);
  });
});

test('a text with none of these is read as before', () => {
  const words = [
    'The',
    'answer',
    'is',
    ':',
    'B',
    '(C)',
    'option',
    'choice',
    'A',
    'yes',
    'no',
    'not',
    '.',
    ',',
    'or',
    'D-dimer',
    '**',
    '###',
    'x',
    '"',
  ];
  const gap = fc.constantFrom(' ', ' ', '\n', '\n\n', '');
  const text = fc
    .array(fc.tuple(fc.constantFrom(...words), gap), { maxLength: 30 })
    .map(pairs => pairs.flat().join(''))
    .filter(said => !/answer[*_ ]*\n|###[#*_> \t]*\n?/i.test(said));
  fc.assert(
    fc.property(text, fc.constantFrom(form, yesNo), (said, of) => {
      expect(extract('strict', said, of)).toEqual(extract('strict', said, of, { rules: 1 }));
    }),
    { numRuns: 2000 },
  );
});

test.each([
  '\\boxed{',
  '\\boxed{B}',
  '\\boxed{\\boxed{',
  '<answer>',
  '</answer>',
  '<answer> ',
  '\\text{B',
  '$B$',
  'answer\n',
  'final answer -',
  '### answer\n',
  '{',
  '\\',
])('two hundred thousand of %j are read to the end', unit => {
  for (const of of [form, yesNo])
    expect(extract('strict', `${unit.repeat(2e5)}\n\nThe answer is: ${of === form ? 'C' : 'no'}`, of)).toBeDefined();
});
