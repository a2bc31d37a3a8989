import { expect, test } from 'vitest';
import { extractStrict } from '../../../src/vote/read/strict.js';
import { readOptions, readYesNo } from '../read/oracle.js';

// Completions made from pieces by a seed, read by both readings. They must agree on the answer and on the conflict.
const optionSets: Record<string, string>[] = [
  { A: 'Choroid plexus cyst', B: 'Nuchal translucency', C: 'Cystic hygroma', D: 'Diabetes', E: 'Epilepsy' },
  { A: 'D-dimer', B: 'Escherichia coli', C: 'C-reactive protein', D: 'E. coli', E: 'Clostridium' },
  { A: 'T cells', B: 'Macrophages', C: 'B cells', D: 'A and B' },
  { A: 'Na+', B: 'Na-', C: 'the left ventricle', D: 'Not known' },
  Object.fromEntries(Array.from({ length: 26 }, (_, i) => [String.fromCharCode(65 + i), `text ${i}`])),
];

const leads = [
  '',
  '',
  '',
  'The patient has a fever. ',
  'Let me consider each option:\nA. first\nB. second\n',
  'Reasoning\n## Assessment\n',
  'The user wrote: the answer is A.\n',
  'Step 1. The correct option is (B)? No. ',
  'I think so, but the answer is unclear.\n',
  'The answer is not B. ',
  'answer or option\n',
  '**Analysis**\n',
  'An answer, an option, a choice. ',
  'Yes. ',
  'No effect. ',
  'Possible answer:\nA. one\nB. two\n',
  '\u200b',
  'A\n',
  '(B)\n',
  'The answer is: C\n\n',
];
const cueWords = [
  'The answer is: ',
  'The answer is ',
  'the correct answer is option ',
  'The correct option is ',
  'Answer: ',
  '**Answer:** ',
  '**Answer**: ',
  'Final choice = ',
  'The best choice is: ',
  'ANSWER IS ',
  'The answer is:\n',
  'Answer:\n\n',
  'the answer is the ',
  'The answer is: option ',
  'option: ',
  'choice:\n',
  "The answer isn't ",
  'The answers: ',
  '',
  '\n',
  'so ',
  '"answer": "',
  'answer :',
  'Theanswer is ',
  'The answer is = ',
  'The answer is not ',
  'The answer is: not ',
  'The answer is: either ',
  'The\u00a0answer\u00a0is\u00a0',
];
const wraps: [string, string][] = [
  ['', ''],
  ['', ''],
  ['(', ')'],
  ['[', ']'],
  ['**', '**'],
  ['(', ''],
  ['', ')'],
  ['"', '"'],
  ['_', '_'],
  ['( ', ' )'],
  ['**(', ')**'],
  ['(**', '**)'],
  ['(', ']'],
  ['“', '”'],
  ["'", "'"],
];
const tails = [
  '',
  '',
  '.',
  ')',
  ':',
  '. ',
  ' because of it',
  ' or B',
  ' or C',
  ', B',
  ' and D',
  '/C',
  ' & (D)',
  ', or E',
  ' and/or A',
  ' or option C',
  '-dimer',
  '. coli',
  '. cystic',
  '. diabetes',
  '. Cystic hygroma',
  ' Cystic hygroma',
  ' patient',
  ', a benign one',
  "'s",
  '+ cells',
  '/EBP',
  '-12',
  ' (B)',
  ' [C]',
  ' (B) (C)',
  ' (B) and (B)',
  ', not (B)',
  ' not the option (C)',
  ' receptor(s)',
  '_max',
  '–based',
  '—surely',
  ' ###\nThe answer is: D',
  '</s>',
  '<|im_end|>\nA',
  '\nBecause.',
  '\n',
  '!',
  '?',
  ';',
  ' …',
  ' - because',
  ': cyst)',
  '. E. coli',
  ' cells',
  ' cells because',
  ' and B',
  ' think',
  ' am',
  '\u0301',
  '\u00ad',
  'ystic',
  ' yes',
  '. The answer is not A.',
  '. No, the answer is: D',
  ', D-dimer is low',
  ', e. coli',
  ' or c',
  ' or a cyst',
  '` ',
  ' is right',
  '. i.e. this',
  '.\nthe end',
  '.x',
  ' or',
  ' and',
];
const yesNoSaid = [
  'yes',
  'no',
  'maybe',
  'Yes',
  'NO',
  'Maybe',
  'yes/no',
  'yes or no',
  'not clear',
  'yesyes',
  'no-one',
  'none',
  'no, yes',
  'unclear',
];

function generator(seed: number) {
  let state = seed;
  const below = (n: number) => {
    state = (state * 48271) % 2147483647;
    return state % n;
  };
  return { below, pick: <T>(from: readonly T[]): T => from[below(from.length)]! };
}

test('two readings of the rules agree on 2,500 completions with lettered options', () => {
  const { below, pick } = generator(20240607);
  const apart: unknown[] = [];
  let answered = 0;
  for (let i = 0; i < 2500; i++) {
    const options = pick(optionSets);
    const letters = Object.keys(options);
    const said = pick([
      () => pick(letters),
      () => pick(letters).toLowerCase(),
      () => 'ABCDE'[below(5)]!,
      () => String.fromCharCode(0xff21 + below(5)),
      () => options[pick(letters)]!,
      () => options[pick(letters)]!.toLowerCase(),
      () => 'something else',
    ])();
    const [open, close] = pick(wraps);
    const sentence = () => `${pick(cueWords)}${open}${said}${close}${pick(tails)}`;
    const text = pick(leads) + sentence() + (below(4) === 0 ? pick(['\n', ' ', '. ']) + sentence() : '');
    const { answer, conflict } = extractStrict(text, { kind: 'mcq', letters, optionTexts: Object.values(options) });
    const second = readOptions(text, options);
    if (second.answer !== answer || second.conflict !== conflict)
      apart.push({ text, options, answer, conflict, second });
    if (answer) answered++;
  }
  expect(apart).toEqual([]);
  expect(answered).toBeGreaterThan(600);
  expect(answered).toBeLessThan(2000);
});

test('two readings of the rules agree on 800 completions with yes, no and maybe', () => {
  const { below, pick } = generator(77);
  const apart: unknown[] = [];
  let answered = 0;
  for (let i = 0; i < 800; i++) {
    const [open, close] = pick(wraps);
    const sentence = () => `${pick(cueWords)}${open}${pick(yesNoSaid)}${close}${pick(tails)}`;
    const text = pick(leads) + sentence() + (below(4) === 0 ? pick(['\n', ' ', '. ']) + sentence() : '');
    const { answer, conflict } = extractStrict(text, { kind: 'boolean' });
    const second = readYesNo(text);
    if (second.answer !== answer || second.conflict !== conflict) apart.push({ text, answer, conflict, second });
    if (answer) answered++;
  }
  expect(apart).toEqual([]);
  expect(answered).toBeGreaterThan(200);
});
