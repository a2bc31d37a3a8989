import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { asksForScore } from '../../src/clinical/scope.js';
import { formatForModel } from '../../src/models/known.js';
import { formats } from '../../src/prompt/format/formats.js';
import { cleanText } from '../../src/prompt/hygiene/hygiene.js';
import { breakSpecials } from '../../src/prompt/hygiene/special.js';
import { buildPrompt } from '../../src/prompt/prompt.js';
import { foldName, splitName } from '../../src/vote/count/name.js';
import { mergeRankings } from '../../src/vote/count/ranking.js';
import { extract } from '../../src/vote/read/extract.js';
import { parseRankedList } from '../../src/vote/read/list.js';

/** Of formats with the same markers one. */
const spelling = ['few-shot', 'llama-2'];

/** Every door of these rooms for text that a person or a model wrote. */
const letters = ['A', 'B', 'C', 'D'];
const doors: Readonly<Record<string, (text: string) => unknown>> = {
  cleanText,
  breakSpecials,
  foldName,
  splitName,
  parseRankedList: text => [parseRankedList(text), parseRankedList(text, { cut: true })],
  'parseRankedList of JSON': text => parseRankedList(JSON.stringify({ diagnoses: [text, { name: text }] })),
  mergeRankings: text => mergeRankings([{ index: 0, items: [`${text} (AB)`] }]),
  asksForScore: text =>
    asksForScore({
      kind: 'choice',
      question: `${text}. What is the patient's CURB-65 score?`,
      options: ['0', '1', '2', '3'],
    }),
  formatForModel: text => {
    expect(() => formatForModel({ name: text, file: text })).toThrow();
  },
  ...Object.fromEntries(
    (['strict', 'authors-code'] as const).flatMap(protocol => [
      [`extract ${protocol}`, (text: string) => extract(protocol, text, { kind: 'mcq', letters })],
      [
        `extract ${protocol} after a cue`,
        (text: string) => extract(protocol, `The answer is: ${text}`, { kind: 'mcq', letters }),
      ],
      [`extract ${protocol}, yes or no`, (text: string) => extract(protocol, text, { kind: 'boolean' })],
    ]),
  ),
  'extract with options as long as the text': text =>
    extract('strict', text, { kind: 'mcq', letters, optionTexts: letters.map(letter => `${letter} ${text}`) }),
  ...Object.fromEntries(
    formats
      .filter(({ name }) => spelling.includes(name))
      .map(format => [
        `buildPrompt ${format.name}`,
        (text: string) =>
          buildPrompt(format, {
            question: { kind: 'choice', question: `x${text}`, options: [`x${text}`, 'b'] },
            mode: 'top-token',
            protocol: 'strict',
          }),
      ]),
  ),
};

const units = [
  ...[
    '\n',
    ' ',
    '\t',
    '\r',
    '\r\n ',
    '\u00a0',
    '\u2028',
    'a',
    'A',
    '0',
    '９',
    '-',
    '—',
    ' - ',
    '.',
    ',',
    ':',
    '?',
    '_',
    '*',
    '#',
  ],
  ...[
    '(',
    ')',
    '[',
    ']',
    '{',
    '}',
    '<',
    '>',
    '|',
    '/',
    '\\',
    '"',
    "'",
    '“',
    '`',
    '%',
    '[ ',
    '["',
    '[{',
    '{"',
    '(A',
    '(A)',
    '<a',
    '<|',
    '<|a',
    '[/',
  ],
  ...['\u0301', '\u0301\u0327', '\u0344', '\ufb01', '\ufdfa', '\u200b', '\u00ad', '\ud800', '🫀', '\u0000'],
  ...[
    'answer ',
    'answer:',
    'answer is ',
    'answer is: (C. ',
    'The answer is: C. ',
    'the answer is ',
    'the ',
    'option ',
    'choice: option = ',
  ],
  ...[
    'not (C) ',
    'C, ',
    'C or ',
    "A's ",
    '. a',
    'A\n',
    'A.\nB.\n',
    'answer is:\nA.',
    'yes/',
    'yes or ',
    'no ',
    'No, ',
    'maybe\n',
  ],
  ...['1. x', '1. ', '1. x\n', '- ', '- x: y\n', '"a", ', '"', '{"name": "x"}, ', 'type iv ', 'es ', '(MI) ', 'a: b, '],
  ...['Question:', '\nQuestion', 'User ', '### ', '[INST]', '<s>', '<<SYS>>', 'Options:\n'],
];

/** What has most often made an expression slow: runs that it can begin, and that do not end as it wants. */
const worst = ['\n', ' ', '"', '\u0301\u0327'];

const schedule = '/proc/thread-self/schedstat';
const ofThread = existsSync(schedule);

/** Milliseconds that a processor has worked for this thread (elsewhere than on Linux: for all threads). Waiting for one does not count. */
const worked = (): number => {
  if (ofThread) return Number(readFileSync(schedule, 'utf8').split(' ')[0]) / 1e6;
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

const work = (door: (text: string) => unknown, unit: string, length: number): number => {
  const text = `${unit.repeat(Math.ceil(length / unit.length))}x`;
  const before = worked();
  door(text);
  return worked() - before;
};

/**
 * Quadratic work is a hundred times more for ten times the length, and seconds for the lengths tried here. A try can fall on compilation
 * or on collected garbage, but not each of three.
 */
const isLinear = (door: (text: string) => unknown, unit: string, length: number): boolean => {
  const few = 1000;
  if (work(door, unit, length) < few) return true;
  const limit = Math.max(few, 40 * work(door, unit, length / 10));
  return [1, 2].some(() => work(door, unit, length) < limit);
};

/** Milliseconds after which a door counts as hanging. */
const patience = 300_000;

describe('work grows with the length of a text, not with its square', () => {
  test.each(Object.entries(doors))(
    '%s',
    (_, door) => {
      expect(units.filter(unit => !isLinear(door, unit, 100_000))).toEqual([]);
      expect(worst.filter(unit => !isLinear(door, unit, 1_000_000))).toEqual([]);
    },
    patience,
  );
});
