import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  expectedSteps,
  fastestWidth,
  stepSeconds,
  widthsFor,
  widthsToMeasure,
} from '../../src/engine/capacity/width.js';

/** Milliseconds of a step of 1, 4, 5, 8 and 10 samples of a 7B in Q4_K_M, on two processors. */
const rearranged = new Map([
  [1, 148],
  [4, 389],
  [5, 510],
  [8, 774],
  [10, 1015],
]);
const tiled = new Map([
  [1, 280],
  [4, 488],
  [5, 515],
  [8, 625],
  [10, 690],
]);

test('where a fifth sample costs as much as a pass over the weights four run at once; where it costs little, all', () => {
  expect([5, 10].map(samples => fastestWidth(rearranged, samples, 4))).toEqual([4, 4]);
  expect([5, 10].map(samples => fastestWidth(tiled, samples, 4))).toEqual([5, 10]);
});

test('what was not measured is not chosen, and what gains little is not', () => {
  expect(fastestWidth(new Map([...tiled].slice(0, 4)), 10, 4)).toBe(8);
  const barely = Array.from({ length: 100 }, (_, i) => new Map([...tiled, [5, 515 + 2 * i]])).find(
    times => expectedSteps(times, 5, 5) > 0.97 * expectedSteps(times, 5, 4),
  )!;
  expect(expectedSteps(barely, 5, 5)).toBeLessThan(expectedSteps(barely, 5, 4));
  expect(fastestWidth(barely, 5, 4)).toBe(4);
});

test('a step between two that were measured lies on the line between them, and beyond on the last', () => {
  expect([1, 2, 3, 4, 9].map(samples => stepSeconds(new Map([[1, 10], [3, 20], [4, 40]]), samples))).toEqual([10, 15, 20, 40, 140]); // biome-ignore format: a table
  expect(stepSeconds(new Map([[2, 6]]), 4)).toBe(12);
});

test('samples in a row take their lengths one after the other until the vote is decided', () => {
  // Each alone, at one second a token: between three and five chains of mean length 1.
  const alone = expectedSteps(new Map([[1, 1]]), 5, 1);
  expect(alone).toBeGreaterThan(3);
  expect(alone).toBeLessThan(5);
  // At no cost for company all at once take as long as the third of five that agree, or the longest.
  const together = expectedSteps(new Map([1, 5].map(samples => [samples, 1])), 5, 5);
  expect(together).toBeGreaterThan(0.9);
  expect(together).toBeLessThan(1.6);
});

test('under the measured times the choice is expected to be no slower than the usual number', () => {
  const samples = fc.integer({ min: 5, max: 24 });
  const steps = fc.array(fc.double({ min: 1e-4, max: 100, noNaN: true }), { minLength: 4, maxLength: 4 });
  fc.assert(
    fc.property(samples, steps, (count, seconds) => {
      const times = new Map(widthsToMeasure(count, 4).map((width, i) => [width, seconds[i]!]));
      const width = fastestWidth(times, count, 4);
      expect(widthsFor(count, 4)).toContain(width);
      expect(expectedSteps(times, count, width)).toBeLessThanOrEqual(expectedSteps(times, count, 4));
      expect(fastestWidth(times, count, 4)).toBe(width);
    }),
    { numRuns: 60 },
  );
});

test('times in any unit decide the same', () => {
  const scaled = (factor: number) => new Map([...tiled].map(([width, time]) => [width, time * factor]));
  for (const factor of [1e-6, 1e-3, 7]) expect(fastestWidth(scaled(factor), 10, 4)).toBe(10);
});
