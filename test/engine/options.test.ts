import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { availableCores } from '../../src/engine/capacity/cores.js';
import { gpusOf } from '../../src/engine/capacity/devices.js';
import type { Engine } from '../../src/engine/engine.js';
import type { GenerateOptions } from '../../src/engine/jobs/options.js';
import type { Model } from '../../src/engine/model.js';
import { loadModel } from '../../src/host/load.js';
import { loadGpus } from '../../src/native/load.js';
import { synthesize } from '../../src/synth/synth.js';
import { all, ends, loadStories, oneThread, storiesPath } from './stories.js';

const folder = mkdtempSync(join(tmpdir(), 'meditron-options-'));
let model: Model;
let engine: Engine;

beforeAll(async () => {
  model = await loadStories();
  engine = await model.createEngine(oneThread);
});

afterAll(async () => {
  await engine.close();
  await model.close();
  rmSync(folder, { recursive: true, force: true });
});

const stories = readFileSync(storiesPath);
const hasGpu = gpusOf((await loadGpus()).list()).length > 0;
function file(name: string, content: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe('what is not a usable model is refused', () => {
  const patched = (offset: number, bytes: number[]) => {
    const copy = Buffer.from(stories);
    copy.set(bytes, offset);
    return copy;
  };
  test.each([
    ['missing', () => join(folder, 'nowhere.gguf'), 'ERR_MODEL_FILE', /nowhere\.gguf/],
    ['a directory', () => folder, 'ERR_MODEL_FILE', /director|folder/],
    ['empty', () => file('empty.gguf', ''), 'ERR_MODEL_FILE', /empty/],
    [
      'not a GGUF',
      () => file('text.gguf', 'once upon a time there was no model in here at all'),
      'ERR_MODEL_FORMAT',
      /GGUF/,
    ],
    [
      'truncated in the weights',
      () => file('short.gguf', stories.subarray(0, stories.length - 5000)),
      'ERR_MODEL_FORMAT',
      /./,
    ],
    ['truncated in the header', () => file('header.gguf', stories.subarray(0, 400)), 'ERR_MODEL_FORMAT', /./],
    ['of a future version', () => file('future.gguf', patched(4, [9, 0, 0, 0])), 'ERR_MODEL_FORMAT', /version/],
    ['of the other byte order', () => file('endian.gguf', patched(4, [0, 0, 0, 3])), 'ERR_MODEL_FORMAT', /./],
  ])('%s', async (_, path, code, message) => {
    const error = await loadModel({ path: path() }).then(
      () => undefined,
      e => e,
    );
    expect(error).toMatchObject({ name: 'MeditronError', code });
    expect(error.message).toMatch(message);
  });

  test('a file that shrinks after loading does no harm in read mode', async () => {
    const path = file('shrinks.gguf', stories);
    await using shrunk = await loadModel({ path, loadMode: 'read' });
    await using small = await shrunk.createEngine(oneThread);
    truncateSync(path, 100);
    expect(await ends(small.generate({ prompt: 'Once', maxTokens: 5 }))).toHaveLength(1);
  });
});

describe('a wrong option is named, with what was expected and what came', () => {
  const bad: [string, object, RegExp][] = [
    ['misspelt', { prompt: 'a', maxToken: 3 }, /`maxToken`.*did you mean `maxTokens`/],
    ['NaN', { prompt: 'a', maxTokens: Number.NaN }, /`maxTokens`.*integer.*NaN/],
    ['negative', { prompt: 'a', maxTokens: -1 }, /`maxTokens`.*-1/],
    ['fraction', { prompt: 'a', maxTokens: 1.5 }, /1\.5/],
    ['string', { prompt: 'a', maxTokens: '5' }, /"5" \(string\)/],
    ['no prompt', {}, /`prompt`/],
    ['null prompt', { prompt: null }, /`prompt`.*null/],
    ['empty token prompt', { prompt: new Int32Array(0) }, /at least one token/],
    ['token out of range', { prompt: Int32Array.of(1, 512) }, /0 to 511.*512/],
    ['no samplers', { prompt: 'a', samplers: [] }, /`samplers`/],
    ['sampler typo', { prompt: 'a', samplers: [{ temprature: 1 }] }, /`temprature`.*`temperature`/],
    ['NaN temperature', { prompt: 'a', samplers: [{ temperature: Number.NaN }] }, /temperature/],
    ['infinite temperature', { prompt: 'a', samplers: [{ temperature: Infinity }] }, /temperature/],
    ['negative temperature', { prompt: 'a', samplers: [{ temperature: -0.5 }] }, /samplers\[0\]\.temperature/],
    ['topP 0', { prompt: 'a', samplers: [{ topP: 0 }] }, /topP/],
    ['seed too large', { prompt: 'a', samplers: [{ seed: 2 ** 32 - 1 }] }, /seed/],
    ['bias not a Map', { prompt: 'a', samplers: [{ logitBias: { 1: 2 } }] }, /logitBias.*Map/],
    ['bias out of range', { prompt: 'a', samplers: [{ logitBias: new Map([[9999, 1]]) }] }, /9999/],
    ['empty stop', { prompt: 'a', stop: [''] }, /stop\[0\]/],
    ['stop not an array', { prompt: 'a', stop: 'x' }, /`stop`/],
    ['signal', { prompt: 'a', signal: {} }, /AbortSignal/],
    ['ends not an array', { prompt: 'a', ends: 2 }, /`ends`/],
    ['a fraction in ends', { prompt: 'a', ends: [1.5] }, /ends\[0\].*1\.5/],
    ['ends out of range', { prompt: 'a', ends: [512] }, /0 to 511.*512/],
    ['ends twice over', { prompt: 'a', ends: [2], ignoreEnd: true }, /ends/],
    ['no end beside a grammar', { prompt: 'a', ends: [], samplers: [{ grammar: 'root ::= "a"' }] }, /grammar/],
    ['bos', { prompt: 'a', bos: 'sometimes' }, /bos/],
  ];
  test.each(bad)('%s', async (_, options, message) => {
    const error = await all(engine.generate(options as GenerateOptions)).then(
      () => undefined,
      e => e,
    );
    expect(error?.code).toMatch(/ERR_OPTION/);
    expect(error.message).toMatch(message);
  });

  test.each([
    ['unclosed', 'root ::= ("a"', 'ERR_GRAMMAR'],
    ['no root', 'answer ::= "a"', 'ERR_GRAMMAR'],
    ['undefined rule', 'root ::= other', 'ERR_GRAMMAR'],
    ['too deep', `root ::= ${'('.repeat(100)}"a"${')'.repeat(100)}`, 'ERR_GRAMMAR'],
    ['wrong bounds', 'root ::= "a"{5,2}', 'ERR_GRAMMAR'],
    ['large bounds', 'root ::= "a"{1,5000}', 'ERR_GRAMMAR'],
    ['too large', `root ::= "${'a'.repeat(70_000)}"`, 'ERR_GRAMMAR'],
    ['left recursion', 'root ::= root "a" | "b"', 'ERR_GRAMMAR'],
    [
      'exponential',
      `root ::= r0\n${Array.from({ length: 30 }, (_, i) => `r${i} ::= r${i + 1}? r${i + 1}? "x"`).join('\n')}\nr30 ::= "y"`,
      'ERR_GRAMMAR',
    ],
    ['left recursion behind what may be empty', 'root ::= x root "a" | "b"\nx ::= "q"?', 'ERR_GRAMMAR'],
    [
      'ambiguous without bound',
      `root ::= "a" (${Array.from({ length: 99 }, (_, i) => `"a" root "${i}"`).join(' | ')})`,
      'ERR_GRAMMAR',
    ],
  ])('a grammar that is %s fails its own job', async (_, grammar, code) => {
    const neighbour = ends(engine.generate({ prompt: 'Once', maxTokens: 20 }));
    const forced = {
      temperature: 1,
      logitBias: new Map([[(await model.continuation(Int32Array.of(1, 300), 'a'))[0]!, 100]]),
    };
    await expect(
      all(engine.generate({ prompt: 'a', samplers: [{ ...forced, grammar }], maxTokens: 20 })),
    ).rejects.toMatchObject({ code });
    expect((await neighbour)[0]!.tokens.length).toBeGreaterThan(0);
  });

  test('a grammar of many rules that lead to one another is followed', async () => {
    const rules = Array.from({ length: 1500 }, (_, i) => `r${i} ::= r${i + 1}`);
    const grammar = `root ::= r0\n${rules.join('\n')}\nr1500 ::= "y"`;
    const [end] = await ends(engine.generate({ prompt: 'a', samplers: [{ grammar }] }));
    expect(end).toMatchObject({ text: 'y', finish: 'end' });
  });

  test.each([
    [{ contextSize: 0 }, /contextSize/],
    [{ contextSize: 1e12 }, /contextSize/],
    [{ maxSequences: 257 }, /maxSequences/],
    [{ threads: 0 }, /threads/],
    [{ kvType: 'q4_9' }, /kvType/],
    [{ kvType: 'q8_0' }, /q8_0.*8 wide/],
    [{ flashAttention: 'yes' }, /flashAttention/],
    [{ kernels: 'AVX2' }, /kernels/],
    [{ contextsize: 5 }, /contextSize/],
    [{ loras: [{ path: storiesPath }] }, /LoRA/],
  ])('engine option %j', async (options, message) => {
    await expect(model.createEngine(options as object)).rejects.toThrow(message);
  });

  test('loading options', async () => {
    await expect(loadModel({ path: storiesPath, gpuLayer: 3 } as never)).rejects.toThrow(/gpuLayers/);
    await expect(loadModel({ path: 5 } as never)).rejects.toThrow(/`path`/);
    await expect(loadModel({ path: storiesPath, loadMode: 'fast' } as never)).rejects.toThrow(/loadMode/);
    await expect(loadModel(undefined as never)).rejects.toMatchObject({ code: 'ERR_OPTION' });
  });

  test('token ids to text', async () => {
    await expect(model.detokenize(Int32Array.of(2 ** 30))).rejects.toMatchObject({ code: 'ERR_OPTION' });
    await expect(model.detokenize(Int32Array.of(-1))).rejects.toMatchObject({ code: 'ERR_OPTION' });
    await expect(model.detokenize('a' as never)).rejects.toMatchObject({ code: 'ERR_OPTION' });
  });
});

describe('what does not fit is refused with the numbers', () => {
  test('prompt and new tokens beyond the trained context', async () => {
    const error = await all(engine.generate({ prompt: 'Once upon a time', maxTokens: 600 })).catch(e => e);
    expect(error).toMatchObject({ code: 'ERR_CONTEXT_FULL' });
    expect(error.message).toMatch(/5 prompt tokens and 600 new ones make 605.*at most 512/);
  });

  test('more samples than sequences', async () => {
    await expect(all(engine.generate({ prompt: 'a', samplers: Array(9).fill({}) }))).rejects.toThrow(
      /at most 8 samples.*got 9/,
    );
  });

  test('more cells than the context has', async () => {
    await expect(all(engine.generate({ prompt: 'a', samplers: Array(8).fill({}), maxTokens: 400 }))).rejects.toThrow(
      /8 × 400.*1024/,
    );
  });

  test('a context larger than memory', async () => {
    const path = join(folder, 'deep.gguf');
    await synthesize({ shape: 'tiny-gqa', quant: 'q8_0', layers: 64, out: path });
    await using deep = await loadModel({ path });
    const error = await deep.createEngine({ contextSize: 1 << 24, threads: 1 }).catch(e => e);
    expect(error).toMatchObject({ code: 'ERR_MEMORY' });
    expect(error.message).toMatch(/16777216 cells takes 275 GB of f16 cache.*available.*q8_0/);
  });

  // With a GPU the request is met: test/engine/vulkan.test.ts.
  test.skipIf(hasGpu)('layers on a GPU that is not there are a warning, of the model and of every engine', async () => {
    await using asked = await loadModel({ path: storiesPath, gpuLayers: 99 });
    expect(asked.info.warnings).toEqual([expect.stringMatching(/gpuLayers` 99 .* no GPU/)]);
    await using engine = await asked.createEngine(oneThread);
    expect(engine.settings.warnings).toEqual(asked.info.warnings);
  });

  test('held sequences in the way are named as the reason', async () => {
    await using small = await model.createEngine({ ...oneThread, contextSize: 256, maxSequences: 2 });
    const held = await small.prefix('Once upon a time');
    await expect(all(small.generate({ prompt: 'a', samplers: [{}, {}], maxTokens: 5 }))).rejects.toThrow(
      /held sequences leave 1/,
    );
    held.release();
    expect(await ends(small.generate({ prompt: 'a', samplers: [{}, {}], maxTokens: 5 }))).toHaveLength(2);
  });
});

test('more threads than cores are lowered, with a warning', async () => {
  await using many = await model.createEngine({ contextSize: 256, threads: 4096 });
  expect(many.settings.threads).toBe(availableCores());
  expect(many.settings.warnings[0]).toMatch(/4096 threads/);
});

test('a folder with an odd name holds a model as well as any', async () => {
  const odd = join(folder, 'Füße & 模型 "x"');
  mkdirSync(odd);
  writeFileSync(join(odd, 'm.gguf'), stories);
  await using here = await loadModel({ path: join(odd, 'm.gguf') });
  expect(here.info.parameters).toBe(model.info.parameters);
});
