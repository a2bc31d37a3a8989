import { MeditronError } from '../../check/errors.js';
import { integer } from '../../check/options.js';
import { authorsSeeds } from '../../prompt/format/demonstration.js';
import { permutation } from '../../random/numpy.js';
import type { Item, TaskSet } from './task.js';

export interface Demonstrations {
  readonly items: readonly Item[];
  /** Row numbers in the training part, from 0. */
  readonly indices: readonly number[];
  readonly seed: number;
  /** True if these are the very demonstrations of the authors' run with this seed. */
  readonly authors: boolean;
  /** How they were chosen, for the report. */
  readonly note: string;
}

/**
 * The first `count` questions of `train` after the authors' shuffle, `train.shuffle(seed).select(range(count))`; the same
 * ones serve every question of a run. The shuffle is numpy's, so for MedQA, MedMCQA and PubMedQA (fold 0) these are the
 * authors' own demonstrations. For MMLU give the dev part: the authors' order over it is not known. Questions without an
 * answer, and questions that are also in `exclude` (the evaluated ones), are refused or passed over.
 */
export function demonstrationsFrom(
  train: TaskSet,
  count: number,
  seed = 1234,
  exclude: readonly Item[] = [],
): Demonstrations {
  integer('shots', count, 0, 32);
  integer('shotSeed', seed, 0, 2 ** 32 - 1);
  const evaluated = new Set(exclude.map(item => item.question));
  const order = permutation(train.items.length, seed);
  const indices: number[] = [];
  for (const index of order) {
    if (indices.length === count) break;
    const item = train.items[index]!;
    if (item.gold === undefined)
      throw new MeditronError('ERR_INPUT', `Question "${item.id}" has no answer: it cannot be a demonstration`);
    if (!evaluated.has(item.question)) indices.push(index);
  }
  if (indices.length < count) {
    const message = `Expected at least ${count} questions for demonstrations in the ${train.partition} part of ${train.task}, got ${indices.length}`;
    throw new MeditronError('ERR_INPUT', message);
  }
  const straight = indices.every((index, i) => index === order[i]);
  const complete = authorRows[train.task] === train.items.length && train.partition === 'train';
  const authors = complete && straight && (authorsSeeds as readonly number[]).includes(seed);
  const from = `rows ${indices.join(', ')} of ${train.items.length} (${train.task}, ${train.partition}), seed ${seed}`;
  return {
    items: indices.map(index => train.items[index]!),
    indices,
    seed,
    authors,
    note: count === 0 ? 'no demonstrations' : `${from}${authors ? ", the authors' own" : ''}`,
  };
}

const authorRows: Partial<Record<TaskSet['task'], number>> = {
  medqa: 10_178,
  medqa4: 10_178,
  medmcqa: 182_822,
  pubmedqa: 450,
};
