import { measure } from '../../../src/evaluate/report/measure.js';
import type { EvaluationReport, ReportRow, RunReport } from '../../../src/evaluate/report/types.js';

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

export const twelve: readonly ReportRow[] = votes.map(([counts, gold], i) => ({
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

export function runOf(name: string, rows: readonly ReportRow[]): RunReport {
  return { name, facts: [{ name: 'model', value: 'tiny.gguf' }], metrics: measure(rows), references: [], rows };
}

export function reportOf(runs: readonly RunReport[]): EvaluationReport {
  return { title: 'Twelve questions', created: '2024-02-03T04:05:06.789Z', notes: ['a note'], runs };
}
