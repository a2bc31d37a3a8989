import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkAsk } from '../../../src/ask/options.js';
import type { EvaluatedMode, Run } from '../../../src/evaluate/run/runs.js';
import type { ResultRow } from '../../../src/evaluate/storage/rows.js';
import { openStore, type Store } from '../../../src/evaluate/storage/store.js';
import type { StoredRun } from '../../../src/evaluate/storage/stored.js';
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
    ...{ maxTokens: null, format: 'raw', task: 'mcq', stops: ['###'], shots: 0, demonstrations: null },
  };
}

export const emptyFolder = (): string => mkdtempSync(join(tmpdir(), 'meditron-eval-'));

export const emptyStore = (dir = emptyFolder()): Promise<Store<ResultRow>> =>
  openStore<ResultRow>(dir, { test: true }, { resume: true });

export async function rowsOf(store: Store<ResultRow>): Promise<ResultRow[]> {
  const rows: ResultRow[] = [];
  for await (const row of store.rows()) rows.push(row);
  return rows;
}
