import { describe, expect, test } from 'vitest';
import type { Answerer } from '../../src/answerer/answerer.js';
import { ask } from '../../src/ask/ask.js';
import type { AskOptions } from '../../src/ask/options.js';
import { printed, withHash } from '../../src/ask/record/evidence.js';
import { readEvidence } from '../../src/ask/record/schema.js';
import { MeditronError } from '../../src/check/errors.js';
import type { FileHash } from '../../src/models/identity.js';
import type { Question } from '../../src/prompt/question/question.js';
import { saying } from './saying.js';

const question: Question = { kind: 'choice', question: 'Which?', options: ['Alpha', 'Beta', 'Gamma', 'Delta'] };

const asked = (answerer: Answerer, options: AskOptions = {}, about = question) =>
  ask(answerer, about, { format: 'raw', ...options });

describe('whoever completes and chooses can be asked', () => {
  test('chains vote, answers are compared', async () => {
    expect(await asked(saying('The answer is: C'))).toMatchObject({ answer: 'C', decision: 'agree', votes: { C: 5 } });
    expect(await asked(saying(''), { mode: 'top-token' })).toMatchObject({ answer: 'A' });
  });

  test('one that ends without having sampled gives no answer', async () => {
    expect(await asked(saying('I cannot say'), { reask: false })).toMatchObject({ answer: null, reason: 'no_answer' });
  });
});

test('chains of the authors’ protocol end at the one token that their vocabulary names, others at every end token', async () => {
  for (const [protocol, ends] of [
    ['authors-code', 'eos'],
    ['strict', 'all'],
    ['paper', 'all'],
  ] as const) {
    const answerer = saying('The answer is: C');
    await asked(answerer, { protocol });
    expect(answerer.requests.map(request => request.ends)).toEqual([ends]);
  }
});

describe('the hash of the model file', () => {
  const files: readonly FileHash[] = [{ path: 'x.gguf', sizeBytes: 1, sha256: 'ab'.repeat(32) }];
  const chain = 'The answer is: C';

  test('stands in the evidence if it is there when the vote closes', async () => {
    const { evidence, warnings } = await asked(saying(chain, async () => [...files]));
    expect(evidence.model).toMatchObject({ files, sha256: 'ab'.repeat(32) });
    expect(warnings).toEqual([]);
  });

  test('never holds an answer back: what reads on is given up, and the answer says so', async () => {
    let given: AbortSignal | undefined;
    const endless = saying(chain, signal => {
      given = signal;
      return new Promise(() => {});
    });
    const { answer, evidence, warnings } = await asked(endless);
    expect([answer, evidence.model.sha256]).toEqual(['C', null]);
    expect(warnings.join()).toMatch(/had not been read to its end when the vote closed/);
    expect(given!.aborted).toBe(true);
    expect(withHash(evidence, files).model.sha256).toBe('ab'.repeat(32));
  });

  test('of a file that has moved is no hash, and the answer is given all the same', async () => {
    const moved = saying(chain, async () => {
      throw new MeditronError('ERR_MODEL_FILE', 'x.gguf was replaced');
    });
    const { answer, evidence, warnings } = await asked(moved);
    expect([answer, evidence.model.files]).toEqual(['C', null]);
    expect(warnings.join()).toContain('x.gguf was replaced');
  });
});

test('an answer as JSON has every chain once, and is a whole record', async () => {
  const chain = 'Because it glows in the dark.\nThe answer is: C';
  const answer = await asked(saying(chain), { samples: 1, minAgreement: 1 });
  const { rationale: _, ...json } = JSON.parse(JSON.stringify(printed(answer)));
  expect(JSON.stringify(json).split('glows in the dark')).toHaveLength(2);
  expect(readEvidence(json)).toEqual(JSON.parse(JSON.stringify(answer.evidence)));
});

test.each([
  [{ mode: 'cot', topP: 0.5 }, /`topP` has no meaning where the most probable token is taken/],
  [{ mode: 'cot', topK: 5 }, /`topK` has no meaning/],
  [{ mode: 'top-token', maxTokens: 5 }, /`maxTokens` has no meaning in mode top-token/],
  [{ mode: 'top-token', reask: true }, /`reask` has no meaning in mode top-token/],
  [{ mode: 'cot', stop: 'exact' }, /`stop` has no meaning in mode cot/],
  [{ mode: 'free', minAgreement: 1 }, /`minAgreement` has no meaning in mode free/],
  [{ mode: 'sc-cot', samples: 3, width: 8 }, /`width` has no meaning beyond the number of samples, 3/],
  [{ mode: 'sc-cot', items: 3 }, /`items` has no meaning in mode sc-cot/],
  [{ mode: 'sc-cot', shots: 3 }, /`shots` has no meaning in the format raw/],
] as const)('%j is answered with a warning', async (options, warning) => {
  const { warnings } = await asked(saying('The answer is: C'), options);
  expect(warnings.join()).toMatch(warning);
});

test.each([
  [{}, 'schema'],
  [{ schema: 'meditron.evidence.v2' }, 'ask the question again'],
])('%j is no record of this release, and the error says what to do', (record, sentence) => {
  expect(() => readEvidence(record)).toThrow(sentence);
});

test('a damaged record is refused by its field', async () => {
  const { evidence } = JSON.parse(JSON.stringify(await asked(saying('The answer is: C'))));
  evidence.samples[2].tokens = 'none';
  expect(() => readEvidence(evidence)).toThrow(
    /^The record is damaged: evidence\.samples\[2\]\.tokens: expected Array, got a text of 4 characters/,
  );
});
