import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { type AddedModel, addedModels, addModel, meantModel, modelPath, removeModel } from '../../src/models/added.js';

const before = process.env.MEDITRON_STATE;
const folders: string[] = [];
beforeEach(() => {
  folders.push(mkdtempSync(join(tmpdir(), 'meditron-added-')));
  process.env.MEDITRON_STATE = folders.at(-1);
});
afterAll(() => {
  if (before === undefined) delete process.env.MEDITRON_STATE;
  else process.env.MEDITRON_STATE = before;
  for (const folder of folders) rmSync(folder, { recursive: true });
});

const model = (name: string, path: string): AddedModel => ({
  ...{ name, template: null, added: '2026-11-27T12:00:00.000Z' },
  files: [{ path, sizeBytes: 1, sha256: 'ab'.repeat(32) }],
});
const names = () => addedModels().map(({ name }) => name);

test('a model takes the place of one of the same name, however it is written, or of the same file', async () => {
  await addModel(model('Ward', '/models/a.gguf'));
  await addModel(model('night', '/models/b.gguf'));
  await addModel(model('WARD', '/models/c.gguf'));
  expect(names()).toEqual(['night', 'WARD']);
  await addModel(model('day', '/models/b.gguf'));
  expect(names()).toEqual(['WARD', 'day']);
});

test('it is found by its name in any case, a path is one, and what is not known stays as it is typed', async () => {
  await addModel(model('ward 3', '/models/a.gguf'));
  expect(modelPath('Ward 3')).toBe('/models/a.gguf');
  for (const typed of ['folder/ward 3', 'ward 3.gguf', 'ward 4']) expect(modelPath(typed)).toBe(typed);
});

test('a name of nothing is refused with the name it is a slip of, else with what there is or how to come by it', async () => {
  const refusal = (typed: string) => expect(() => meantModel(typed));
  refusal('ward').toThrow('got "ward", which is neither; `meditron models add FILE` gives a file a name');
  await addModel(model('ward', '/models/a.gguf'));
  await addModel(model('night', '/models/b.gguf'));
  expect(meantModel('WARD')).toBe('/models/a.gguf');
  for (const slip of ['wrad', 'ward.gguf', 'Wards']) refusal(slip).toThrow('did you mean ward?');
  refusal('something else').toThrow('added: ward, night');
  refusal('Meditron-7B').toThrow('`meditron models get meditron-7b` says how to come by it');
  for (const path of ['folder/wrad', 'other.gguf']) expect(meantModel(path)).toBe(path); // said when it is read
});

test('one that is forgotten is gone, the others stay, and one that is not there is named with those that are', async () => {
  await addModel(model('a', '/models/a.gguf'));
  await addModel(model('b', '/models/b.gguf'));
  expect((await removeModel('/models/a.gguf')).name).toBe('a');
  expect(names()).toEqual(['b']);
  await expect(removeModel('a')).rejects.toMatchObject({
    code: 'ERR_OPTION',
    message: expect.stringMatching(/Added: b$/),
  });
});

test('where nothing is kept, that is said', async () => {
  process.env.MEDITRON_STATE = 'none';
  await expect(addModel(model('a', '/models/a.gguf'))).rejects.toMatchObject({ code: 'ERR_OUTPUT' });
});
