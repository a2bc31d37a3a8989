import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MeditronError } from '../../../src/check/errors.js';
import { readQuestionText } from '../../../src/prompt/question/text.js';

/** Ways of writing the mark of option i. */
const styles: readonly ((i: number) => string)[] = [
  ...['. ', ') ', ': ', ' - ', ' – ', '.) ', '\t', '   '].map(behind => (i: number) => `${upper(i)}${behind}`),
  ...['. ', ') '].map(behind => (i: number) => `${lower(i)}${behind}`),
  ...['. ', ') ', '.- '].map(behind => (i: number) => `${i + 1}${behind}`),
  i => `(${upper(i)}) `,
  i => `[${upper(i)}] `,
  i => `(${lower(i)}) `,
  i => `(${i + 1}) `,
  i => `**${upper(i)}.** `,
  i => `- ${upper(i)}. `,
  i => `Option ${upper(i)}: `,
  i => `${String.fromCharCode(0xff21 + i)}．`,
  i => `（${upper(i)}）`,
  i => `${upper(i)}、`,
  i => `${String.fromCharCode(0x2460 + i)} `,
  i => `${['I', 'II', 'III', 'IV', 'V', 'VI', 'VII', 'VIII', 'IX', 'X'][i]}. `,
  () => '- ',
  () => '• ',
];
const upper = (i: number) => String.fromCharCode(65 + i);
const lower = (i: number) => String.fromCharCode(97 + i);

const tame = [
  'patient',
  'fever',
  'Aspirin',
  '100 mg/day',
  '(oral)',
  'twice,',
  'and',
  'blood',
  '12.5 %',
  'Ödem',
  '通常',
  'IgA',
];
/** Words that look like marks, keys, numbers, footers, notes or questions. */
const hostile = [
  ...[
    'A',
    'B.',
    '(C)',
    'd)',
    'E. coli',
    'S. aureus',
    'I',
    'IV',
    'II.',
    '1',
    '2.',
    '3)',
    '(4)',
    '①',
    '1.5',
    '10:30',
    '1/2',
    '-',
    '–',
    '·',
    '•',
    '*',
  ],
  ...[
    'answer',
    'correct',
    'key',
    'page',
    'Page 3',
    'p. 4',
    '?',
    'a',
    'vitamin B.',
    'either A) or B)',
    '>',
    '<',
    '5%',
    '|',
    '_',
    '#',
    'Reference',
    'C:',
    'D -',
  ],
  ...[
    'Answer:',
    'Answer: B',
    'Answer: B.',
    '(B)',
    'correct.',
    'Solution:',
    'Explanation:',
    'Source:',
    'Topic: heart',
    'Question 2:',
    'Which?',
    'Option',
    'Page',
  ],
];

const indented = ['     ', '  ', '\t'];

const words = (from: readonly string[], max: number) =>
  fc.array(fc.constantFrom(...from), { minLength: 1, maxLength: max }).map(list => list.join(' '));

/** By convention a text that opens like this opens with its number, key or page: behind a heading it is part of the question. */
const needsHeading = /^[\W_]*(?:\d|answer|correct|key|solution|question)|(?:page|p\.) \d/i;

/** A question and a text of it, made of the words in `from`. */
const rendered = (from: readonly string[], wraps: readonly string[]) =>
  fc
    .record({
      stem: fc.array(words(from, 6), { minLength: 1, maxLength: 3 }),
      options: fc.array(fc.array(words(from, 5), { minLength: 1, maxLength: 2 }), { minLength: 2, maxLength: 10 }),
      // Before the further line of an option.
      wrap: fc.constantFrom(...wraps),
      style: fc.constantFrom(...styles),
      number: fc.constantFrom('', '', '12. ', '12) ', 'Q12. ', 'Question 12: ', 'Question: ', 'Frage 12: '),
      title: fc.constantFrom('', '', '\n\nOptions:', '\n\nChoix :'),
      key: fc.constantFrom(
        '',
        '\nAnswer: B',
        '\n\nCorrect answer is (B).',
        '\n**Answer: B**',
        '\nAntwort: B',
        '\n정답: B',
      ),
      tail: fc.constantFrom(
        '',
        '\n\nExplanation: see above.\nMore of it.',
        '\nPage 3 of 10',
        '\n© 2020 An Academy',
        '\n---\nTopic: heart',
      ),
      between: fc.constantFrom('\n', '\n', '\n\n'),
      finish: fc.constantFrom<(text: string) => string>(
        text => text,
        text => text.replaceAll('\n', '\r\n'),
        text => `\uFEFF${text}`,
        text => text.replace(/^/gm, '> '),
        text => text.replace(/^/gm, '  '),
        text => text.replaceAll('\n', '  \n'),
        text => `\n\n${text}\n\n`,
      ),
    })
    .map(({ stem, options, style, wrap, number, title, key, tail, between, finish }) => {
      const question = `${stem.join('\n')} is best?`;
      const list = options.map(([first, further], i) => {
        const ambiguous =
          i === options.length - 1 || (further !== undefined && style(i) === style(i + 1) && /^[-–•]/.test(further));
        const line = further === undefined ? '' : `\n${wrap || (ambiguous ? '  ' : '')}${further}`;
        return `${style(i)}${first}${line}`;
      });
      const heading = needsHeading.test(stem[0]!) ? 'Question 12: ' : number;
      const text = finish(`${heading}${question}${title}\n${list.join(between)}${key}${tail}`);
      return { text, question, options: options.map(parts => parts.join('\n')) };
    });

const plain = (text: string) => text.replace(/\s*\n\s*/g, '\n').trim();

function read(text: string): { question: string; options: readonly string[] } | string {
  try {
    const { question } = readQuestionText(text);
    if (question.kind === 'chat') throw new Error('a conversation');
    return {
      question: plain(question.question),
      options: question.kind === 'choice' ? question.options.map(plain) : [],
    };
  } catch (error) {
    if (error instanceof MeditronError && error.code === 'ERR_INPUT') return error.message;
    throw error;
  }
}

const expected = ({ question, options }: { question: string; options: readonly string[] }) => ({
  question: plain(question),
  options: options.map(plain),
});

test('a question in any style, with anything usual around it, is read exactly', () => {
  fc.assert(
    fc.property(rendered(tame, indented), given => {
      expect(read(given.text)).toEqual(expected(given));
    }),
    { numRuns: 1000 },
  );
});

test('texts that look like marks and keys are read exactly, or refused', () => {
  fc.assert(
    fc.property(rendered([...tame, ...hostile], [...indented, '']), given => {
      const found = read(given.text);
      if (typeof found !== 'string') expect(found).toEqual(expected(given));
    }),
    { numRuns: 4000 },
  );
});
