import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Engine } from '../../src/engine/engine.js';
import type { Model } from '../../src/engine/model.js';
import { loadModel } from '../../src/host/load.js';
import { synthesize } from '../../src/synth/synth.js';
import { scratch } from '../gguf/sample.js';

// Layers that see the last 32 tokens of a sequence, beside one that sees all.
const folder = scratch();
const settings = { contextSize: 512, maxSequences: 6, threads: 1, batchSize: 64, kvType: 'f32' } as const;
let model: Model;

beforeAll(async () => {
  const { path } = await synthesize({ shape: 'tiny-gemma3', quant: 'f32', out: folder.path('gemma3.gguf') });
  model = await loadModel({ path, gpuLayers: 0, isolate: false });
});
afterAll(() => model.close());

const tokens = (count: number, seed: number): Int32Array =>
  Int32Array.from({ length: count }, (_, i) => 10 + ((i * 31 + seed * 17) % 280));
const more = Int32Array.of(100, 120, 140);
const continuations = [Int32Array.of(50, 60, 70)];

async function score(engine: Engine, options: { from?: Parameters<Engine['score']>[0]['from']; prompt: Int32Array }) {
  const [found] = await engine.score({ ...options, continuations });
  return found!.logprob;
}

/** Cells elsewhere are added up in another order. What a window has left behind makes more than a tenth. */
const close = (found: number, wanted: number): void => expect(Math.abs(found - wanted)).toBeLessThan(0.02);

/** Every place to start from: within the window of the end, and where it has long passed. */
const places = [20, 64, 100, 128, 150, 199, 200];

/** Log-probabilities behind the first so many tokens, of an engine that has computed nothing else. */
async function expected(seed: number): Promise<number[]> {
  await using engine = await model.createEngine(settings);
  const held = await engine.prefix(tokens(200, seed));
  const found: number[] = [];
  for (const count of places) found.push(await score(engine, { from: held.first(count), prompt: more }));
  return found;
}

test('a held sequence may be started from anywhere, however full the cache was meanwhile', async () => {
  const wanted = await expected(3);
  await using engine = await model.createEngine(settings);
  const [, second, held] = [
    await engine.prefix(tokens(100, 1)),
    await engine.prefix(tokens(100, 2)),
    await engine.prefix(tokens(200, 3)),
  ];
  second.release();
  // What is evaluated now goes through the cells of what is held.
  await engine.prefix(tokens(100, 4));
  for (let seed = 5; seed < 9; seed++) await score(engine, { prompt: tokens(100, seed) });
  for (const [i, count] of places.entries()) {
    close(await score(engine, { from: held.first(count), prompt: more }), wanted[i]!);
  }
});

test('and is what it is where nothing is held', async () => {
  await using engine = await model.createEngine(settings);
  const wanted = await expected(3);
  for (const [i, count] of places.entries()) {
    const prompt = Int32Array.of(...tokens(200, 3).subarray(0, count), ...more);
    close(await score(engine, { prompt }), wanted[i]!);
  }
});

test('a sample that is held is whole', async () => {
  const generate = async (engine: Engine) => {
    let held: Awaited<ReturnType<Engine['prefix']>> | undefined;
    const all = engine.generate({
      prompt: tokens(90, 1),
      samplers: [{ temperature: 0 }],
      maxTokens: 90,
      hold: true,
      ignoreEnd: true,
    });
    for await (const event of all) if (event.type === 'end') held = event.held;
    return held!;
  };
  const found = async (busy: boolean) => {
    await using engine = await model.createEngine(settings);
    const others = busy ? [await engine.prefix(tokens(120, 6)), await engine.prefix(tokens(60, 7))] : [];
    others[0]?.release();
    const held = await generate(engine);
    for (let seed = 5; busy && seed < 9; seed++) await score(engine, { prompt: tokens(100, seed) });
    const scores: number[] = [];
    for (const count of [40, 100, 150, 180])
      scores.push(await score(engine, { from: held.first(count), prompt: more }));
    return scores;
  };
  const alone = await found(false);
  for (const [i, score] of (await found(true)).entries()) close(score, alone[i]!);
});

test('a prefix longer than the window is saved and restored whole', async () => {
  const wanted = await expected(3);
  const path = folder.path('saved.prefix');
  await using first = await model.createEngine(settings);
  await first.savePrefix(await first.prefix(tokens(200, 3)), path);
  await using second = await model.createEngine(settings);
  const [before, gone] = [await second.prefix(tokens(100, 1)), await second.prefix(tokens(60, 2))];
  gone.release();
  const held = await second.restorePrefix(path);
  await score(second, { prompt: tokens(100, 5) });
  for (const [i, count] of places.entries()) {
    close(await score(second, { from: held.first(count), prompt: more }), wanted[i]!);
  }
  const again = folder.path('again.prefix');
  await second.savePrefix(held, again);
  before.release();
  await using third = await model.createEngine(settings);
  close(await score(third, { from: (await third.restorePrefix(again)).first(64), prompt: more }), wanted[1]!);
});

test('an abort takes back what it broke off, and nothing before', async () => {
  const wanted = await expected(3);
  await using engine = await model.createEngine({ ...settings, batchSize: 128 });
  const held = await engine.prefix(tokens(200, 3));
  for (let i = 0; i < 3; i++) {
    const abort = new AbortController();
    const running = engine.score({
      from: held.first(150),
      prompt: tokens(100, i),
      continuations,
      signal: abort.signal,
    });
    abort.abort(new Error('enough'));
    await expect(running).rejects.toThrow('enough');
  }
  for (const [i, count] of places.entries()) {
    close(await score(engine, { from: held.first(count), prompt: more }), wanted[i]!);
  }
});

test('as many sequences as there are ids for, with a warning', async () => {
  await using engine = await model.createEngine({ threads: 1, contextSize: 1024, maxSequences: 256 });
  expect(engine.settings.maxSequences).toBe(127);
  expect(engine.settings.warnings.join()).toMatch(/256 sequences were asked for.*at most 127/);
  const found = await engine.score({
    prompt: more,
    continuations: Array.from({ length: 127 }, (_, i) => Int32Array.of(i + 10, 50)),
  });
  const [alone] = await engine.score({ prompt: more, continuations: [Int32Array.of(136, 50)] });
  close(found.at(-1)!.logprob, alone!.logprob);
  await using fitting = await model.createEngine({ threads: 1, contextSize: 512, maxSequences: 127, batchSize: 127 });
  expect(fitting.settings.warnings).toEqual([]);
});
