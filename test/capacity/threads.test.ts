import fc from 'fast-check';
import { expect, test } from 'vitest';
import { threadCounts } from '../../src/engine/capacity/threads.js';

const seven = { parameters: 6.74e9, layers: 32 };

test.each([
  ['on the CPU alone, all cores do both', seven, 0, 16, [16, 16]],
  ['with layers on both sides, too', seven, 20, 16, [16, 16]],
  ['where a GPU computes all layers, one computes and the others sample', seven, 33, 16, [1, 8]],
  ['however few there are', seven, 33, 2, [1, 2]],
  ['a small model has one', { parameters: 3e6, layers: 5 }, 0, 16, [1, 1]],
  ['a small model has one on a GPU, too', { parameters: 3e6, layers: 5 }, 6, 16, [1, 1]],
])('%s', (_, model, gpuLayers, cores, [computing, sampling]) => {
  expect(threadCounts(undefined, { ...model, gpuLayers }, cores)).toEqual({ computing, sampling });
});

test('what is given is met wherever there are the cores, and never more than those are used', () => {
  const models = fc.record({
    parameters: fc.integer({ min: 1 }),
    gpuLayers: fc.nat(100),
    layers: fc.option(fc.nat(99)),
  });
  fc.assert(
    fc.property(
      fc.option(fc.integer({ min: 1, max: 4096 }), { nil: undefined }),
      models,
      fc.integer({ min: 1, max: 256 }),
      (given, model, cores) => {
        const { computing, sampling } = threadCounts(given, model, cores);
        for (const threads of [computing, sampling]) expect(threads > 0 && threads <= cores).toBe(true);
        if (given !== undefined) expect([computing, sampling]).toEqual(Array(2).fill(Math.min(given, cores)));
      },
    ),
  );
});
