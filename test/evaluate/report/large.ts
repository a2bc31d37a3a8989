// Run as a process of its own by the tests, with little memory: writes results of many long questions, and their report.
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { htmlReport } from '../../../src/evaluate/report/html.js';
import { reportOf } from '../../../src/evaluate/report/report.js';
import { openEvaluation, readEvaluation } from '../../../src/evaluate/storage/evaluation.js';
import type { ResultRow } from '../../../src/evaluate/storage/rows.js';
import { runOf, storedOf } from '../run/items.js';

const [dir, count, size] = [process.argv[2]!, Number(process.argv[3]), Number(process.argv[4])];
const run = storedOf(runOf('cot', 1));
const results = await openEvaluation(
  dir,
  {
    ...{ kind: 'meditron-evaluation', version: 1, task: 'file', title: 'Large', partition: 'test', files: [] },
    ...{ questions: count, subject: [], model: 'none', runs: [run], notes: [] },
  },
  { resume: false },
);
for (let i = 0; i < count; i += 100) {
  await Promise.all(Array.from({ length: 100 }, (_, j) => results.append(rowOf(i + j))));
}
await results.close();

const report = await reportOf(await readEvaluation(dir));
let bytes = 0;
let longest = 0;
async function* measured(): AsyncGenerator<string> {
  for await (const piece of htmlReport(report, { mostListed: Infinity })) {
    bytes += piece.length;
    longest = Math.max(longest, piece.length);
    yield piece;
  }
}
await pipeline(Readable.from(measured()), createWriteStream(join(dir, 'report.html')));
const { accuracy } = report.runs[0]!.metrics;
console.log(JSON.stringify({ bytes, longest, n: accuracy!.n, correct: accuracy!.correct }));

function rowOf(i: number): ResultRow {
  const answer = i % 3 === 0 ? 'A' : 'B';
  const sample = {
    text: `The answer is: ${answer}`,
    finish: 'end',
    tokens: 5,
    logprob: -1,
    answer,
    rule: 'cue',
  } as const;
  return {
    ...{ id: `${run.key}/${i}`, run: run.key, item: String(i), kind: 'choice', options: ['x', 'y'], gold: 'A' },
    question: `Question ${i}: ${'words '.repeat(size / 6)}`,
    samples: [{ index: 0, seed: i, forced: false, ...sample }],
    ...{ planned: 1, ms: 1, latencyMs: 1, parallel: 1 },
  };
}
