import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatForModel } from '../../src/models/known.js';
import { publishedNames, publishedShape, tensorsOf, type usualQuants } from '../../src/models/published.js';
import { publishedShapes } from '../../src/models/shapes.js';
import { planModel } from '../../src/synth/synth.js';

const bytesOf = (name: keyof typeof publishedShapes, quant: keyof typeof usualQuants) =>
  tensorsOf(publishedShapes[name], quant).reduce((sum, { bytes }) => sum + bytes, 0);

describe('the size of a published model in a quantization', () => {
  // Sizes in GB on the pages of the files: TheBloke/meditron-7B-GGUF and -70B-GGUF; Q2_K of the 7B: QuantFactory/meditron-7b-GGUF, whose
  // mixture is today's.
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
    expect(publishedShape('Meditron3-8B')!.kvHeads).toBe(8);
    expect(publishedShape('meditron-70b')!.layers).toBe(80);
  });

  test('that is not known has none', () => {
    fc.assert(
      fc.property(fc.string(), text => {
        expect(publishedShape(text)).toBeUndefined();
      }),
    );
    expect(publishedShape('meditron3-gemma2-9b')).toBeUndefined();
  });
});
