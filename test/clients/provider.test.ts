import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { type MeditronModel, meditron } from '../../src/ai/index.js';
import { replay } from '../../src/index.js';
import { withClients } from './installed.js';
import { question } from './serving.js';

await withClients(async () => {
  const { generateObject, generateText, Output, streamText } = await import('ai');
  const models = `${import.meta.dirname}/../../models`;

  let stories: MeditronModel;
  let mini: MeditronModel;
  beforeAll(() => {
    const engine = { threads: 1, contextSize: 2048 };
    stories = meditron({ path: `${models}/stories260K.gguf`, gpuLayers: 0, format: 'llama-2', engine });
    mini = meditron({ path: `${models}/meditron-mini.gguf`, gpuLayers: 0, engine, selfConsistency: 5 });
  });
  afterAll(async () => {
    await stories.close();
    await mini.close();
  });

  const call = (more: object = {}) => ({ model: stories, prompt: 'Tell me a story', maxOutputTokens: 16, ...more });

  test('is a model of the AI SDK, in types too', () => {
    const model: import('@ai-sdk/provider').LanguageModelV4 = stories;
    expect([model.specificationVersion, model.provider, model.modelId]).toEqual(['v4', 'meditron', 'stories260K']);
  });

  test('a text, whole and streamed; greedy unless it is told otherwise', async () => {
    const whole = await generateText(call());
    expect(whole.finishReason).toBe('length');
    expect(whole.usage).toMatchObject({ outputTokens: 16, inputTokens: expect.any(Number) });
    expect(whole.warnings ?? []).toEqual([]);
    expect((await generateText(call())).text).toBe(whole.text);
    const stream = streamText(call());
    let text = '';
    for await (const delta of stream.textStream) text += delta;
    expect(text).toBe(whole.text);
    expect(await stream.finishReason).toBe('length');
    expect((await stream.usage).totalTokens).toBe(whole.usage.totalTokens);
  });

  test('seeds, a stop sequence, a system message, a conversation', async () => {
    const warm = (seed: number) => generateText(call({ temperature: 1, seed }));
    const [one, same, other] = [await warm(1), await warm(1), await warm(2)];
    expect(same.text).toBe(one.text);
    expect(other.text).not.toBe(one.text);
    const stop = one.text.trim().slice(4, 8);
    const stopped = await generateText(call({ temperature: 1, seed: 1, stopSequences: [stop] }));
    expect([stopped.finishReason, stopped.text.includes(stop)]).toEqual(['stop', false]);
    const messages = [
      { role: 'user' as const, content: 'Hello' },
      { role: 'assistant' as const, content: 'Hi' },
      { role: 'user' as const, content: [{ type: 'text' as const, text: 'A story' }] },
    ];
    const { prompt: _, ...rest } = call();
    expect((await generateText({ ...rest, instructions: 'Be brief', messages })).text).not.toBe('');
  });

  test('objects of a schema', async () => {
    const schema = z.object({ name: z.string().max(10), age: z.int().min(0).max(120) });
    const more = { schema, maxOutputTokens: 200, temperature: 1, seed: 3 };
    const { object } = await generateObject(call(more) as never);
    expect(schema.parse(object)).toEqual(object);
    const { output } = await generateText({ ...call({ ...more }), output: Output.object({ schema }) });
    expect(schema.parse(output)).toEqual(output);
    const refused = z.object({ s: z.string().regex(/(?=x)y/) });
    await expect(generateObject(call({ schema: refused }) as never)).rejects.toThrow(/`pattern`/);
  });

  test('what is not supported is a warning, what cannot be read an error', async () => {
    const tools = { f: { inputSchema: z.object({}) } };
    expect((await generateText(call({ tools }))).warnings).toEqual([
      expect.objectContaining({ type: 'unsupported', feature: 'tools' }),
    ]);
    const image = [
      {
        role: 'user' as const,
        content: [{ type: 'file' as const, data: new Uint8Array([1]), mediaType: 'image/png' }],
      },
    ];
    const { prompt: _, ...rest } = call();
    await expect(generateText({ ...rest, messages: image })).rejects.toThrow(/reads text alone/);
    await expect(generateText(call({ temperature: -1 }))).rejects.toThrow(/temperature/);
    await expect(generateText(call({ providerOptions: { meditron: { samples: 3 } } }))).rejects.toThrow(/samples/);
    expect(() => meditron({ path: 5 } as never)).toThrow(/`path`/);
    await using missing = meditron({ path: 'nowhere.gguf' });
    await expect(generateText({ model: missing, prompt: 'x', maxRetries: 0 })).rejects.toMatchObject({
      code: 'ERR_MODEL_FILE',
    });
  });

  test('an abort ends a text and a stream, and the next call is answered', async () => {
    const whole = (await generateText(call())).text;
    for (const begin of ['before', 'within']) {
      const leaving = new AbortController();
      if (begin === 'before') leaving.abort();
      const stream = streamText(
        call({ maxOutputTokens: 400, temperature: 1, abortSignal: leaving.signal, onError: () => {} }),
      );
      const read = async () => {
        for await (const _ of stream.textStream) leaving.abort();
      };
      await read().catch(() => {});
      await expect(generateText(call({ maxOutputTokens: 400, abortSignal: leaving.signal }))).rejects.toThrow(/abort/i);
      expect((await generateText(call())).text).toBe(whole);
    }
  });

  describe('self-consistency', () => {
    const ask = (more: object = {}) => ({ model: mini, prompt: question, maxOutputTokens: 200, seed: 7, ...more });

    test('counts the samples of a question with options, and brings the record along', async () => {
      const { text, providerMetadata, usage } = await generateText(ask());
      // biome-ignore lint/suspicious/noExplicitAny: JSON
      const vote = providerMetadata!.meditron as any;
      expect(vote.samples.length + vote.votes.notRun).toBe(5);
      const counted = Object.values(vote.votes as Record<string, number>).reduce((sum, count) => sum + count, 0);
      expect(counted).toBe(5);
      expect(['agree', 'split', 'abstain']).toContain(vote.decision);
      expect(text).toContain(vote.decision === 'agree' ? vote.rationale.text : `No agreement: ${vote.summary}`);
      expect(vote.notice).toContain('language model');
      expect(usage.outputTokens).toBeGreaterThan(0);
      expect(await replay(vote.evidence)).toMatchObject({ same: true });
    });

    test('settings that have no part in a vote are warnings, streamed too', async () => {
      const more = { frequencyPenalty: 0.5, stopSequences: ['x'] };
      const features = (warnings: readonly object[] | undefined) =>
        warnings!.map(each => (each as { feature: string }).feature);
      const expected = ['frequencyPenalty', 'stopSequences'];
      expect(features((await generateText(ask(more))).warnings)).toEqual(expect.arrayContaining(expected));
      const stream = streamText(ask(more));
      await stream.consumeStream();
      expect(features(await stream.warnings)).toEqual(expected);
    });

    test('the same streamed', async () => {
      const whole = await generateText(ask());
      const stream = streamText(ask());
      expect(await stream.text).toBe(whole.text);
      const votes = (metadata: unknown) => (metadata as { meditron: { votes: object } }).meditron.votes;
      expect(votes(await stream.providerMetadata)).toEqual(votes(whole.providerMetadata));
    });

    test('where there is nothing to count, one answer with a warning', async () => {
      const open = await generateText(ask({ prompt: 'What is qSOFA?' }));
      expect(open.warnings).toEqual([expect.objectContaining({ feature: 'selfConsistency' })]);
      expect(open.providerMetadata?.meditron).toBeUndefined();
      const once = await generateText(ask({ providerOptions: { meditron: { selfConsistency: 1 } } }));
      expect(once.warnings ?? []).toEqual([]);
      expect(once.providerMetadata?.meditron).toBeUndefined();
    });
  });
});
