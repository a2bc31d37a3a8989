import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Engine } from '../../src/engine/engine.js';
import type { Model } from '../../src/engine/model.js';
import { all, ends, exact, golden, loadStories, oneThread, reference, textOf } from './stories.js';

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

const warm = (n: number) => Array.from({ length: n }, () => ({ temperature: 0.8 }));

test('greedy text equals the golden text of llama2.c', async () => {
  const [end] = await ends(engine.generate({ prompt: '', maxTokens: 200 }));
  expect(end!.text.trimEnd()).toBe(golden);
});

test('the default half-precision cache gives the golden text too', async () => {
  await using other = await model.createEngine(oneThread);
  const [end] = await ends(other.generate({ prompt: '', maxTokens: 200 }));
  expect(end!.text.trimEnd()).toBe(golden);
});

test.each(reference.greedy.map(run => [run.prompt, run] as const))(
  'every greedy step after %j equals the reference',
  async (_, run) => {
    const [end] = await ends(engine.generate({ prompt: run.prompt, maxTokens: run.gen_ids.length, ignoreEnd: true }));
    expect([...end!.tokens]).toEqual(run.gen_ids);
  },
);

test('text arrives in pieces that add up to the whole', async () => {
  const events = await all(engine.generate({ prompt: 'Once upon a time', samplers: warm(3), maxTokens: 40 }));
  const last = events.filter(event => event.type === 'end');
  expect(last).toHaveLength(3);
  for (const end of last) expect(textOf(events, end.sample)).toBe(end.text);
  expect(events.filter(event => event.type === 'text').length).toBeGreaterThan(60);
});

test('five samples share one evaluation of the prompt', async () => {
  const before = { ...engine.counters };
  const prompt = await model.tokenize('Once upon a time, there was a little girl');
  await ends(engine.generate({ prompt, samplers: warm(5), maxTokens: 16, ignoreEnd: true }));
  expect(engine.counters.promptTokens - before.promptTokens).toBe(prompt.length);
  expect(engine.counters.sampledTokens - before.sampledTokens).toBe(80);
  expect(engine.counters.steps - before.steps).toBe(16);
});

test('five samples at temperature 0.8 differ, and repeat with the same seed', async () => {
  const ask = async (seed: number) =>
    (await ends(engine.generate({ prompt: 'Once upon a time', samplers: warm(5), maxTokens: 32, seed }))).map(
      end => end.text,
    );
  const first = await ask(42);
  expect(new Set(first).size).toBe(5);
  expect(await ask(42)).toEqual(first);
  expect(await ask(43)).not.toEqual(first);
});

test('a sampler may have a seed of its own', async () => {
  const twins = await ends(
    engine.generate({
      prompt: 'Once',
      samplers: [
        { temperature: 1, seed: 7 },
        { temperature: 1, seed: 7 },
      ],
      maxTokens: 30,
    }),
  );
  expect(twins[0]!.text).toBe(twins[1]!.text);
});

test('many jobs run at once, each with its own text', async () => {
  const prompts = [
    'Once upon a time',
    'The doctor said',
    'One day, a dog',
    'Tom was',
    'The big red ball',
    'Lily and Ben',
    'It was',
    'A cat',
  ];
  const alone: string[] = [];
  for (const prompt of prompts) alone.push((await ends(engine.generate({ prompt, maxTokens: 24 })))[0]!.text);
  const together = await Promise.all(prompts.map(prompt => ends(engine.generate({ prompt, maxTokens: 24 }))));
  expect(together.map(([end]) => end!.text)).toEqual(alone);
});

test('jobs that do not fit at once wait in the order they came', async () => {
  await using small = await model.createEngine({ ...exact, contextSize: 256, maxSequences: 4 });
  const order: number[] = [];
  await Promise.all(
    Array.from({ length: 9 }, async (_, i) => {
      await ends(small.generate({ prompt: 'Once upon a time', samplers: warm(3), maxTokens: 30, ignoreEnd: true }));
      order.push(i);
    }),
  );
  expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
});

test('log-probabilities of sampled tokens are those of the model before sampling', async () => {
  const [context] = reference.loglik;
  const [end] = await ends(
    engine.generate({
      prompt: Int32Array.from(context!.context_ids),
      samplers: [{ temperature: 2, topK: 3, seed: 1 }],
      maxTokens: 1,
      logprobs: true,
    }),
  );
  const [score] = await engine.score({ prompt: Int32Array.from(context!.context_ids), continuations: [end!.tokens] });
  expect(end!.logprobs![0]).toBeCloseTo(score!.logprob, 6);
});

test('a stop string that spans tokens ends the sample and is not shown', async () => {
  const events = await all(
    engine.generate({ prompt: 'Once upon a time', maxTokens: 100, stop: ['girl named L', 'zzz'] }),
  );
  const end = events.find(event => event.type === 'end')!;
  expect(end).toMatchObject({ finish: 'stop', stop: 'girl named L', text: ', there was a little ' });
  expect(textOf(events)).toBe(end.text);
  expect(await model.detokenize(end.tokens.slice(0, end.textTokens))).toBe(', there was a little');
});

test('a stop token ends the sample as an end token does', async () => {
  const [free] = await ends(engine.generate({ prompt: 'Once upon a time', maxTokens: 30 }));
  const stop = free!.tokens[7]!;
  const [end] = await ends(engine.generate({ prompt: 'Once upon a time', maxTokens: 30, stopTokens: [stop] }));
  const at = free!.tokens.indexOf(stop);
  expect(end!.finish).toBe('end');
  expect([...end!.tokens]).toEqual([...free!.tokens.slice(0, at + 1)]);
  expect(end!.textTokens).toBe(at);
  expect(free!.text.startsWith(end!.text)).toBe(true);
});

test("a job's own end tokens take the place of the model's", async () => {
  const prompt = 'Once upon a time';
  const [free] = await ends(engine.generate({ prompt, maxTokens: 30 }));
  const own = free!.tokens[7]!;
  const [end] = await ends(engine.generate({ prompt, maxTokens: 30, ends: [own] }));
  expect(end).toMatchObject({ finish: 'end', textTokens: free!.tokens.indexOf(own) });
  expect([...end!.tokens]).toEqual([...free!.tokens.slice(0, free!.tokens.indexOf(own) + 1)]);

  const samplers = [{ logitBias: new Map([[model.info.eos!, 1000]]) }];
  const finish = async (options: object) =>
    (await ends(engine.generate({ prompt, samplers, maxTokens: 3, ...options })))[0]!.finish;
  expect(await finish({})).toBe('end');
  expect(await finish({ ends: [own] })).toBe('length');
  expect(await finish({ ends: [] })).toBe('length');
  expect(await finish({ ends: [own, model.info.eos!] })).toBe('end');
});

test('a sample that cannot go on fails its own job, whatever else runs', async () => {
  const every = new Map(Array.from({ length: model.info.vocabulary.size }, (_, token) => [token, -Infinity]));
  const fail = async (sampler: object) => {
    const bad = engine.generate({ prompt: 'Once', samplers: [{ ...sampler, logitBias: every }], maxTokens: 9 });
    await expect(all(bad)).rejects.toMatchObject({ code: 'ERR_OPTION', message: expect.stringMatching(/logitBias/) });
  };
  const [neighbour] = await Promise.all([
    ends(engine.generate({ prompt: 'Once upon a time', maxTokens: 40 })),
    fail({ temperature: 0 }),
    fail({ temperature: 1 }),
    fail({ temperature: 1, topK: 5, topP: 0.9, minP: 0.1 }),
    fail({ temperature: 1, grammar: 'root ::= "a"' }),
  ]);
  const [alone] = await ends(engine.generate({ prompt: 'Once upon a time', maxTokens: 40 }));
  expect(neighbour![0]!.text).toBe(alone!.text);
});

test('text that only looks like the beginning of a stop string is shown in the end', async () => {
  const [end] = await ends(
    engine.generate({ prompt: 'Once upon a time', maxTokens: 8, stop: ['girl named Lucy', 'little girl with'] }),
  );
  const [free] = await ends(engine.generate({ prompt: 'Once upon a time', maxTokens: 8 }));
  expect(end!.text).toBe(free!.text);
  expect(end!.finish).toBe('length');
});

test('penalties see generated tokens only', async () => {
  // "Lily" stands ten times in the prompt: if the prompt counted, the first token would change.
  const prompt = `${'Lily '.repeat(10)}was a girl named`;
  const first = async (options: object) =>
    (await ends(engine.generate({ prompt, samplers: [options], maxTokens: 1 })))[0]!.tokens[0];
  expect(await first({ frequencyPenalty: 2, presencePenalty: 2, repeatPenalty: 2 })).toBe(await first({}));
  const [plain] = await ends(engine.generate({ prompt: 'Once', maxTokens: 120, ignoreEnd: true }));
  const [penalized] = await ends(
    engine.generate({ prompt: 'Once', samplers: [{ frequencyPenalty: 1 }], maxTokens: 120, ignoreEnd: true }),
  );
  expect(new Set(penalized!.tokens).size).toBeGreaterThan(new Set(plain!.tokens).size);
});

test('a logit bias forbids and forces tokens', async () => {
  const [plain] = await ends(engine.generate({ prompt: 'Once upon a time', maxTokens: 1 }));
  const token = plain!.tokens[0]!;
  const [without] = await ends(
    engine.generate({
      prompt: 'Once upon a time',
      samplers: [{ logitBias: new Map([[token, -Infinity]]) }],
      maxTokens: 1,
    }),
  );
  expect(without!.tokens[0]).not.toBe(token);
  const [forced] = await ends(
    engine.generate({ prompt: 'Once upon a time', samplers: [{ logitBias: new Map([[300, 1000]]) }], maxTokens: 3 }),
  );
  expect([...forced!.tokens]).toEqual([300, 300, 300]);
});

test.each([
  ['topK', { temperature: 5, topK: 1 }],
  ['topP', { temperature: 5, topP: 1e-6 }],
  ['minP', { temperature: 1, minP: 1 }],
])('%s at its narrowest is greedy', async (_, sampler) => {
  const [narrow] = await ends(engine.generate({ prompt: 'Once upon a time', samplers: [sampler], maxTokens: 20 }));
  const [greedy] = await ends(engine.generate({ prompt: 'Once upon a time', maxTokens: 20 }));
  expect(narrow!.text).toBe(greedy!.text);
});

test('a grammar is followed by every sample', async () => {
  const grammar = 'root ::= " " ("yes" | "no" | "maybe") "."?';
  const samples = await ends(
    engine.generate({
      prompt: 'The doctor said',
      samplers: Array.from({ length: 5 }, () => ({ temperature: 1, grammar })),
      maxTokens: 12,
    }),
  );
  for (const end of samples) {
    expect(end.text).toMatch(/^ (yes|no|maybe)\.?$/);
    expect(end.finish).toBe('end');
  }
});

test('leaving the loop early cancels the rest and frees its place', async () => {
  for (let i = 0; i < 20; i++) {
    for await (const event of engine.generate({ prompt: 'Once upon a time', samplers: warm(8), maxTokens: 100 })) {
      if (event.type === 'text') break;
    }
  }
  const [end] = await ends(engine.generate({ prompt: '', maxTokens: 200 }));
  expect(end!.text.trimEnd()).toBe(golden);
});

test('a held sample can be continued, and cut back to an earlier token', async () => {
  const [whole] = await ends(engine.generate({ prompt: 'Once upon a time', maxTokens: 40 }));
  const [half] = await ends(engine.generate({ prompt: 'Once upon a time', maxTokens: 20, hold: true }));
  const next = whole!.tokens.slice(20, 21);
  const [rest] = await ends(engine.generate({ from: half!.held!, prompt: next, maxTokens: 19 }));
  expect([...half!.tokens, ...next, ...rest!.tokens]).toEqual([...whole!.tokens]);

  const shorter = half!.held!.first(half!.held!.tokenCount - 5);
  const again = await ends(engine.generate({ from: shorter, prompt: whole!.tokens.slice(15, 16), maxTokens: 10 }));
  expect([...again[0]!.tokens]).toEqual([...whole!.tokens.slice(16, 26)]);
  half!.held!.release();
  half!.held!.release();
  await expect(ends(engine.generate({ from: half!.held!, prompt: next, maxTokens: 1 }))).rejects.toMatchObject({
    code: 'ERR_CLOSED',
  });
});

test('a held sample that stopped at a stop string is continued from its text', async () => {
  const [stopped] = await ends(
    engine.generate({ prompt: 'Once upon a time', maxTokens: 50, stop: ['Lily'], hold: true }),
  );
  const promptTokens = (await model.tokenize('Once upon a time')).length;
  expect(stopped!.finish).toBe('stop');
  const from = stopped!.held!.first(promptTokens + stopped!.textTokens);
  const before = engine.counters.promptTokens;
  const scores = await engine.score({ from, prompt: ' Tom', continuations: ['.', '!'] });
  expect(engine.counters.promptTokens - before).toBeLessThanOrEqual(3);
  const whole = await engine.score({
    prompt: `Once upon a time${stopped!.text.trimEnd()} Tom`,
    continuations: ['.', '!'],
  });
  scores.forEach((score, i) => {
    expect(score.logprob).toBeCloseTo(whole[i]!.logprob, 3);
  });
  stopped!.held!.release();
});

test('a prefix is evaluated once for all jobs that start from it', async () => {
  const prefix = await engine.prefix('Once upon a time, there was a little girl named Lily.');
  const before = engine.counters.promptTokens;
  const texts = await Promise.all(
    [' She', ' Her mom', ' One day'].map(prompt => ends(engine.generate({ from: prefix, prompt, maxTokens: 12 }))),
  );
  expect(engine.counters.promptTokens - before).toBeLessThan(20);
  const [alone] = await ends(
    engine.generate({ prompt: 'Once upon a time, there was a little girl named Lily. She', maxTokens: 12 }),
  );
  expect(texts[0]![0]!.text).toBe(alone!.text);
  prefix.release();
});

test('cells of held sequences come back when the last job that uses them has gone', async () => {
  await using small = await model.createEngine({ ...exact, contextSize: 256, maxSequences: 3 });
  for (let i = 0; i < 10; i++) {
    const prefix = await small.prefix('Once upon a time, there was a little girl named Lily.');
    const events = small.generate({ from: prefix, prompt: ' She', samplers: warm(2), maxTokens: 60 });
    await events.next(); // the job runs, and keeps what it needs
    prefix.release();
    expect(await ends(events)).toHaveLength(2);
  }
  const [end] = await ends(small.generate({ prompt: '', maxTokens: 200 }));
  expect(end!.text.trimEnd()).toBe(golden);
});

test('samples held for a reader who has left are released', async () => {
  await using small = await model.createEngine({ ...exact, contextSize: 512, maxSequences: 4 });
  for (let i = 0; i < 5; i++) {
    for await (const event of small.generate({ prompt: 'Once', samplers: warm(3), maxTokens: 3, hold: true })) {
      if (event.type !== 'end') continue;
      event.held!.release();
      break;
    }
  }
  expect(await small.score({ prompt: 'Once', continuations: [' a', ' b', ' c', ' d'] })).toHaveLength(4);
});

test('a job that held sequences keep out waits until they are released, while their holder goes on', async () => {
  await using small = await model.createEngine({ ...exact, contextSize: 256, maxSequences: 2 });
  const held = await small.prefix('Once upon a time');
  const waiting = ends(small.generate({ prompt: 'A', samplers: warm(2), maxTokens: 5 }));
  const [score] = await small.score({ from: held, prompt: ',', continuations: [' there'] });
  expect(score!.logprob).toBeLessThan(0);
  held.release();
  expect(await waiting).toHaveLength(2);
});

test('cells that a held sample did not need are free for others', async () => {
  await using small = await model.createEngine({ ...exact, contextSize: 256, maxSequences: 3 });
  const [short] = await ends(small.generate({ prompt: 'Once', maxTokens: 240, stop: [' '], hold: true }));
  expect(short!.tokens.length).toBeLessThan(20);
  expect(await ends(small.generate({ prompt: 'Once', maxTokens: 200 }))).toHaveLength(1);
  short!.held!.release();
});

test('UTF-8 that spans tokens arrives as whole characters', async () => {
  // Force the bytes of "é" and "€", one byte token each, by biasing them in turn through a grammar.
  const [end] = await ends(
    engine.generate({ prompt: 'Once', samplers: [{ grammar: 'root ::= "é€𝛼"', temperature: 1 }], maxTokens: 20 }),
  );
  expect(end!.text).toBe('é€𝛼');
  expect(end!.tokens.length).toBeGreaterThan(3);
});
