import { parse } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { clinicalQuestions } from '../../../src/clinical/questions.js';
import { exact, reference } from '../../engine/stories.js';
import { type Json, mini } from '../meditron/served.js';
import { type Served, served } from './served.js';

// The requests of lm-evaluation-harness 0.4 (`local-completions`, its remote tokenizer) as they are sent, and the answers as they are read.

let server: Served;
/** As a server is by default: in a cache of half precision the last digits depend on where the tokens of others lie. */
let usual: Served;
beforeAll(async () => {
  server = await served(undefined, { ...exact, maxSequences: 6, contextSize: 2048 });
  usual = await served(undefined, { maxSequences: 6, contextSize: 2048 });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await usual[Symbol.asyncDispose]();
});

/** Its remote tokenizer: the texts of the special tokens from one route, their ids and those of texts from another. */
class RemoteTokenizer {
  async info(): Promise<Json> {
    const response = await server.request('/tokenizer_info');
    expect(response.status).toBe(200);
    const info = (await response.json()) as Json;
    expect(Object.keys(info)).toContain('eos_token');
    return info;
  }

  async encode(text: string): Promise<number[]> {
    const { tokens } = await server.post('/tokenize', { prompt: text, add_special_tokens: false });
    expect(Array.isArray(tokens)).toBe(true);
    return tokens;
  }

  async decode(tokens: number[]): Promise<string> {
    const { prompt } = await server.post('/detokenize', { tokens });
    expect(typeof prompt).toBe('string');
    return prompt;
  }

  async idOf(which: 'eos_token' | 'bos_token'): Promise<number> {
    const [id] = await this.encode((await this.info())[which]);
    return id!;
  }
}

const tokenizer = new RemoteTokenizer();

interface Pair {
  readonly context: readonly number[];
  readonly continuation: readonly number[];
}

/** A batch of log-likelihoods: the sum over the continuation, and whether each of its tokens was the most probable one. */
async function logLikelihoods(pairs: readonly Pair[], of = server): Promise<(readonly [number, boolean])[]> {
  const inputs = pairs.map(({ context, continuation }) => [...context, ...continuation]);
  const answer = await of.post('/v1/completions', {
    model: parse(of.model.info.path).name,
    prompt: inputs,
    temperature: 0,
    max_tokens: 1,
    logprobs: 1,
    seed: 1234,
    echo: true,
  });
  const choices = [...answer.choices].sort((a, b) => a.index - b.index);
  expect(choices).toHaveLength(pairs.length);
  return choices.map((choice, i) => {
    const from = pairs[i]!.context.length;
    const { token_logprobs, top_logprobs } = choice.logprobs;
    expect(token_logprobs).toHaveLength(inputs[i]!.length + 1);
    const logprobs: number[] = token_logprobs.slice(from, -1);
    const tops: Record<string, number>[] = top_logprobs.slice(from, -1);
    const greedy = logprobs.every((logprob, j) => logprob === Math.max(...Object.values(tops[j]!)));
    return [logprobs.reduce((sum, each) => sum + each, 0), greedy] as const;
  });
}

const pairsOf = ({ context_ids, candidates }: (typeof reference.loglik)[number]): Pair[] =>
  candidates.map(({ ids }) => ({ context: context_ids, continuation: ids }));

describe('log-likelihoods of token ids', () => {
  test.each(reference.loglik.map(item => [item.context, item] as const))('in one batch, after %j', async (_, item) => {
    const found = await logLikelihoods(pairsOf(item));
    const scores = await server.engine.score({
      prompt: Int32Array.from(item.context_ids),
      continuations: item.candidates.map(({ ids }) => Int32Array.from(ids)),
    });
    for (const [i, { sum, ids }] of item.candidates.entries()) {
      expect(Math.abs(found[i]![0] - scores[i]!.logprob)).toBeLessThan(1e-4);
      expect(Math.abs(found[i]![0] - sum)).toBeLessThan(1e-4);
      const sampled = await server.post('/v1/completions', {
        prompt: item.context_ids,
        max_tokens: ids.length,
        temperature: 0,
        echo: true,
      });
      const continued = await tokenizer.decode([...item.context_ids, ...ids]);
      expect(found[i]![1]).toBe(
        `<s>${continued.startsWith('<s> ') ? ' ' : ''}${sampled.choices[0].text}` === continued,
      );
    }
  });

  test('one by one, and all at once, they are the same', async () => {
    const pairs = reference.loglik.flatMap(pairsOf);
    const together = await logLikelihoods(pairs);
    for (const [i, pair] of pairs.entries()) {
      const [[alone, greedy]] = (await logLikelihoods([pair])) as [readonly [number, boolean]];
      expect(Math.abs(alone - together[i]![0])).toBeLessThan(1e-4);
      expect(greedy).toBe(together[i]![1]);
    }
  });

  test('they are the same to the last bit, whoever else is there', async () => {
    const batches = reference.loglik.map(pairsOf);
    const alone: (readonly [number, boolean])[][] = [];
    for (const pairs of batches) alone.push(await logLikelihoods(pairs, usual));
    const others = batches.flatMap((_, seed) => [
      usual.post('/v1/completions', { prompt: 'Once upon a time', n: 2, max_tokens: 60, seed }),
      usual.post('/v1/completions', { prompt: ['The dog', 'One day'], max_tokens: 30, seed }),
    ]);
    const beside = await Promise.all(batches.map(pairs => logLikelihoods(pairs, usual)));
    await Promise.all(others);
    expect(beside).toEqual(alone);
  });

  test('a sample that ends at once takes nothing from the continuation', async () => {
    const eos = await tokenizer.idOf('eos_token');
    const bos = await tokenizer.idOf('bos_token');
    const ids = [bos, ...(await tokenizer.encode('The end.'))];
    const [[logprob]] = (await logLikelihoods([{ context: ids, continuation: [eos] }])) as [readonly [number, boolean]];
    const [score] = await server.engine.score({ prompt: Int32Array.from(ids), continuations: [Int32Array.of(eos)] });
    expect(Math.abs(logprob - score!.logprob)).toBeLessThan(1e-4);
  });

  test('after nothing but the token that begins a text', async () => {
    const bos = await tokenizer.idOf('bos_token');
    expect(bos).toBe(server.model.info.bos);
    const continuation = await tokenizer.encode('Once upon a time');
    const [[logprob]] = (await logLikelihoods([{ context: [bos], continuation }])) as [readonly [number, boolean]];
    const [score] = await server.engine.score({
      prompt: Int32Array.of(bos),
      continuations: [Int32Array.from(continuation)],
    });
    expect(Math.abs(logprob - score!.logprob)).toBeLessThan(1e-4);
  });
});

describe('the model that ships, whose weights are of 8 bits, so that what is added up otherwise by a last digit comes out tenths apart', () => {
  let quantized: Served;
  beforeAll(async () => {
    quantized = await served(mini, { contextSize: 4096, maxSequences: 8 });
  });
  afterAll(() => quantized[Symbol.asyncDispose]());

  /** Questions with their explanations, the last of 300 tokens, cut anywhere. */
  async function cases(): Promise<Pair[]> {
    const { model } = quantized;
    const whole = await Promise.all(
      [...clinicalQuestions({ seed: 3, count: 3 })].map(async ({ question, explanation }) => [
        ...(await model.tokenize(question)),
        ...(await model.tokenize(` ${explanation}`, { bos: 'never', inside: true })),
      ]),
    );
    const texts = [...whole, whole.flat().slice(0, 300)];
    return texts.flatMap((tokens, i) =>
      [2 + i, tokens.length - 12 - i].map(at => ({
        context: tokens.slice(0, at),
        continuation: tokens.slice(at),
      })),
    );
  }

  /** As an engine that is opened as it comes scores them when it is asked for all at once. */
  async function scoresOf(pairs: readonly Pair[]): Promise<number[]> {
    await using engine = await quantized.model.createEngine();
    const asked = pairs.map(({ context, continuation }) =>
      engine.score({ prompt: Int32Array.from(context), continuations: [Int32Array.from(continuation)] }),
    );
    return (await Promise.all(asked)).map(([score]) => score!.logprob);
  }

  test('its log-likelihoods are the scores of an engine of its own: one after the other, and eight at once beside chains', async () => {
    const pairs = await cases();
    const scores = await scoresOf(pairs);
    const near = (found: readonly (readonly [number, boolean])[], from: number) => {
      for (const [i, [logprob]] of found.entries()) expect(Math.abs(logprob - scores[from + i]!)).toBeLessThan(1e-4);
    };
    for (const [i, pair] of pairs.entries()) near(await logLikelihoods([pair], quantized), i);
    const chains = Array.from({ length: 4 }, (_, seed) =>
      quantized.post('/v1/completions', { prompt: 'A 58-year-old woman', n: 2, max_tokens: 60, seed }),
    );
    expect(pairs).toHaveLength(8);
    await Promise.all(pairs.map(async (pair, i) => near(await logLikelihoods([pair], quantized), i)));
    await Promise.all(chains);
  });

  test('continuations that are scored together are as each alone', async () => {
    const { model } = quantized;
    await using engine = await model.createEngine({ maxSequences: 6 });
    const { question, explanation } = [...clinicalQuestions({ seed: 4, count: 1 })][0]!;
    for (const options of [
      [' 0', ' 1', ' 2', ' 3'],
      [' A', ` ${explanation}`, ' The answer is B.'],
    ]) {
      const together = await engine.score({ prompt: question, continuations: options });
      for (const [i, option] of options.entries()) {
        const [alone] = await engine.score({ prompt: question, continuations: [option] });
        expect(Math.abs(together[i]!.logprob - alone!.logprob)).toBeLessThan(1e-4);
      }
    }
  });
});

test('generations until a text, in batches, with a seed and the end in words among the stops', async () => {
  const contexts = ['Once upon a time', 'The dog', 'One day, a'];
  const prompt = await Promise.all(contexts.map(text => tokenizer.encode(text)));
  const body = { model: 'stories260K', prompt, max_tokens: 24, temperature: 0, stop: ['.', '</s>'], seed: 1234 };
  const { choices } = await server.post('/v1/completions', body);
  const texts: string[] = new Array(choices.length).fill(null);
  for (const choice of choices) texts[choice.index] = choice.text;
  expect(texts).toHaveLength(3);
  for (const [i, text] of texts.entries()) {
    expect(text).not.toContain('.');
    const ids = Int32Array.from(prompt[i]!);
    for await (const event of server.engine.generate({ prompt: ids, maxTokens: 24, stop: ['.'] }))
      if (event.type === 'end') expect(event.text).toBe(text);
  }
});

test('what its remote tokenizer asks for', async () => {
  expect(await tokenizer.idOf('eos_token')).toBe(server.model.info.eos);
  for (const text of ['test', 'Once upon a time', ' a', 'x</s>y', 'é 😀\n\nb']) {
    const tokens = await tokenizer.encode(text);
    expect(tokens).not.toContain(server.model.info.bos);
    expect(tokens).not.toContain(server.model.info.eos);
    expect(await tokenizer.decode(tokens)).toBe(text);
  }
});
