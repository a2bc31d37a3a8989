import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { measurementsIn } from '../../../src/evaluate/report/measured.js';

const folder = mkdtempSync(join(tmpdir(), 'meditron-measured-'));
afterAll(() => rmSync(folder, { recursive: true }));

const accuracy = { n: 50, correct: 40, wilson: { low: 0.67, high: 0.89 } };
const run = (name: string, metrics: object, facts: object) => ({
  ...{ name, mode: 'sc-cot', protocol: 'strict', samples: 5, metrics, facts },
});
const hashes = { 'model SHA-256': 'aa bb' };

function reportIn(...runs: object[]): string {
  const path = join(folder, `report-${runs.length}-${JSON.stringify(runs).length}.json`);
  writeFileSync(path, JSON.stringify({ title: 'Own questions, x', created: '2026-11-27T12:00:00.000Z', runs }));
  return path;
}

test('accuracies are those of runs that have one, of models whose file is known', async () => {
  const path = reportIn(
    run('SC-CoT, 5 samples', { accuracy }, hashes),
    run('without gold', {}, hashes),
    run('by a server', { accuracy }, {}),
  );
  expect(await measurementsIn(path)).toEqual([
    {
      ...{ sha256: ['aa', 'bb'], title: 'Own questions, x', created: '2026-11-27T12:00:00.000Z' },
      ...{ run: 'SC-CoT, 5 samples', mode: 'sc-cot', protocol: 'strict', samples: 5 },
      ...{ n: 50, correct: 40, low: 0.67, high: 0.89 },
    },
  ]);
});

test('where there is none, the place is named and what belongs there', async () => {
  const empty = join(folder, 'empty');
  mkdirSync(empty);
  const text = join(folder, 'text.json');
  writeFileSync(text, 'no JSON');
  for (const [path, message] of [
    [reportIn(run('without gold', {}, hashes)), /holds no accuracy of a model file/],
    [empty, /holds no accuracy of a model file/],
    [text, /got no JSON/],
    [join(folder, 'missing'), /missing could not be read/],
    [reportIn(run('x', { accuracy: { n: 1 } }, hashes)), /runs\.0\.metrics/],
  ] as const)
    await expect(measurementsIn(path), path).rejects.toMatchObject({
      code: 'ERR_INPUT',
      message: expect.stringMatching(message),
    });
});
