import { rmSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { openEvaluation } from '../../../src/evaluate/storage/evaluation.js';
import type { EvaluationConfig, StoredRun } from '../../../src/evaluate/storage/types.js';
import { emptyFolder, runOf, storedOf } from '../run/items.js';

const dir = emptyFolder();
afterAll(() => rmSync(dir, { recursive: true }));

const configOf = (run: StoredRun): EvaluationConfig => ({
  ...{ kind: 'meditron-evaluation', version: 1, task: 'file', title: 'Own questions', partition: 'test', files: [] },
  ...{ questions: 1, subject: [], model: 'none', runs: [run], notes: [] },
});

test('a folder that another release began, which read by other rules, is refused with what can be done with it', async () => {
  const before = storedOf(runOf('cot', 1));
  expect(before.reading).toBeUndefined();
  await (await openEvaluation(dir, configOf(before), { resume: false })).close();
  await (await openEvaluation(dir, configOf(before), { resume: true })).close();
  const resumed = (run: StoredRun) => openEvaluation(dir, configOf(run), { resume: true });
  await expect(resumed({ ...before, reading: 2 })).rejects.toMatchObject({
    code: 'ERR_OPTION',
    message: expect.stringMatching(
      /Another release began it[\s\S]*`meditron eval --rescore`[\s\S]*another folder[\s\S]*runs\.cot\.reading: absent there, 2 now$/,
    ),
  });
  await expect(resumed({ ...before, seed: 1 })).rejects.toMatchObject({
    code: 'ERR_OPTION',
    message: expect.not.stringContaining('release'),
  });
});
