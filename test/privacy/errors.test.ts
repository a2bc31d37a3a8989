import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MeditronError, optionError } from '../../src/check/errors.js';
import { excerpt } from '../../src/endpoint/http.js';
import { parseQuestion } from '../../src/prompt/question/question.js';
import { questionFromRecord } from '../../src/prompt/question/record.js';
import { findingInWords } from '../../src/prompt/question/text/explain.js';
import { readQuestionText } from '../../src/prompt/question/text.js';
import { layouts } from '../prompt/question/layouts.js';
import { found, marker, markers } from './markers.js';

const planted = markers('patient');
const { patient } = planted;

/** All that a program could log of a call: its error with cause, stack and fields, or the findings that become warnings. */
function said(call: () => unknown): string {
  try {
    const read = call() as { findings?: Parameters<typeof findingInWords>[0][] } | undefined;
    return (read?.findings ?? []).map(findingInWords).join('\n');
  } catch (error) {
    if (!(error instanceof MeditronError)) throw error;
    return inspect(error, { depth: 9, showHidden: true });
  }
}

const leaks = (call: () => unknown) => found(said(call), planted);

describe('markers', () => {
  test.each<[string, (text: string) => Buffer | string]>([
    ['plain', text => `a ${text} b`],
    ['plain', text => `only its beginning: ${text.slice(0, 20)}`],
    ['plain', text => `only its end: ${text.slice(-12)}`],
    ['UTF-16', text => Buffer.from(`a ${text} b`, 'utf16le')],
    ['hexadecimal', text => Buffer.from(text).toString('hex')],
    ['base64', text => Buffer.from(text).toString('base64')],
    ['base64', text => Buffer.from(`a${text}`).toString('base64')],
    ['base64', text => Buffer.from(`ab${text}`).toString('base64')],
    ['JSON-escaped', text => Array.from(text, c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')],
  ])('are found %s', (form, written) => {
    expect(found(written(patient!), planted)).toContain(`patient, ${form}`);
  });

  test('are not found where they are not', () => {
    expect(found(marker(), planted)).toEqual([]);
  });
});

/** Every text of the question reader's own tests, with a patient's words in every place where there are words. */
const withPatient = (text: string): string[] => [
  text.replace(/Aspirin|Ibuprofen|Codeine|Morphine|first|second|vitamin/gi, word => `${word}${patient}`),
  text.replace(/\p{L}{4,}/gu, word =>
    /^(answer|option|explan|question|correct|source)/i.test(word) ? word : `${patient}`,
  ),
  text.replace(/(?<=\S)$/gm, ` ${patient}`),
  text.replace(/^(?=\S)/gm, `${patient} `),
];

test('no refusal and no warning of a pasted question repeats its words', () => {
  const texts = layouts.flatMap(({ text }) => withPatient(text));
  expect(texts.filter(text => leaks(() => readQuestionText(text)).length > 0)).toEqual([]);
});

const words = fc.constantFrom(
  patient!,
  `${patient} mg`,
  `A. ${patient}`,
  `x\nA. ${patient}\nB. y`,
  'A',
  'x',
  '',
  7,
  null,
  true,
);
const keys = fc.constantFrom(
  'question',
  'options',
  'answer',
  'context',
  'kind',
  'id',
  'messages',
  'role',
  'content',
  'label',
  'A',
  'B',
  'text',
  'anwser',
  patient!,
);
const { record } = fc.letrec(tie => ({
  value: fc.oneof({ maxDepth: 3 }, words, fc.array(tie('value'), { maxLength: 3 }), tie('record')),
  record: fc.dictionary(keys, tie('value') as fc.Arbitrary<unknown>, { maxKeys: 5, noNullPrototype: true }),
}));

test('no refusal and no warning of a record repeats its values, nor a long name of a field', () => {
  fc.assert(
    fc.property(record, fields => {
      expect(leaks(() => questionFromRecord(fields as Record<string, unknown>))).toEqual([]);
      expect(leaks(() => parseQuestion(fields))).toEqual([]);
    }),
    { numRuns: 2000 },
  );
});

test('no refusal of damaged JSON repeats it, and its line is named where Node says enough', () => {
  const whole = JSON.stringify(
    { question: `Which ${patient}?`, options: { A: patient, B: 'x' }, answer: patient },
    null,
    1,
  );
  fc.assert(
    fc.property(
      fc.nat(whole.length),
      fc.nat(30),
      fc.constantFrom('', patient!, '"', '{', '\\', '\n', 'x'),
      (at, cut, put) => {
        expect(leaks(() => readQuestionText(whole.slice(0, at) + put + whole.slice(at + cut)))).toEqual([]);
      },
    ),
    { numRuns: 2000 },
  );
  expect(said(() => readQuestionText('{\n"question": "x",\n"options": ["a", b]\n}'))).toMatch(
    /not valid JSON: Unexpected token 'b' in line 3/,
  );
  expect(said(() => readQuestionText('{\n"question": "x"\n"options": 3\n}'))).toMatch(
    /not valid JSON: Expected ',' or '}' after property value in line 3/,
  );
});

test('an option that may hold text is shown by its length', () => {
  expect(optionError('stop', 'an array', patient).message).toBe(
    `Expected \`stop\` to be an array, got a text of ${patient!.length} characters`,
  );
  expect(optionError('stop', 'an array', 'x').message).toMatch(/got "x" \(string\)$/);
});

test('what a server repeats of a request is left out of what is said of its refusal', () => {
  const body = { model: 'tiny', prompt: `A man with ${patient}\nhas "pain"`, stop: [`###${patient}`] };
  const replies = [
    `{"detail":[{"msg":"Input should be shorter","input":${JSON.stringify(body.prompt)}}]}`,
    `cannot read ${JSON.stringify(body)}`,
    `stop ${body.stop[0]!.slice(0, 30)}`,
    `the prompt ${JSON.stringify(JSON.stringify(body.prompt))} is too long`,
  ];
  expect(replies.flatMap(reply => found(excerpt(reply, body), planted))).toEqual([]);
  expect(excerpt('model "tiny" is not loaded', body)).toBe('model "tiny" is not loaded');
  expect(excerpt(`Input too long: ${body.prompt}`, body)).toMatch(/^Input too long: …/);
});
