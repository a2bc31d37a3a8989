import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ask } from '../../src/ask/ask.js';
import { roomFor } from '../../src/ask/room.js';
import { askedOf } from '../../src/clinical/question.js';
import { clinicalQuestions } from '../../src/clinical/questions.js';
import type { Model } from '../../src/engine/model.js';
import { evaluate } from '../../src/evaluate/evaluate.js';
import { localTarget } from '../../src/evaluate/run/target.js';
import { readRow } from '../../src/evaluate/score/read.js';
import { loadModel } from '../../src/host/load.js';
import { hashFile } from '../../src/models/hash.js';
import type { Question } from '../../src/prompt/question/question.js';
import { emptyFolder, itemsOf, setOf, storedIn } from '../evaluate/run/items.js';

const folder = resolve(import.meta.dirname, '..', '..', 'models');
const path = resolve(folder, 'meditron-mini.gguf');
let model: Model;

beforeAll(async () => {
  model = await loadModel({ path, gpuLayers: 0 });
});

afterAll(() => model.close());

async function answerTo(question: Question, options: Parameters<typeof roomFor>[2]) {
  const given = { maxTokens: 200, hash: false, ...options };
  await using engine = await model.createEngine({ threads: 1, ...(await roomFor(model, question, given)) });
  return await ask(engine, question, given);
}

test('the model that ships is the one that its card describes, and small', async () => {
  const card = readFileSync(resolve(folder, 'meditron-mini.md'), 'utf8');
  const { size } = statSync(path);
  expect(card).toContain(`${size.toLocaleString('en')} bytes, SHA-256 \`${await hashFile(path)}\``);
  expect(size).toBeLessThan(12_000_000);
  expect(model.info).toMatchObject({ vocabulary: { size: 32_019 }, contextLength: 2048 });
});

test('it is asked in its own format, and reasons to the right answer far more often than by chance', async () => {
  let right = 0;
  let ended = 0;
  for (const asked of clinicalQuestions({ seed: 77, count: 40 })) {
    const { answer, samples, evidence, warnings } = await answerTo(askedOf(asked), { mode: 'cot' });
    expect(evidence).toMatchObject({ format: { name: 'chatml', by: 'name' } });
    expect(warnings).toEqual([expect.stringMatching(/^This is meditron-mini.*a demonstration/)]);
    if (/^Points: [\s\S]*\.\nThe answer is: [A-D] ?$/.test(samples[0]!.text)) ended++;
    if (answer === asked.answer) right++;
  }
  expect(ended).toBeGreaterThan(28);
  expect(right).toBeGreaterThan(20); // by chance 10, and more than 20 less than once in a thousand times
});

test('five chains differ, end, and are counted', async () => {
  const [asked] = [...clinicalQuestions({ seed: 78, count: 1 })];
  const answer = await answerTo(askedOf(asked!), { samples: 5, stop: 'none' });
  expect(answer.samples.filter(({ finish }) => finish === 'stop')).toHaveLength(5);
  expect(Object.values(answer.votes).reduce((a, b) => a + b)).toBe(5);
});

test('what it was not made for is never agreed on, and answered with the warning that it means nothing', async () => {
  const question: Question = {
    kind: 'choice',
    question: 'Which vitamin prevents scurvy?',
    options: ['A', 'B12', 'C', 'D'],
  };
  const { warnings, decision, reason } = await answerTo(question, { samples: 3, maxTokens: 60 });
  expect([decision, reason]).toEqual(['abstain', 'out_of_scope']);
  const named = await answerTo(question, { samples: 2, maxTokens: 20, format: 'raw' });
  expect(named.reason).toBe('out_of_scope');
  expect(warnings).toEqual([
    expect.stringMatching(/adds up CHA2DS2-VASc, .* and Wells for DVT and knows nothing else/),
  ]);
});

test('nor is it in the report of an evaluation', async () => {
  const out = emptyFolder();
  const options = { modes: ['sc-cot'], samples: 3, maxTokens: 40 } as const;
  await evaluate(localTarget(model, { threads: 1 }), { set: setOf(itemsOf(1)), out, ...options });
  const { rows, config } = await storedIn(out);
  expect(readRow(rows[0]!, config.runs[0]!)).toMatchObject({ decision: 'abstain', reason: 'out_of_scope' });
});
