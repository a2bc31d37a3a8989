import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Completion, Request } from '../../src/answerer/answerer.js';
import { answererOf } from '../../src/answerer/engine.js';
import type { Model } from '../../src/engine/model.js';
import { loadStories } from '../engine/stories.js';

let model: Model;
beforeAll(async () => {
  model = await loadStories();
});
afterAll(() => model.close());

const requestFor = (text: string): Request => ({
  prompts: [
    {
      segments: [{ text, template: false }],
      continuations: [],
      reask: undefined,
      grammar: undefined,
      stops: [],
    },
  ],
  bos: 'auto',
  samples: [{ prompt: 0, seed: 1 }],
  sampling: { temperature: 0, topP: 1, topK: 0, frequencyPenalty: 0 },
  maxTokens: 8,
  leastTokens: 8,
  width: undefined,
  ends: 'all',
  reask: false,
});

test('a prompt that begins otherwise is evaluated on its own, one that agrees in part from there on', async () => {
  await using engine = await model.createEngine({ threads: 1, contextSize: 512 });
  const text = 'Once upon a time there was a little girl who had a dog. The dog was very big and she loved it.';
  const tokens = await model.tokenize(text);
  using held = await engine.prefix(tokens.slice(0, 24));
  const beginning = { held, tokens: tokens.slice(0, 24) };
  const completed = async (prompt: string, answerer = answererOf(engine)): Promise<[Completion, number]> => {
    const { signal } = new AbortController();
    const fit = await answerer.fit(requestFor(prompt));
    const before = engine.counters.promptTokens;
    using session = await fit.begin(signal);
    for await (const event of session.complete([0], { signal }))
      if (event.type === 'end') return [event, engine.counters.promptTokens - before];
    throw new Error('no end');
  };
  const other = 'The big brown cat sat on the mat and looked at the sun until it was dark outside. Then';
  const parting = `${await model.detokenize(tokens.slice(0, 20))} ran to the tree and sang a song`;
  for (const prompt of [other, parting, text]) {
    const whole = await model.tokenize(prompt);
    let same = 0;
    while (same < Math.min(24, whole.length - 1) && whole[same] === tokens[same]) same++;
    const [mine, evaluated] = await completed(prompt, answererOf(engine, beginning));
    const [plain] = await completed(prompt);
    expect(mine.text).toBe(plain.text);
    expect(evaluated).toBe(whole.length - (same < 16 ? 0 : same));
  }
});
