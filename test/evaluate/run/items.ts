import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkAsk } from '../../../src/ask/options.js';
import type { EvaluatedMode, Run } from '../../../src/evaluate/run/runs.js';
import { readEvaluation } from '../../../src/evaluate/storage/evaluation.js';
import { type Journal, openJournal } from '../../../src/evaluate/storage/journal.js';
import type { ResultRow } from '../../../src/evaluate/storage/rows.js';
import type { StoredRun } from '../../../src/evaluate/storage/types.js';
import { questionOf } from '../../../src/evaluate/tasks/question.js';
import type { Item, TaskSet } from '../../../src/evaluate/tasks/task.js';

/** Questions with four options whose right answers are A, B, C, D in turn. */
export const itemsOf = (count: number): Item[] =>
  Array.from({ length: count }, (_, i) => ({
    id: `item-${i}`,
    question: `Which option is number ${i}?`,
    options: ['first', 'second', 'third', 'fourth'],
    gold: i % 4,
  }));

export const setOf = (items: readonly Item[]): TaskSet => ({
  task: 'file',
  partition: 'test',
  items,
  notes: [],
  files: [{ path: 'questions.jsonl', bytes: 1, sha256: '00' }],
});

export function runOf(mode: EvaluatedMode, samples: number, more: object = {}): Run {
  const sampled = mode === 'sc-cot' ? { samples } : {};
  const options = { mode, format: 'raw', stop: 'none', reask: false, hash: false, ...sampled, ...more } as const;
  return {
    key: mode,
    name: mode,
    mode,
    options,
    ask: checkAsk(questionOf(itemsOf(1)[0]!), options),
    demonstrations: undefined,
  };
}

/** As the results file describes it. */
export function storedOf(run: Run): StoredRun {
  const { protocol, samples, temperature, topP, topK, frequencyPenalty, seed, stop, weighting, bos } = run.ask;
  const { key, name, mode } = run;
  return {
    ...{ key, name, mode, protocol, samples, temperature, topP, topK, frequencyPenalty, seed, stop, weighting, bos },
    ...{ maxTokens: null, format: 'raw', task: 'mcq', stops: ['###'], shots: 0, demonstrations: null, layout: null },
  };
}

export const emptyFolder = (): string => mkdtempSync(join(tmpdir(), 'meditron-eval-'));

export const emptyStore = (dir = emptyFolder()): Promise<Journal<ResultRow>> =>
  openJournal<ResultRow>(dir, { test: true }, { resume: true, check: value => value as ResultRow });

/** What a results folder holds, all of it in memory. */
export async function storedIn(dir: string) {
  const { config, rows } = await readEvaluation(dir);
  return { config, rows: await collected(rows()) };
}

export async function collected<T>(values: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const value of values) list.push(value);
  return list;
}

export const rowsOf = (store: Journal<ResultRow>): Promise<ResultRow[]> => collected(store.rows());
