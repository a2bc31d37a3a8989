import { createHash } from 'node:crypto';
import { readFile, rename, utimes, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import {
  checkMapped,
  hashProgress,
  hashWhile,
  identityAt,
  identityText,
  modelHash,
} from '../../src/models/identity.js';
import { scratch } from '../gguf/sample.js';

const folder = scratch();
const bytes = (size: number, fill: number): Buffer => Buffer.alloc(size, fill);
const sha256 = (of: Buffer): string => createHash('sha256').update(of).digest('hex');

function loaded(path: string): { path: string; sizeBytes: number; identity: string } {
  const identity = identityAt(path);
  return { path, sizeBytes: Number(identity.size), identity: identityText(identity) };
}

test('the hash is that of the loaded file, and is known from then on', async () => {
  const path = await folder.put('model', bytes(5 << 20, 1));
  const info = { files: [loaded(path)] };
  expect(hashProgress(info)).toEqual({ files: null, fraction: 0 });
  const files = await modelHash(info);
  expect(files).toEqual([{ path, sizeBytes: 5 << 20, sha256: sha256(bytes(5 << 20, 1)) }]);
  expect(hashProgress(info)).toEqual({ files, fraction: 1 });
});

test('nobody’s reading stops, and goes on where it was', async () => {
  const path = await folder.put('long', bytes(64 << 20, 2));
  const info = { files: [loaded(path)] };
  const controller = new AbortController();
  const given = modelHash(info, controller.signal);
  while (hashProgress(info).fraction === 0) await new Promise(resolve => setImmediate(resolve));
  controller.abort(new Error('enough'));
  await expect(given).rejects.toThrow('enough');
  const { fraction } = hashProgress(info);
  expect(fraction).toBeGreaterThan(0);
  expect(fraction).toBeLessThan(1);
  const [one, two] = await Promise.all([modelHash(info), modelHash(info)]);
  expect(one[0]!.sha256).toBe(sha256(bytes(64 << 20, 2)));
  expect(two).toEqual(one);
});

test('the hash is made while a model is loaded, of all its parts', async () => {
  const paths = [1, 2].map(i => folder.put(`parts-0000${i}-of-00002.gguf`, bytes(3 << 20, i)));
  const info = { files: (await Promise.all(paths)).map(loaded) };
  const loading = async (): Promise<string> => {
    while (hashProgress(info).files === null) await new Promise(resolve => setImmediate(resolve));
    return 'loaded';
  };
  expect(await hashWhile(info.files[0]!.path, loading())).toBe('loaded');
  expect(hashProgress(info).files!.map(file => file.sha256)).toEqual([1, 2].map(i => sha256(bytes(3 << 20, i))));
});

test('what a load comes to does not depend on the hash', async () => {
  expect(await hashWhile('/nowhere/model.gguf', Promise.resolve('loaded'))).toBe('loaded');
  await expect(hashWhile('/nowhere/model.gguf', Promise.reject(new Error('refused')))).rejects.toThrow('refused');
});

test.each<[string, (path: string) => Promise<void>]>([
  [
    'replaced by another',
    async path => {
      await writeFile(`${path}.new`, bytes(100, 4));
      await rename(`${path}.new`, path);
    },
  ],
  ['rewritten in place', path => writeFile(path, bytes(100, 4))],
  [
    'rewritten in place with its old times',
    async path => {
      await writeFile(path, bytes(100, 4));
      await utimes(path, 1_700_000_000, 1_700_000_000);
    },
  ],
  ['cut short', path => writeFile(path, bytes(50, 3))],
])('a file that was %s is not hashed as the loaded one', async (_, change) => {
  const path = await folder.put('changed', bytes(100, 3));
  await utimes(path, 1_700_000_000, 1_700_000_000);
  const info = { files: [loaded(path)] };
  await change(path);
  await expect(modelHash(info)).rejects.toMatchObject({ code: 'ERR_MODEL_FILE' });
  expect(hashProgress(info).files).toBeNull();
});

test('without an identity, what lies at the path is hashed', async () => {
  const path = await folder.put('plain', bytes(10, 1));
  for (const fill of [5, 6]) {
    await rename(await folder.put('next', bytes(10, fill)), path);
    const [file] = await modelHash({ files: [{ path, sizeBytes: 10 }] });
    expect(file!.sha256).toBe(sha256(await readFile(path)));
  }
});

test('a mapped file may be replaced or removed, but not written to', async () => {
  const path = await folder.put('mapped', bytes(100, 1));
  await utimes(path, 1_700_000_000, 1_700_000_000);
  const files = [loaded(path)];
  checkMapped(files);
  await rename(path, folder.path('aside'));
  checkMapped(files); // removed
  await writeFile(path, bytes(100, 2));
  checkMapped(files); // another file
  await rename(folder.path('aside'), path);
  checkMapped(files);
  await writeFile(path, bytes(100, 3), { flag: 'r+' });
  expect(() => checkMapped(files)).toThrow(expect.objectContaining({ code: 'ERR_MODEL_FILE' }));
});
