import type { EvaluationReport, ListedRow, RunReport } from '../../../src/evaluate/report/types.js';
import { measure } from '../../../src/evaluate/score/measure.js';
import type { ReadRow } from '../../../src/evaluate/score/read.js';
import { runOf as askedOf, storedOf } from '../run/items.js';

/** Twelve questions with five votes each on options A to D; the answer is always A. One of them is a tie. */
const votes = [
  [[5, 0, 0, 0], 'A'],
  [[5, 0, 0, 0], 'A'],
  [[4, 1, 0, 0], 'A'],
  [[4, 0, 1, 0], 'A'],
  [[3, 2, 0, 0], 'B'],
  [[3, 1, 1, 0], 'A'],
  [[2, 2, 1, 0], 'B'],
  [[5, 0, 0, 0], 'B'],
  [[4, 1, 0, 0], 'A'],
  [[3, 2, 0, 0], 'A'],
  [[2, 1, 1, 1], 'D'],
  [[3, 1, 0, 1], 'A'],
] as const;

export const twelve: readonly ReadRow[] = votes.map(([counts, gold], i) => ({
  id: `item-${i + 1}`,
  question: `Question ${i + 1}?`,
  options: ['one', 'two', 'three', 'four'],
  gold,
  subject: i < 6 ? 'first half' : 'second half',
  mode: 'sc-cot',
  protocol: 'strict',
  samples: counts.flatMap((count, j) =>
    Array.from({ length: count }, () => ({
      text: `The answer is: ${'ABCD'[j]}`,
      answer: 'ABCD'[j]!,
      tokens: 10,
      finish: 'stop',
    })),
  ),
  votes: counts.flatMap((count, j) => (count > 0 ? [{ answer: 'ABCD'[j]!, count }] : [])),
  answer: 'A',
  decision: counts[0] >= 4 ? 'agree' : 'split',
  tie: counts[0] === counts[1],
  correct: gold === 'A',
  ms: 1000,
  promptTokens: 100,
}));

const none = { count: 0, of: 0 };

export function runOf(name: string, rows: readonly ReadRow[]): RunReport & { outcomes: readonly ReadRow[] } {
  return {
    name,
    run: storedOf(askedOf('sc-cot', 5)),
    facts: [{ name: 'model', value: 'tiny.gguf' }],
    metrics: measure(rows),
    pool: { earlyStops: none, forcedSamples: none, cut: none, totalMs: 0 },
    references: [],
    standIn: { count: 0, of: rows.length },
    outcomes: rows,
  };
}

export function reportOf(runs: readonly ReturnType<typeof runOf>[]): EvaluationReport {
  return {
    ...{
      title: 'Twelve questions',
      created: '2024-02-03T04:05:06.789Z',
      notes: ['a note'],
      incidents: [],
      runs,
      comparisons: [],
    },
    async *rows(): AsyncGenerator<ListedRow> {
      for (const [run, { outcomes }] of runs.entries()) for (const row of outcomes) yield { ...row, run };
    },
  };
}
