import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { LoadOptions } from '../../src/engine/load.js';
import type { EngineOptions, Model as LoadedModel } from '../../src/engine/model.js';
import { type TensorTypeName, tensorType } from '../../src/gguf/types.js';
import { loadModel } from '../../src/host/load.js';
import type { NativeLoad } from '../../src/native/addon.js';
import { loadAddon } from '../../src/native/load.js';
import { synthesize } from '../../src/synth/synth.js';
import { ends } from './stories.js';

// Beside the sources: where temporary files go there may be no room.
const build = fileURLToPath(new URL('../../build', import.meta.url));
mkdirSync(build, { recursive: true });
const folder = mkdtempSync(join(build, 'weights-'));
afterAll(() => rmSync(folder, { recursive: true }));

const shape = { shape: 'meditron-7b', quant: 'q4_k_m', layers: 2 } as const;
const [whole, split] = [join(folder, 'whole.gguf'), join(folder, 'split.gguf')];
await synthesize({ ...shape, out: whole });
const parts = (await synthesize({ ...shape, out: split, split: 2 })).paths;

let straight: boolean | undefined;
let change: (params: NativeLoad) => NativeLoad;
const { addon } = await loadAddon();
const { Model } = addon;
class Watched extends Model {
  override async load(params: NativeLoad, onProgress?: (fraction: number) => void): Promise<boolean> {
    straight = await super.load(change(params), onProgress);
    return straight;
  }
}
beforeEach(() => {
  straight = undefined;
  change = params => params;
  Object.assign(addon, { Model: Watched });
});
afterEach(() => Object.assign(addon, { Model }));

/** Lines of what is mapped of a file here; its last page may be, until the model is closed. */
const mapped = (path: string): string[] =>
  process.platform === 'linux'
    ? readFileSync('/proc/self/maps', 'utf8')
        .split('\n')
        .filter(line => line.includes(basename(path)))
    : [];

/** Tokens and their log-probabilities of two samples, and whether weights went straight from the pages of the file. */
async function outcome(path: string, changed: (params: NativeLoad) => NativeLoad = params => params) {
  change = changed;
  await using model = await loadModel({ path, gpuLayers: 0, loadMode: 'read' });
  for (const line of mapped(path)) expect(line).toMatch(/^[0-9a-f]+-[0-9a-f]+ r--s (?!0+ )/);
  expect(model.info.loadMode).toBe('read');
  return { straight, samples: await samplesOf(model) };
}

async function samplesOf(model: LoadedModel, options: EngineOptions = {}) {
  await using engine = await model.createEngine({ ...options, contextSize: 128, maxSequences: 2, threads: 1 });
  const samplers = [{ temperature: 0 }, { temperature: 0.8 }];
  const prompt = Int32Array.from({ length: 20 }, (_, i) => 300 + i * 37);
  const found = await ends(
    engine.generate({ prompt, samplers, maxTokens: 8, logprobs: true, ignoreEnd: true, seed: 5 }),
  );
  return found.map(({ tokens, logprobs }) => ({ tokens: [...tokens], logprobs: [...logprobs!] }));
}

const read = (params: NativeLoad): NativeLoad => ({ ...params, tensors: undefined });

test.runIf(process.platform === 'linux')(
  'weights that are rearranged straight from the pages of their file are those that are read',
  async () => {
    const old = await outcome(whole, read);
    expect(old.straight).toBe(false);
    // What the kernels of this processor take decides the way; the file has just been read.
    const straight = await outcome(whole);
    expect(straight.samples).toEqual(old.samples);
    const inParts = await outcome(parts[0]!);
    expect(inParts).toEqual(straight);
    if (process.arch === 'x64') expect(straight.straight).toBe(true);
  },
);

test.runIf(process.platform === 'linux')('a model whose output is its table of tokens is read', async () => {
  const tied = (params: NativeLoad): NativeLoad => {
    const { names, shapes } = params.tensors!;
    const at = names.indexOf('output.weight');
    const keep = <T>(list: Iterable<T>, size: number) => [...list].filter((_, i) => Math.floor(i / size) !== at);
    return { ...params, tensors: { names: keep(names, 1), shapes: Float64Array.from(keep(shapes, 3)) } };
  };
  expect((await outcome(whole, tied)).straight).toBe(false);
});

/** The matrices of a layer and of the output. */
const tensors = (
  type: TensorTypeName,
  rows = 4096,
  names = ['token_embd.weight', 'blk.0.attn_q.weight', 'output.weight'],
) => ({
  names,
  shapes: Float64Array.from(names.flatMap(() => [tensorType(type).id, 4096, rows])),
});

describe.runIf(process.arch === 'x64')('weights that our kernels take as the file has them', () => {
  test('are told from those that are faster rearranged', () => {
    for (const type of ['q4_K', 'q6_K', 'f16'] as const) expect(addon.gainsByRearranging(tensors(type))).toBe(false);
    expect(addon.gainsByRearranging(tensors('q4_0'))).toBe(true);
    expect(addon.gainsByRearranging(tensors('q4_0', 1))).toBe(false); // vectors
    const table = tensors('q4_0', 4096, ['token_embd.weight']);
    expect(addon.gainsByRearranging(table)).toBe(true); // it is the output, too
    const other = tensors('q4_K', 4096, ['output.weight']);
    const both = { names: [...table.names, ...other.names], shapes: Float64Array.of(...table.shapes, ...other.shapes) };
    expect(addon.gainsByRearranging(both)).toBe(false); // rows of it are looked up alone
  });

  test('are mapped and stay, and give what weights that were read give, bit for bit', async () => {
    await using model = await loadModel({ path: whole, gpuLayers: 0 });
    await using read = await loadModel({ path: whole, gpuLayers: 0, loadMode: 'read' });
    expect(model.info).toMatchObject({ loadMode: 'mmap', keptBytes: expect.any(Number) });
    expect(model.info.keptBytes).toBeGreaterThan(0.9 * model.info.sizeBytes);
    expect(read.info).toMatchObject({ loadMode: 'read', keptBytes: 0 });
    expect(await samplesOf(model)).toEqual(await samplesOf(read));
    await using inParts = await loadModel({ path: parts[0]!, gpuLayers: 0 });
    expect(inParts.info.loadMode).toBe('mmap');
    expect(await samplesOf(inParts)).toEqual(await samplesOf(model));
    const huge = { contextSize: 2 ** 24, maxSequences: 1, beyondTraining: true };
    await expect(model.createEngine(huge)).rejects.toThrow(/are available beside the weights' \d+/);
    await expect(read.createEngine(huge)).rejects.toThrow(/; [0-9.]+ .?B are available[^b]*Lower/);
  });

  test.each([{ lowMemory: true }, { loadMode: 'mmap' as const }])('need not stay with %o', async options => {
    await using model = await loadModel({ path: whole, gpuLayers: 0, ...options });
    expect(model.info).toMatchObject({ loadMode: 'mmap', keptBytes: 0 });
  });
});

test.each(['auto', 'read'] as const)('loading (%s) tells how far it is, and stops wherever it is', async loadMode => {
  const seen: number[] = [];
  const options: LoadOptions = { path: whole, gpuLayers: 0, loadMode };
  await (await loadModel({ ...options, onProgress: fraction => seen.push(fraction) })).close();
  expect(seen).toEqual([...seen].sort((a, b) => a - b));
  expect(seen.at(-1)).toBe(1);
  for (const at of [0, ...seen.filter((_, i) => i % 3 === 1), 1]) {
    const controller = new AbortController();
    const onProgress = (fraction: number) => {
      if (fraction >= at) controller.abort(new Error('enough'));
    };
    await expect(loadModel({ ...options, signal: controller.signal, onProgress })).rejects.toThrow('enough');
    expect(mapped(whole)).toEqual([]);
  }
});
