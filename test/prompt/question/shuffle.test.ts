import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { letter } from '../../../src/prompt/question/question.js';
import {
  bellOrders,
  ordersOf,
  originalLetter,
  reordered,
  rotation,
  shownLetter,
  shuffles,
} from '../../../src/prompt/question/shuffle.js';

describe('orders', () => {
  // The orders of microsoft/promptbase.
  test.each([
    [4, ['0123', '1032', '1302', '3120', '3210']],
    [5, ['01234', '10324', '13042', '31402', '34120']],
    [3, ['012', '102', '120', '210', '201']],
    [2, ['01', '10', '01', '10', '01']],
  ])('bells with %i options', (options, expected) => {
    expect(bellOrders(options, 5).map(order => order.join(''))).toEqual(expected);
  });

  test('rotations put every option at every place once', () => {
    for (const place of [0, 1, 2, 3]) {
      expect([0, 1, 2, 3].map(by => rotation(4, by)[place]).sort()).toEqual([0, 1, 2, 3]);
    }
    expect(rotation(4, 1)).toEqual([1, 2, 3, 0]);
  });

  test('each is a permutation, one per seed, and repeats with the same seeds', () => {
    const arbitrary = [
      fc.constantFrom(...shuffles),
      fc.integer({ min: 2, max: 26 }),
      fc.array(fc.nat(), { maxLength: 12 }),
    ] as const;
    fc.assert(
      fc.property(...arbitrary, (shuffle, options, seeds) => {
        const orders = ordersOf(shuffle, options, seeds);
        expect(orders).toHaveLength(seeds.length);
        for (const order of orders) expect([...order].sort((a, b) => a - b)).toEqual([...Array(options).keys()]);
        expect(ordersOf(shuffle, options, seeds)).toEqual(orders);
      }),
    );
  });
});

describe('letters', () => {
  const question = { kind: 'choice', question: 'Q', options: ['w', 'x', 'y', 'z'], answer: 'B' } as const;

  test('the known answer moves with its option', () => {
    expect(reordered(question, [3, 1, 2, 0])).toMatchObject({ options: ['z', 'x', 'y', 'w'], answer: 'B' });
    expect(reordered(question, [1, 3, 0, 2])).toMatchObject({ options: ['x', 'z', 'w', 'y'], answer: 'A' });
  });

  test('mapping there and back is the identity', () => {
    for (const order of bellOrders(4, 8)) {
      for (const original of ['A', 'B', 'C', 'D']) {
        const shown = shownLetter(original, order);
        expect(originalLetter(shown, order)).toBe(original);
        const place = shown.charCodeAt(0) - 65;
        expect(reordered(question, order).options[place]).toBe(question.options[original.charCodeAt(0) - 65]);
        expect(letter(place)).toBe(shown);
      }
    }
  });

  test.each([[[0, 1, 2]], [[0, 1, 2, 2]], [[0, 1, 2, 4]]])('%j is no order of four options', order => {
    expect(() => reordered(question, order)).toThrow(/each of 0 to 3 once/);
  });
});
