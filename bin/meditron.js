#!/usr/bin/env node
// Starts the command. In a checkout it first builds what is missing or older than its sources, so that `npx meditron …`
// works right after `npm ci`. What counts is modification times, some hundred calls of stat (a few milliseconds); only when
// they say so is scripts/build.js started, which compares contents and does no more than is needed.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync, utimesSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const entry = join(root, 'dist', 'cli', 'main.js');
const builder = join(root, 'scripts', 'build.js');

/** What has been built, and from what. The builder writes both marks; this file renews the time of a mark it has checked. */
const marks = [
  { mark: join(root, 'dist', '.inputs.sha256'), sources: ['src', 'tsconfig.json', 'tsconfig.build.json'] },
  { mark: join(root, 'dist', '.page.sha256'), sources: ['page'] },
  { mark: join(root, 'build', 'addon.json'), sources: ['native', 'cmake', 'CMakeLists.txt', 'package-lock.json'] },
];

const isCheckout = existsSync(join(root, 'src')) && existsSync(builder);
if (isCheckout && (!existsSync(entry) || marks.some(isStale))) {
  // Its output goes to stderr: stdout belongs to the command.
  const { status, error } = spawnSync(process.execPath, [builder, '--quiet'], { stdio: ['ignore', 2, 2] });
  if (error) process.stderr.write(`meditron: ${error.message}\n`);
  if (status !== 0) process.exit(7);
  const now = new Date();
  for (const { mark } of marks) renew(mark, now);
}
await import(pathToFileURL(entry).href); // a path is no URL on Windows, nor in a folder with # ? or %

/** @param {string} mark @param {Date} now */
function renew(mark, now) {
  try {
    utimesSync(mark, now, now);
  } catch {
    // The folder is not ours: the next start compares contents again.
  }
}

/** @param {{ mark: string, sources: string[] }} built */
function isStale({ mark, sources }) {
  if (!existsSync(mark)) return true;
  const built = statSync(mark).mtimeMs;
  return sources.some(source => newest(join(root, source)) > built);
}

/** The latest modification in a file or folder, that of the folders included: a deleted file leaves no other trace. @param {string} path */
function newest(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) return 0;
  if (!stat.isDirectory()) return stat.mtimeMs;
  let latest = stat.mtimeMs;
  for (const name of readdirSync(path)) latest = Math.max(latest, newest(join(path, name)));
  return latest;
}
