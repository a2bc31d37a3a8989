import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { meditron } from './command.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'meditron verify ä '));
  for (const name of ['models', 'node']) mkdirSync(join(folder, name));
  writeFileSync(join(folder, 'node', 'node'), 'binary');
  writeFileSync(join(folder, 'Read me first.txt'), 'Read me');
  const { stdout } = spawnSync('sha256sum', ['Read me first.txt', 'node/node'], { cwd: folder, encoding: 'utf8' });
  writeFileSync(join(folder, 'SHA256SUMS'), `${stdout}# files listed: 2\n`);
});
afterEach(() => rmSync(folder, { recursive: true }));

test('verify says in words and in JSON that a folder is whole, and names models that were added', async () => {
  writeFileSync(join(folder, 'models', 'mine.gguf'), '');
  expect(await meditron(['verify', folder])).toEqual({
    code: 0,
    stderr: '',
    stdout: `${folder}\nAll 2 files (13 B) are there and unchanged.\nAdded, and not checked (1):\n  models/mine.gguf\n`,
  });
  const { code, stdout } = await meditron(['verify', folder, '--json']);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual({
    folder,
    ok: true,
    files: 2,
    bytes: 13,
    missing: [],
    changed: [],
    unreadable: [],
    extra: [],
    outside: [],
    added: ['models/mine.gguf'],
  });
});

test('verify ends with code 3 and names what is wrong', async () => {
  rmSync(join(folder, 'node', 'node'));
  writeFileSync(join(folder, 'Read me first.txt'), 'Read');
  const { code, stdout } = await meditron(['verify', folder]);
  expect(code).toBe(3);
  expect(stdout).toMatch(
    /not as it was made.*\nMissing \(1\):\n {2}node\/node\nChanged or cut short \(1\):\n {2}Read me first.txt\n/s,
  );
  const json = await meditron(['verify', folder, '--json']);
  expect(json.code).toBe(3);
  expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, missing: ['node/node'], changed: ['Read me first.txt'] });
});

test('a folder without sums is an error of its own', async () => {
  rmSync(join(folder, 'SHA256SUMS'));
  const { code, stderr } = await meditron(['verify', folder, '--json']);
  expect(code).toBe(3);
  expect(JSON.parse(stderr).error.code).toBe('ERR_INPUT');
});

test('where it is not started from a folder on a stick, a folder has to be named', async () => {
  const { code, stderr } = await meditron(['verify']);
  expect(code).toBe(2);
  expect(stderr).toContain('Expected a folder that has a SHA256SUMS');
});
