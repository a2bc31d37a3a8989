import { describe, expect, test } from 'vitest';
import { answererOf } from '../../src/answerer/engine.js';
import { ask } from '../../src/ask/ask.js';
import { type Calibration, readCalibration } from '../../src/ask/calibration.js';
import type { AskOptions } from '../../src/ask/options.js';
import { replayOn } from '../../src/ask/record/replay.js';
import { readEvidence } from '../../src/ask/record/schema.js';
import { sealed } from '../../src/check/seal.js';
import { answerScreen } from '../../src/cli/terminal/answer.js';
import type { Question } from '../../src/prompt/question/question.js';
import { FakeEngine } from './fake.js';

const question: Question = { kind: 'choice', question: 'Which?', options: ['Alpha', 'Beta', 'Gamma', 'Delta'] };
const sha256 = 'ab'.repeat(32);

/** Of five votes the right answers have: all of them mostly, and never none. */
function calibration(changes: { terms?: object; groups?: object } = {}): Calibration {
  const measured = {
    right: [1, 1, 2, 6, 10, 30],
    answers: [100, 40, 20, 10, 10, 20],
    first: [0, 0, 5, 5, 15, 25],
    second: [20, 15, 10, 5, 0, 0],
  };
  return sealed({
    schema: 'meditron.calibration.v1' as const,
    meditron: '0.0.0',
    created: '2026-01-31T12:00:00.000Z',
    model: { name: 'fake', sha256 },
    questions: { name: 'questions.jsonl', files: [{ bytes: 1, sha256 }] },
    terms: {
      ...({
        mode: 'sc-cot',
        protocol: 'strict',
        format: 'raw',
        samples: 5,
        temperature: 0.8,
        topP: 1,
        topK: 0,
      } as const),
      ...({ maxTokens: null, bos: 'auto', reask: true, reading: 2, shuffle: 'none', prompt: { task: 'mcq' } } as const),
      ...changes.terms,
    },
    groups: [{ kind: 'choice' as const, options: 4, calibrated: [0, 2, 4, 6, 8, 30], measured, ...changes.groups }],
  });
}

const said = (letter: string) => ({ text: `So.\nThe answer is: ${letter}` });
const answererFor = (answers: string, hash: string | null = sha256) => {
  const answerer = answererOf(new FakeEngine([...answers].map(said)));
  const files = [{ path: 'fake.gguf', sizeBytes: 1, sha256: hash ?? '' }];
  return { ...answerer, hash: hash === null ? undefined : async () => files } as typeof answerer;
};
const asked = (answers: string, options: AskOptions = {}, about: Question = question) =>
  ask(answererFor(answers), about, { format: 'raw', calibration: calibration(), ...options });
const json = (value: unknown) => JSON.parse(JSON.stringify(value));

describe('a set of answers', () => {
  // Of 50, rank 46 for 90 %: 48 have two votes or more, 44 three.
  test.each([
    ['AAAAA', 0.9, ['A'], 'A alone: ', 'agree', null],
    ['DBBDB', 0.9, ['B', 'D'], 'B or D: ', 'split', 'low_agreement'],
    ['ABCDA', 0.9, ['A'], 'A alone: ', 'split', 'low_agreement'],
    [
      'AAAAB',
      0.99,
      ['A', 'B', 'C', 'D'],
      'Any answer, A, B, C or D: the votes exclude none: ',
      'split',
      'set_not_single',
    ],
    ['AABCD', 0.8, [], 'No answer has the 3 votes it needs: ', 'split', 'low_agreement'],
  ] as const)('of votes %s for %f', async (answers, coverage, set, begins, decision, reason) => {
    const answer = await asked(answers, { coverage });
    expect(answer.set!.answers).toEqual(set);
    expect(answer.set!.text.startsWith(begins)).toBe(true);
    expect(answer).toMatchObject({ decision, reason });
    expect(answer.vote).toMatchObject({ notRun: 0, planned: 5 });
  });

  test('says what was measured on other questions, and for what it was asked', async () => {
    const { set } = await asked('BBDDA');
    expect(set).toMatchObject({ coverage: 0.9, needed: 2, measured: { questions: 50, held: 48 } });
    expect(set!.text).toBe(
      'B or D: on questions like those of questions.jsonl such sets held the right answer 96 % of the time (48 of 50 questions, 95 % interval 86.3 % to 99.5 %); 90 % were asked for',
    );
    const screen = answerScreen(question, await asked('BBDDA'), { columns: 80 } as never).replace(/\s+/g, ' ');
    expect(screen).toContain(set!.text);
  });

  test('leaves the option to abstain out', async () => {
    const prompt = { task: 'mcq', abstainOption: true };
    const answer = await asked('EEEAA', { calibration: calibration({ terms: { prompt } }) });
    expect(answer.evidence.asked.prompt.abstainOption).toBe(true);
    expect(answer).toMatchObject({ answer: null, reason: 'cannot_tell', set: { answers: ['A'] } });
  });

  test('is part of the record, which is read back and comes out the same', async () => {
    const { evidence } = await asked('DBBDB');
    expect(json(evidence)).toMatchObject({
      asked: { coverage: 0.9, calibration: { sha256: calibration().sha256 } },
      result: { set: { answers: ['B', 'D'] } },
    });
    const read = readEvidence(json(evidence));
    expect(await replayOn(answererFor('DBBDB'), json(read))).toMatchObject({ same: true, difference: null });
    const { sha256: _, ...rest } = json(evidence);
    const changed = sealed({ ...rest, result: { ...rest.result, set: { ...rest.result.set, answers: ['B'] } } });
    expect(await replayOn(answererFor('DBBDB'), json(changed))).toMatchObject({
      same: false,
      difference: { where: 'vote' },
    });
  });

  test('is absent without a calibration, and null of a vote that was closed early', async () => {
    const plain = await ask(answererFor('AAAAA'), question, { format: 'raw' });
    expect(Object.keys(plain)).not.toContain('set');
    expect(Object.keys(plain.evidence.asked)).not.toContain('calibration');
    const closing = new AbortController();
    closing.abort();
    expect(await asked('AAAAA', { until: closing.signal })).toMatchObject({ set: null, reason: 'aborted' });
  });
});

describe('a calibration', () => {
  test('sets what is left open', async () => {
    const terms = { samples: 3, temperature: 0.5, topP: 0.9, maxTokens: 200, prompt: { task: 'medqa' } };
    const three = {
      calibrated: [0, 1, 2, 9],
      measured: { right: [0, 0, 1, 9], answers: [20, 8, 2, 10], first: [0, 0, 1, 9], second: [5, 5, 0, 0] },
    };
    const { evidence } = await asked('AAB', { calibration: calibration({ terms, groups: three }) });
    expect(evidence.asked).toMatchObject({ ...terms, stop: { rule: 'none' }, mode: 'sc-cot' });
  });

  test.each<[AskOptions, RegExp]>([
    [{ mode: 'cot' }, /`mode` is "sc-cot" there, "cot" here/],
    [{ protocol: 'paper' }, /`protocol` is "strict" there, "paper" here/],
    [{ format: 'alpaca' }, /`format` is "raw" there, "alpaca" here/],
    [{ samples: 7 }, /`samples` is 5 there, 7 here/],
    [{ temperature: 0.7 }, /`temperature` is 0.8 there, 0.7 here/],
    [{ topK: 40 }, /`topK` is 0 there, 40 here/],
    [{ maxTokens: 100 }, /`maxTokens` is left open there, 100 here/],
    [{ task: 'medqa' }, /`task` is "mcq" there, "medqa" here/],
    [{ instruction: 'Do.' }, /`instruction` is left open there, "Do." here/],
    [{ abstainOption: true }, /`abstainOption` is left open there, true here/],
    [{ shuffle: 'rotate' }, /`shuffle` is "none" there, "rotate" here/],
    [{ weighting: 'cisc' }, /`weighting` is "none" there, "cisc" here/],
    [{ stop: 'exact' }, /`stop` is none there/],
    [{ samples: 7, temperature: 0.7 }, /`samples` is 5 there, 7 here; `temperature` is 0.8 there, 0.7 here/],
  ])('refuses what differs from it: %j', async (options, message) => {
    await expect(asked('AAAAAAA', options)).rejects.toThrow(message);
    await expect(asked('AAAAAAA', options)).rejects.toMatchObject({ code: 'ERR_CALIBRATION' });
  });

  test('refuses questions that it does not know, another model, and one that nobody can tell', async () => {
    const three: Question = { kind: 'choice', question: 'Which?', options: ['a', 'b', 'c'] };
    const open: Question = { kind: 'open', question: 'What?' };
    const refused = { code: 'ERR_CALIBRATION' };
    await expect(asked('AAAAA', {}, three)).rejects.toThrow(
      /the number of options: questions of 4 options there, 3 options here/,
    );
    await expect(asked('AAAAA', {}, open)).rejects.toMatchObject(refused);
    const options = { format: 'raw', calibration: calibration() } as const;
    const other = ask(answererFor('AAAAA', 'cd'.repeat(32)), question, options);
    await expect(other).rejects.toMatchObject({
      ...refused,
      message: expect.stringMatching(/SHA-256 abab.* there, one with cdcd/),
    });
    await expect(ask(answererFor('AAAAA', null), question, options)).rejects.toMatchObject(refused);
  });

  test('that was changed, or is none, is refused', () => {
    expect(readCalibration(json(calibration()))).toEqual(calibration());
    expect(() => readCalibration({ ...calibration(), created: '2026-02-01T12:00:00.000Z' })).toThrow(/was changed/);
    expect(() =>
      readCalibration(sealed({ ...calibration(), groups: [{ ...calibration().groups[0]!, calibrated: [1, 2, 3] }] })),
    ).toThrow(/6 counts/);
    expect(() => readCalibration({ schema: 'meditron.evidence.v3' })).toThrow(/The calibration: expected `schema`/);
  });

  test('is needed for a coverage', async () => {
    await expect(ask(answererFor('A'), question, { format: 'raw', coverage: 0.9 })).rejects.toThrow(
      /needs a `calibration`/,
    );
    await expect(asked('AAAAA', { coverage: 1.2 })).rejects.toMatchObject({ code: 'ERR_OPTION' });
  });
});
