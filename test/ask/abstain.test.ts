import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { answererOf } from '../../src/answerer/engine.js';
import { ask } from '../../src/ask/ask.js';
import type { AskOptions } from '../../src/ask/options.js';
import { replayOn } from '../../src/ask/record/replay.js';
import { answerScreen } from '../../src/cli/terminal/answer.js';
import type { Question } from '../../src/prompt/question/question.js';
import { FakeEngine } from './fake.js';

const question: Question = { kind: 'choice', question: 'Which?', options: ['Alpha', 'Beta', 'Gamma', 'Delta'] };
const given = { format: 'raw', abstainOption: true, reask: false, stop: 'none' } as const;
const said = (answer: string | undefined) => ({ text: answer === undefined ? 'Hm.' : `So.\nThe answer is: ${answer}` });
const answered = (answers: readonly (string | undefined)[], options: AskOptions = {}) =>
  ask(new FakeEngine(answers.map(said)), question, { ...given, samples: answers.length, ...options });
const json = (value: unknown) => JSON.parse(JSON.stringify(value));

describe('"I cannot tell"', () => {
  test.each<[string, object]>([
    ['EEEEE', { answer: null, decision: 'abstain', reason: 'cannot_tell', votes: { E: 5 } }],
    ['AEEBC', { answer: null, decision: 'abstain', reason: 'cannot_tell', votes: { A: 1, B: 1, C: 1, E: 2 } }],
    ['AAAAE', { answer: 'A', decision: 'agree', reason: null, votes: { A: 4, E: 1 } }],
    ['AAAEE', { answer: 'A', decision: 'split', reason: 'low_agreement' }],
    ['AAEEB', { answer: 'A', decision: 'split', reason: 'tie' }],
    ['EEAAB', { answer: null, decision: 'split', reason: 'tie' }],
    ['----E', { answer: null, decision: 'abstain', reason: 'too_few' }],
  ])('%s', async (answers, expected) => {
    const answer = await answered([...answers].map(letter => (letter === '-' ? undefined : letter)));
    expect(answer).toMatchObject(expected);
    expect(json(answer.evidence).asked.prompt).toMatchObject({ abstainOption: true });
  });

  test('is never an answer, and otherwise changes nothing about the count', async () => {
    const letters = fc.constantFrom('A', 'B', 'C', 'D', 'E', undefined);
    await fc.assert(
      fc.asyncProperty(fc.array(letters, { minLength: 1, maxLength: 9 }), async answers => {
        const answer = await answered(answers);
        const five: Question = { ...question, options: [...question.options, 'Epsilon'] } as Question;
        const plain = await ask(new FakeEngine(answers.map(said)), five, {
          ...given,
          abstainOption: false,
          samples: answers.length,
        });
        expect(answer.votes).toEqual(plain.votes);
        expect(answer.vote!.votes).toEqual(plain.vote!.votes);
        expect(answer.answer).toBe(plain.answer === 'E' ? null : plain.answer);
        if (plain.answer !== 'E') expect([answer.decision, answer.reason]).toEqual([plain.decision, plain.reason]);
        else if (plain.reason === null || plain.reason === 'low_agreement')
          expect([answer.decision, answer.reason]).toEqual(['abstain', 'cannot_tell']);
      }),
      { numRuns: 60 },
    );
  });

  test.each(['seeded', 'rotate', 'bell'] as const)('stands last in every order of the others: %s', async shuffle => {
    const seen = new Set<string>();
    const engine = new FakeEngine((sample, prompt) => {
      const options = [...prompt.matchAll(/^([A-E])\. (.*)$/gm)].map(([, letter, text]) => ({
        letter: letter!,
        text: text!,
      }));
      seen.add(options.map(({ text }) => text[0]).join(''));
      expect(options.at(-1)).toEqual({ letter: 'E', text: 'I cannot tell' });
      const wanted = sample < 2 ? 'I cannot tell' : 'Gamma';
      return said(sample % 2 === 0 ? options.find(({ text }) => text === wanted)!.letter : wanted);
    });
    const answer = await ask(engine, question, { ...given, samples: 8, shuffle });
    expect(answer).toMatchObject({ answer: 'C', votes: { C: 6, E: 2 } });
    expect(seen.size).toBeGreaterThan(3);
  });

  test.each(['none', 'permutations'] as const)('compared in mode top-token, debiased by %s', async debias => {
    const score = (wanted: string) => (letter: string, prompt: string) =>
      prompt.includes(`${letter.trim()}. ${wanted}`) ? -0.1 : -4;
    const compared = (wanted: string) =>
      ask(new FakeEngine([], { score: score(wanted) }), question, {
        format: 'raw',
        abstainOption: true,
        mode: 'top-token',
        debias,
      });
    const none = await compared('I cannot tell');
    expect(none).toMatchObject({ answer: null, decision: 'abstain', reason: 'cannot_tell' });
    expect(none.scores!.E!.probability).toBeGreaterThan(0.9);
    expect(await compared('Beta')).toMatchObject({ answer: 'B', decision: 'agree' });
  });

  test('is asked for again as the others are', async () => {
    const engine = new FakeEngine([{ text: 'Hm.' }], { score: letter => (letter.trim() === 'E' ? -0.1 : -3) });
    const answer = await ask(engine, question, { ...given, mode: 'cot', reask: true });
    expect(answer).toMatchObject({ answer: null, decision: 'abstain', votes: { E: 1 } });
    expect(Object.keys(answer.samples[0]!.reask!)).toEqual(['A', 'B', 'C', 'D', 'E']);
  });

  test('comes out the same from its record', async () => {
    const engine = () => new FakeEngine([...'EEBEE'].map(said));
    for (const shuffle of ['none', 'rotate'] as const) {
      const { evidence } = await ask(engine(), question, { ...given, shuffle, samples: 5 });
      expect(evidence.question).toEqual(question);
      expect(await replayOn(answererOf(engine()), json(evidence))).toMatchObject({ same: true, difference: null });
    }
  });

  test('is shown with the other options', async () => {
    const screen = answerScreen(question, await answered([...'EEEEB']), { columns: 100 } as never);
    expect(screen).toMatch(/NO ANSWER TO RELY ON: 4 of 5\. "I cannot tell" has the most votes\./);
    expect(screen).toMatch(/4 ●●●● +E\. I cannot tell/);
    expect(screen).toMatch(/For E/);
  });

  test.each<[AskOptions, Question, RegExp]>([
    [{ protocol: 'paper' }, question, /asks as it was published/],
    [{ protocol: 'authors-code' }, question, /asks as it was published/],
    [{ mode: 'free' }, question, /needs answers that are counted/],
    [{ mode: 'top-token', debias: 'contextual' }, question, /can be "permutations" alone/],
    [{ mode: 'top-token', debias: { prior: [0.2, 0.2, 0.2, 0.2] } }, question, /can be "permutations" alone/],
    [{}, { kind: 'boolean', question: 'Is it?', context: [] }, /maybe can be answered already/],
    [{}, { kind: 'open', question: 'What is it?' }, /there is none to add it to/],
    [{ mode: 'ranked' }, { kind: 'open', question: 'What is it?' }, /there is none to add it to/],
  ])('is refused with %j', async (options, about, message) => {
    const asking = ask(new FakeEngine([said('A')]), about, { format: 'raw', abstainOption: true, ...options });
    await expect(asking).rejects.toThrow(message);
    await expect(asking).rejects.toMatchObject({ code: 'ERR_OPTION' });
  });
});
