// What the model that ships can do: the three modes on fresh held-out questions, by the commands a user has.
// Usage: npm run bench:mini -- --seed 20261126 [--count 2000] [--samples 5] [--model FILE] [--against RESULT] [--out FILE]
//        [--protocol NAME] [--format NAME]
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type ClinicalQuestion, type Letter, letters } from '../src/clinical/question.js';
import { clinicalQuestions } from '../src/clinical/questions.js';
import type { Accuracy } from '../src/evaluate/score/statistics.js';
import { hashFile } from '../src/models/hash.js';
import { machine } from './machine.js';

interface Measured {
  readonly runs: readonly {
    readonly mode: string;
    readonly metrics: {
      readonly accuracy: Accuracy;
      readonly bySamples?: readonly Accuracy[];
      readonly bySubject: readonly { readonly subject: string; readonly accuracy: Accuracy }[];
      readonly unparsed: unknown;
      readonly ties: unknown;
      readonly totalMs: number;
    };
  }[];
  readonly comparisons: readonly unknown[];
}

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    count: { type: 'string', default: '2000' },
    samples: { type: 'string', default: '5' },
    protocol: { type: 'string', default: 'strict' },
    format: { type: 'string' },
    model: { type: 'string', default: 'models/meditron-mini.gguf' },
    against: { type: 'string' },
    out: { type: 'string' },
  },
});
const { seed, count, samples } = values;
if (seed === undefined) throw new Error('Give a seed for the questions: --seed N');
const root = fileURLToPath(new URL('..', import.meta.url));
const model = resolve(values.model);
const folder = mkdtempSync(join(tmpdir(), 'meditron-mini-'));

try {
  const questions = join(folder, 'clinical.jsonl');
  const results = join(folder, 'results');
  const write = ['--import', 'tsx', 'scripts/questions.ts', '--seed', seed, '--count', count, '--out', questions];
  execFileSync(process.execPath, write, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  const asked = ['eval', '--task', 'clinical', '--data', folder, '-m', model];
  const options = ['--mode', 'top-token,cot,sc-cot', '--samples', samples, '--temperature', '0.8', '--seed', seed];
  options.push('--protocol', values.protocol);
  if (values.format !== undefined) options.push('--format', values.format);
  const before = await machine();
  const printed = execFileSync(
    process.execPath,
    ['bin/meditron.js', ...asked, ...options, '--out', results, '--json'],
    { cwd: root, stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8', maxBuffer: 1 << 28 },
  );
  const { runs, comparisons } = JSON.parse(printed) as Measured;
  const of = (mode: string) => runs.find(run => run.mode === mode)!.metrics;
  const figures: Record<string, Accuracy> = {
    'top-token': of('top-token').accuracy,
    'CoT, greedy': of('cot').accuracy,
    'one chain at 0.8': of('sc-cot').bySamples![0]!,
    [`SC-CoT, ${samples} at 0.8`]: of('sc-cot').accuracy,
  };
  const report = {
    what: `the model that ships, asked ${count} held-out clinical-score questions; intervals are 95 % Wilson`,
    machine: before,
    model: { file: basename(model), bytes: statSync(model).size, sha256: await hashFile(model) },
    questions: { seed: Number(seed), count: Number(count), split: 'held-out', sha256: await hashFile(questions) },
    command: `meditron eval --task clinical --data FOLDER ${options.join(' ')}`,
    figures,
    mostFrequentTotal: guessed(questions),
    paired: comparisons,
    byScore: Object.fromEntries(runs.map(({ mode, metrics }) => [mode, metrics.bySubject])),
    unparsed: Object.fromEntries(runs.map(({ mode, metrics }) => [mode, metrics.unparsed])),
    ties: of('sc-cot').ties,
    seconds: Object.fromEntries(runs.map(({ mode, metrics }) => [mode, Math.round(metrics.totalMs / 1000)])),
  };
  if (values.out) writeFileSync(values.out, `${JSON.stringify(report, null, 2)}\n`);
  else console.log(JSON.stringify(report, null, 2));
  for (const [name, figure] of Object.entries(figures)) console.error(`${name.padEnd(18)} ${shown(figure)}`);
  if (values.against) compare(figures, values.against);
} finally {
  rmSync(folder, { recursive: true });
}

/** The same figures of an earlier result, and whether the intervals of both meet. */
function compare(figures: Readonly<Record<string, Accuracy>>, path: string): void {
  const earlier = JSON.parse(readFileSync(path, 'utf8')) as { figures: Record<string, Accuracy> };
  console.error(`\nin ${path}:`);
  for (const [name, now] of Object.entries(figures)) {
    const then = earlier.figures[name];
    if (!then) continue;
    const meet = now.wilson.low <= then.wilson.high && then.wilson.low <= now.wilson.high;
    console.error(`${name.padEnd(18)} ${shown(then)}  ${meet ? 'the intervals meet' : 'THE INTERVALS ARE APART'}`);
  }
}

/** What someone reaches who only knows how often each total occurs, counted on 12,000 training questions. */
function guessed(path: string): { correct: number; n: number } {
  const often = new Map<string, number>();
  const known = ({ score }: ClinicalQuestion, total: string) => `${score} ${total}`;
  for (const question of clinicalQuestions({ seed: 1, count: 12_000, split: 'train' })) {
    const key = known(question, question.options[question.answer]);
    often.set(key, (often.get(key) ?? 0) + 1);
  }
  const asked = readFileSync(path, 'utf8').trimEnd().split('\n');
  const right = asked.filter(line => {
    const question = JSON.parse(line) as ClinicalQuestion;
    const frequency = (letter: Letter) => often.get(known(question, question.options[letter])) ?? 0;
    return letters.every(letter => frequency(letter) <= frequency(question.answer));
  });
  return { correct: right.length, n: asked.length };
}

function shown({ correct, n, accuracy, wilson }: Accuracy): string {
  const percent = (share: number) => (100 * share).toFixed(1);
  return `${correct} of ${n}, ${percent(accuracy)} % (${percent(wilson.low)} to ${percent(wilson.high)})`;
}
