import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';
import { MeditronError } from '../../check/errors.js';
import { headOf } from './table.js';
import type { Partition, SourceFile, TaskDefinition } from './task.js';

/** A data file and the partition that its name, or else the nearest folder's name, tells. */
export interface DataFile {
  readonly path: string;
  /** Below the folder that was searched. */
  readonly relative: string;
  readonly partition?: Partition;
}

/**
 * The files under `source` (or `source` itself) that belong to a task by their content, whatever they are called.
 * `fits` sees the first 64 KiB of a file and its path below `source`.
 */
export async function filesOf(
  source: string,
  fits: (head: string, path: string) => boolean,
  overrule?: (file: DataFile, head: string) => Partition | undefined,
): Promise<DataFile[]> {
  const found: DataFile[] = [];
  for (const path of await list(source)) {
    if (!readable.test(path)) continue;
    const below = relative(source, path) || basename(path);
    const head = await headOf(path);
    if (!fits(head, below)) continue;
    const named = partitionOf(below);
    const file = { path, relative: below, ...(named && { partition: named }) };
    const partition = overrule ? overrule(file, head) : named;
    found.push({ path, relative: below, ...(partition && { partition }) });
  }
  return found;
}

/** True if a CSV file's header, or the JSON keys in the first 64 KiB of a file, include all these names, in any case. */
export function hasFields(head: string, path: string, ...names: readonly string[]): boolean {
  if (/\.(?:csv|tsv)$/i.test(path)) {
    const header = head.split('\n', 1)[0]!.split(/[,;\t]/);
    const cells = header.map(cell => cell.trim().replace(/^"|"$/g, '').toLowerCase());
    return names.every(name => cells.includes(name.toLowerCase()));
  }
  const escaped = names.map(name => name.replace(/[()]/g, '\\$&'));
  return escaped.every(name => new RegExp(`"${name}"\\s*:`, 'i').test(head));
}

/** The error for a task whose files are not under `source`: what was looked for, what is there, what to download. */
export async function missing(
  task: Omit<TaskDefinition, 'load'>,
  source: string,
  detail: string,
): Promise<MeditronError> {
  const there = await stat(source).then(
    () => true,
    () => false,
  );
  const others = (await list(source)).filter(path => unreadable.test(path)).map(path => relative(source, path));
  const lines = [`No ${task.title} questions in ${source}: ${there ? detail : 'there is no such folder'}`];
  if (others.length > 0) {
    const named = others.slice(0, 5).join(', ');
    lines.push(
      `Present but not read: ${named}${others.length > 5 ? ` and ${others.length - 5} more` : ''}. ${conversion}`,
    );
  }
  lines.push('What to download, and where to put it:', ...task.download.map(line => `  ${line}`));
  lines.push(`  Licence: ${task.licence}`);
  return new MeditronError('ERR_INPUT', lines.join('\n'));
}

/** Size and SHA-256 of the files that were read, to be kept with the results. */
export async function fingerprints(paths: readonly string[]): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  for (const path of paths) {
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const chunk of createReadStream(path)) {
      hash.update(chunk);
      bytes += chunk.length;
    }
    files.push({ path, bytes, sha256: hash.digest('hex') });
  }
  return files;
}

/** How to turn a file of the Hugging Face hub into one that is read. */
export const conversion =
  'Parquet, Arrow, Excel and compressed files are not read; unpack archives, save spreadsheets as CSV (UTF-8), and convert ' +
  "the rest once with Python: import pandas; pandas.read_parquet('test.parquet').to_json('test.jsonl', orient='records', lines=True)";

/** Files that are read, by their names. */
export const readable = /\.(?:json|jsonl|ndjson|csv|tsv)$/i;
/** Files that hold data in a form that is not read. */
export const unreadable = /\.(?:parquet|arrow|xlsx?|zip|tar|tgz|gz|bz2|xz|zst)$/i;
const maxDepth = 8;
const maxFiles = 50_000;

async function list(source: string): Promise<string[]> {
  let info: Awaited<ReturnType<typeof stat>>;
  try {
    info = await stat(source);
  } catch (error) {
    if (isAbsent(error)) return []; // what is missing is told with what to download
    throw new MeditronError('ERR_INPUT', `Cannot read the data folder ${source}: ${(error as Error).message}`, {
      cause: error,
    });
  }
  if (info.isFile()) return [source];
  const files: string[] = [];
  const pending: [string, number][] = [[source, 0]];
  for (const [folder, depth] of pending) {
    const entries = await readdir(folder, { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (entry.name.startsWith('.') || entry.name === 'node_modules' || entry.name === '__MACOSX') continue;
      const path = join(folder, entry.name);
      const kind = entry.isSymbolicLink() ? await stat(path).catch(() => entry) : entry;
      if (kind.isDirectory() && depth < maxDepth) pending.push([path, depth + 1]);
      else if (kind.isFile()) files.push(path);
    }
    if (files.length > maxFiles) {
      throw new MeditronError(
        'ERR_INPUT',
        `${source} holds more than ${maxFiles} files; name the data set's own folder`,
      );
    }
  }
  return files;
}

function isAbsent(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

const partitions: Readonly<Record<string, Partition>> = {
  train: 'train',
  training: 'train',
  validation: 'validation',
  valid: 'validation',
  val: 'validation',
  dev: 'dev',
  test: 'test',
};

function partitionOf(path: string): Partition | undefined {
  const [name, ...folders] = path.toLowerCase().split(sep).reverse();
  const words = name!.split(/[^a-z]+/).flatMap(word => partitions[word] ?? []);
  return words.at(-1) ?? folders.flatMap(folder => partitions[folder] ?? [])[0];
}
