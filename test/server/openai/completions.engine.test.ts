import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Json } from '../meditron/served.js';
import { type Served, served } from './served.js';

let server: Served;
beforeAll(async () => {
  server = await served();
});
afterAll(() => server[Symbol.asyncDispose]());

const path = '/v1/completions';
const complete = (body: object): Promise<Json> => server.post(path, { temperature: 0, max_tokens: 12, ...body });
const once1 = 'Once upon a time';

test('an answer has the shape of OpenAI', async () => {
  const response = await server.request(path, { prompt: once1, temperature: 0, max_tokens: 5 });
  expect(response.headers.get('Content-Type')).toMatch(/^application\/json/);
  expect(response.headers.get('X-Meditron-Ignored')).toBeNull();
  expect(await response.json()).toEqual({
    id: expect.stringMatching(/^cmpl-[0-9a-f]{32}$/),
    object: 'text_completion',
    created: expect.any(Number),
    model: 'stories260K',
    system_fingerprint: expect.stringMatching(/^fp_[0-9a-f]{10}$/),
    choices: [{ text: ', there was a little', index: 0, logprobs: null, finish_reason: 'length' }],
    usage: {
      prompt_tokens: 5,
      completion_tokens: 5,
      total_tokens: 10,
      prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
      completion_tokens_details: {
        reasoning_tokens: 0,
        audio_tokens: 0,
        accepted_prediction_tokens: 0,
        rejected_prediction_tokens: 0,
      },
    },
  });
});

describe('a prompt', () => {
  test('as text, as token ids, in batches of either: choices in the order of prompts and samples', async () => {
    const texts = [once1, 'The dog', 'One day'];
    const ids = await Promise.all(texts.map(async text => [...(await server.model.tokenize(text))]));
    const batch = await complete({ prompt: texts });
    expect(batch.choices.map((choice: Json) => choice.index)).toEqual([0, 1, 2]);
    expect(new Set(batch.choices.map((choice: Json) => choice.text)).size).toBe(3);
    expect(batch.usage.prompt_tokens).toBe(ids.flat().length);
    expect((await complete({ prompt: ids })).choices).toEqual(batch.choices);
    for (const [i, text] of texts.entries()) {
      const alone = await complete({ prompt: text });
      expect(alone.choices[0].text).toBe(batch.choices[i].text);
      expect((await complete({ prompt: ids[i] })).choices).toEqual(alone.choices);
    }
    const twice = await complete({ prompt: texts, n: 2 });
    expect(twice.choices.map((choice: Json) => choice.text)).toEqual(
      batch.choices.flatMap(({ text }: Json) => [text, text]),
    );
  });

  test('as text begins with the token that begins one, unless it is told not to', async () => {
    const { usage, choices } = await complete({ prompt: once1, add_special_tokens: false, echo: true, logprobs: 0 });
    expect(usage.prompt_tokens).toBe(4);
    expect(choices[0].logprobs.tokens[0]).toBe('Once');
  });

  test('is evaluated once for all samples', async () => {
    const before = server.engine.counters.promptTokens;
    const { choices, usage } = await complete({ prompt: once1, n: 4, temperature: 1, seed: 5 });
    expect(server.engine.counters.promptTokens - before).toBe(5);
    expect(usage).toMatchObject({ prompt_tokens: 5, completion_tokens: 48 });
    expect(new Set(choices.map((choice: Json) => choice.text)).size).toBe(4);
  });
});

test('nobody stands behind a whole batch', async () => {
  const order: string[] = [];
  const prompt = Array.from({ length: 40 }, () => once1);
  const batch = complete({ prompt, max_tokens: 60 }).then(({ choices }) => {
    expect(choices).toHaveLength(40);
    order.push('batch');
  });
  const start = server.engine.counters.sampledTokens;
  while (server.engine.counters.sampledTokens === start) await new Promise(resolve => setImmediate(resolve));
  await complete({ prompt: once1, max_tokens: 1 }).then(() => order.push('other'));
  await batch;
  expect(order).toEqual(['other', 'batch']);
});

describe('the same seed repeats', () => {
  test.each([7, 0, -3, 2 ** 53 - 1, 2 ** 63, -(2 ** 60)])('%d', async seed => {
    const body = { prompt: once1, temperature: 1, seed, n: 2 };
    const [one, other] = [await complete(body), await complete(body)];
    expect(one.choices).toEqual(other.choices);
    expect(one.system_fingerprint).toBe(other.system_fingerprint);
  });

  test('and without one samples differ from request to request', async () => {
    const texts = new Set<string>();
    for (let i = 0; i < 4; i++) texts.add((await complete({ prompt: once1, temperature: 1.5 })).choices[0].text);
    expect(texts.size).toBeGreaterThan(1);
  });
});

test.each([
  ['a text', 'little girl'],
  ['a list', ['zzz', 'little girl']],
])('stop as %s ends a sample before it', async (_, stop) => {
  const { choices } = await complete({ prompt: once1, stop, max_tokens: 40 });
  expect(choices[0]).toMatchObject({ text: ', there was a ', finish_reason: 'stop' });
});

test('no stop at all, in all its spellings', async () => {
  const plain = (await complete({ prompt: once1 })).choices;
  for (const stop of [[], '', [''], null]) expect((await complete({ prompt: once1, stop })).choices).toEqual(plain);
});

test('what changes the distribution does', async () => {
  const plain = (await complete({ prompt: once1 })).choices[0].text;
  const [little] = await server.model.tokenize(' little', { bos: 'never', inside: true });
  const without = await complete({ prompt: once1, logit_bias: { [little!]: -100 } });
  expect(plain).toContain('little');
  expect(without.choices[0].text).not.toContain('little');
  const long = (await complete({ prompt: once1, max_tokens: 40 })).choices[0].text;
  for (const field of ['frequency_penalty', 'presence_penalty', 'repetition_penalty'])
    expect((await complete({ prompt: once1, max_tokens: 40, [field]: 2 })).choices[0].text).not.toBe(long);
  const hot = { prompt: once1, temperature: 2, seed: 1 };
  const cold = (await complete({ prompt: once1 })).choices[0].text;
  for (const cut of [{ top_k: 1 }, { top_p: 1e-6 }, { top_p: 0 }, { min_p: 1 }])
    expect((await complete({ ...hot, ...cut })).choices[0].text).toBe(cold);
});

describe('log-probabilities', () => {
  test('of what is sampled, with the most probable in its place', async () => {
    const { choices } = await complete({ prompt: once1, max_tokens: 4, logprobs: 2, temperature: 1, seed: 9 });
    const { text, logprobs } = choices[0];
    expect(logprobs.tokens.join('')).toBe(text);
    expect(logprobs.text_offset).toEqual(
      logprobs.tokens.map((_: string, i: number) => logprobs.tokens.slice(0, i).join('').length),
    );
    for (const [i, token] of logprobs.tokens.entries()) {
      const top = logprobs.top_logprobs[i];
      expect(top[token]).toBe(logprobs.token_logprobs[i]);
      expect(Object.keys(top).length).toBeLessThanOrEqual(3);
      expect(Object.keys(top).length).toBeGreaterThanOrEqual(2);
    }
    const tokens = Int32Array.from([...(await server.model.tokenize(once1))]);
    const [score] = await server.engine.score({ prompt: tokens, continuations: [text] });
    expect(logprobs.token_logprobs.reduce((sum: number, each: number) => sum + each, 0)).toBeCloseTo(score!.logprob, 3);
  });

  test('of an echoed prompt: null for the first token, and the score of every other', async () => {
    const { choices, usage } = await complete({ prompt: once1, max_tokens: 1, logprobs: 1, echo: true });
    const { text, logprobs } = choices[0];
    expect(text).toBe(`${once1},`);
    expect(logprobs.tokens).toEqual(['<s>', 'Once', ' upon', ' a', ' time', ',']);
    expect(logprobs.text_offset).toEqual([0, 0, 4, 9, 11, 16]);
    expect(logprobs.token_logprobs[0]).toBeNull();
    expect(logprobs.top_logprobs[0]).toBeNull();
    expect(usage).toMatchObject({ prompt_tokens: 5, completion_tokens: 1 });
    const ids = await server.model.tokenize(once1);
    const [score] = await server.engine.score({ prompt: ids.slice(0, 1), continuations: [ids.slice(1)] });
    score!.logprobs.forEach((logprob, i) => {
      expect(logprobs.token_logprobs[i + 1]).toBeCloseTo(logprob, 4);
    });
  });

  test('of an echoed prompt alone, and of one with several samples', async () => {
    const alone = await complete({ prompt: once1, max_tokens: 0, logprobs: 0, echo: true });
    expect(alone.choices[0]).toMatchObject({ text: once1, finish_reason: 'length' });
    expect(alone.choices[0].logprobs.tokens).toHaveLength(5);
    expect(alone.usage.completion_tokens).toBe(0);
    const both = await complete({
      prompt: once1,
      n: 2,
      max_tokens: 3,
      logprobs: 1,
      echo: true,
      temperature: 1,
      seed: 2,
    });
    for (const { text, logprobs } of both.choices) {
      expect(text.startsWith(once1)).toBe(true);
      expect(logprobs.tokens.join('')).toBe(`<s>${text}`);
    }
  });

  test('a token ends the text: it is listed, and no part of the text', async () => {
    const [end] = server.model.info.ends;
    const { choices } = await complete({
      prompt: once1,
      max_tokens: 1,
      logprobs: 1,
      echo: true,
      logit_bias: { [end!]: 100 },
    });
    expect(choices[0]).toMatchObject({ text: once1, finish_reason: 'stop' });
    expect(choices[0].logprobs.tokens.at(-1)).toBe('</s>');
    expect(choices[0].logprobs.token_logprobs).toHaveLength(6);
    expect(choices[0].logprobs.text_offset.at(-1)).toBe(once1.length);
  });

  test('offsets count characters, and pieces of one are spelt in bytes', async () => {
    const prompt = 'The 😀é dog';
    const { choices } = await complete({ prompt, max_tokens: 0, logprobs: 0, echo: true });
    const { tokens, text_offset } = choices[0].logprobs;
    expect(tokens).toContain('bytes:\\xf0');
    expect(text_offset[tokens.indexOf('bytes:\\xf0')]).toBe(4);
    expect(text_offset.at(-1)).toBe([...prompt].length - 1);
    expect(
      (await complete({ prompt: [...(await server.model.tokenize(prompt))], max_tokens: 0, echo: true })).choices[0]
        .text,
    ).toBe(prompt);
  });
});

describe('a stream', () => {
  const together = (chunks: Json[], index = 0) =>
    chunks.flatMap(({ choices }) => choices.filter((choice: Json) => choice.index === index));

  test.each([
    { prompt: once1, max_tokens: 12, temperature: 0 },
    { prompt: once1, max_tokens: 12, temperature: 1, seed: 3, logprobs: 2 },
    { prompt: [once1, 'The dog'], n: 2, max_tokens: 9, temperature: 1, seed: 4, logprobs: 0 },
    { prompt: once1, max_tokens: 6, temperature: 0, echo: true },
    { prompt: once1, max_tokens: 6, temperature: 0, echo: true, logprobs: 1 },
    { prompt: once1, max_tokens: 40, temperature: 0, stop: 'little girl', logprobs: 1 },
  ])('has the pieces of the whole answer: %j', async body => {
    const whole = await server.post(path, body);
    const chunks = await server.stream(path, { ...body, stream_options: { include_usage: true } });
    const last = chunks.pop();
    expect(last).toMatchObject({ choices: [], usage: whole.usage, object: 'text_completion' });
    expect(new Set(chunks.map(({ id, created, model }) => JSON.stringify([id, created, model]))).size).toBe(1);
    for (const chunk of chunks) expect(chunk).toMatchObject({ usage: null, choices: [expect.anything()] });
    for (const choice of whole.choices) {
      const parts = together(chunks, choice.index);
      expect(parts.map(({ text }) => text).join('')).toBe(choice.text);
      expect(parts.map(part => part.finish_reason)).toEqual([...parts.slice(1).map(() => null), choice.finish_reason]);
      if (choice.logprobs === null) continue;
      for (const list of ['tokens', 'token_logprobs', 'top_logprobs', 'text_offset'])
        expect(parts.flatMap(({ logprobs }) => logprobs[list])).toEqual(choice.logprobs[list]);
    }
  });

  test('that is refused is no stream', async () => {
    const response = await server.request(path, { prompt: once1, stream: true, max_tokens: 100_000 });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: 'ERR_CONTEXT_FULL' } });
  });

  test('that is left frees its sequences within a step', async () => {
    const { engine } = server;
    const response = await server.request(path, {
      prompt: once1,
      n: 4,
      stream: true,
      max_tokens: 200,
      logit_bias: { 2: -100 },
      temperature: 1,
    });
    const reader = response.body!.getReader();
    await reader.read();
    await reader.cancel();
    // All four sequences are to be had again: whoever waits for them is served, and nothing more was sampled for the stream.
    const before = engine.counters.sampledTokens;
    const after = await complete({ prompt: once1, n: 4, max_tokens: 1 });
    expect(after.choices).toHaveLength(4);
    expect(engine.counters.sampledTokens - before).toBeLessThanOrEqual(4 + 4 * 64);
    expect(server.inUse()).toBe(0);
  });

  test('a request whose client has left ends too', async () => {
    const leaving = new AbortController();
    const body = JSON.stringify({ prompt: once1, n: 4, max_tokens: 200, logit_bias: { 2: -100 }, temperature: 1 });
    const pending = server.request(path, undefined, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body,
      signal: leaving.signal,
    });
    const { engine } = server;
    const start = engine.counters.sampledTokens;
    while (engine.counters.sampledTokens === start) await new Promise(resolve => setImmediate(resolve));
    const aborted = once(leaving.signal, 'abort');
    leaving.abort();
    await aborted;
    expect((await pending).status).toBe(499);
    expect(engine.counters.sampledTokens - start).toBeLessThan(800);
    expect(server.inUse()).toBe(0);
  });
});

test('a grammar, or a JSON schema, is followed', async () => {
  const schema = {
    type: 'object',
    properties: {
      age: { type: 'integer', minimum: 0, maximum: 120 },
      sex: { enum: ['f', 'm'] },
      kind: { type: 'string', pattern: '^[a-z]{3}$' },
    },
    required: ['age', 'sex', 'kind'],
    additionalProperties: false,
  };
  const ask = (response_format: object) =>
    complete({ prompt: once1, response_format, n: 4, temperature: 1.5, max_tokens: 200, seed: 1 });
  for (const { text } of (await ask({ type: 'json_schema', json_schema: { name: 'x', schema, strict: true } }))
    .choices) {
    const value = JSON.parse(text);
    expect(value).toEqual({
      age: expect.any(Number),
      sex: expect.stringMatching(/^[fm]$/),
      kind: expect.stringMatching(/^[a-z]{3}$/),
    });
    expect(value.age).toBeGreaterThanOrEqual(0);
    expect(value.age).toBeLessThanOrEqual(120);
  }
  const { choices } = await complete({ prompt: once1, grammar: 'root ::= "yes" | "no"' });
  expect(['yes', 'no']).toContain(choices[0].text);
});

test('max_tokens -1 is as many as there is room for', async () => {
  const body = { prompt: [once1, 'The dog was'], n: 2, seed: 3, temperature: 1, max_tokens: -1 };
  const { choices } = await complete(body);
  expect(choices).toHaveLength(4);
  for (const { finish_reason } of choices) expect(['stop', 'length']).toContain(finish_reason);
  const scored = await complete({ prompt: once1, max_tokens: -1, echo: true, logprobs: 0 });
  const { tokens } = scored.choices[0].logprobs;
  expect(tokens).toHaveLength(scored.usage.total_tokens);
  expect(scored.usage.completion_tokens).toBeGreaterThan(40);
  expect((await server.request(path, { prompt: once1, max_tokens: -2 })).status).toBe(400);
});

describe('what cannot be met', () => {
  test.each<[object, string | null, string, number?]>([
    [{}, 'prompt', 'ERR_OPTION'],
    [{ prompt: 5 }, 'prompt', 'ERR_OPTION'],
    [{ prompt: [] }, 'prompt', 'ERR_OPTION'],
    [{ prompt: [[]] }, 'prompt', 'ERR_OPTION'],
    [{ prompt: ['a', 1] }, 'prompt', 'ERR_OPTION'],
    [{ prompt: [1.5] }, 'prompt', 'ERR_OPTION'],
    [{ prompt: [99_999], echo: true }, 'prompt', 'ERR_OPTION'],
    [{ prompt: [99_999] }, 'prompt', 'ERR_OPTION'],
    [{ prompt: [2 ** 32 + 1] }, 'prompt', 'ERR_OPTION'],
    [{ prompt: Array(1025).fill('a') }, 'prompt', 'ERR_OPTION'],
    [{ prompt: Array(1025).fill(5) }, null, 'ERR_CONTEXT_FULL'], // one prompt
    [{ prompt: '', add_special_tokens: false }, 'prompt', 'ERR_OPTION'],
    [{ prompt: once1, n: '2' }, 'n', 'ERR_OPTION'],
    [{ prompt: once1, seed: 1.5 }, 'seed', 'ERR_OPTION'],
    [{ prompt: once1, n: 5 }, 'n', 'ERR_OPTION'],
    [{ prompt: once1, n: 0 }, 'n', 'ERR_OPTION'],
    [{ prompt: once1, best_of: 3 }, 'best_of', 'ERR_OPTION'],
    [{ prompt: once1, suffix: 'x' }, 'suffix', 'ERR_OPTION'],
    [{ prompt: once1, max_tokens: 0 }, 'max_tokens', 'ERR_OPTION'],
    [{ prompt: once1, max_tokens: 'many' }, 'max_tokens', 'ERR_OPTION'],
    [{ prompt: once1, max_tokens: 5000 }, null, 'ERR_CONTEXT_FULL'],
    [{ prompt: 'word '.repeat(3000) }, null, 'ERR_CONTEXT_FULL'],
    [{ prompt: once1, temperature: -1 }, 'temperature', 'ERR_OPTION'],
    [{ prompt: once1, top_p: 1.5 }, 'top_p', 'ERR_OPTION'],
    [{ prompt: once1, logprobs: 21 }, 'logprobs', 'ERR_OPTION'],
    [{ prompt: once1, logit_bias: { x: 1 } }, 'logit_bias', 'ERR_OPTION'],
    [{ prompt: once1, logit_bias: { 99999: 1 } }, 'logit_bias', 'ERR_OPTION'],
    [{ prompt: once1, logit_bias: { ...Array(100_000).fill(1) } }, 'logit_bias', 'ERR_OPTION'],
    [{ prompt: once1, stop: Array.from({ length: 17 }, (_, i) => `${i}`) }, 'stop', 'ERR_OPTION'],
    [{ prompt: once1, response_format: { type: 'xml' } }, 'response_format.type', 'ERR_OPTION'],
    [{ prompt: once1, response_format: { type: 'json_schema' } }, 'response_format.json_schema.schema', 'ERR_OPTION'],
    [
      { prompt: once1, response_format: { type: 'json_schema', json_schema: { schema: { not: {} } } } },
      null,
      'ERR_GRAMMAR',
    ],
    [{ prompt: once1, grammar: 'root ::= (' }, null, 'ERR_GRAMMAR'],
    [{ prompt: once1, model: 'gpt-4' }, 'model', 'ERR_UNKNOWN_MODEL', 404],
  ])('%j', async (body, param, code, status = 400) => {
    for (const stream of [false, true]) {
      const response = await server.request(path, { ...body, stream });
      expect(response.status).toBe(status);
      const { error } = (await response.json()) as Json;
      expect(error).toEqual({ message: expect.any(String), type: expect.stringMatching(/_error$/), param, code });
      expect(error.message).not.toContain('/'); // no path of this machine
      expect(error.message).not.toMatch(/`\w*[a-z][A-Z]\w*`/); // no option of ours
    }
    expect(server.inUse()).toBe(0);
  });

  test('no JSON, and JSON that is no object', async () => {
    for (const body of ['{', '[]', '"x"', '']) {
      const response = await server.request(path, body);
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ error: { type: 'invalid_request_error' } });
    }
  });
});

test('fields that have no effect are named in a header, and null is as good as left out', async () => {
  const plain = await complete({ prompt: once1 });
  const fields = {
    user: 'x',
    metadata: {},
    'a b': 1,
    tools: [{}],
    n: null,
    seed: null,
    stop: null,
    logprobs: null,
    echo: null,
    stream: null,
  };
  const response = await server.request(path, {
    prompt: once1,
    temperature: 0,
    max_tokens: 12,
    suffix: null,
    best_of: 1,
    ...fields,
  });
  expect(response.headers.get('X-Meditron-Ignored')).toBe('user, metadata, tools, (1 more)');
  expect(((await response.json()) as Json).choices).toEqual(plain.choices);
  const streamed = await server.request(path, { prompt: once1, stream: true, user: 'x' });
  expect(streamed.headers.get('X-Meditron-Ignored')).toBe('user');
  await streamed.text();
});
