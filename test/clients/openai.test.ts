import { afterAll, beforeAll, expect, test } from 'vitest';
import * as z from 'zod';
import { withClients } from './installed.js';
import { question, type Serving, serving } from './serving.js';

await withClients(async () => {
  const { default: OpenAI, APIUserAbortError, BadRequestError, NotFoundError } = await import('openai');
  const { zodResponseFormat } = await import('openai/helpers/zod');

  let server: Serving;
  let client: InstanceType<typeof OpenAI>;
  beforeAll(async () => {
    server = await serving('stories260K');
    client = new OpenAI({ baseURL: server.baseURL, apiKey: 'EMPTY', maxRetries: 0 });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const model = 'stories260K';
  const prompt = 'Once upon a time';
  const chat = { model, chat_format: 'llama-2', messages: [{ role: 'user' as const, content: 'Tell me a story' }] };

  test('models', async () => {
    const listed = [];
    for await (const each of client.models.list()) listed.push(each.id);
    expect(listed).toEqual([model]);
    expect((await client.models.retrieve(model)).owned_by).toBe('meditron');
  });

  test('completions, whole and streamed', async () => {
    const body = { model, prompt, max_tokens: 8, temperature: 0 };
    const whole = await client.completions.create(body);
    expect(whole.choices[0]!.text).toBe(', there was a little girl');
    expect(whole.usage!.total_tokens).toBe(13);
    let text = '';
    for await (const { choices } of await client.completions.create({ ...body, stream: true }))
      text += choices[0]!.text;
    expect(text).toBe(whole.choices[0]!.text);
  });

  test('completions echo a prompt of tokens with its log-probabilities', async () => {
    const body = { model, prompt: [1, 403, 407], max_tokens: 0, echo: true, logprobs: 1 };
    const [choice] = (await client.completions.create(body)).choices;
    expect(choice!.text).toBe('Once upon');
    expect(choice!.logprobs!.token_logprobs).toEqual([null, expect.any(Number), expect.any(Number)]);
  });

  test('chat, whole and streamed, with its usage', async () => {
    const body = { ...chat, max_tokens: 20, temperature: 0 };
    const whole = await client.chat.completions.create(body);
    const { message, finish_reason } = whole.choices[0]!;
    expect([message.role, finish_reason]).toEqual(['assistant', 'length']);
    const stream = client.chat.completions.stream({ ...body, stream_options: { include_usage: true } });
    const deltas: string[] = [];
    stream.on('content', delta => deltas.push(delta));
    const final = await stream.finalChatCompletion();
    expect(final.choices[0]!.message.content).toBe(message.content);
    expect(deltas.join('')).toBe(message.content);
    expect(final.usage).toEqual(whole.usage);
  });

  test('samples, seeds, and log-probabilities', async () => {
    const body = { ...chat, max_tokens: 12, temperature: 1, seed: 5, n: 3, logprobs: true, top_logprobs: 2 };
    const [one, other] = [await client.chat.completions.create(body), await client.chat.completions.create(body)];
    expect(one.choices).toHaveLength(3);
    expect(one.choices).toEqual(other.choices);
    expect(one.choices[0]!.logprobs!.content![0]!.top_logprobs).toHaveLength(2);
  });

  test('a JSON schema of zod, parsed by the client', async () => {
    const Patient = z.object({ age: z.int().min(0).max(120), sex: z.enum(['f', 'm']), pain: z.boolean().nullable() });
    const { choices } = await client.chat.completions.parse({
      ...chat,
      max_tokens: 200,
      temperature: 1,
      seed: 2,
      response_format: zodResponseFormat(Patient, 'patient'),
    });
    expect(Patient.parse(choices[0]!.message.parsed)).toEqual(choices[0]!.message.parsed);
  });

  test('errors by their kind, whole and streamed', async () => {
    for (const stream of [false, true]) {
      const create = (more: object) => client.chat.completions.create({ ...chat, stream, ...more });
      await expect(create({ model: 'gpt-4' })).rejects.toThrow(NotFoundError);
      await expect(create({ max_tokens: 1e6 })).rejects.toThrow(BadRequestError);
      await expect(create({ temperature: -1 })).rejects.toMatchObject({
        status: 400,
        code: 'ERR_OPTION',
        param: 'temperature',
        type: 'invalid_request_error',
      });
    }
  });

  test('fields that have no effect are named', async () => {
    const tools = [{ type: 'function' as const, function: { name: 'f', parameters: {} } }];
    const { response } = await client.chat.completions
      .create({ ...chat, max_tokens: 1, tools, user: 'x' })
      .withResponse();
    expect(response.headers.get('X-Meditron-Ignored')).toBe('tools, user');
  });

  test('leaving a stream frees its sequences', async () => {
    const leaving = new AbortController();
    const body = {
      model,
      prompt,
      max_tokens: 400,
      temperature: 1,
      n: 4,
      logit_bias: { 2: -100 },
      stream: true as const,
    };
    const stream = await client.completions.create(body, { signal: leaving.signal });
    for await (const _ of stream) break;
    leaving.abort();
    await server.idle();
    const { counters } = server.engine;
    const create = () => client.completions.create({ model, prompt, max_tokens: 1, n: 4 });
    expect((await create()).choices).toHaveLength(4); // all four are to be had again
    const sampled = counters.sampledTokens;
    await create();
    expect(counters.sampledTokens).toBe(sampled + 4); // and nobody else samples
  });

  test('leaving a request that is not streamed does too', async () => {
    const leaving = new AbortController();
    const body = { model, prompt, max_tokens: 400, temperature: 1, n: 4, logit_bias: { 2: -100 } };
    const { engine } = server;
    const before = engine.counters.sampledTokens;
    const pending = client.completions.create(body, { signal: leaving.signal });
    pending.catch(() => {});
    while (engine.counters.sampledTokens === before) await new Promise(resolve => setImmediate(resolve));
    leaving.abort();
    await expect(pending).rejects.toThrow(APIUserAbortError);
    await server.idle();
    expect(engine.counters.sampledTokens - before).toBeLessThan(1600);
  });
});

await withClients(() => {
  test('the model that ships answers in its own format', async () => {
    const { default: OpenAI } = await import('openai');
    await using server = await serving('meditron-mini');
    const client = new OpenAI({ baseURL: server.baseURL, apiKey: 'EMPTY', maxRetries: 0 });
    const body = { model: 'meditron-mini', messages: [{ role: 'user' as const, content: question }], temperature: 0 };
    const { choices } = await client.chat.completions.create(body);
    expect(choices[0]!.message.content).not.toBe('');
    expect(choices[0]!.finish_reason).toBe('stop');
  });
});
