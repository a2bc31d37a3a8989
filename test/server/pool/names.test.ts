import { expect, test } from 'vitest';
import { modelName } from '../../../src/models/names.js';
import { freeName, named } from '../../../src/server/pool/names.js';

test.each([
  ['/models/meditron-7b.Q4_K_M.gguf', 'meditron-7b.Q4_K_M'],
  ['C:\\Models\\meditron-7b.GGUF', 'meditron-7b'],
  ['meditron-70b-00001-of-00003.gguf', 'meditron-70b'],
  ['no-ending', 'no-ending'],
])('%s is called %s', (path, name) => {
  expect(modelName(path)).toBe(name);
});

test('files of one name get different ones', () => {
  const taken = new Set<string>();
  const names = ['/a/x.gguf', '/b/X.gguf', '/b/x.gguf', '/c/b/x.gguf'].map(path => {
    const name = freeName(path, taken);
    taken.add(name.toLowerCase());
    return name;
  });
  expect(names).toEqual(['x', 'b/X', 'b/x-2', 'b/x-3']);
});

test('a model is found by its name, capitals and .gguf left out, and by nothing less', () => {
  const all = [{ name: 'Meditron-7b' }, { name: 'meditron-7B' }, { name: 'other' }];
  expect(named('meditron-7B', all)).toBe(all[1]);
  expect(named('OTHER.gguf', all)).toBe(all[2]);
  for (const name of ['meditron', 'oth', '7b', '', '../other', 'gpt-4']) expect(named(name, all)).toBeUndefined();
});
