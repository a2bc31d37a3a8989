import { expect, test } from 'vitest';
import { demonstrationsFrom } from '../../../src/evaluate/tasks/demonstrations.js';
import type { TaskName, TaskSet } from '../../../src/evaluate/tasks/task.js';
import { permutation } from '../../../src/random/numpy.js';

function train(task: TaskName, rows: number): TaskSet {
  const items = Array.from({ length: rows }, (_, i) => ({
    id: `${i}`,
    question: `Question ${i}?`,
    gold: 0,
    options: ['a', 'b'],
  }));
  return { task, partition: 'train', items, notes: [], files: [] };
}

// `datasets` 2.x: train.shuffle(seed).select(range(5)) on splits of these sizes.
test.each([
  ['medqa', 10_178, 1234, [6076, 9946, 8886, 7142, 3319]],
  ['medqa', 10_178, 432, [5489, 1907, 7258, 9591, 3553]],
  ['medqa4', 10_178, 32, [6199, 5939, 7913, 5290, 203]],
  ['medmcqa', 182_822, 1234, [10581, 129469, 139388, 98220, 78450]],
  ['medmcqa', 182_822, 432, [117639, 146176, 64800, 121133, 20601]],
  ['medmcqa', 182_822, 32, [95713, 106315, 158701, 61040, 2771]],
  ['pubmedqa', 450, 1234, [426, 287, 97, 238, 303]],
  ['pubmedqa', 450, 432, [232, 35, 222, 0, 367]],
  ['pubmedqa', 450, 32, [43, 376, 159, 225, 327]],
] as const)('%s of %d rows, seed %d: the authors’ demonstrations', (task, rows, seed, indices) => {
  const chosen = demonstrationsFrom(train(task, rows), 5, seed);
  expect(chosen.indices).toEqual(indices);
  expect(chosen.items.map(item => item.id)).toEqual(indices.map(String));
  expect(chosen.authors).toBe(true);
});

// numpy 1.24.2: default_rng(7).permutation(12), default_rng([3, 5, 1]).permutation(8), default_rng(2**32 - 1).permutation(5)
test.each([
  [12, 7, [4, 6, 10, 0, 1, 3, 8, 7, 2, 5, 9, 11]],
  [8, [3, 5, 1], [6, 3, 7, 4, 1, 0, 2, 5]],
  [5, 2 ** 32 - 1, [0, 4, 3, 2, 1]],
  [1, 0, [0]],
  [0, 0, []],
] as const)('permutation of %d with seed %j is numpy’s', (n, seed, order) => {
  expect([...permutation(n, seed)]).toEqual(order);
});

test('an incomplete training part still gives seeded demonstrations, which are not called the authors’', () => {
  const chosen = demonstrationsFrom(train('medqa', 100), 3);
  expect(chosen).toMatchObject({ authors: false, seed: 1234 });
  expect(demonstrationsFrom(train('medqa', 100), 3).indices).toEqual(chosen.indices);
  expect(demonstrationsFrom(train('medqa', 100), 3, 7).indices).not.toEqual(chosen.indices);
});

test('a question that is evaluated is never shown with its answer', () => {
  const set = train('pubmedqa', 450);
  const chosen = demonstrationsFrom(set, 3, 1234, [set.items[287]!]);
  expect(chosen.indices).toEqual([426, 97, 238]);
  expect(chosen.authors).toBe(false);
});

test('too few questions, and questions without an answer, are refused', () => {
  expect(() => demonstrationsFrom(train('medqa', 2), 3)).toThrow(/at least 3 questions/);
  const open: TaskSet = { ...train('medicationqa', 0), items: [{ id: 'x', question: 'Why?' }] };
  expect(() => demonstrationsFrom(open, 1)).toThrow(/"x" has no answer/);
});
