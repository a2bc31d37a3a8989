import { afterAll, beforeAll, expect, test } from 'vitest';
import * as z from 'zod';
import { withClients } from './installed.js';
import { type Serving, serving } from './serving.js';

await withClients(async () => {
  const { ChatOpenAI, OpenAI } = await import('@langchain/openai');
  const { HumanMessage, SystemMessage } = await import('@langchain/core/messages');

  let server: Serving;
  beforeAll(async () => {
    server = await serving('stories260K');
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const common = () => ({
    model: 'stories260K',
    apiKey: 'EMPTY',
    maxRetries: 0,
    temperature: 0,
    maxTokens: 12,
    configuration: { baseURL: server.baseURL },
  });
  const chat = (more: object = {}) => new ChatOpenAI({ ...common(), modelKwargs: { chat_format: 'llama-2' }, ...more });

  test('chat, whole and streamed, with its usage', async () => {
    const messages = [new SystemMessage('Be brief.'), new HumanMessage('Tell me a story')];
    const whole = await chat().invoke(messages);
    expect(whole).toMatchObject({ usage_metadata: { output_tokens: 12 } });
    let text = '';
    for await (const chunk of await chat().stream(messages)) text += chunk.content;
    expect(text).toBe(whole.content);
  });

  test('several at once, and the same seed', async () => {
    const answers = await chat({ temperature: 1, modelKwargs: { chat_format: 'llama-2', seed: 3 } }).batch([
      'One',
      'One',
      'Two',
    ]);
    expect(answers[0]!.content).toBe(answers[1]!.content);
  });

  test('completions, whole and streamed', async () => {
    const llm = new OpenAI(common());
    const whole = await llm.invoke('Once upon a time');
    expect(whole).toMatch(/^, there was a little girl/);
    let text = '';
    for await (const chunk of await llm.stream('Once upon a time')) text += chunk;
    expect(text).toBe(whole);
  });

  test('structured output', async () => {
    const schema = z.object({ name: z.string().max(12), sick: z.boolean() });
    const structured = chat({ maxTokens: 100, temperature: 1 }).withStructuredOutput(schema, { method: 'jsonSchema' });
    expect(schema.safeParse(await structured.invoke('Who is it?')).success).toBe(true);
  });

  test('errors say what is wrong, and leaving a stream frees its sequences', async () => {
    await expect(chat({ temperature: -1 }).invoke('x')).rejects.toThrow(/`temperature`/);
    const leaving = new AbortController();
    const before = server.engine.counters.sampledTokens;
    const stream = await chat({ maxTokens: 400, temperature: 1 }).stream('Tell me a story', { signal: leaving.signal });
    await stream.next();
    leaving.abort();
    await server.idle();
    expect(server.engine.counters.sampledTokens - before).toBeLessThan(400);
  });
});
