import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const src = fileURLToPath(new URL('../src', import.meta.url));

/** A file may import from its own folder and from rows below its own, never sideways or up. */
const rows = [
  ['cli'],
  ['evaluate'],
  ['ask'],
  ['engine'],
  ['native', 'prompt', 'vote', 'catalog', 'synth'],
  ['gguf'],
  ['options.ts'],
  ['errors.ts', 'types.ts'],
];
const rowOf = (place: string) => rows.findIndex(row => row.includes(place));
const placeOf = (file: string) => relative(src, file).split('/')[0]!;

const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter(name => name.endsWith('.ts'))
  .map(name => join(src, name));

test('imports go down, never sideways or up', () => {
  const wrong: string[] = [];
  for (const file of files) {
    const place = placeOf(file);
    if (place === 'index.ts') continue;
    expect(rowOf(place), `${place} has no row`).toBeGreaterThanOrEqual(0);
    for (const [, target] of readFileSync(file, 'utf8').matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)) {
      const imported = placeOf(resolve(file, '..', target!.replace(/\.js$/, '.ts')));
      if (imported !== place && rowOf(imported) <= rowOf(place)) wrong.push(`${relative(src, file)} imports ${target}`);
    }
  }
  expect(wrong).toEqual([]);
});

test('no folder collects leftovers', () => {
  const names = readdirSync(src, { recursive: true, encoding: 'utf8' });
  expect(names.filter(name => /(^|\/)(utils?|helpers?|common|misc)(\.ts)?$/.test(name))).toEqual([]);
});
