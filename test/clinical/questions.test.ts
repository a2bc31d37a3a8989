import { describe, expect, test } from 'vitest';
import { type ClinicalQuestion, letters, splitOf } from '../../src/clinical/question.js';
import { clinicalQuestions, scoreNames, scores } from '../../src/clinical/questions.js';
import type { ScoreName } from '../../src/clinical/score.js';
import { protocols } from '../../src/types.js';
import { extract } from '../../src/vote/read/extract.js';
import { read } from './reader.js';

const questions = (seed: number, count: number, ...names: ScoreName[]) => [
  ...clinicalQuestions({ seed, count, ...(names.length > 0 ? { scores: names } : {}) }),
];
const many = questions(11, 3000);
const goldOf = (question: ClinicalQuestion) => Number(question.options[question.answer]);

describe('a set of questions', () => {
  test('is the same for the same seed, and a shorter one begins a longer one', () => {
    expect(questions(5, 40)).toEqual(questions(5, 60).slice(0, 40));
  });

  test('is another for another seed', () => {
    const ids = new Set(questions(5, 300).map(({ id }) => id));
    expect(questions(6, 300).filter(({ id }) => ids.has(id))).toEqual([]);
  });

  test('stays as it was when the training set was drawn', () => {
    const first = [...clinicalQuestions({ seed: 1, count: 6, split: 'train' })].map(({ id }) => id);
    expect(first).toEqual([
      'cha2ds2-vasc-7b60d7f8ee77b323',
      'curb-65-3f1d421cf4abdba7',
      'gcs-17cea8d2a4b6cbb5',
      'has-bled-3a38734658f2559a',
      'qsofa-18d0f1bbff38e91d',
      'wells-dvt-4ebbb17bb3054e30',
    ]);
  });

  test('holds no question twice', () => {
    expect(new Set(many.map(({ id }) => id)).size).toBe(many.length);
    expect(new Set(many.map(({ question }) => question)).size).toBe(many.length);
  });

  test('asks about every score in turn', () => {
    expect(many.slice(0, 12).map(({ score }) => score)).toEqual([...scoreNames, ...scoreNames]);
  });

  test('asks about one score only when told so', () => {
    expect(new Set(questions(1, 20, 'qsofa').map(({ score }) => score))).toEqual(new Set(['qsofa']));
  });

  test('puts the right answer under every letter equally often', () => {
    const expected = many.length / 4;
    const chiSquare = letters
      .map(letter => many.filter(({ answer }) => answer === letter).length)
      .reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    expect(chiSquare).toBeLessThan(16.3); // the 0.999 quantile for 3 degrees of freedom
  });
});

describe('training and held-out questions', () => {
  const train = [...clinicalQuestions({ seed: 11, count: 2000, split: 'train' })];

  test('have no question in common, even of one seed', () => {
    const ids = new Set(train.map(({ id }) => id));
    expect(many.filter(({ id }) => ids.has(id))).toEqual([]);
  });

  test('can be told apart by their ids', () => {
    expect(new Set(train.map(({ id }) => splitOf(id)))).toEqual(new Set(['train']));
    expect(new Set(many.map(({ id }) => splitOf(id)))).toEqual(new Set(['held-out']));
    expect(train.every(({ id }) => /-[0-7][0-9a-f]{15}$/.test(id))).toBe(true);
    expect(many.every(({ id }) => /-[89a-f][0-9a-f]{15}$/.test(id))).toBe(true);
  });
});

describe.each(scoreNames)('a %s question', name => {
  const set = many.filter(({ score }) => score === name);

  test('has the answer that a reader of its text comes to', () => {
    for (const question of set)
      expect([question.question, goldOf(question)]).toEqual([question.question, read(question)]);
  });

  test('offers four different totals, all possible, one of them a near miss', () => {
    const [min, max] = scores[name].range;
    for (const { options, answer } of set) {
      const gold = Number(options[answer]);
      const values = Object.values(options).map(Number);
      expect(new Set(values).size).toBe(4);
      expect(values.some(value => Math.abs(value - gold) === 1)).toBe(true);
      expect(Math.min(...values)).toBeGreaterThanOrEqual(min);
      expect(Math.max(...values)).toBeLessThanOrEqual(max);
    }
  });

  test('is explained by a sum that is right at every step', () => {
    for (const question of set) {
      let total = 0;
      for (const [, points, sum] of question.explanation.matchAll(/ ([+-]\d+) = (-?\d+)[;.]/g)) {
        total += Number(points);
        expect(Number(sum)).toBe(total);
      }
      expect(question.explanation).toContain(`. Score ${total}.\n`);
      expect(total).toBe(goldOf(question));
    }
  });

  test('is explained by everything that is told, in its words and its order', () => {
    for (const { question, explanation } of set) {
      const told = /: (.*)\. What is /.exec(question)![1]!;
      const sums = /^Points: (.*)\. Score /.exec(explanation)![1]!;
      expect(sums.replace(/ [+-]\d+ = -?\d+/g, '').split('; ')).toEqual(told.split(', '));
    }
  });

  test('is explained by going through the options as far as the right one', () => {
    for (const { explanation, options, answer } of set) {
      const tried = letters.slice(0, letters.indexOf(answer) + 1).map(letter => `${letter}. ${options[letter]}`);
      expect(explanation.split('\n').slice(1)).toEqual(tried);
    }
  });

  test('has a chain that every protocol reads as its answer', () => {
    for (const { explanation, options, answer } of set.slice(0, 100)) {
      const form = { kind: 'mcq', letters, optionTexts: Object.values(options) } as const;
      const text = `${explanation}.\nThe answer is: ${answer} `; // the stop ` ###` takes the marks away
      for (const protocol of protocols) {
        expect(extract(protocol, text, form)).toMatchObject({ answer, conflict: false });
      }
    }
  });

  test('asks for the score by name', () => {
    for (const { question } of set) expect(question.endsWith(` ${scores[name].ask}`)).toBe(true);
  });
});
