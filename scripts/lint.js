#!/usr/bin/env node
// Checks lint and format of both languages; with --fix, mends what can be mended. Exits 1 if anything is left.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const require = createRequire(import.meta.url);
const fix = process.argv.includes('--fix');

const biome = require.resolve('@biomejs/biome/bin/biome');
const typescript = run(process.execPath, [biome, 'check', '--error-on-warnings', ...(fix ? ['--write'] : []), '.']);

const sources = ['native', 'test/native'].flatMap(folder =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter(name => /\.(cpp|h)$/.test(name))
    .map(name => join(folder, name)),
);
const clangFormat = join(dirname(require.resolve('clang-format/package.json')), 'index.js');
const cpp = run(process.execPath, [clangFormat, ...(fix ? ['-i'] : ['--dry-run', '--Werror']), ...sources]);

process.exit(typescript && cpp ? 0 : 1);

/** @param {string} command @param {string[]} args */
function run(command, args) {
  return spawnSync(command, args, { cwd: root, stdio: 'inherit' }).status === 0;
}
