import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { described, type FitReport } from '../../src/cli/fit/words.js';
import { type Offload, offloadOf } from '../../src/engine/capacity/offload.js';
import { outlookOf } from '../../src/engine/capacity/outlook.js';
import { atOnce, type Choice, readingSpeed, recommend, runs } from '../../src/engine/capacity/recommend.js';
import { reckonedOf, tensorsOf, usualQuants } from '../../src/models/published.js';
import { publishedShapes } from '../../src/models/shapes.js';
import type { Device } from '../../src/native/addon.js';
import { machines } from './devices.js';

const quants = Object.keys(usualQuants) as (keyof typeof usualQuants)[];
const q4 = quants.indexOf('q4_k_m');
/** Room first, then samples at once. */
const rank = ({ fits, ...each }: Choice) => (fits === 'yes' ? 9 : atOnce(each) ? 5 : each.samples);

const known = new Map<string, ReturnType<typeof readModels>>();
function modelsOf(name: keyof typeof publishedShapes) {
  const models = known.get(name) ?? readModels(name);
  known.set(name, models);
  return models;
}
function readModels(name: keyof typeof publishedShapes) {
  return quants.map(quant => {
    const tensors = tensorsOf(publishedShapes[name], quant);
    return { quant, tensors, model: reckonedOf(publishedShapes[name], tensors) };
  });
}

/** Every usual quantization of a model on a CPU that multiplies so many bytes a second, in memory of so many. */
function choicesOf(
  name: keyof typeof publishedShapes,
  available: number,
  bytesPerSecond: number | null,
  devices: readonly Device[] = [],
): Choice[] {
  return modelsOf(name).map(({ quant, tensors, model }) => {
    const outlook = outlookOf(model, available, 2);
    const one = bytesPerSecond === null ? null : bytesPerSecond / model.sizeBytes;
    return {
      ...outlook,
      quantization: usualQuants[quant],
      bytes: model.sizeBytes,
      tokensPerSecond: one === null || outlook.fits === 'no' ? null : { one, five: 3 * one },
      gpu: offloadOf(model, tensors, devices, 2),
    };
  });
}
const names = Object.keys(publishedShapes) as (keyof typeof publishedShapes)[];
const recommended = (...args: Parameters<typeof choicesOf>) => {
  const choices = choicesOf(...args);
  const { quantization, reason } = recommend(choices);
  return { quantization, reason, choice: choices.find(choice => choice.quantization === quantization) };
};

describe('what is recommended', () => {
  test('of a 7B is as fine as room and reading speed allow', () => {
    expect(recommended('meditron-7b', 24e9, 50e9).quantization).toBe('Q8_0');
    expect(recommended('meditron-7b', 24e9, 9e9).quantization).toBe('Q5_K_M'); // Q6_K: 4.9 tokens/s
    expect(recommended('meditron-7b', 24e9, 3e9)).toMatchObject({
      quantization: 'Q4_K_M',
      reason: expect.stringContaining('none writes 5 samples together at reading speed'),
    });
    expect(recommended('meditron-7b', 24e9, null)).toMatchObject({
      quantization: 'Q8_0',
      reason: expect.stringContaining('not known'),
    });
  });

  test('of a 7B on 8 GB is Q4_K_M with little memory, samples in turn', () => {
    const { quantization, reason } = recommended('meditron-7b', 5.6e9, 17e9);
    expect(quantization).toBe('Q4_K_M');
    expect(reason).toMatch(/--low-memory, samples in turn \(3, then 2\)/);
  });

  test('is below Q4_K_M only where nothing finer fits, and says so', () => {
    const { quantization, reason } = recommended('meditron-7b', 4.2e9, 17e9);
    expect(quantization).toBe('Q3_K_M');
    expect(reason).toMatch(/nothing from Q4_K_M up fits/);
    expect(recommended('meditron-70b', 5.6e9, 17e9)).toMatchObject({ quantization: null, reason: 'nothing fits here' });
  });

  test('keeps its rule whatever the model, memory and speed', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...names),
        fc.double({ min: 1e9, max: 120e9, noNaN: true }),
        fc.option(fc.double({ min: 0.1e9, max: 500e9, noNaN: true })),
        (name, available, bytesPerSecond): void => {
          const choices = choicesOf(name, available, bytesPerSecond);
          const { quantization, notes } = recommend(choices);
          const at = choices.findIndex(choice => choice.quantization === quantization);
          expect(notes.flatMap((note, i) => (note === 'recommended' ? [i] : []))).toEqual(at < 0 ? [] : [at]);
          expect(at >= 0).toBe(choices.some(runs));
          if (at < 0) return;
          const choice = choices[at]!;
          expect(runs(choice)).toBe(true);
          const fit = choices.filter(runs);
          if (at > q4) {
            expect(choice).toBe(fit[0]);
            return;
          }
          const better = choices.slice(0, q4 + 1).filter(other => runs(other) && rank(other) > rank(choice));
          expect(better).toEqual([]);
          const alike = choices.slice(0, q4 + 1).filter(other => runs(other) && rank(other) === rank(choice));
          const quick = alike.find(({ tokensPerSecond: speed }) => speed === null || speed.five >= readingSpeed);
          expect(choice).toBe(quick ?? alike.at(-1));
        },
      ),
      { numRuns: 300 },
    );
  });

  test('is never what was not quantized and is slower than a person reads', () => {
    const [choice] = choicesOf('meditron-7b', 24e9, 20e9);
    const file = { ...choice!, quantization: 'F16' };
    expect(recommend([{ ...file, tokensPerSecond: { one: 1, five: 4 } }])).toMatchObject({
      quantization: null,
      reason: expect.stringContaining('Q8_0'),
    });
    expect(recommend([{ ...file, tokensPerSecond: { one: 20, five: 60 } }]).quantization).toBe('F16');
  });
});

describe('on a GPU', () => {
  const of = (machine: keyof typeof machines, available = 24e9): { readonly gpus: readonly Offload[] } & FitReport => {
    const devices = machines[machine] as readonly Device[];
    const choices = choicesOf('meditron-7b', available, 9e9, devices);
    const { quantization, reason, notes } = recommend(choices);
    return {
      gpus: choices.flatMap(({ gpu }) => gpu ?? []),
      machine: { memoryBytes: 32e9, availableBytes: available, cores: 2, gpus: devices.filter(d => d.type === 'gpu') },
      model: { name: 'Meditron 7B', source: 'here', contextLength: 2048, facts: null },
      rows: choices.map((choice, i) => ({
        ...outlookOf(modelsOf('meditron-7b')[i]!.model, available, 2),
        ...choice,
        promptTokensPerSecond: null,
        questionSeconds: null,
        note: notes[i]!,
      })),
      recommended: quantization,
      reason,
      advice: [],
    };
  };

  test('as many layers as weights are placed with; the finest that a card takes whole is recommended, without a speed', () => {
    const report = of('an AMD card by Vulkan');
    expect(report.gpus.map(({ gpuLayers, whole }) => [gpuLayers, whole])).toEqual(quants.map(() => [33, true]));
    expect(report).toMatchObject({ recommended: 'Q8_0', reason: expect.stringContaining('GPU takes whole') });
    const text = described(report);
    expect(text).toMatch(/^Q4_K_M .*33 of 33 layers/m);
    expect(text).toContain('the speed on the GPU is not predicted');
  });

  test('a small card takes a part, and what the CPU can do decides', () => {
    const { gpus, recommended: quantization } = of('laptop with Intel graphics and an NVIDIA card');
    expect(quantization).toBe('Q5_K_M');
    const layers = gpus.map(({ gpuLayers }) => gpuLayers);
    expect(layers[0]).toBeGreaterThan(0);
    expect(layers[0]).toBeLessThan(33);
    expect([...layers].sort((a, b) => a - b)).toEqual(layers);
    for (const gpu of gpus) expect(gpu.samples > 0 || !gpu.whole).toBe(true);
  });

  test('runs what the CPU has no memory for, and nothing is said of one that is not there', () => {
    expect(of('an AMD card by Vulkan', 3e9).recommended).toBe('Q8_0');
    const none = of('CPU only');
    expect(none.gpus).toEqual([]);
    expect(described(none)).not.toMatch(/GPU/);
  });
});
