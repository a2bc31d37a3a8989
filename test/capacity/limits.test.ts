import fc from 'fast-check';
import { expect, test } from 'vitest';
import { limitOf } from '../../src/engine/capacity/limits.js';

const share = fc.double({ min: 0, max: 1, noNaN: true });
const work = fc.record({ readingShare: share, threadsGain: fc.double({ min: 0.5, max: 64, noNaN: true }) });

test('what does not fit is held back by memory, whatever else is slow', () => {
  fc.assert(
    fc.property(work, share, (each, processorShare) => {
      expect(limitOf(each, { fits: false, processorShare })).toBe('memory size');
    }),
  );
});

test('a processor that computes for others is named before what it would be limited by alone', () => {
  fc.assert(
    fc.property(work, fc.double({ min: 0, max: 0.84, noNaN: true }), (each, processorShare) => {
      expect(limitOf(each, { fits: true, processorShare })).toBe('other programs');
    }),
  );
});

test('an idle machine is held back by memory where reading takes most of the time, and else by its cores', () => {
  const idle = { fits: true, processorShare: 0.98 };
  expect(limitOf({ readingShare: 0.95, threadsGain: 1.2 }, idle)).toBe('memory bandwidth');
  expect(limitOf({ readingShare: 0.2, threadsGain: 1.9 }, idle)).toBe('cores');
});
