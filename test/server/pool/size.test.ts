import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sharedCells } from '../../../src/server/pool/size.js';

/** A 7B: half a megabyte a cell. */
const llama = {
  layers: 32,
  embedding: 4096,
  heads: 32,
  feedForward: 11_008,
  contextLength: 2048,
  vocabulary: { size: 32_000 },
  kvBytesPerToken: { f32: 1 << 20, f16: 1 << 19, q8_0: (1 << 19) * 0.53125 },
  gpuLayers: 0,
  layersOf: [],
};

test.each([
  ['room for every sequence', 2048, 16, 64e9, 32_768],
  ['half of what is free', 2048, 16, 8e9, 7424],
  ['one long sequence at least', 8192, 1, 64e9, 8192],
  ['the usual length of a model that was trained on more', 131_072, 16, 640e9, 32_768],
  ['what a small model was trained on', 512, 16, 64e9, 8192],
  ['the least there is', 2048, 16, 1e6, 256],
])('%s', (_, contextLength, sequences, free, cells) => {
  expect(sharedCells({ ...llama, contextLength }, sequences, 'f16', free, [])).toBe(cells);
});

test('it never takes more than half of the memory, unless that is less than the least there is', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 256 }), fc.double({ min: 0, max: 1e12, noNaN: true }), (sequences, free) => {
      const cells = sharedCells(llama, sequences, 'f16', free, []);
      expect(cells === 256 || cells * (1 << 19) <= free / 2).toBe(true);
      expect(cells).toBeGreaterThanOrEqual(256);
    }),
  );
});
