import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask } from '../../src/ask/ask.js';
import { chatPrompt } from '../../src/ask/chat.js';
import type { AskOptions } from '../../src/ask/options.js';
import { replay } from '../../src/ask/record/replay.js';
import { roomFor } from '../../src/ask/room.js';
import type { Engine } from '../../src/engine/engine.js';
import type { Model } from '../../src/engine/model.js';
import { loadModel } from '../../src/host/load.js';
import type { FormatName } from '../../src/prompt/format/format.js';
import type { Message, Question } from '../../src/prompt/question/question.js';
import type { ShapeName } from '../../src/synth/shapes.js';
import { synthesize } from '../../src/synth/synth.js';
import { scratch } from '../gguf/sample.js';
import { ends } from './stories.js';

// A model in small of every architecture of the family, with random weights, the special tokens and the chat template of its base:
// nobody says in which format it is asked.
const families: readonly [ShapeName, FormatName][] = [
  ['tiny-apertus', 'apertus'],
  ['tiny-eurollm', 'eurollm'],
  ['tiny-gemma2', 'gemma'],
  ['tiny-gemma3', 'gemma'],
  ['tiny-olmo2', 'olmo'],
  ['tiny-phi3', 'phi-4'],
  ['tiny-qwen2', 'qwen'],
];

const question: Question = {
  kind: 'choice',
  question: 'Which vitamin prevents scurvy?',
  options: ['A', 'B12', 'C', 'D'],
};
const folder = scratch();

describe.each(families)('%s', (shape, format) => {
  let model: Model;
  beforeAll(async () => {
    // Plain numbers, so that a sum in another order is nearly the same; the real vocabulary of Qwen is too large for them.
    const quant = shape === 'tiny-qwen2' ? 'q8_0' : 'f32';
    const { path } = await synthesize({ shape, quant, out: folder.path(`${shape}.gguf`) });
    model = await loadModel({ path, gpuLayers: 0, isolate: false });
  });
  afterAll(() => model.close());

  async function asked(options: AskOptions) {
    const given = { maxTokens: 12, ...options };
    await using engine = await model.createEngine({ threads: 1, ...(await roomFor(model, question, given)) });
    return await ask(engine, question, given);
  }

  test('five samples vote, the same for the same seed, and their record is replayed', async () => {
    const answer = await asked({ stop: 'none', seed: 7 });
    expect(answer.samples).toHaveLength(5);
    expect(answer.evidence.format.name).toBe(format);
    expect(answer.samples.map(({ tokens }) => [...tokens])).not.toEqual(
      (await asked({ stop: 'none', seed: 8 })).samples.map(({ tokens }) => [...tokens]),
    );
    const again = await replay(structuredClone(answer.evidence), { isolate: false });
    expect([again.same, again.difference]).toEqual([true, null]);
    expect(again.answer?.samples).toEqual(answer.samples);
  });

  test('top-token: options are scored after the assistant’s turn has begun', async () => {
    const { scores, evidence } = await asked({ mode: 'top-token' });
    const shares = Object.values(scores!).map(({ probability }) => probability);
    expect(shares.reduce((a, b) => a + b)).toBeCloseTo(1, 9);
    expect((await replay(evidence, { isolate: false })).same).toBe(true);
  });

  test('a turn of a conversation starts from the one before, and a shared prompt is as good as one’s own', async () => {
    const first: Message[] = [{ role: 'user', content: 'What is scurvy? Answer in one sentence, as for a patient.' }];
    await using engine = await model.createEngine({
      threads: 1,
      contextSize: 1024,
      kvType: 'f32',
      flashAttention: 'off',
    });
    const laidOut = async (messages: readonly Message[]) => {
      const { segments, bos } = await chatPrompt(model, messages);
      return model.tokenize(segments, { bos });
    };
    const begun = await laidOut(first);
    const held = await engine.prefix(begun);
    const longer = await laidOut([
      ...first,
      { role: 'assistant', content: 'A lack.' },
      { role: 'user', content: 'Of?' },
    ]);
    const same = begun.findIndex((token, i) => token !== longer[i]);
    const shared = same < 0 ? begun.length : same;
    expect(shared).toBeGreaterThan(begun.length / 2);
    const from = held.first(shared);
    const rest = longer.subarray(shared);
    const samplers = [{ temperature: 0 }, { temperature: 0.8 }];
    const options = { samplers, maxTokens: 40, ignoreEnd: true, logprobs: true, seed: 3 };
    const apart = await ends(engine.generate({ ...options, prompt: longer }));
    const together = await ends(engine.generate({ ...options, from, prompt: rest }));
    for (const [i, { logprobs }] of together.entries()) close(logprobs![0]!, apart[i]!.logprobs![0]!);
    expect(together.map(({ text }) => text)).toEqual(apart.map(({ text }) => text));
    await scoresAlike(engine, held.first(begun.length), begun);
  });
});

const close = (found: number, wanted: number): void => expect(Math.abs(found - wanted)).toBeLessThan(0.02);

/** Log-probabilities of continuations: behind a held sequence, behind the same prompt, and one by one. */
async function scoresAlike(engine: Engine, from: Awaited<ReturnType<Engine['prefix']>>, prompt: Int32Array) {
  const continuations = [40, 55, 70].map(token => Int32Array.of(token, token + 1, token + 2));
  const last = prompt.subarray(-1);
  const shared = await engine.score({ from: from.first(prompt.length - 1), prompt: last, continuations });
  const whole = await engine.score({ prompt, continuations });
  for (const [i, continuation] of continuations.entries()) {
    const [alone] = await engine.score({ prompt, continuations: [continuation] });
    close(shared[i]!.logprob, alone!.logprob);
    close(whole[i]!.logprob, alone!.logprob);
  }
}
