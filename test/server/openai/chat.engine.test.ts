import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Json, mini, question, stories } from '../meditron/served.js';
import { type Served, served } from './served.js';

let server: Served;
let small: Served;
beforeAll(async () => {
  server = await served(mini, { contextSize: 2048 });
  small = await served(stories);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await small[Symbol.asyncDispose]();
});

const path = '/v1/chat/completions';
const asked = `${question.question}\n${question.options.map((option, i) => `${'ABCD'[i]}. ${option}`).join('\n')}`;
const messages = [{ role: 'user', content: asked }];
const chat = (body: object): Promise<Json> => server.post(path, { messages, temperature: 0, max_tokens: 40, ...body });

test("an answer has the shape of OpenAI, in the model's own format", async () => {
  const answer = await chat({});
  expect(answer).toEqual({
    id: expect.stringMatching(/^chatcmpl-[0-9a-f]{32}$/),
    object: 'chat.completion',
    created: expect.any(Number),
    model: 'meditron-mini',
    system_fingerprint: expect.stringMatching(/^fp_/),
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: expect.any(String), refusal: null, annotations: [] },
        logprobs: null,
        finish_reason: expect.stringMatching(/^(stop|length)$/),
      },
    ],
    usage: expect.objectContaining({ prompt_tokens: expect.any(Number), prompt_tokens_details: expect.anything() }),
  });
  const { tokens } = await server.post('/tokenize', { messages });
  expect(answer.usage.prompt_tokens).toBe(tokens.length);
  const raw = await server.post('/v1/completions', { prompt: tokens, temperature: 0, max_tokens: 40 });
  expect(raw.choices[0].text).toBe(answer.choices[0].message.content);
});

test('greedy repeats, a seed repeats, samples differ', async () => {
  expect((await chat({})).choices).toEqual((await chat({})).choices);
  const body = { n: 4, temperature: 1.2, seed: 11 };
  const one = await chat(body);
  expect((await chat(body)).choices).toEqual(one.choices);
  expect(new Set(one.choices.map(({ message }: Json) => message.content)).size).toBeGreaterThan(1);
});

test('either name of the limit, and an answer of unstated length has what the context leaves', async () => {
  const { choices, usage } = await chat({ max_tokens: undefined, max_completion_tokens: 1 });
  expect([choices[0].finish_reason, usage.completion_tokens]).toEqual(['length', 1]);
  const whole = await chat({ max_tokens: undefined });
  expect(whole.choices[0].finish_reason).toBe('stop');
});

test('an answer that broke off goes on where it was, if that is asked for', async () => {
  const whole = (await chat({ max_tokens: 60 })).choices[0].message.content;
  for (const limit of [1, 7, 20]) {
    const begun = (await chat({ max_tokens: limit })).choices[0].message.content;
    const said = [...messages, { role: 'assistant', content: begun }];
    const rest = await chat({ messages: said, continue_final_message: true, max_tokens: 60 - limit });
    expect(begun + rest.choices[0].message.content).toBe(whole);
  }
  expect(await chat({ continue_final_message: true })).toMatchObject({
    error: { code: 'ERR_INPUT', message: expect.stringContaining('which is to go on') },
  });
});

test('sixteen stops are the client’s own: what ends a turn of the format comes beside them', async () => {
  const stop = Array.from({ length: 16 }, (_, i) => `never ${i}`);
  expect((await chat({ stop, max_tokens: undefined })).choices[0].finish_reason).toBe('stop');
  expect(await chat({ stop: [...stop, 'one more'] })).toMatchObject({ error: { param: 'stop', code: 'ERR_OPTION' } });
});

test('log-probabilities as lists of tokens with their bytes', async () => {
  const { choices } = await chat({ logprobs: true, top_logprobs: 3, max_tokens: 6 });
  const { content, refusal } = choices[0].logprobs;
  expect(refusal).toBeNull();
  expect(content.map(({ token }: Json) => token).join('')).toBe(choices[0].message.content);
  for (const entry of content) {
    expect(entry.top_logprobs).toHaveLength(3);
    expect(entry.top_logprobs[0]).toEqual({ token: entry.token, logprob: entry.logprob, bytes: entry.bytes }); // greedy
    expect(Buffer.from(entry.bytes).toString()).toBe(entry.token);
  }
  const without = await chat({ logprobs: true, max_tokens: 2 });
  expect(without.choices[0].logprobs.content[0].top_logprobs).toEqual([]);
});

test.each([
  {},
  { n: 2, temperature: 1, seed: 3 },
  { logprobs: true, top_logprobs: 2 },
  { response_format: { type: 'json_object' }, max_tokens: 20 },
])('a stream has the pieces of the whole answer: %j', async body => {
  const whole = await chat(body);
  const chunks = await server.stream(path, {
    messages,
    temperature: 0,
    max_tokens: 40,
    stream_options: { include_usage: true },
    ...body,
  });
  expect(chunks.pop()).toMatchObject({ choices: [], usage: whole.usage, object: 'chat.completion.chunk' });
  for (const { index, message, finish_reason, logprobs } of whole.choices) {
    const parts = chunks.flatMap(({ choices }) => choices.filter((choice: Json) => choice.index === index));
    expect(parts[0]).toEqual({
      index,
      delta: { role: 'assistant', content: '', refusal: null },
      logprobs: null,
      finish_reason: null,
    });
    expect(parts.map(({ delta }) => delta.content ?? '').join('')).toBe(message.content);
    expect(parts.at(-1)).toMatchObject({ delta: {}, finish_reason });
    if (logprobs) expect(parts.flatMap(part => part.logprobs?.content ?? [])).toEqual(logprobs.content);
  }
  const plain = await server.stream(path, { messages, temperature: 0, max_tokens: 2 });
  for (const chunk of plain) expect(chunk).not.toHaveProperty('usage');
});

describe('messages', () => {
  test('in parts, by a developer, empty, and side by side', async () => {
    const said = { role: 'system', content: 'Be brief.' };
    const plain = await chat({ messages: [said, ...messages] });
    const same = [
      [
        { role: 'developer', content: 'Be brief.' },
        { role: 'user', content: [{ type: 'text', text: asked }] },
      ],
      [{ ...said, name: 'x' }, { role: 'assistant', content: null }, ...messages],
    ];
    for (const each of same) expect((await chat({ messages: each })).choices).toEqual(plain.choices);
    const joined = await chat({ messages: [{ role: 'user', content: 'A case.' }, ...messages] });
    expect((await chat({ messages: [{ role: 'user', content: `A case.\n\n${asked}` }] })).choices).toEqual(
      joined.choices,
    );
  });

  test.each<[unknown, string | null]>([
    [[], 'messages'],
    [undefined, 'messages'],
    ['hello', 'messages'],
    [[{ role: 'tool', content: '5' }], 'messages[0].role'],
    [[{ content: '5' }], 'messages[0].role'],
    [[{ role: 'user', content: '  ' }], 'messages[0].content'],
    [[{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:' } }] }], 'messages[0].content[0]'],
    [
      [
        { role: 'user', content: 'a' },
        { role: 'assistant', content: 'b' },
      ],
      null,
    ],
    [
      [
        { role: 'user', content: 'a' },
        { role: 'system', content: 'b' },
        { role: 'user', content: 'c' },
      ],
      'messages[1].role',
    ],
  ])('that are none: %j', async (given, param) => {
    const response = await server.request(path, { messages: given });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { type: 'invalid_request_error', param } });
  });
});

test('a model whose format is not known asks for one of those there are', async () => {
  const body = { messages: [{ role: 'user', content: 'Tell me a story' }], max_tokens: 4 };
  const refused = await small.request(path, body);
  expect(refused.status).toBe(400);
  const { error } = (await refused.json()) as Json;
  expect(error).toMatchObject({ code: 'ERR_PROMPT_FORMAT', param: 'chat_format' });
  expect(error.message).toContain('llama-2');
  expect(error.message).not.toContain('/models/');
  expect((await small.post(path, { ...body, chat_format: 'llama-2' })).choices[0].finish_reason).toBe('length');
  for (const [chat_format, message] of [
    ['nonsense', /Unknown prompt format/],
    ['few-shot', /has no conversation/],
    ['jinja', /has none/],
  ] as const) {
    const response = await small.request(path, { ...body, chat_format });
    expect(await response.json()).toMatchObject({
      error: { code: 'ERR_PROMPT_FORMAT', message: expect.stringMatching(message) },
    });
  }
});

test('tools are tolerated and named; what is wrong is refused', async () => {
  const tools = [{ type: 'function', function: { name: 'f', parameters: {} } }];
  const response = await server.request(path, {
    messages,
    temperature: 0,
    max_tokens: 2,
    tools,
    tool_choice: 'auto',
    parallel_tool_calls: true,
  });
  expect(response.status).toBe(200);
  expect(response.headers.get('X-Meditron-Ignored')).toBe('tools, tool_choice, parallel_tool_calls');
  const refused = await server.request(path, { messages, top_logprobs: 2 });
  expect(await refused.json()).toMatchObject({ error: { param: 'top_logprobs' } });
});

test('models, and how they cut texts', async () => {
  const { data } = (await (await server.request('/v1/models')).json()) as Json;
  expect(data).toEqual([{ id: 'meditron-mini', object: 'model', created: expect.any(Number), owned_by: 'meditron' }]);
  expect(await (await server.request('/v1/models/meditron-mini')).json()).toEqual(data[0]);
  expect((await server.request('/v1/models/gpt-4')).status).toBe(404);

  const text = 'A 58-year-old woman, é 😀';
  const { tokens, count, max_model_len, token_strs } = await server.post('/tokenize', {
    prompt: text,
    return_token_strs: true,
  });
  expect(tokens).toEqual([...(await server.model.tokenize(text))]);
  expect([count, max_model_len]).toEqual([tokens.length, server.engine.settings.sequenceSize]);
  expect(token_strs.join('')).toBe(` ${text}`.replace('😀', '\ufffd'.repeat(4)));
  const plain = await server.post('/tokenize', { prompt: text, add_special_tokens: false });
  expect(plain).toMatchObject({ tokens, token_strs: null }); // this model begins no text with a token of its own
  expect(await server.post('/detokenize', { tokens: plain.tokens })).toEqual({ prompt: text });
  const spelled = await server.post('/tokenize', { prompt: `x ${'</s>'}`, add_special_tokens: false });
  expect(spelled.tokens).not.toContain(server.model.info.eos);
  for (const [to, body] of [
    ['/tokenize', {}],
    ['/detokenize', { tokens: [-1] }],
    ['/detokenize', { tokens: [1_000_000_000] }],
    ['/detokenize', {}],
  ] as const) {
    const refused = await server.request(to, body);
    expect(refused.status).toBe(400);
    const param = to === '/tokenize' ? 'prompt' : 'tokens';
    expect(await refused.json()).toMatchObject({ error: { code: 'ERR_OPTION', param } });
  }
});
