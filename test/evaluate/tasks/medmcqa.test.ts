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
  await expect(loadTask('medmcqa', data)).rejects.toThrow(/0 at line 3 and 4 at line 2/);
});

test('a few rows without 0 and 4 are not guessed at, 24 are', async () => {
  const few = folderWith({ 'dev.json': rows([1, 2, 3]) });
  await expect(loadTask('medmcqa', few)).rejects.toMatchObject({
    code: 'ERR_INPUT',
    message: expect.stringContaining('complete file'),
  });
  expect((await loadTask('medmcqa', few, { copBase: 0 })).items.map(item => item.gold)).toEqual([1, 2, 3]);
  const more = folderWith({ 'dev.json': rows(Array.from({ length: 24 }, (_, i) => 1 + (i % 3))) });
  expect((await loadTask('medmcqa', more)).items.slice(0, 3).map(item => item.gold)).toEqual([0, 1, 2]);
});

test('an option may be blank, the right one may not', async () => {
  const blank = folderWith({ 'dev.json': [{ ...row, id: 'x', cop: 4, opa: '' }] });
  expect((await loadTask('medmcqa', blank)).items[0]!.options![0]).toBe('');
  const gold = folderWith({ 'dev.json': [{ ...row, id: 'x', cop: 4, opd: ' ' }] });
  await expect(loadTask('medmcqa', gold)).rejects.toThrow(/row 1: expected `opd` to be text/);
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
    /dev\.json, line 3: not valid JSON/,
  );
  await expect(loadTask('medmcqa', folderWith({ 'dev.json': rows([4, 7]) }))).rejects.toThrow(
    /line 2: expected `cop` to be an integer from 0 to 4, got 7 \(number\)/,
  );
  await expect(loadTask('medmcqa', folderWith({ 'dev.json': [...rows([4]), ...rows([4])] }))).rejects.toThrow(
    /"id-0" twice/,
  );
});
