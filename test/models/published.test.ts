import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { architectures } from '../../src/gguf/architecture.js';
import { formatForModel } from '../../src/models/known.js';
import { publishedNames, publishedShape, reckonedOf, tensorsOf, type usualQuants } from '../../src/models/published.js';
import { type PublishedShape, publishedShapes } from '../../src/models/shapes.js';
import { planModel } from '../../src/synth/synth.js';

const bytesOf = (name: keyof typeof publishedShapes, quant: keyof typeof usualQuants) =>
  tensorsOf(publishedShapes[name], quant).reduce((sum, { bytes }) => sum + bytes, 0);

describe('the size of a published model in a quantization', () => {
  // Sizes in GB on the pages of the files: TheBloke/meditron-7B-GGUF and -70B-GGUF; Q2_K of the 7B: QuantFactory/meditron-7b-GGUF, whose
  // mixture is today's. Of the bases of the others: bartowski/Qwen2.5-7B-Instruct-GGUF and gemma-2-9b-it-GGUF, mradermacher/gemma-3-27b-it-GGUF,
  // alibayram/erurollm-9b-instruct and zac/phi4-tools on ollama.com.
  test.each([
    ['meditron-7b', 'q8_0', 7.16],
    ['meditron-7b', 'q6_k', 5.53],
    ['meditron-7b', 'q5_k_m', 4.78],
    ['meditron-7b', 'q4_k_m', 4.08],
    ['meditron-7b', 'q3_k_m', 3.3],
    ['meditron-7b', 'q2_k', 2.53],
    ['meditron-70b', 'q5_k_m', 48.8],
    ['meditron-70b', 'q4_k_m', 41.4],
    ['meditron-70b', 'q3_k_m', 33.2],
    ['qwen2.5-7b', 'q4_k_m', 4.68],
    ['gemma2-9b', 'q8_0', 9.83],
    ['gemma2-9b', 'q5_k_m', 6.65],
    ['gemma2-9b', 'q4_k_m', 5.76],
    ['gemma2-9b', 'q3_k_m', 4.76],
    ['gemma2-9b', 'q2_k', 3.81],
    ['gemma3-27b', 'q8_0', 28.7],
    ['gemma3-27b', 'q6_k', 22.2],
    ['gemma3-27b', 'q5_k_m', 19.3],
    ['gemma3-27b', 'q4_k_m', 16.5],
    ['gemma3-27b', 'q3_k_m', 13.4],
    ['gemma3-27b', 'q2_k', 10.5],
    ['eurollm-9b', 'q4_k_m', 5.6],
    ['phi-4', 'q4_k_m', 9.1],
  ] as const)('%s in %s: %d GB', (name, quant, gigabytes) => {
    expect(Math.abs(bytesOf(name, quant) / 1e9 / gigabytes - 1)).toBeLessThan(0.005);
  });

  test('is that of the file that synth writes, less its header', async () => {
    for (const quant of ['q8_0', 'q6_k', 'q5_k_m', 'q4_k_m'] as const) {
      for (const shape of ['meditron-7b', 'meditron-70b'] as const) {
        const header = (await planModel({ shape, quant })).bytes - bytesOf(shape, quant);
        expect(header).toBeGreaterThan(0);
        expect(header).toBeLessThan(2e6); // the vocabulary
      }
    }
  });
});

describe('a published shape', () => {
  test.each(Object.entries(publishedShapes))(
    '%s is of an architecture that the engine loads, with a source',
    (_, shape: PublishedShape) => {
      expect(architectures.has(shape.architecture)).toBe(true);
      expect(shape.source).toMatch(/arXiv|config|card/);
      const { headSize, kvBytesPerToken } = reckonedOf(shape, []);
      expect([headSize % 32, shape.heads % shape.kvHeads]).toEqual([0, 0]);
      expect(kvBytesPerToken.f16).toBe(4 * shape.layers * shape.kvHeads * headSize);
    },
  );
});

describe('a name', () => {
  test('of a model whose prompt format is known has a shape, however it is written', () => {
    const names = [
      'Meditron-7B',
      'meditron-7b-chat',
      'meditron-70b',
      'Meditron3-8B',
      'Meditron3-70B',
      'Llama-3-8B-Meditron',
    ];
    names.push('Llama-3-Meditron-8B', 'llama-3.1-70b-meditron');
    const written = (name: string) => [name, name.toLowerCase(), `epfl-llm_${name}.Q4_K_M.gguf`];
    for (const name of names.flatMap(written)) {
      expect(formatForModel({ name }).model, name).toMatch(/MEDITRON/);
      expect(publishedShape(name), name).toBeDefined();
    }
    for (const name of publishedNames) expect(publishedShape(name)).toBeDefined();
    expect(publishedShape('EPFLiGHT/Meditron3-Qwen2.5-14B')!.heads).toBe(40);
    expect(publishedShape('Apertus-8B-MeditronFO.Q4_K_M.gguf')!.feedForward).toBe(21_504);
    expect(publishedShape('Gemma-3-27B-MeditronFO')!.tied).toBe(true);
    expect(publishedShape('EuroLLM-22B-MeditronFO')!.embedding).toBe(6144);
    expect(publishedShape('Meditron3-8B')!.kvHeads).toBe(8);
    expect(publishedShape('meditron-70b')!.layers).toBe(80);
  });

  test('that is not known has none', () => {
    fc.assert(
      fc.property(fc.string(), text => {
        expect(publishedShape(text)).toBeUndefined();
      }),
    );
    expect(publishedShape('Meditron3-Gemma2-27B')).toBeUndefined();
  });
});
