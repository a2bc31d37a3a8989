import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Engine } from '../../src/engine/engine.js';
import type { GenerateOptions } from '../../src/engine/jobs/options.js';
import type { Model } from '../../src/engine/model.js';
import { loadModel } from '../../src/host/load.js';
import { all, ends, exact, loadStories, reference, storiesPath } from './stories.js';

let model: Model;
let engine: Engine;

beforeAll(async () => {
  model = await loadStories();
  engine = await model.createEngine({ ...exact, maxSequences: 6 });
});

afterAll(async () => {
  await engine.close();
  await model.close();
});

describe('log-probabilities of a prompt', () => {
  test.each(reference.loglik.map(item => [item.context, item] as const))(
    'after %j equal the reference',
    async (_, item) => {
      for (const candidate of item.candidates) {
        const tokens = Int32Array.from([...item.context_ids, ...candidate.ids]);
        const before = engine.counters.sampledTokens;
        const [end] = await ends(
          engine.generate({ prompt: tokens, promptLogprobs: true, topLogprobs: 1, maxTokens: 1 }),
        );
        expect(engine.counters.sampledTokens - before).toBe(1);
        expect(end!.prompt!.tokens).toEqual(tokens);
        expect(end!.prompt!.logprobs).toHaveLength(tokens.length - 1);
        const own = [...end!.prompt!.logprobs].slice(item.context_ids.length - 1);
        for (const [i, logprob] of candidate.logprobs.entries()) expect(Math.abs(own[i]! - logprob)).toBeLessThan(2e-5);
      }
    },
  );

  test('and what is sampled behind it are one evaluation, the same as apart', async () => {
    const options: GenerateOptions = {
      prompt: 'Once upon a time, there was a',
      maxTokens: 30,
      seed: 3,
      samplers: [{ temperature: 0.8 }],
    };
    const [alone] = await ends(engine.generate({ ...options, logprobs: true }));
    const [end] = await ends(engine.generate({ ...options, topLogprobs: 2, promptLogprobs: true }));
    expect(end!.text).toBe(alone!.text);
    expect(end!.tokens).toEqual(alone!.tokens);
    end!.logprobs!.forEach((logprob, i) => {
      expect(logprob).toBeCloseTo(alone!.logprobs![i]!, 4);
    });
  });

  test('of one token there are none', async () => {
    const [end] = await ends(engine.generate({ prompt: Int32Array.of(1), promptLogprobs: true, maxTokens: 3 }));
    expect(end).toMatchObject({ prompt: { tokens: Int32Array.of(1), logprobs: new Float32Array(0) } });
    expect(end!.tokens).toHaveLength(3);
  });

  test('a sample behind it can be held and gone on from', async () => {
    const prompt = 'Once upon a time, there was a little girl';
    const [whole] = await ends(engine.generate({ prompt, maxTokens: 12 }));
    const [end] = await ends(engine.generate({ prompt, maxTokens: 6, promptLogprobs: true, hold: true }));
    using held = end!.held!;
    const tokens = await model.tokenize(prompt);
    expect(held.tokenCount).toBe(tokens.length + 6);
    const [rest] = await ends(engine.generate({ prompt: whole!.tokens.slice(6, 7), from: held, maxTokens: 5 }));
    expect([...end!.tokens, whole!.tokens[6], ...rest!.tokens]).toEqual([...whole!.tokens]);
  });

  test('that fills the context to its last cell is sampled to its end', async () => {
    const { sequenceSize } = engine.settings;
    const prompt = 'Once upon a time, there was a little girl';
    const left = sequenceSize - (await model.tokenize(prompt)).length;
    const options = { prompt, promptLogprobs: true, ignoreEnd: true };
    const [end] = await ends(engine.generate({ ...options, maxTokens: left }));
    expect(end).toMatchObject({ finish: 'length', tokens: { length: left } });
    await expect(ends(engine.generate({ ...options, maxTokens: left + 1 }))).rejects.toThrow(/do not fit/);
  });

  test('what does not fit is refused with the numbers of the whole prompt', async () => {
    await expect(
      ends(engine.generate({ prompt: 'Once upon a time', promptLogprobs: true, maxTokens: 600 })),
    ).rejects.toThrow(/ 5 prompt tokens and 600 new ones make 605/);
    await expect(ends(engine.generate({ prompt: 'Once', promptLogprobs: true, samplers: [{}, {}] }))).rejects.toThrow(
      /`samplers` to be one sampler beside `promptLogprobs`/,
    );
  });
});

describe('the most probable tokens', () => {
  test('are first, in order, and come with the text that tokens make up', async () => {
    const events = await all(engine.generate({ prompt: 'Once upon a time', maxTokens: 40, topLogprobs: 5 }));
    const end = events.find(event => event.type === 'end')!;
    const told = events.flatMap(event => (event.type === 'text' ? event.tokens! : []));
    expect(told.map(({ token }) => token)).toEqual([...end.tokens]);
    expect(told.map(({ top }) => top)).toEqual(end.top);
    for (const [i, top] of end.top!.entries()) {
      expect(top).toHaveLength(5);
      expect(top[0]).toEqual({ token: end.tokens[i], logprob: end.logprobs![i] }); // greedy
      expect(top.map(({ logprob }) => logprob)).toEqual([...top.map(({ logprob }) => logprob)].sort((a, b) => b - a));
    }
    const scores = await engine.score({
      prompt: 'Once upon a time',
      continuations: end.top![0]!.map(({ token }) => Int32Array.of(token)),
    });
    for (const [i, { logprob }] of end.top![0]!.entries()) expect(scores[i]!.logprob).toBeCloseTo(logprob, 5);
  });

  test('of tokens that a stop string holds back or takes away', async () => {
    const events = await all(
      engine.generate({ prompt: 'Once upon a time', maxTokens: 100, topLogprobs: 0, stop: ['girl named L'] }),
    );
    const end = events.find(event => event.type === 'end')!;
    const told = events.flatMap(event => (event.type === 'text' ? event.tokens! : []));
    expect(told.map(({ token }) => token)).toEqual([...end.tokens.subarray(0, end.textTokens)]);
    expect(told.every(({ top }) => top.length === 0)).toBe(true);
  });
});

test('tokens as they are spelt, in this process and in one of its own', async () => {
  const tokens = Int32Array.from([...(await model.tokenize('Once upon é 😀')), 2, 0]);
  await using other = await loadModel({ path: storiesPath, isolate: true });
  const [here, there] = await Promise.all([model.spell(tokens), other.spell(tokens)]);
  expect(there.map(bytes => [...bytes])).toEqual(here.map(bytes => [...bytes]));
  const text = Buffer.concat(here).toString();
  expect(text).toContain(' Once upon é 😀');
  expect(text).toContain('</s>');
  await expect(model.spell(Int32Array.of(99_999))).rejects.toThrow(/token ids from 0 to 511/);
  await expect(other.spell([1] as unknown as Int32Array)).rejects.toThrow(/`tokens`/);
});
