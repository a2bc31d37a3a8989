import { describe, expect, test } from 'vitest';
import { chooseDemonstrations, demonstrationIndices } from '../../src/prompt/format/demonstration.js';
import type { OpenQuestion } from '../../src/prompt/question/question.js';
import { permutation } from '../../src/random/numpy.js';

describe('permutation', () => {
  // What numpy 2.4.6 prints for default_rng(seed).permutation(n).
  test.each([
    [5, 1234, [0, 4, 1, 3, 2]],
    [45, 32, [16, 10, 21, 37, 13, 6, 0, 11]],
    [817, 432, [620, 10, 517, 548, 670, 21, 114, 94]],
    [1, 0, [0]],
    [0, 0, []],
  ])('%i rows with seed %i are in the order of numpy', (n, seed, first) => {
    expect([...permutation(n, seed)].slice(0, first.length)).toEqual(first);
  });

  test('every number occurs once', () => {
    expect([...permutation(1000, 7)].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
  });

  test.each([-1, 1.5, 2 ** 32, Number.NaN])('the seed %d is refused', seed => {
    expect(() => permutation(3, seed)).toThrow(/`seed`/);
  });
});

describe("the authors' demonstrations", () => {
  // The first rows of train.shuffle(seed) for the splits of the paper: MedQA, MedMCQA, PubMedQA fold 0.
  test.each([
    [10178, 1234, [6076, 9946, 8886, 7142, 3319]],
    [10178, 432, [5489, 1907, 7258, 9591, 3553]],
    [10178, 32, [6199, 5939, 7913, 5290, 203]],
    [182822, 1234, [10581, 129469, 139388, 98220, 78450]],
    [182822, 432, [117639, 146176, 64800, 121133, 20601]],
    [182822, 32, [95713, 106315, 158701, 61040, 2771]],
    [450, 1234, [426, 287, 97, 238, 303]],
    [450, 432, [232, 35, 222, 0, 367]],
    [450, 32, [43, 376, 159, 225, 327]],
  ])('of %i rows with seed %i', (rows, seed, indices) => {
    expect(demonstrationIndices(rows, 5, seed)).toEqual(indices);
  });

  test('a drawn question without a known answer is refused', () => {
    const pool: OpenQuestion[] = [{ kind: 'open', question: 'x' }];
    expect(() => chooseDemonstrations(pool, 1, 0)).toThrow(/known answer/);
    expect(() => chooseDemonstrations(pool, 2, 0)).toThrow(/`shots`/);
    expect(chooseDemonstrations([{ ...pool[0]!, answer: 'y' }], 1, 0)).toMatchObject([{ answer: 'y' }]);
  });
});
