import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { application, productionFolders } from '../../scripts/bundle/app.js';
import { type Entry, nameProblems, prepare, writeAll } from '../../scripts/bundle/files.js';
import { licences } from '../../scripts/bundle/licences.js';
import { sheet } from '../../scripts/bundle/sheet.js';
import { startCmd, startSh } from '../../scripts/bundle/start.js';
import { platformNamed, platforms } from '../../scripts/platforms.js';
import { sumsName, verifyFolder } from '../../src/check/sums.js';

const root = join(import.meta.dirname, '..', '..');
const names = platforms.map(({ name }) => name);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'meditron-files-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test.each(['ä', 'a:b', 'a?', 'a/b.', 'a /b', 'con', 'a/NUL.txt', 'lpt1.x', `a/${'b'.repeat(200)}`])(
  'a name that a stick cannot hold is found: %j',
  path => expect(nameProblems([path])).toHaveLength(1),
);

test('so are two names that are one where case does not count', () => {
  expect(nameProblems(['a/B', 'a/b', 'a/c'])).toHaveLength(1);
});

test('what is written passes the check; a folder that is not empty is refused', async () => {
  const entries: Entry[] = [
    { path: 'node/node', content: { text: 'binary' }, executable: true },
    { path: 'a/empty', content: { text: '' } },
  ];
  const out = join(folder, 'out');
  await prepare(out, 6);
  await writeAll(out, entries, () => {});
  expect(await verifyFolder(out)).toMatchObject({ ok: true, files: 2, bytes: 6 });
  await expect(prepare(out, 6)).rejects.toThrow('not empty');
  await expect(prepare(join(folder, 'other'), Number.MAX_SAFE_INTEGER)).rejects.toThrow('has room for');
});

test('what cannot be written to its end has no sums', async () => {
  const entries: Entry[] = [
    { path: 'a', content: { text: 'a' } },
    { path: 'b', content: { file: join(folder, 'nothing') } },
  ];
  const out = join(folder, 'out');
  await prepare(out, 1);
  await expect(writeAll(out, entries, () => {})).rejects.toThrow('ENOENT');
  expect(readdirSync(out)).not.toContain(sumsName);
});

test('the application is what the lock file names for production, without what is never loaded, and with its terms', () => {
  for (const name of ['main', 'addon']) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, 'package.json'), '{ "name": "meditron", "version": "1.2.3" }');
    writeFileSync(join(folder, name, 'index.d.ts'), '');
  }
  writeFileSync(join(folder, 'main', 'LICENSE'), 'terms');
  const packages = { main: join(folder, 'main'), platform: join(folder, 'addon'), version: '1.2.3' };
  const paths = application(root, platformNamed('win32-x64'), packages).map(({ path }) => path);
  const folders = productionFolders(root);
  expect(folders).toContain('node_modules/commander');
  expect(folders.join()).not.toMatch(/typescript|vitest|node-llama-cpp/);
  for (const found of folders) expect(paths).toContain(`app/${found}/package.json`);
  expect(new Set(paths).size).toBe(paths.length);
  expect(paths.filter(path => /\.(map|ts|md)$/.test(path) && !/@meditron|licen[cs]e/i.test(path))).toEqual([]);
  expect(nameProblems(paths)).toEqual([]);
  const terms = licences(root, packages.main, packages.main);
  expect(terms).toHaveLength(folders.length + 2);
});

test.each(names)('the sheet for %s is one page that Notepad shows', name => {
  const text = sheet(platformNamed(name), '1.2.3');
  expect(text.startsWith('\uFEFF')).toBe(true);
  expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
  const lines = text.slice(1).trimEnd().split('\r\n');
  expect(lines.length).toBeLessThanOrEqual(66);
  expect(lines.filter(line => line.length > 90)).toEqual([]);
});

test('start files are ASCII, with the line ends of their systems', () => {
  expect(startCmd.replaceAll('\r\n', '')).not.toMatch(/[^\x20-\x7e]/);
  expect(startSh).not.toMatch(/[^\x20-\x7e\n]/);
});
