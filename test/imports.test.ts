import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const src = fileURLToPath(new URL('../src', import.meta.url));
const page = fileURLToPath(new URL('../page/src', import.meta.url));

/** A file may import from its own folder and from rows below its own, never sideways or up. */
const rows = [
  ['cli'],
  ['server', 'ai'],
  ['evaluate'],
  ['panel'],
  ['ask'],
  ['endpoint'],
  ['answerer'],
  ['host'],
  ['engine'],
  ['native', 'synth', 'clinical'],
  ['models'],
  ['prompt', 'vote'],
  ['gguf', 'random'],
  ['check'],
  ['types.ts'],
];
const rowOf = (place: string) => rows.findIndex(row => row.includes(place));
const placeOf = (file: string) => relative(src, file).split(/[\\/]/)[0]!;

const filesOf = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(name => /\.tsx?$/.test(name))
    .map(name => join(folder, name));
const files = filesOf(src);
const all = new Set([...files, ...filesOf(page)]);

/** Every import and re-export of a file, type imports included. */
const importsOf = new Map(
  [...all].map(file => [
    file,
    [...readFileSync(file, 'utf8').matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map(([, target]) => {
      const imported = resolve(file, '..', target!.replace(/\.js$/, '.ts'));
      return all.has(imported) ? imported : imported.replace(/\.ts$/, '.tsx');
    }),
  ]),
);

test('imports go down, never sideways or up', () => {
  const wrong: string[] = [];
  for (const file of files) {
    const targets = importsOf.get(file)!;
    const place = placeOf(file);
    if (place === 'index.ts') continue;
    expect(rowOf(place), `${place} has no row`).toBeGreaterThanOrEqual(0);
    for (const target of targets) {
      const imported = placeOf(target);
      if (imported !== place && rowOf(imported) <= rowOf(place))
        wrong.push(`${relative(src, file)} imports ${relative(src, target)}`);
    }
  }
  expect(wrong).toEqual([]);
});

test('no file imports itself by any way round, type imports included', () => {
  expect(circles()).toEqual([]);
});

test('no folder collects leftovers', () => {
  const names = readdirSync(src, { recursive: true, encoding: 'utf8' });
  expect(names.filter(name => /(^|[\\/])(utils?|helpers?|common|misc)(\.ts)?$/.test(name))).toEqual([]);
});

/** Groups of files that reach each other (Tarjan's strongly connected components). */
function circles(): string[] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const found: string[] = [];
  const visit = (file: string): void => {
    index.set(file, index.size);
    low.set(file, index.get(file)!);
    stack.push(file);
    for (const target of importsOf.get(file) ?? []) {
      if (!index.has(target)) visit(target);
      if (stack.includes(target)) low.set(file, Math.min(low.get(file)!, low.get(target)!));
    }
    if (low.get(file) !== index.get(file)) return;
    const group = stack.splice(stack.indexOf(file));
    if (group.length > 1) found.push(group.map(name => relative(src, name)).join(' - '));
  };
  for (const file of all) if (!index.has(file)) visit(file);
  return found.sort();
}
