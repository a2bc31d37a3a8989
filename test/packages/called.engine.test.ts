import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'meditron-called-'));
afterAll(() => rmSync(folder, { recursive: true }));

function called(script: string, ...args: string[]) {
  const runner = script.endsWith('.ts') ? [join(root, 'node_modules', 'tsx', 'dist', 'cli.mjs')] : [];
  return spawnSync(process.execPath, [...runner, script, ...args], { cwd: folder, encoding: 'utf8' });
}

test.each([
  ['pack.ts', []],
  ['pack.ts', ['--nonsense']],
  ['pack.ts', ['--out', 'x', '--platform', 'beos-x64']],
  ['bundle.ts', []],
  ['bundle.ts', ['--platform', 'beos-x64', '--out', 'x']],
  ['bundle.ts', ['--platform', 'win32-x64']],
  ['libraries.js', ['beos-x64']],
  ['nodes.js', []],
])('scripts/%s called wrongly (%j) ends with code 2, and says how it is called', (name, args) => {
  const { status, stdout, stderr } = called(join(root, 'scripts', name), ...args);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toMatch(/npm run (pack:all|bundle|libraries|test:nodes) -- /);
});

test.runIf(process.platform !== 'win32').each(['pack.ts', 'bundle.ts', 'exports.js'])(
  'scripts/%s does its work in a checkout that is reached through a link',
  name => {
    const link = join(folder, name);
    symlinkSync(root, link);
    const { stdout, stderr } = called(join(link, 'scripts', name), '--help');
    expect(`${stdout}${stderr}`).not.toBe('');
  },
);
