import { afterAll, beforeAll, expect, test } from 'vitest';
import * as z from 'zod';
import { withClients } from './installed.js';
import { type Serving, serving } from './serving.js';

await withClients(async () => {
  const { createOpenAICompatible } = await import('@ai-sdk/openai-compatible');
  const { APICallError, generateText, Output, streamText } = await import('ai');

  let server: Serving;
  beforeAll(async () => {
    server = await serving('stories260K');
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const provider = () =>
    createOpenAICompatible({
      name: 'meditron',
      baseURL: server.baseURL,
      includeUsage: true,
      supportsStructuredOutputs: true,
      transformRequestBody: body => ({ ...body, chat_format: 'llama-2' }),
    });
  const call = () => ({ model: provider()('stories260K'), prompt: 'Tell me a story', maxRetries: 0 });

  test('a text, whole and streamed', async () => {
    const whole = await generateText({ ...call(), maxOutputTokens: 16, temperature: 0 });
    expect(whole.finishReason).toBe('length');
    expect(whole.usage.outputTokens).toBe(16);
    const stream = streamText({ ...call(), maxOutputTokens: 16, temperature: 0 });
    let text = '';
    for await (const delta of stream.textStream) text += delta;
    expect(text).toBe(whole.text);
    expect((await stream.usage).totalTokens).toBe(whole.usage.totalTokens);
    expect(await stream.finishReason).toBe('length');
  });

  test('completions', async () => {
    const { text } = await generateText({
      ...call(),
      model: provider().completionModel('stories260K'),
      maxOutputTokens: 5,
      temperature: 0,
    });
    expect(text).not.toBe('');
  });

  test('the same seed, the same text; a stop sequence ends it', async () => {
    const texts = await Promise.all(
      [1, 1, 2].map(async seed => (await generateText({ ...call(), maxOutputTokens: 20, temperature: 1, seed })).text),
    );
    expect(texts[0]).toBe(texts[1]);
    const stop = texts[0]!.trim().slice(4, 8);
    const stopped = await generateText({
      ...call(),
      maxOutputTokens: 20,
      temperature: 1,
      seed: 1,
      stopSequences: [stop],
    });
    expect(stopped.finishReason).toBe('stop');
    expect(stopped.text).toBe(texts[0]!.slice(0, texts[0]!.indexOf(stop)));
  });

  test('an object of a schema', async () => {
    const schema = z.object({
      dose: z.number().min(0).max(10),
      unit: z.enum(['mg', 'g']),
      note: z.string().max(20).optional(),
    });
    const { output } = await generateText({
      ...call(),
      output: Output.object({ schema }),
      maxOutputTokens: 200,
      temperature: 1,
      seed: 4,
    });
    expect(schema.parse(output)).toEqual(output);
  });

  test('errors say what is wrong', async () => {
    const refused = generateText({ ...call(), temperature: -1 });
    await expect(refused).rejects.toThrow(APICallError);
    await expect(refused).rejects.toThrow(/`temperature`/);
  });

  test('leaving a stream frees its sequences', async () => {
    const leaving = new AbortController();
    const before = server.engine.counters.sampledTokens;
    const stream = streamText({ ...call(), maxOutputTokens: 400, temperature: 1, abortSignal: leaving.signal });
    for await (const _ of stream.textStream) break;
    leaving.abort();
    await server.idle();
    expect(server.engine.counters.sampledTokens - before).toBeLessThan(400);
  });
});
