import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { contextBytes, doesNotFit } from '../../src/engine/capacity/context.js';
import { lowCells, lowWouldDo } from '../../src/engine/capacity/low.js';
import { type Outlook, outlookOf, type ReckonedModel, typical } from '../../src/engine/capacity/outlook.js';
import { measuredColumns, multiplied, speedOf } from '../../src/engine/capacity/speed.js';
import { reckonedOf, tensorsOf, usualQuants } from '../../src/models/published.js';
import { publishedShapes } from '../../src/models/shapes.js';

const GB = 1e9;
const quants = Object.keys(usualQuants) as (keyof typeof usualQuants)[];
const published = (name: keyof typeof publishedShapes, quant: keyof typeof usualQuants) =>
  reckonedOf(publishedShapes[name], tensorsOf(publishedShapes[name], quant));
const rank = ({ fits }: Outlook) => ['no', 'tight', 'yes'].indexOf(fits);

/** Models of any shape that attention can have, and any size of file. */
const models = fc
  .record({
    layers: fc.integer({ min: 1, max: 128 }),
    heads: fc.integer({ min: 1, max: 128 }),
    headSize: fc.constantFrom(32, 64, 80, 128),
    grouped: fc.constantFrom(1, 4, 8),
    feedForward: fc.integer({ min: 256, max: 30_000 }),
    contextLength: fc.integer({ min: 64, max: 131_072 }),
    vocabulary: fc.integer({ min: 256, max: 260_000 }),
    sizeBytes: fc.double({ min: 1e6, max: 100 * GB, noNaN: true }),
  })
  .map(({ layers, heads, headSize, grouped, feedForward, contextLength, vocabulary, sizeBytes }): ReckonedModel => {
    const elements = 2 * layers * Math.max(1, Math.floor(heads / grouped)) * headSize;
    const kvBytesPerToken = { f32: elements * 4, f16: elements * 2, q8_0: (elements / 32) * 34 };
    const embedding = heads * headSize;
    return {
      ...{ layers, heads, headSize, embedding, feedForward, contextLength, sizeBytes, kvBytesPerToken },
      vocabulary: { size: vocabulary },
    };
  });
const memories = fc.double({ min: 0, max: 200 * GB, noNaN: true });
const threads = fc.integer({ min: 1, max: 64 });

describe('what fits', () => {
  test('more memory never fits less', () => {
    fc.assert(
      fc.property(models, memories, memories, threads, (model, a, b, cores) => {
        const [less, more] = [Math.min(a, b), Math.max(a, b)];
        expect(rank(outlookOf(model, more, cores))).toBeGreaterThanOrEqual(rank(outlookOf(model, less, cores)));
      }),
      { numRuns: 1000 },
    );
  });

  test('a smaller file of the same shape never fits less, nor does a smaller quantization of a published model', () => {
    fc.assert(
      fc.property(models, memories, fc.double({ min: 0.1, max: 1, noNaN: true }), (model, available, part) => {
        const smaller = { ...model, sizeBytes: model.sizeBytes * part };
        expect(rank(outlookOf(smaller, available, 4))).toBeGreaterThanOrEqual(rank(outlookOf(model, available, 4)));
      }),
      { numRuns: 1000 },
    );
    for (const name of Object.keys(publishedShapes) as (keyof typeof publishedShapes)[]) {
      const models = quants.map(quant => published(name, quant));
      for (let available = 1; available < 120; available += 0.7) {
        const ranks = models.map(model => rank(outlookOf(model, available * GB, 4)));
        expect(ranks).toEqual([...ranks].sort());
      }
    }
  });

  test('is accepted where an engine is made: by the same reckoning, beside the weights', () => {
    fc.assert(
      fc.property(models, memories, threads, (model, available, cores) => {
        const outlook = outlookOf(model, available, cores);
        if (outlook.fits === 'no') return;
        expect(outlook.memoryBytes).toBeLessThanOrEqual(available);
        const { context: contextSize, batchSize, kvType } = outlook;
        const context = { contextSize, batchSize, kvType, maxSequences: typical.samples + 1, flashAttention: true };
        const bytes = available - model.sizeBytes;
        const refused = doesNotFit({ ...model, gpuLayers: 0, layersOf: [] }, context, () => ({ bytes, words: '' }));
        expect(refused).toBeUndefined();
      }),
      { numRuns: 1000 },
    );
  });

  test('a 7B in Q4_K_M with five samples fits in 5.6 GB with little memory, and no 70B does', () => {
    const seven = outlookOf(published('meditron-7b', 'q4_k_m'), 5.6 * GB, 4);
    expect(seven).toMatchObject({ fits: 'tight', lowMemory: true, inMemory: false, kvType: 'q8_0', waves: [3, 2] });
    expect(outlookOf(published('meditron-7b', 'q4_k_m'), 16 * GB, 4)).toMatchObject({ fits: 'yes', inMemory: true });
    for (const quant of quants) expect(outlookOf(published('meditron-70b', quant), 5.6 * GB, 4).fits).toBe('no');
  });
});

describe('little memory', () => {
  test('takes a gigabyte of cache at most, and no more than the weights leave', () => {
    fc.assert(
      fc.property(models, memories, (model, available) => {
        const cells = lowCells(model, available);
        expect(cells).toBeGreaterThanOrEqual(256);
        const kvType = model.headSize! % 32 === 0 ? 'q8_0' : 'f16';
        if (cells === 256) return;
        const context = { contextSize: cells, batchSize: 1, maxSequences: 1, kvType, flashAttention: true } as const;
        const [host] = contextBytes({ ...model, gpuLayers: 0, layersOf: [] }, context);
        expect(host!.cache).toBeLessThanOrEqual(Math.min(GB, available - model.sizeBytes) * 1.000001);
      }),
    );
  });

  test('is named by a refusal where it would do, and only there', () => {
    const model = published('meditron-7b', 'q4_k_m');
    const context = {
      contextSize: 4608,
      batchSize: 128,
      maxSequences: 4,
      kvType: 'f16',
      flashAttention: true,
    } as const;
    const refusal = (available: number, lowMemory = false) =>
      doesNotFit(
        {
          ...model,
          gpuLayers: 0,
          layersOf: [],
          weights: { ...model, loadMode: lowMemory ? 'mmap' : 'read', lowMemory },
        },
        context,
        () => ({ bytes: lowMemory ? available : available - model.sizeBytes, words: '' }),
      );
    expect(lowWouldDo(model, context.contextSize, context.maxSequences, 5.6 * GB)).toBe(true);
    expect(refusal(5.6 * GB)).toMatch(/`lowMemory`.*`meditron fit`/);
    expect(refusal(4.2 * GB)).toMatch(/\. `meditron fit`/);
    expect(refusal(4.2 * GB)).not.toMatch(/`lowMemory`/);
    expect(refusal(1 * GB, true)).not.toMatch(/`lowMemory`/);
  });
});

describe('speed', () => {
  const shape = publishedShapes['meditron-7b'];
  const rates = () => measuredColumns.map(columns => columns / 10e9);

  test('counts every matrix that a token is multiplied with, and not the embeddings that are looked up', () => {
    const tensors = tensorsOf(shape, 'q4_k_m');
    const read = tensors.filter(({ name, type }) => name !== 'token_embd.weight' && type !== 'f32');
    const total = [...multiplied(tensors).values()].reduce((a, b) => a + b, 0);
    expect(total).toBe(read.reduce((sum, { bytes }) => sum + bytes, 0));
    const tied = tensors.filter(({ name }) => name !== 'output.weight');
    expect([...multiplied(tied).keys()]).toContain('q4_K');
    expect([...multiplied(tied).values()].reduce((a, b) => a + b, 0)).toBeGreaterThan(
      total - tensors.find(({ name }) => name === 'output.weight')!.bytes,
    );
  });

  test('grows with the processor’s, and falls with the size of the weights', () => {
    const speed = (quant: keyof typeof usualQuants, faster = 1) =>
      speedOf(multiplied(tensorsOf(shape, quant)), () => rates().map(rate => rate / faster), { waves: [4, 1] });
    const base = speed('q4_k_m');
    expect(speed('q4_k_m', 2).tokensPerSecond.one).toBeCloseTo(2 * base.tokensPerSecond.one);
    expect(speed('q4_k_m', 2).questionSeconds).toBeCloseTo(base.questionSeconds / 2);
    expect(speed('q8_0').tokensPerSecond.one).toBeLessThan(base.tokensPerSecond.one);
  });
});
