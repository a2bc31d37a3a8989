import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createProgram } from '../../src/cli/program.js';
import { exitCodeOf } from '../../src/cli/terminal/exit.js';
import { lines } from '../../src/cli/terminal/progress.js';
import { clinicalQuestions } from '../../src/clinical/questions.js';
import { storedIn } from '../evaluate/run/items.js';
import { completion, fakeServer } from '../evaluate/run/server.js';
import { interruptedAfter, meditron, model } from './command.js';

const folder = mkdtempSync(join(tmpdir(), 'meditron-eval-cli-'));
const questions = join(folder, 'questions.jsonl');
writeFileSync(questions, [...clinicalQuestions({ seed: 3, count: 12 })].map(q => `${JSON.stringify(q)}\n`).join(''));

/** A model that tells stories: its answers are nothing but a way through the program. */
const small = ['-m', model, '--format', 'raw', '--max-tokens', '16', '--threads', '1'];
const evalFile = (out: string, ...more: string[]) => [
  'eval',
  '--file',
  questions,
  '--out',
  join(folder, out),
  ...small,
  ...more,
];

/** The command without a process of its own: what it prints, and the error it would end with. */
async function inProcess(args: readonly string[]): Promise<{ code: number; stdout: string; message: string }> {
  let stdout = '';
  const out = vi.spyOn(process.stdout, 'write').mockImplementation(text => {
    stdout += text;
    return true;
  });
  const err = vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
  try {
    await (await createProgram()).parseAsync([...args], { from: 'user' });
    return { code: 0, stdout, message: '' };
  } catch (error) {
    return { code: exitCodeOf(error), stdout, message: (error as Error).message };
  } finally {
    out.mockRestore();
    err.mockRestore();
  }
}

test('--json prints the metrics of all modes as one object, and the folder holds rows, report and page', async () => {
  const args = evalFile(
    'three',
    '--mode',
    'top-token,cot,sc-cot',
    '--samples',
    '3',
    '--limit',
    '4',
    '--seed',
    '9',
    '--json',
  );
  const { code, stdout, stderr } = await meditron(args);
  expect([code, stdout.trimEnd().split('\n').length]).toEqual([0, 1]);
  const printed = JSON.parse(stdout);
  const metrics = { items: 4, accuracy: { n: 4, correct: expect.any(Number), wilson: { low: expect.any(Number) } } };
  expect(printed).toMatchObject({
    complete: true,
    runs: [
      { mode: 'top-token', samples: 1, metrics },
      { mode: 'cot', samples: 1, temperature: 0, metrics },
      { mode: 'sc-cot', samples: 3, temperature: 0.8, seed: 9, metrics: { ...metrics, bySamples: [{}, {}, {}] } },
    ],
    comparisons: [{}, {}, {}, {}],
  });
  expect(JSON.parse(readFileSync(join(folder, 'three', 'report.json'), 'utf8'))).toEqual(printed);
  expect(readFileSync(join(folder, 'three', 'report.html'), 'utf8')).toMatch(
    /^<!doctype html>[\s\S]*SC-CoT, 3 samples/,
  );
  expect((await storedIn(join(folder, 'three'))).rows).toHaveLength(12);
  expect(stderr).toBe('');

  const again = await inProcess(evalFile('three', '--mode', 'cot'));
  expect([again.code, again.message]).toEqual([3, expect.stringMatching(/already holds the results of a run/)]);
  const more = ['--samples', '5', '--limit', '4', '--seed', '9', '--resume'];
  const other = await inProcess(evalFile('three', '--mode', 'top-token,cot,sc-cot', ...more));
  expect([other.code, other.message]).toEqual([
    2,
    expect.stringMatching(/another configuration[\s\S]*runs\.sc-cot\.samples: 3 there, 5 now/),
  ]);

  const [dir, page] = [join(folder, 'three'), join(folder, 'page.html')];
  const one = await inProcess(['eval', '--rescore', dir, '--samples', '1', '--protocol', 'authors-code', '--json']);
  expect(JSON.parse(one.stdout).runs.map((run: { name: string }) => run.name)).toEqual([
    'CoT, read as authors-code',
    'one sampled CoT, read as authors-code',
  ]);
  const compared = await inProcess(['eval', '--compare', dir, dir, '--html', page]);
  expect(compared.stdout).toMatch(/Paired comparison[\s\S]*0\.0 points[\s\S]*McNemar p = 1\.000/);
  expect(existsSync(page)).toBe(true);
});

test('Ctrl-C keeps the rows that are finished, prints what there is, says how to go on, and ends with 130', async () => {
  const out = join(folder, 'interrupted');
  const args = evalFile('interrupted', '--mode', 'cot', '--parallel', '1', '--json');
  const { code, stdout, stderr } = await meditron(args, '', interruptedAfter(4));
  expect(code).toBe(130);
  const kept = readFileSync(join(out, 'results.jsonl'), 'utf8').split('\n').length - 2;
  expect(kept).toBeGreaterThanOrEqual(3);
  expect(kept).toBeLessThan(12);
  expect(JSON.parse(stdout)).toMatchObject({ complete: false, runs: [{ metrics: { items: kept } }] });
  expect(JSON.parse(stderr).error).toEqual({
    code: 'ERR_ABORTED',
    message: `Interrupted: ${kept} rows are in ${out}; the same command with --resume goes on behind them`,
  });
  const resumed = await meditron([...args, '--resume']);
  expect([resumed.code, JSON.parse(resumed.stdout).runs[0].metrics.items]).toEqual([0, 12]);
  expect(resumed.stderr).toBe('');
});

test('an endpoint is asked with the key of the environment, which is written nowhere', async () => {
  await using server = await fakeServer(() => ({ body: completion('So.\nThe answer is: B') }));
  process.env.MEDITRON_TEST_KEY = 'secret-key';
  const args = [
    'eval',
    '--file',
    questions,
    '--limit',
    '3',
    '--mode',
    'cot',
    '--format',
    'raw',
    '--out',
    join(folder, 'remote'),
  ];
  const { code, stdout } = await meditron([...args, '--endpoint', server.url, '--api-key-env', 'MEDITRON_TEST_KEY']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/tiny at http:/);
  expect(server.asked.map(({ headers }) => headers.authorization)).toEqual(Array(3).fill('Bearer secret-key'));
  for (const file of ['results.jsonl', 'report.json', 'report.html'])
    expect(readFileSync(join(folder, 'remote', file), 'utf8')).not.toContain('secret-key');
});

test.each([
  [['eval'], 2, /Expected --out DIR/],
  [['eval', '--out', 'x'], 2, /Expected --task NAME or --file FILE/],
  [['eval', '--task', 'medqa', '--file', 'x', '--out', 'x'], 2, /Expected --task NAME or --file FILE/],
  [['eval', '--task', 'medqa', '--data', folder, '--out', 'x'], 3, /What to download, and where to put it/],
  [['eval', '--file', questions, '--out', 'x', '--mode', 'cot,toptoken'], 2, /did you mean top-token/],
  [['eval', '--rescore', folder, '--out', 'x'], 2, /--out has no meaning with stored results/],
  [['eval', '--rescore', folder], 3, /Cannot read .*results\.jsonl/],
  [['eval', '--compare', folder], 2, /two folders/],
  [
    ['eval', '--file', questions, '--out', 'x', '--endpoint', 'http://127.0.0.1:9/v1', '--api-key-env', 'NO_SUCH'],
    2,
    /environment variable that is set/,
  ],
])('%j ends with code %i and says why', async (args, expected, wanted) => {
  const { code, stdout, message } = await inProcess(args);
  expect([code, stdout, message]).toEqual([expected, '', expect.stringMatching(wanted)]);
});

test('without a terminal a line comes when a run begins, and every so often how long it will take', () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const written: string[] = [];
  const progress = lines(line => written.push(line), 5000);
  const about = { run: 'CoT', place: 1, runs: 2, resumed: 1, total: 9 };
  progress.show({ ...about, done: 1 });
  progress.show({ ...about, done: 3, row: {} as never });
  vi.advanceTimersByTime(5000);
  progress.stop();
  vi.advanceTimersByTime(5000);
  expect(written).toEqual([
    'CoT (1 of 2): 1 of 9 questions, answered before',
    'CoT (1 of 2): 3 of 9 questions, about 15s left',
  ]);
});

test('a request to an endpoint that is tried again is said, once a reason', async () => {
  const busy = { status: 503, headers: { 'retry-after': '0' }, body: 'loading' };
  await using server = await fakeServer((_, n) => (n < 3 ? busy : { body: completion('The answer is: A') }));
  const { code, stderr } = await meditron(
    [
      'eval',
      '--file',
      questions,
      '--limit',
      '1',
      '--out',
      join(folder, 'busy'),
      '--mode',
      'cot',
      '--format',
      'raw',
      '--endpoint',
      server.url,
      '--json',
    ],
    '',
  );
  expect(code).toBe(0);
  expect(stderr.match(/status 503: loading; trying again in 0.0 s \(1 of 6\)/g)).toHaveLength(1);
});
