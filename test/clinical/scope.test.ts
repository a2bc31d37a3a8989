import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { askedOf } from '../../src/clinical/question.js';
import { clinicalQuestions, scoreNames, scores } from '../../src/clinical/questions.js';
import { asksForScore, scopeOf } from '../../src/clinical/scope.js';
import type { ScoreName } from '../../src/clinical/score.js';
import { abstainOptionText, offered } from '../../src/prompt/question/abstain.js';
import type { ChoiceQuestion, Question } from '../../src/prompt/question/question.js';

const written = (name: ScoreName, seed: number, count: number, split: 'train' | 'held-out' = 'held-out') =>
  [...clinicalQuestions({ seed, count, scores: [name], split })].map(askedOf);

const any: fc.Arbitrary<ChoiceQuestion> = fc
  .tuple(fc.constantFrom(...scoreNames), fc.integer({ min: 0, max: 1e6 }))
  .map(([name, seed]) => written(name, seed, 1)[0]!);

describe('a question that the generator can write asks for its score', () => {
  test.each(scoreNames)('%s', name => {
    const count = 1000;
    for (const split of ['train', 'held-out'] as const) {
      for (const question of written(name, 5, count, split))
        if (asksForScore(question) !== name) expect.fail(question.question);
    }
  });

  test('with "I cannot tell" behind all of its totals, and behind those that are left when the right one, or any other, was taken out', () => {
    fc.assert(
      fc.property(any, fc.integer({ min: 0, max: 3 }), (question, gone) => {
        const name = asksForScore(question);
        const rest = { ...question, options: question.options.filter((_, i) => i !== gone) };
        expect(asksForScore(offered(question, true))).toBe(name);
        expect(asksForScore(offered(rest, true))).toBe(name);
        expect(asksForScore(rest)).toBeUndefined();
      }),
    );
  });

  test('whatever the spacing and the order of its options, and as the name is printed', () => {
    const printed = (text: string) => text.replace('CHA2DS2', 'CHA₂DS₂');
    fc.assert(
      fc.property(
        any,
        fc.constantFrom('\n', '  ', '\t'),
        fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }),
        (question, blank, order) => {
          const text = ` ${printed(question.question).replace(/ /g, blank)}\n`;
          const options = order.map(i => question.options[i]!);
          expect(asksForScore({ ...question, question: text, options })).toBe(asksForScore(question));
          expect(asksForScore(question)).toBeDefined();
        },
      ),
    );
  });
});

describe('any other question does not, whatever it names', () => {
  const stem = written('wells-dvt', 3, 1)[0]!;

  test.each<[string, Question]>([
    ['a score that is only named', { ...stem, question: 'A patient has a high Wells score. What is the next test?' }],
    ['no patient', { ...stem, question: "What is the patient's Wells score for DVT?" }],
    [
      'a patient in other words',
      { ...stem, question: "My neighbour has a fat leg. What is the patient's Wells score for DVT?" },
    ],
    ['another score of that name', { ...stem, question: stem.question.replace('DVT?', 'pulmonary embolism?') }],
    ['a context', { ...stem, context: ['The D-dimer is raised.'] }],
    ['no options', { kind: 'open', question: stem.question }],
    ['yes or no', { kind: 'boolean', question: stem.question, context: [] }],
    ['a conversation', { kind: 'chat', messages: [{ role: 'user', content: stem.question }] }],
    ['three options', { ...stem, options: stem.options.slice(1) }],
    ['five options', { ...stem, options: [...stem.options, '0'] }],
    ['two options and the one to abstain', { ...stem, options: [...stem.options.slice(2), abstainOptionText] }],
    ['the one to abstain before the others', { ...stem, options: [abstainOptionText, ...stem.options] }],
    ['five options and the one to abstain', { ...stem, options: [...stem.options, '0', abstainOptionText] }],
  ])('%s', (_, question) => {
    expect(asksForScore(question)).toBeUndefined();
  });

  test('options changed into what is no total of the score', () => {
    const option = fc.oneof(
      fc.constantFrom('1 point', 'low risk', 'A', '1.5', '+1', '01', '-0', '', 'none', '10', '-3', '2-3', '½'),
      fc.string(),
    );
    fc.assert(
      fc.property(any, fc.nat({ max: 3 }), option, (question, at, other) => {
        const [min, max] = scores[asksForScore(question)!].range;
        fc.pre(!(String(Number(other.trim())) === other.trim() && Number(other) >= min && Number(other) <= max));
        const options = question.options.map((given, i) => (i === at ? other : given));
        expect(asksForScore({ ...question, options })).toBeUndefined();
      }),
    );
  });

  test('another question before, after or instead of the one for the score', () => {
    const other = fc.constantFrom(
      'Which anticoagulant is next?',
      'What does a high CURB-65 score mean?',
      'Should the patient be anticoagulated?',
      'Is the Wells score for DVT valid in pregnancy?',
    );
    fc.assert(
      fc.property(any, other, (question, next) => {
        const { question: text } = question;
        const patient = text.slice(0, text.lastIndexOf('. ') + 1);
        for (const changed of [
          `${text} ${next}`,
          `${next} ${text}`,
          `${patient} ${next}`,
          `${patient} ${next} ${text.slice(patient.length + 1)}`,
        ])
          expect(asksForScore({ ...question, question: changed })).toBeUndefined();
      }),
    );
  });

  test('a finding that the generator does not write, or not there, or with such a number', () => {
    const finding = fc.constantFrom(
      'on dialysis since May',
      'lung cancer',
      'allergic to penicillin',
      'male, female',
      'gout, gout',
    );
    fc.assert(
      fc.property(any, finding, fc.integer({ min: 200, max: 999 }), (question, more, number) => {
        const { question: text } = question;
        expect(asksForScore({ ...question, question: text.replace(': ', `: ${more}, `) })).toBeUndefined();
        const at = text.search(/\d/);
        if (at >= 0 && at < text.lastIndexOf('. '))
          expect(asksForScore({ ...question, question: text.replace(/\d+/, `${number}`) })).toBeUndefined();
      }),
    );
  });

  test('the question of one score about the patient of another', () => {
    fc.assert(
      fc.property(any, fc.constantFrom(...scoreNames), (question, other) => {
        fc.pre(asksForScore(question) !== other);
        const patient = question.question.slice(0, question.question.lastIndexOf('. '));
        const options = ['0', '1', '2', '3'].map(total => (other === 'gcs' ? `${+total + 3}` : total));
        expect(asksForScore({ ...question, question: `${patient}. ${scores[other].ask}`, options })).toBeUndefined();
      }),
    );
  });

  test('any text whatever', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        expect(asksForScore({ kind: 'choice', question: text, options: ['0', '1', '2', '3'] })).toBeUndefined();
      }),
    );
  });
});

describe('what is said of the demonstration model', () => {
  const mini = ['meditron-mini clinical scores', '/models/x.gguf'];
  const inside = written('curb-65', 1, 1)[0]!;

  test('is said of every answer: inside what it was made for, outside of it, and in conversation', () => {
    expect(scopeOf(mini, inside)).toMatchObject({
      inside: true,
      warning: expect.stringMatching(/^This is meditron-mini.*a demonstration.*CURB-65.*can be wrong together/),
    });
    const outside = {
      inside: false,
      warning: expect.stringMatching(/^This is meditron-mini.*a demonstration.*means nothing/),
    };
    expect(scopeOf(mini, { kind: 'open', question: 'Which vitamin prevents scurvy?' })).toMatchObject(outside);
    expect(scopeOf([null, '/models/meditron-mini.gguf'], undefined)).toMatchObject(outside);
  });

  test('is said of no other model', () => {
    expect(scopeOf(['LLaMA v2', 'meditron-7b.gguf'], inside)).toBeUndefined();
    expect(scopeOf([null, null], undefined)).toBeUndefined();
  });
});
