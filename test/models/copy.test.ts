import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { copiesOf } from '../../src/cli/models/copy.js';
import { modelHash } from '../../src/models/identity.js';
import { scratch } from '../gguf/sample.js';

const dir = scratch();
const bytes = Buffer.alloc(8 << 20, 'weights');
const going = new AbortController().signal;

async function parts(...names: readonly string[]) {
  const paths = await Promise.all(names.map(name => dir.put(name, bytes)));
  return modelHash({ files: paths.map(path => ({ path, sizeBytes: bytes.length })) });
}

test('copies are as the files are, with their sizes and hashes', async () => {
  const files = await parts('a.gguf', 'b.gguf');
  const to = dir.path('whole');
  const copies = await copiesOf(files, to, going);
  expect(copies).toEqual(files.map((file, i) => ({ ...file, path: join(to, i === 0 ? 'a.gguf' : 'b.gguf') })));
  expect(readFileSync(copies[1]!.path).equals(bytes)).toBe(true);
});

test('whatever ends it, nothing that it made stays, and nothing that was there is touched', async () => {
  const files = await parts('c.gguf', 'd.gguf');
  for (const wait of [0, 1, 4, 8]) {
    const to = dir.path(`stopped-${wait}`);
    const stop = new AbortController();
    const copying = copiesOf(files, to, stop.signal).then(
      copies => copies.length,
      error => error,
    );
    await setTimeout(wait);
    stop.abort(new Error('stopped'));
    const outcome = await copying;
    if (outcome !== 2) expect([outcome.message, readdirSync(to)]).toEqual(['stopped', []]);
  }
  const to = dir.path('taken');
  await copiesOf(files.slice(1), to, going);
  await expect(copiesOf(files, to, going)).rejects.toMatchObject({ code: 'ERR_OUTPUT', message: /there already/ });
  expect(readdirSync(to)).toEqual(['d.gguf']);
  const [other] = files.map(file => ({ ...file, sha256: '0'.repeat(64) }));
  await expect(copiesOf([other!], dir.path('else'), going)).rejects.toThrow(/the copy was taken away/);
  expect(readdirSync(dir.path('else'))).toEqual([]);
});
