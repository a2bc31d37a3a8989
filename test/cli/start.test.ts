import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { root } from './command.js';

const folder = mkdtempSync(join(tmpdir(), 'meditron-start-'));
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }), 60_000);

/** Each is a folder in the one before it: a path with all of them is read as it stands, by every way of starting. */
const names = ['a#b', 'a?b', 'a%20b', '100%', 'two words', 'Übung 数', "it's"];

test('everything starts in a folder of whatever name', () => {
  const place = join(folder, ...names, 'node_modules', 'meditron');
  mkdirSync(place, { recursive: true });
  // What an installed package has.
  for (const part of ['bin', 'dist', 'examples', 'package.json'])
    cpSync(join(root, part), join(place, part), { recursive: true });
  for (const part of ['build', 'models', 'node_modules']) symlinkSync(join(root, part), join(place, part));
  const run = (...args: string[]) => spawnSync(process.execPath, args, { cwd: place, encoding: 'utf8' });
  const text = run('bin/meditron.js', 'run', '-p', 'The patient', '--max-tokens', '2', '--threads', '1');
  expect([text.status, text.stderr]).toEqual([0, '']);
  for (const example of ['score.mjs', 'worker.mjs']) {
    const { status, stderr } = run(`examples/${example}`);
    expect([example, status, stderr]).toEqual([example, 0, '']);
  }
});
