import { afterAll, beforeAll, expect, test } from 'vitest';
import { MeditronError } from '../../../src/check/errors.js';
import type { Engine } from '../../../src/engine/engine.js';
import type { Model } from '../../../src/engine/model.js';
import { Scorer } from '../../../src/server/pool/scorer.js';
import { loadStories } from '../../engine/stories.js';

let model: Model;
let shared: Engine;
beforeAll(async () => {
  model = await loadStories();
  shared = await model.createEngine({ contextSize: 2048, maxSequences: 4, threads: 1, beyondTraining: true });
});
afterAll(async () => {
  await shared.close();
  await model.close();
});

/** A scorer, and the sizes of the contexts that it opened. */
function scorer(): { scorer: Scorer; sizes: number[] } {
  const sizes: number[] = [];
  const opened = new Scorer(shared, size => {
    sizes.push(size.contextSize);
    return model.createEngine({ ...size, threads: 1, beyondTraining: true });
  });
  return { scorer: opened, sizes };
}

const { signal } = new AbortController();
const ofLength = (length: number) => Int32Array.from({ length }, (_, i) => (i === 0 ? 1 : 260 + ((i * 37) % 200)));
const scored = async (by: Scorer, length: number) =>
  (await by.score({ prompt: ofLength(length), maxTokens: 1, signal })).prompt!.logprobs;

test('its context grows with what it is asked, as far as the shared one', async () => {
  const { scorer: by, sizes } = scorer();
  for (const length of [100, 511, 512, 300, 1030]) expect(await scored(by, length)).toHaveLength(length - 1);
  expect(sizes).toEqual([512, 1024, 2048]);
  await expect(scored(by, 2048)).rejects.toMatchObject({ code: 'ERR_CONTEXT_FULL', message: /2048 prompt tokens/ });
  expect(by.counters.promptTokens).toBe(100 + 511 + 512 + 300 + 1030);
  await by.close();
  expect(by.counters.promptTokens).toBe(2453);
  expect(by.takenSequences).toBe(0);
});

test('without memory for a context of its own it has the shared one to itself, and finds the same', async () => {
  const { scorer: own } = scorer();
  const without = new Scorer(shared, () => Promise.reject(new MeditronError('ERR_MEMORY', 'Too little')));
  const chains = Array.from({ length: 6 }, async (_, seed) => {
    for await (const _event of shared.generate({ prompt: 'Once upon', maxTokens: 60, seed, samplers: [{}, {}] }));
  });
  const [a, b] = await Promise.all([scored(own, 90), scored(without, 90), scored(without, 40)]);
  await Promise.all(chains);
  expect(b).toEqual(a);
  await own.close();
});

test('who leaves the line is not waited for, and what fails is told', async () => {
  const { scorer: by } = scorer();
  const leaving = new AbortController();
  const first = scored(by, 300);
  const second = by.score({ prompt: ofLength(200), maxTokens: 1, signal: leaving.signal });
  const third = scored(by, 20);
  leaving.abort(new Error('gone'));
  await expect(second).rejects.toThrow('gone');
  expect(await first).toHaveLength(299);
  expect(await third).toHaveLength(19);
  await by.close();
  const broken = new Scorer(shared, () => Promise.reject(new MeditronError('ERR_ENGINE_DIED', 'It died')));
  for (let i = 0; i < 2; i++) await expect(scored(broken, 20)).rejects.toMatchObject({ code: 'ERR_ENGINE_DIED' });
});
