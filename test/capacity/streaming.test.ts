import fc from 'fast-check';
import { expect, test } from 'vitest';
import { outlookOf } from '../../src/engine/capacity/outlook.js';
import { streaming } from '../../src/engine/capacity/streaming.js';
import { reckonedOf, tensorsOf, usualQuants } from '../../src/models/published.js';
import { publishedShapes } from '../../src/models/shapes.js';

const GB = 1e9;

test('a model that fits as it was reckoned is never read from the disk at every step', () => {
  const shapes = Object.values(publishedShapes);
  const quants = Object.keys(usualQuants) as (keyof typeof usualQuants)[];
  fc.assert(
    fc.property(
      fc.constantFrom(...shapes),
      fc.constantFrom(...quants),
      fc.double({ min: GB, max: 100 * GB, noNaN: true }),
      (shape, quant, available) => {
        const model = reckonedOf(shape, tensorsOf(shape, quant));
        const { fits, memoryBytes } = outlookOf(model, available, 4);
        if (fits === 'no') return;
        expect(streaming(model.sizeBytes, memoryBytes - model.sizeBytes, available)).toBeUndefined();
      },
    ),
    { numRuns: 500 },
  );
});

test('of one that does not fit, what memory leaves stays', () => {
  expect(streaming(41 * GB, 2 * GB, 24 * GB)).toEqual({ stayBytes: 19 * GB });
  expect(streaming(41 * GB, 2 * GB, 4 * GB)).toEqual({ stayBytes: 0 });
});

test('a 7B in Q4_K_M on a machine of 8 GB stays in memory with a cache of a gigabyte', () => {
  expect(streaming(4.08 * GB, 1.3 * GB, 5.6 * GB)).toBeUndefined();
});
