import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask } from '../../src/ask/ask.js';
import type { AskOptions } from '../../src/ask/options.js';
import { replay, replayOn } from '../../src/ask/record/replay.js';
import { roomFor } from '../../src/ask/room.js';
import { sealed } from '../../src/check/seal.js';
import type { Model } from '../../src/engine/model.js';
import { loadModel } from '../../src/host/load.js';
import { hashFile } from '../../src/models/hash.js';
import { modelHash } from '../../src/models/identity.js';
import type { Question } from '../../src/prompt/question/question.js';
import { synthesize } from '../../src/synth/synth.js';

// Random weights with MEDITRON's vocabulary: everything but sense.
const question: Question = {
  kind: 'choice',
  question: 'Which vitamin prevents scurvy?',
  options: ['A', 'B12', 'C', 'D'],
};
let folder: string;
let model: Model;
let other: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'meditron-ask-'));
  const path = join(folder, 'tiny.gguf');
  other = join(folder, 'other.gguf');
  await synthesize({ shape: 'tiny', quant: 'f16', vocabulary: 'meditron-chat', out: path });
  await synthesize({ shape: 'tiny', quant: 'f16', vocabulary: 'meditron-chat', out: other, seed: 1 });
  model = await loadModel({ path, gpuLayers: 0 });
});

afterAll(async () => {
  await model.close();
  await rm(folder, { recursive: true });
});

async function run(options: AskOptions, about = question) {
  const given = { maxTokens: 12, ...options };
  await using engine = await model.createEngine({ threads: 1, ...(await roomFor(model, about, given)) });
  return { answer: await ask(engine, about, given), free: engine };
}

test('an answer of a real model carries its evidence', async () => {
  const { answer } = await run({ stop: 'none' });
  const { evidence } = answer;
  expect(evidence.model.sha256).toBe(await hashFile(model.info.path));
  expect(evidence).toMatchObject({
    schema: 'meditron.evidence.v3',
    format: { name: 'chatml', by: 'vocabulary' },
    model: { quantization: 'F16', gpuLayers: 0 },
    engine: { threads: 1, kvType: 'f16', fresh: true },
    plan: { waves: [4, 1], maxTokens: 12 },
    question,
  });
  expect(evidence.llama!.libraries).toMatch(/^\d/);
  expect(evidence.samples).toHaveLength(5);
  expect(evidence.samples[0]!.tokens.length).toBeGreaterThan(0);
  expect(evidence.prompts[0]!.tokens!.slice(0, 3)).toEqual([1, 32017, 1139]);
  expect(new Set(answer.samples.map(s => s.text)).size).toBe(5);
});

test('a file is hashed once for all who ask, and one who gives up does not stop the others', async () => {
  const files = [{ path: other, sizeBytes: 0, sha256: null }];
  const controller = new AbortController();
  const first = modelHash({ files }, controller.signal);
  const second = modelHash({ files });
  controller.abort(new Error('enough'));
  await first.catch(() => {});
  expect((await second)[0]!.sha256).toBe(await hashFile(other));
});

test('stopping early takes nothing but samples away', async () => {
  for (const seed of [0, 1, 2, 3]) {
    const all = (await run({ stop: 'none', seed })).answer;
    const some = (await run({ seed })).answer;
    expect(some.answer).toBe(all.answer);
    expect(some.samples.length).toBeLessThanOrEqual(all.samples.length);
    for (const sample of some.samples) expect(sample).toEqual(all.samples[sample.index]);
  }
});

test('asked again on the same cache, a chain scores as if it were read anew', async () => {
  await using engine = await model.createEngine({ threads: 1, contextSize: 2048, maxSequences: 12 });
  const answer = await ask(engine, question, { maxTokens: 24, samples: 1, minAgreement: 1 });
  const [sample] = answer.samples;
  expect(sample!.forced).toBe(true);
  const suffix = await model.tokenize('\nThe answer is:', { bos: 'never', inside: true });
  const prompt = Int32Array.from([...answer.evidence.prompts[0]!.tokens!, ...sample!.tokens, ...suffix]);
  const scores = await engine.score({ prompt, continuations: [319, 350, 315, 360].map(id => Int32Array.of(id)) });
  scores.forEach((score, i) => {
    expect(score.logprob).toBeCloseTo(sample!.reask!['ABCD'[i]!]!, 1);
  });
  // Nothing is left behind: a job that needs all sequences and nearly all cells fits.
  await engine.score({ prompt: 'x', continuations: Array.from({ length: 12 }, () => Int32Array.of(319)) });
});

test('top-token: options of many tokens are scored exactly', async () => {
  await using engine = await model.createEngine({ threads: 1, contextSize: 2048 });
  const answer = await ask(engine, question, { mode: 'top-token', protocol: 'paper' });
  const tokens = Int32Array.from(answer.evidence.prompts[0]!.tokens!);
  for (const score of Object.values(answer.scores!)) {
    expect(score.tokens.length).toBeGreaterThan(1);
    let sum = 0;
    for (let i = 0; i < score.tokens.length; i++) {
      const [one] = await engine.score({
        prompt: Int32Array.from([...tokens, ...score.tokens.slice(0, i)]),
        continuations: [Int32Array.of(score.tokens[i]!)],
      });
      sum += one!.logprob;
    }
    expect(score.logprob).toBeCloseTo(sum, 1);
  }
});

test('top-token: the answer tokens are those of the Llama-2 vocabulary', async () => {
  const { answer } = await run({ mode: 'top-token' });
  expect(Object.values(answer.scores!).map(s => s.tokens)).toEqual([[29909], [29933], [29907], [29928]]);
});

test.each(['permutations', 'contextual', { prior: [0.4, 0.3, 0.2, 0.1] }] as const)(
  'top-token debiased by %j gives probabilities',
  async debias => {
    const { answer } = await run({ mode: 'top-token', debias });
    const shares = Object.values(answer.scores!).map(s => s.probability);
    expect(shares.reduce((a, b) => a + b)).toBeCloseTo(1, 9);
    const plain = (await run({ mode: 'top-token' })).answer;
    expect(shares).not.toEqual(Object.values(plain.scores!).map(s => s.probability));
  },
);

test('ranked lists follow the grammar', async () => {
  const { answer } = await run(
    { mode: 'ranked', samples: 2, items: 2, maxTokens: 150 },
    { kind: 'open', question: 'Chest pain.' },
  );
  for (const sample of answer.samples.filter(s => s.finish !== 'length'))
    expect(JSON.parse(sample.text)).toHaveProperty('diagnoses');
  expect(answer.samples.every(s => s.text.trimStart().startsWith('{"diagnoses": ["'))).toBe(true);
});

describe('replay', () => {
  const recordOf = async (options: AskOptions) => JSON.parse(JSON.stringify((await run(options)).answer));

  test.each([
    ['a vote in waves', {}],
    ['a whole vote', { stop: 'none', temperature: 1.2 }],
    ['shuffled options', { shuffle: 'rotate' }],
    ['one chain', { mode: 'cot' }],
    ['scores', { mode: 'top-token', debias: 'permutations' }],
    ['the authors’ protocol', { protocol: 'authors-code', samples: 5 }],
  ] as const)('%s comes out the same', async (_, options) => {
    const record = await recordOf(options);
    const again = await replay(record);
    expect(again).toMatchObject({ same: true, difference: null, environment: [] });
    expect(again.answer!.votes).toEqual(record.votes);
    expect((await replay(record.evidence)).same).toBe(true);
  });

  test('a vote closed by the clock: what had finished comes out the same', async () => {
    const record = await recordOf({ maxTokens: 60, deadline: 700, stop: 'none', width: 1 });
    expect((await replay(record)).same).toBe(true);
  });

  test('another model file is refused before anything runs', async () => {
    const again = await replay(await recordOf({}), { modelPath: other });
    expect(again).toMatchObject({ same: false, difference: { where: 'model' }, answer: null });
    expect(again.summary).toContain('Nothing was run');
  });

  test('a record that was changed, and its checksum with it, is found at its first token', async () => {
    const { evidence } = await recordOf({ stop: 'none' });
    const tampered = structuredClone(evidence);
    const token = tampered.samples[1].tokens[3];
    tampered.samples[1].tokens[3] = token + 1;
    tampered.samples[2].tokens[0] = 7;
    expect((await replay(sealed(tampered))).difference).toEqual({
      where: 'sample',
      sample: 1,
      token: 3,
      expected: token + 1,
      got: token,
    });

    const prompt = structuredClone(evidence);
    prompt.question.question += '!';
    expect((await replay(sealed(prompt))).difference).toMatchObject({ where: 'record', path: 'questionSha256' });

    const vote = structuredClone(evidence);
    vote.result.votes.A += 1;
    expect((await replay(sealed(vote))).difference).toMatchObject({ where: 'vote' });
  });

  test('what has changed around it is named', async () => {
    const { evidence } = await recordOf({ mode: 'top-token' });
    await using engine = await model.createEngine({ threads: 1, contextSize: 2048, kvType: 'f32' });
    const again = await replayOn(engine, evidence);
    expect(again.environment.join()).toContain('kvType: f16 then, f32 now');
  });

  test.each([[null], [{}], [{ schema: 'meditron.evidence.v1' }], [{ evidence: 3 }], ['x']])(
    '%j is no record',
    async record => {
      await expect(replay(record)).rejects.toMatchObject({ code: 'ERR_INPUT' });
    },
  );
});
