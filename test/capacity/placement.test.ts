import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cacheBytesPerLayer, computeBytes, type ModelShape } from '../../src/engine/capacity/compute.js';
import { cellsInMemory, contextBytes, doesNotFit } from '../../src/engine/capacity/context.js';
import { dealLayers, gpusOf } from '../../src/engine/capacity/devices.js';
import { gpuAlone, placeLayers, type WeightBytes, weightBytes } from '../../src/engine/capacity/placement.js';
import { reckonedOf } from '../../src/models/published.js';
import { publishedShapes } from '../../src/models/shapes.js';
import { machines } from './devices.js';

const GiB = 2 ** 30;
/** MEDITRON-7B as Q4_K_M. */
const shape7b: ModelShape = {
  layers: 32,
  embedding: 4096,
  heads: 32,
  feedForward: 11_008,
  contextLength: 2048,
  vocabulary: { size: 32_017 },
  kvBytesPerToken: { f32: 2 ** 20, f16: 2 ** 19, q8_0: (2 ** 18 / 32) * 34 },
};
const weights7b: WeightBytes = {
  input: 74e6,
  layers: [...Array.from({ length: 32 }, () => 120e6), 107e6],
};

describe('the devices that llama.cpp uses', () => {
  test.each([
    ['CPU only', []],
    ['one NVIDIA card seen by CUDA and Vulkan', ['CUDA0']],
    ['the same card where Vulkan names no id', ['CUDA0']],
    ['laptop with Intel graphics and an NVIDIA card', ['CUDA0']],
    ['laptop with Intel graphics alone', ['Vulkan0']],
    ['an AMD card by Vulkan', ['Vulkan0']],
    ['Apple silicon', ['Metal']],
    ['two different cards', ['CUDA0', 'CUDA1']],
    ['two cards of one kind that name no id', ['Vulkan0', 'Vulkan1']],
  ] as const)('%s', (machine, names) => {
    expect(gpusOf(machines[machine]).map(device => device.name)).toEqual(names);
  });
});

describe('layers by themselves (auto)', () => {
  test.each([
    ['CPU only', 0],
    ['one NVIDIA card seen by CUDA and Vulkan', 33],
    ['an AMD card by Vulkan', 33],
    ['Apple silicon', 33],
    ['two different cards', 33],
  ] as const)('%s', (machine, layers) => {
    expect(placeLayers('auto', weights7b, shape7b, machines[machine])).toMatchObject({
      gpuLayers: layers,
      warnings: [],
    });
  });

  test('a card of 4 GB takes part of the 7B, with its cache beside it', () => {
    const devices = machines['laptop with Intel graphics and an NVIDIA card'];
    const placement = placeLayers('auto', weights7b, shape7b, devices);
    expect(placement.gpuLayers).toBeGreaterThan(10);
    expect(placement.gpuLayers).toBeLessThan(33);
    const info = { ...shape7b, gpuLayers: placement.gpuLayers };
    expect(gpuAlone(info)).toBe(false);
    expect(placement.hostBytes).toBe(74e6 + (33 - placement.gpuLayers) * 120e6);
  });

  test('what is placed fits on every device by itself, and one layer more would not', () => {
    const card = fc.record({ free: fc.double({ min: 0.1, max: 80, noNaN: true }), total: fc.constant(80) });
    fc.assert(
      fc.property(fc.array(card, { minLength: 1, maxLength: 4 }), fc.integer({ min: 1, max: 80 }), (cards, blocks) => {
        const devices = cards.map(({ free, total }, i) => ({
          ...machines['an AMD card by Vulkan'][1],
          name: `Vulkan${i}`,
          id: `${i}`,
          memoryFree: free * GiB,
          memoryTotal: total * GiB,
        }));
        const model = { ...shape7b, layers: blocks, kvBytesPerToken: { f32: 0, f16: blocks * 16_384, q8_0: 0 } };
        const weights = { input: 74e6, layers: [...Array.from({ length: blocks }, () => 500e6), 200e6] };
        const { gpuLayers, layersOf } = placeLayers('auto', weights, model, devices);
        const bytesOn = (own: readonly number[]) =>
          own.reduce((sum, layer) => sum + weights.layers[layer]!, 0) +
          own.filter(layer => layer < blocks).length * cacheBytesPerLayer(model, 2048, 'f16');
        layersOf.forEach((own, i) => {
          if (gpuLayers > 0) expect(bytesOn(own)).toBeLessThan(devices[i]!.memoryFree);
        });
        expect(layersOf.flat()).toHaveLength(gpuLayers);
        if (gpuLayers === blocks + 1) return;
        const compute = 4 * 512 * 4096 * 20; // more than computing takes
        const more = dealLayers(blocks + 1, gpuLayers + 1, devices);
        if (gpuLayers > 0)
          expect(more.some((own, i) => bytesOn(own) + compute > devices[i]!.memoryFree * 0.9)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });
});

test('layers are dealt by free memory, the last to the last device, each once', () => {
  const devices = gpusOf(machines['two different cards']);
  const dealt = dealLayers(33, 33, devices);
  expect(dealt.flat()).toEqual(Array.from({ length: 33 }, (_, i) => i));
  expect(dealt[0]!.length).toBe(23); // 33 * 23.5 / 35.2 = 22.03, and layer 22 begins before it
  expect(dealLayers(33, 5, devices).flat()).toEqual([28, 29, 30, 31, 32]);
});

describe('layers that were asked for', () => {
  test('without a GPU they are a warning', () => {
    const placement = placeLayers(99, weights7b, shape7b, machines['CPU only']);
    expect(placement).toMatchObject({ gpuLayers: 0, devices: [] });
    expect(placement.warnings).toEqual([
      '`gpuLayers` 99 was asked for and no GPU can be used: all layers are on the CPU',
    ]);
    expect(placeLayers(0, weights7b, shape7b, machines['CPU only']).warnings).toEqual([]);
  });

  test('more than there are means all of them', () => {
    const placement = placeLayers(99, weights7b, shape7b, machines['an AMD card by Vulkan']);
    expect(placement).toMatchObject({ gpuLayers: 33, warnings: [] });
  });

  test('none leaves a GPU alone', () => {
    expect(placeLayers(0, weights7b, shape7b, machines['Apple silicon']).devices).toEqual([]);
  });

  test('more than a card has room for is tried, with a warning', () => {
    const devices = machines['laptop with Intel graphics and an NVIDIA card'];
    const { gpuLayers, warnings } = placeLayers(
      33,
      { ...weights7b, layers: weights7b.layers.map(b => b * 2) },
      shape7b,
      devices,
    );
    expect(gpuLayers).toBe(33);
    expect(warnings[0]).toMatch(/33 layers take 7\.\d+ GB on CUDA0, which has 3\.97 GB free/);
  });
});

test('weights are sorted as llama.cpp sorts them', () => {
  const tensors = [
    { name: 'token_embd.weight', bytes: 100 },
    { name: 'blk.0.attn_q.weight', bytes: 10 },
    { name: 'blk.1.attn_q.weight', bytes: 20 },
    { name: 'blk.0.ffn_up.weight', bytes: 5 },
    { name: 'output_norm.weight', bytes: 1 },
  ];
  expect(weightBytes(tensors)).toEqual({ input: 100, layers: [15, 20, 101] }); // tied: the embeddings again
  expect(weightBytes([...tensors, { name: 'output.weight', bytes: 90 }])).toEqual({ input: 100, layers: [15, 20, 91] });
});

describe('a context', () => {
  const context = { contextSize: 2048, batchSize: 128, maxSequences: 8, kvType: 'f16', flashAttention: true } as const;
  const on = (gpuLayers: number, layersOf: { device: string; layers: number }[]) => ({
    ...shape7b,
    gpuLayers,
    layersOf,
  });

  test('lies where its layers lie', () => {
    expect(contextBytes(on(0, []), context).map(({ place, cache }) => [place, cache])).toEqual([['CPU', GiB]]);
    const half = contextBytes(on(17, [{ device: 'CUDA0', layers: 17 }]), context);
    expect(half.map(({ place, cache }) => [place, cache])).toEqual([
      ['CPU', GiB / 2],
      ['CUDA0', GiB / 2],
    ]);
    const all = contextBytes(
      on(33, [
        { device: 'CUDA0', layers: 22 },
        { device: 'CUDA1', layers: 11 },
      ]),
      context,
    );
    expect(all.map(({ place, cache }) => [place, cache])).toEqual([
      ['CPU', 0],
      ['CUDA0', (GiB * 22) / 32],
      ['CUDA1', (GiB * 10) / 32],
    ]);
  });

  test('that does not fit is told with the place and the numbers', () => {
    const model = on(33, [{ device: 'CUDA0', layers: 33 }]);
    const free = (place: string) => ({ bytes: place === 'CPU' ? 8e9 : 1e9, words: `${place} is small` });
    expect(doesNotFit(model, context, free)).toMatch(
      /2048 cells takes 1\.07 GB of f16 cache on CUDA0.*CUDA0 is small.*q8_0/,
    );
    expect(doesNotFit(on(0, []), { ...context, flashAttention: false }, () => ({ bytes: 1e9, words: 'x' }))).toMatch(
      /flashAttention/,
    );
    expect(doesNotFit(on(0, []), context, free)).toBeUndefined();
  });

  test('may have as many cells as the place with least room allows', () => {
    const devices = machines['laptop with Intel graphics and an NVIDIA card'];
    const model = on(17, [{ device: 'CUDA0', layers: 17 }]);
    expect(cellsInMemory(model, 'f16', 100e9, devices)).toBe(Math.floor((3.7 * GiB) / 2 / (2 ** 19 / 2)));
    expect(cellsInMemory(model, 'f16', 1e9, devices)).toBe(Math.floor(0.5e9 / (2 ** 19 / 2)));
  });
});

// What llama.cpp 0.4.0 reports as "CPU compute buffer size" for two layers of these shapes, in MiB: cells, tokens of a step, rows of
// logits, flash attention.
const shape8b: ModelShape = { ...shape7b, feedForward: 14_336, vocabulary: { size: 128_256 } };
test.each([
  [shape7b, 2048, 128, 128, true, 24.63],
  [shape7b, 2048, 128, 128, false, 47.0],
  [shape7b, 2048, 512, 512, false, 188.01],
  [shape7b, 8192, 512, 512, true, 104.51],
  [shape7b, 8192, 128, 128, false, 146.0],
  [shape7b, 8192, 128, 128, true, 26.13],
  [shape7b, 2048, 32, 32, true, 6.16],
  [shape7b, 2048, 32, 32, false, 11.75],
  [shape8b, 8192, 128, 128, false, 143.0],
  [shape8b, 8192, 128, 128, true, 66.63],
  [shape8b, 2048, 32, 32, true, 16.66],
] as const)('computing takes about what llama.cpp reserves (%#)', (shape, cells, tokens, rows, flash, measured) => {
  const bytes = computeBytes(shape, {
    contextSize: cells,
    batchSize: tokens,
    maxSequences: rows,
    kvType: 'f16',
    flashAttention: flash,
  });
  expect(bytes / 2 ** 20).toBeGreaterThan(measured * 0.999);
  expect(bytes / 2 ** 20).toBeLessThan(measured * 1.25);
});

// The same for two layers of published shapes, with 32,000 tokens; before it "KV buffer size", of both kinds of layers where there are two.
test.each([
  ['eurollm-22b', 2048, 128, 8, true, 16, 36.5],
  ['eurollm-22b', 8192, 128, 8, true, 64, 38],
  ['eurollm-22b', 2048, 512, 32, true, 16, 146.01],
  ['eurollm-22b', 4096, 512, 8, false, 32, 456.01],
  ['eurollm-22b', 2048, 32, 8, true, 16, 9.13],
  ['eurollm-22b', 8192, 32, 8, false, 64, 53],
  ['qwen2.5-7b', 2048, 128, 8, true, 8, 35.25],
  ['qwen2.5-7b', 8192, 128, 8, true, 32, 36.75],
  ['qwen2.5-7b', 2048, 512, 32, true, 8, 141.01],
  ['qwen2.5-7b', 4096, 512, 8, false, 16, 269.01],
  ['qwen2.5-7b', 2048, 32, 8, true, 8, 8.81],
  ['qwen2.5-7b', 8192, 32, 8, false, 32, 31.31],
  ['apertus-8b', 2048, 128, 8, true, 16, 19],
  ['apertus-8b', 8192, 128, 8, true, 64, 20.5],
  ['apertus-8b', 2048, 512, 32, true, 16, 76.01],
  ['apertus-8b', 4096, 512, 8, false, 32, 308.01],
  ['apertus-8b', 2048, 32, 8, true, 16, 4.91],
  ['apertus-8b', 8192, 32, 8, false, 64, 35.75],
  ['olmo2-32b', 2048, 128, 8, true, 16, 51],
  ['olmo2-32b', 8192, 128, 8, true, 64, 52.5],
  ['olmo2-32b', 2048, 512, 32, true, 16, 204.01],
  ['olmo2-32b', 4096, 512, 8, false, 32, 372.01],
  ['olmo2-32b', 2048, 32, 8, true, 16, 12.75],
  ['olmo2-32b', 8192, 32, 8, false, 64, 43.75],
  ['gemma2-9b', 2048, 128, 8, true, 32, 29.25],
  ['gemma2-9b', 8192, 128, 8, true, 128, 28.5],
  ['gemma2-9b', 2048, 512, 32, true, 32, 117.02],
  ['gemma2-9b', 4096, 512, 8, false, 64, 197.01],
  ['gemma2-9b', 2048, 32, 8, true, 32, 7.31],
  ['gemma2-9b', 8192, 32, 8, false, 128, 21.31],
  ['gemma3-27b', 2048, 128, 8, true, 32, 41.88],
  ['gemma3-27b', 8192, 128, 8, true, 128, 43.38],
  ['gemma3-27b', 2048, 512, 32, true, 32, 167.51],
  ['gemma3-27b', 4096, 512, 8, false, 64, 319.51],
  ['gemma3-27b', 2048, 32, 8, true, 32, 11.13],
  ['gemma3-27b', 8192, 32, 8, false, 128, 36.47],
  ['phi-4', 2048, 128, 8, true, 20, 34.25],
  ['phi-4', 8192, 128, 8, true, 80, 35.75],
  ['phi-4', 2048, 512, 32, true, 20, 137.01],
  ['phi-4', 4096, 512, 8, false, 40, 363.01],
  ['phi-4', 2048, 32, 8, true, 20, 9.19],
  ['phi-4', 8192, 32, 8, false, 80, 43.19],
] as const)(
  '%s: cache and computing in %d cells, %d tokens a step (%#)',
  (name, cells, tokens, sequences, flash, cache, measured) => {
    const model = { ...reckonedOf({ ...publishedShapes[name], layers: 2 }, []), vocabulary: { size: 32_000 } };
    const context = { contextSize: cells, batchSize: tokens, maxSequences: sequences, flashAttention: flash };
    const bytes = computeBytes(model, { ...context, kvType: 'f16' });
    expect((2 * cacheBytesPerLayer(model, cells, 'f16')) / 2 ** 20).toBe(cache);
    expect(bytes / 2 ** 20).toBeGreaterThan(measured * 0.999);
    expect(bytes / 2 ** 20).toBeLessThan(measured * 1.25);
  },
);
