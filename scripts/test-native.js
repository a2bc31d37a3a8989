#!/usr/bin/env node
// Builds the native tests and runs them. Options are those of scripts/build.js: --source, --sanitize address|undefined|thread, …
// With --times it measures sampling instead, beside llama.cpp's own samplers.
import { spawnSync } from 'node:child_process';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { librariesOf, thisPlatform } from './platforms.js';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const options = process.argv.slice(2).filter(option => option !== '--times');
const times = process.argv.includes('--times');
const limitMs = 45 * 60_000; // what does not end by then has failed

run(process.execPath, [join(root, 'scripts', 'build.js'), '--native-only', '--tests', ...options]);

// A model whose layers have a sliding window: none ships.
const windowed = join(root, 'build', 'windowed.gguf');
const shape = ['--shape', 'tiny-gemma3', '--quant', 'f32', '--out', windowed, '--force'];
run(process.execPath, ['--import', 'tsx', join(root, 'scripts', 'synth.ts'), ...shape]);

const sanitizer = options[options.indexOf('--sanitize') + 1];
const variant = [
  options.includes('--source') ? 'source' : 'prebuilt',
  ...['cuda', 'metal', 'vulkan'].filter(name => options.includes(`--${name}`)),
  options.includes('--tune') && 'tuned',
  options.includes('--sanitize') && sanitizer,
  options.includes('--debug') && 'debug',
]
  .filter(Boolean)
  .join('-');
run(join(root, 'build', variant, 'Release', 'core-test'), [
  join(root, 'models', 'stories260K.gguf'),
  (thisPlatform && librariesOf(root, thisPlatform)?.directory) ?? '',
  times ? '--times' : join(root, 'test', 'fixtures', 'stories260K.greedy.txt'),
  join(root, 'models', 'meditron-mini.gguf'),
  join(root, 'models', 'probe.gguf'),
  windowed,
]);

/** @param {string} command @param {string[]} args */
function run(command, args) {
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit', timeout: limitMs });
  if (result.error) throw result.error;
  if (result.status !== 0) process.exit(result.status ?? 1);
}
