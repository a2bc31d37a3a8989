import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { clinicalQuestions } from '../../src/clinical/questions.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'questions-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function run(...args: string[]) {
  const script = ['--import', 'tsx', 'scripts/questions.ts', ...args];
  return spawnSync(process.execPath, script, { cwd: root, encoding: 'utf8' });
}

describe('npm run questions', () => {
  test('writes one question a line, and reports what it wrote as one JSON object', () => {
    const out = join(folder, 'a.jsonl');
    const { status, stdout } = run('--seed', '7', '--count', '5', '--out', out, '--json');
    const lines = readFileSync(out, 'utf8').trimEnd().split('\n');
    expect(status).toBe(0);
    expect(lines.map(line => JSON.parse(line))).toEqual([...clinicalQuestions({ seed: 7, count: 5 })]);
    expect(JSON.parse(stdout)).toMatchObject({ file: out, seed: 7, count: 5, split: 'held-out' });
  });

  test('writes to standard output for -, and nothing else there', () => {
    const { status, stdout } = run('--seed', '7', '--count', '3', '--out', '-', '--score', 'gcs', '--json');
    const questions = stdout
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line));
    expect(status).toBe(0);
    expect(questions.map(question => question.score)).toEqual(['gcs', 'gcs', 'gcs']);
  });

  test('leaves a file that exists alone, unless forced', () => {
    const out = join(folder, 'kept.jsonl');
    writeFileSync(out, 'mine');
    const refused = run('--seed', '7', '--count', '1', '--out', out);
    expect([refused.status, refused.stderr, readFileSync(out, 'utf8')]).toEqual([
      3,
      expect.stringContaining('--force'),
      'mine',
    ]);
    expect(run('--seed', '7', '--count', '1', '--out', out, '--force').status).toBe(0);
    expect(readFileSync(out, 'utf8')).toMatch(/^\{"id":/);
  });

  test.each([
    ['a count that is no number', ['--seed', '1', '--count', '1e3', '--out', '-'], '`--count`'],
    ['a count of none', ['--seed', '1', '--count', '0', '--out', '-'], '`--count`'],
    ['no seed', ['--count', '3', '--out', '-'], '`--seed`'],
    [
      'a score it does not know',
      ['--seed', '1', '--count', '3', '--out', '-', '--score', 'qsofaa'],
      'did you mean qsofa',
    ],
    ['an option it does not know', ['--sed', '1'], '--sed'],
  ])('refuses %s with exit code 2 and says which', (_, args, named) => {
    const { status, stdout, stderr } = run(...args);
    expect([status, stdout, stderr]).toEqual([2, '', expect.stringContaining(named)]);
  });
});
