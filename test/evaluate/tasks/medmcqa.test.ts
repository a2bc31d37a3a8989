import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadTask } from '../../../src/evaluate/tasks/load.js';
import { fixtures, folderWith } from './folder.js';

const published = readFileSync(join(fixtures, 'medmcqa/dev.json'), 'utf8')
  .trim()
  .split('\n')
  .map(line => JSON.parse(line));
const row = { ...published[0], cop: 2, id: undefined };
const rows = (cops: readonly number[]) =>
  cops.map((cop, i) => ({ ...row, id: `id-${i}`, question: `Question ${i}?`, cop }));

test('the original counts `cop` from 1, the hub from 0: both give the same right answers', async () => {
  const original = await loadTask('medmcqa', join(fixtures, 'medmcqa'));
  const hub = await loadTask('medmcqa', join(fixtures, 'medmcqa-hub'));
  expect(original.items.map(item => item.gold)).toEqual(published.map(({ cop }) => cop - 1));
  expect(hub.items).toEqual(original.items);
  expect(original.notes).toContain('`cop` counts from 1');
  expect(hub.notes).toContain('`cop` counts from 0');
});

test('a published row: "Axonal transport is", C', async () => {
  const { items } = await loadTask('medmcqa', join(fixtures, 'medmcqa'));
  expect(items[3]).toEqual({
    id: 'c6365cce-507c-40f6-90a2-46b867f47b6e',
    question: 'Axonal transport is:',
    options: ['Antegrade', 'Retrograde', 'Antegrade and retrograde', 'None'],
    gold: 2,
    subject: 'Physiology',
    explanation: expect.stringContaining('dynein'),
    meta: { choiceType: 'multi' },
  });
});

test('the unlabelled test part is refused', async () => {
  const hub = folderWith({ 'test.jsonl': rows([-1, -1]) });
  await expect(loadTask('medmcqa', hub, { partition: 'test' })).rejects.toThrow(
    /unlabelled test part; use the validation part/,
  );
  await expect(loadTask('medmcqa', hub)).rejects.toThrow(/only test\.jsonl, and the validation part is needed/);
  const original = folderWith({ 'test.json': rows([1, 1]).map(({ cop: _, ...rest }) => rest) });
  await expect(loadTask('medmcqa', original, { partition: 'test' })).rejects.toThrow(/unlabelled/);
});

test('0 and 4 in one file contradict each other', async () => {
  const data = folderWith({ 'dev.json': rows([1, 4, 0]) });
  await expect(loadTask('medmcqa', data)).rejects.toThrow(/`cop` is 0 at line 3, and 4 at line 2/);
});

test('without a 0 and a 4 nothing is guessed, however many rows there are', async () => {
  for (const count of [3, 24, 300]) {
    const data = folderWith({ 'dev.json': rows(Array.from({ length: count }, (_, i) => 1 + (i % 3))) });
    await expect(loadTask('medmcqa', data)).rejects.toMatchObject({
      code: 'ERR_INPUT',
      message: expect.stringMatching(/none of \d+ rows has `cop` 0 or 4.*`countsFrom` 0 or 1/),
    });
    const golds = async (countsFrom: 0 | 1) =>
      (await loadTask('medmcqa', data, { countsFrom })).items.slice(0, 3).map(item => item.gold);
    expect([await golds(0), await golds(1)]).toEqual([
      [1, 2, 3],
      [0, 1, 2],
    ]);
  }
  await expect(loadTask('medmcqa', folderWith({ 'dev.json': rows([4, 1]) }), { countsFrom: 0 })).rejects.toThrow(
    /does not count from 0: it is 4 at line 1/,
  );
});

test('the letter at the beginning of explanations is a cross-check, never a silent shift', async () => {
  const explained = (cops: readonly number[], letters: string) =>
    rows(cops).map((row, i) => ({ ...row, exp: `Ans. is '${letters[i]}' i.e., so it is` }));
  const shifted = folderWith({ 'dev.json': explained([1, 2, 3, 2], 'bcdc') });
  await expect(loadTask('medmcqa', shifted, { countsFrom: 1 })).rejects.toThrow(
    /line 1: `exp` names another letter than `cop` counted from 1; so do 4 rows, and 0 name the same/,
  );
  expect((await loadTask('medmcqa', shifted, { countsFrom: 0 })).items.map(item => item.gold)).toEqual([1, 2, 3, 2]);
  const one = folderWith({ 'dev.json': explained([1, 2, 3, 4], 'abcc') });
  expect((await loadTask('medmcqa', one)).items.map(item => item.gold)).toEqual([0, 1, 2, 3]);
});

test('questions with a blank option are left out, and named', async () => {
  const blank = { ...row, id: 'x', question: 'Blank?', cop: 4, opa: ' ' };
  const data = folderWith({ 'dev.json': [...rows([4, 1]), blank] });
  const { items, notes } = await loadTask('medmcqa', data);
  expect(items.map(item => item.id)).toEqual(['id-0', 'id-1']);
  expect(notes.join('\n')).toMatch(
    /^1 questions cannot be asked and are left out, neither asked nor counted: x \(.*blank/m,
  );
});

test('counts are compared with the published ones', async () => {
  const set = await loadTask('medmcqa', join(fixtures, 'medmcqa'));
  expect(set).toMatchObject({ task: 'medmcqa', partition: 'validation', expectedCount: 4183 });
  expect(set.notes).toContain('20 questions; the complete validation part has 4183');
  expect(set.notes).toContain('right answers: A 11, B 6, C 2, D 1');
  expect(set.files).toEqual([
    {
      path: expect.stringContaining('dev.json'),
      bytes: expect.any(Number),
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    },
  ]);
});

test('a broken line, a wrong type and a double id name file and line', async () => {
  const text = rows([4, 1])
    .map(r => JSON.stringify(r))
    .join('\n');
  await expect(loadTask('medmcqa', folderWith({ 'dev.json': `${text}\n{"question": ` }))).rejects.toThrow(
    /dev\.json, line 3 is not valid JSON/,
  );
  await expect(loadTask('medmcqa', folderWith({ 'dev.json': rows([4, 7]) }))).rejects.toThrow(
    /line 2: expected `cop` to be an integer from 0 to 4, got 7 \(number\)/,
  );
  await expect(loadTask('medmcqa', folderWith({ 'dev.json': [...rows([4]), ...rows([4])] }))).rejects.toThrow(
    /"id-0" twice/,
  );
});
