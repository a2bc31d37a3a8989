#!/usr/bin/env node
// Checks the types of everything: the project, its page, and the Electron example against Electron's own types, of whose package nothing else is used.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { obtain } from './packages.js';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');

/** @param {string} project */
function check(project) {
  return (
    spawnSync(process.execPath, [compiler, '--noEmit', '-p', project], { cwd: root, stdio: 'inherit' }).status === 0
  );
}

const inBrowser = existsSync(join(root, 'test', 'page', 'browser', 'node_modules'));
if (!inBrowser) process.stderr.write('test/page/browser was not checked: npm ci --prefix test/page/browser\n');
let passed =
  check('tsconfig.json') && check('test/page/tsconfig.json') && check('test/electron/renderer.tsconfig.json');
if (inBrowser) passed = check('test/page/browser/tsconfig.json') && passed;
else if (process.env.CI) passed = false;
try {
  obtain('electron', note => process.stderr.write(`${note}\n`));
  passed = check('test/electron/tsconfig.json') && passed;
} catch (error) {
  process.stderr.write(`examples/electron was not checked: ${/** @type {Error} */ (error).message}\n`);
  if (process.env.CI) passed = false;
}
process.exitCode = passed ? 0 : 1;
