import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Engine } from '../../src/engine/engine.js';
import type { Model } from '../../src/engine/model.js';
import { loadModel } from '../../src/host/load.js';
import { synthesize } from '../../src/synth/synth.js';
import { exact, loadStories, oneThread, reference } from './stories.js';

let model: Model;
let engine: Engine;

beforeAll(async () => {
  model = await loadStories();
  engine = await model.createEngine(exact);
});

afterAll(async () => {
  await engine.close();
  await model.close();
});

test.each(reference.loglik.map(item => [item.context, item] as const))(
  'scores after %j equal the reference',
  async (_, item) => {
    const before = engine.counters.promptTokens;
    const scores = await engine.score({
      prompt: Int32Array.from(item.context_ids),
      continuations: item.candidates.map(candidate => Int32Array.from(candidate.ids)),
    });
    expect(engine.counters.promptTokens - before).toBe(item.context_ids.length);
    item.candidates.forEach((candidate, i) => {
      expect(Math.abs(scores[i]!.logprob - candidate.sum)).toBeLessThan(2e-5);
      candidate.logprobs.forEach((logprob, j) => {
        expect(Math.abs(scores[i]!.logprobs[j]! - logprob)).toBeLessThan(2e-5);
      });
    });
  },
);

test('continuations given as text get the ids of the reference', async () => {
  for (const item of reference.loglik) {
    const scores = await engine.score({
      prompt: item.context,
      continuations: item.candidates.map(candidate => candidate.continuation),
    });
    expect(scores.map(score => [...score.tokens])).toEqual(item.candidates.map(candidate => candidate.ids));
  }
});

test('the half-precision cache is within its known error', async () => {
  await using half = await model.createEngine(oneThread);
  for (const item of reference.loglik) {
    const scores = await half.score({
      prompt: Int32Array.from(item.context_ids),
      continuations: item.candidates.map(c => Int32Array.from(c.ids)),
    });
    item.candidates.forEach((candidate, i) => {
      expect(Math.abs(scores[i]!.logprob - candidate.sum)).toBeLessThan(2e-2);
    });
  }
});

test('the quantized cache is close to the full one', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'meditron-score-'));
  try {
    const path = join(folder, 'm.gguf');
    await synthesize({ shape: 'tiny-gqa', quant: 'q8_0', out: path });
    await using wide = await loadModel({ path });
    await using full = await wide.createEngine({ ...exact, flashAttention: 'on' });
    await using quantized = await wide.createEngine({ ...oneThread, kvType: 'q8_0' });
    const job = {
      prompt: 'The patient is a 64-year-old woman with',
      continuations: [' fever', ' a cough', ' chest pain'],
    };
    const [a, b] = [await full.score(job), await quantized.score(job)];
    a.forEach((score, i) => {
      expect(Math.abs(score.logprob - b[i]!.logprob)).toBeLessThan(0.25);
      expect(score.logprob).not.toBe(b[i]!.logprob);
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('more continuations than sequences still share one evaluation of the prompt', async () => {
  const [item] = reference.loglik;
  const letters = Array.from({ length: 26 }, (_, i) => ` ${String.fromCharCode(97 + i)}`);
  const before = engine.counters.promptTokens;
  const scores = await engine.score({ prompt: item!.context, continuations: letters });
  expect(scores).toHaveLength(26);
  expect(engine.counters.promptTokens - before).toBeLessThan(item!.context_ids.length + 8);
  const few = await engine.score({ prompt: item!.context, continuations: letters.slice(3, 6) });
  few.forEach((score, i) => {
    expect(score.logprob).toBeCloseTo(scores[i + 3]!.logprob, 4);
  });
});

test('a continuation may be longer than the rest of the batch', async () => {
  const text = ' girl named Lily. She loved to play outside in the park. One day, she saw a big, red ball.'.repeat(4);
  await using narrow = await model.createEngine({ ...exact, batchSize: 32, maxSequences: 2 });
  const [short] = await narrow.score({ prompt: 'Once upon a time', continuations: [text, ' dog'] });
  const [wide] = await engine.score({ prompt: 'Once upon a time', continuations: [text] });
  expect(short!.logprob).toBeCloseTo(wide!.logprob, 3);
  expect(short!.tokens.length).toBeGreaterThan(64);
});

test('texts that are scored at the same time are as each alone, and one that is given up is not waited for', async () => {
  const asked = reference.loglik.map(({ context_ids, candidates }) => ({
    prompt: Int32Array.from(context_ids),
    continuations: [Int32Array.from(candidates[0]!.ids)],
  }));
  const alone: number[] = [];
  for (const each of asked) alone.push((await engine.score(each))[0]!.logprob);
  const leaving = new AbortController();
  const before = asked.map(each => engine.score(each));
  const given = engine.score({ ...asked[0]!, signal: leaving.signal });
  const after = asked.map(each => engine.score(each));
  leaving.abort(new Error('changed my mind'));
  await expect(given).rejects.toThrow('changed my mind');
  const together = await Promise.all([...before, ...after]);
  expect(together.map(([score]) => score!.logprob)).toEqual([...alone, ...alone]);
});
