import { describe, expect, test } from 'vitest';
import { ask } from '../../src/ask/ask.js';
import type { AskOptions } from '../../src/ask/options.js';
import { askedOf } from '../../src/clinical/question.js';
import { clinicalQuestions } from '../../src/clinical/questions.js';
import type { ChoiceQuestion, Question } from '../../src/prompt/question/question.js';
import { FakeEngine, says } from './fake.js';

const question: Question = { kind: 'choice', question: 'What is the score?', options: ['5', '1', ' 5', '3'] };
const asked = (engine: FakeEngine, options: AskOptions = {}) =>
  ask(engine, question, { format: 'raw', hash: false, reask: false, ...options });

describe('equal options', () => {
  test('are one answer under strict: in votes, agreement, stopping and what is left to say', async () => {
    const answer = await asked(new FakeEngine(says('CACAB')), { width: 1 });
    expect(answer).toMatchObject({
      answer: 'A',
      decision: 'agree',
      votes: { A: 4, B: 0, D: 0, notRun: 1 },
      dissent: null,
    });
    expect(answer.votes).not.toHaveProperty('C');
    expect(answer.warnings).toContain(
      'Options have the same text: A = C; they count as one answer, by the first letter',
    );
  });

  test('are one answer whatever order they were shown in', async () => {
    const orders = await asked(new FakeEngine(says('AAAA')), { samples: 4, shuffle: 'rotate', stop: 'none' });
    // Place A shows the options 0, 1, 2 and 3 in turn.
    expect(orders.samples.map(({ answer }) => answer)).toEqual(['A', 'B', 'A', 'D']);
  });

  test('count by letters under the other protocols, which say so', async () => {
    const answer = await asked(new FakeEngine(says('CACAB')), { samples: 5, protocol: 'paper', stop: 'none' });
    expect(answer).toMatchObject({ decision: 'split', reason: 'tie', votes: { A: 2, C: 2 } });
    expect(answer.warnings).toContain('Options have the same text: A = C; under paper each letter counts for itself');
  });

  test('add up their probabilities in top-token mode', async () => {
    const logprobs: Record<string, number> = { A: 0.3, B: 0.4, C: 0.25, D: 0.05 };
    const score = (continuation: string) => Math.log(logprobs[continuation.trim()]!);
    const answer = await asked(new FakeEngine([], { score }), { mode: 'top-token' });
    expect(answer.answer).toBe('A');
    expect(Object.keys(answer.scores!)).toEqual(['A', 'B', 'D']);
    expect(answer.scores!.A!.probability).toBeCloseTo(0.55, 9);
    expect(Math.exp(answer.scores!.A!.logprob)).toBeCloseTo(0.55, 9);
  });
});

describe('the model that ships', () => {
  const [inside] = [...clinicalQuestions({ seed: 4, count: 1, scores: ['curb-65'] })].map(askedOf) as [Question];
  const byMini = async (about: Question, options: AskOptions = {}, said = 'AAAAA') => {
    const engine = new FakeEngine(says(said));
    const model = { ...engine.model, info: { ...engine.model.info, name: 'meditron-mini clinical scores' } };
    return ask(Object.assign(engine, { model }), about, { hash: false, reask: false, ...options });
  };

  test.each(['raw', 'chatml', 'few-shot', 'one-shot', 'alpaca', 'llama-2', 'llama-3'] as const)(
    'never agrees without saying what it is, asked in %s',
    async format => {
      const answer = await byMini(inside, { format });
      expect(answer).toMatchObject({
        decision: 'agree',
        summary: expect.stringMatching(/^[45] of 5.*This is meditron-mini.*a demonstration/),
      });
      expect(answer.warnings[0]).toMatch(/^This is meditron-mini.*a demonstration/);
      expect(answer.evidence.result).toMatchObject({ decision: 'agree' });
      const named = { ...inside, question: 'A patient has a high CURB-65 score. What is next?' } as Question;
      expect(await byMini(named, { format })).toMatchObject({ decision: 'abstain', reason: 'out_of_scope' });
    },
  );

  test('cannot tell where its right total was taken out and that is on offer; without the offer it was not made for such a question', async () => {
    const gone = { ...inside, options: (inside as ChoiceQuestion).options.slice(1) } as Question;
    const offering = { format: 'raw', abstainOption: true } as const;
    const answer = await byMini(gone, offering, 'DDDDD');
    expect(answer).toMatchObject({ answer: null, decision: 'abstain', reason: 'cannot_tell' });
    expect(await byMini(inside, offering, 'EEEEE')).toMatchObject({ reason: 'cannot_tell' });
    expect(await byMini(gone, { format: 'raw' })).toMatchObject({ decision: 'abstain', reason: 'out_of_scope' });
  });

  test('says so in top-token mode too', async () => {
    const answer = await byMini(inside, { format: 'raw', mode: 'top-token', protocol: 'strict' });
    expect(`${answer.decision} ${answer.summary}`).toMatch(/^agree .*a demonstration/);
  });
});
