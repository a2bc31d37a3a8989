import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { access, constants, link, lstat, mkdir, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { MeditronError } from './errors.js';
import { whyNoName } from './names.js';

/** All of it, or its parts in order where it is too long for one. Text is written in UTF-8. */
export type Content = Part | Iterable<Part> | AsyncIterable<Part>;
type Part = string | Uint8Array;

/**
 * Finds out before anything is computed whether a file can be written in the end. Nothing is left behind, and what is there stays.
 *
 * @throws MeditronError `ERR_OUTPUT` with the reason
 */
export async function tryOutput(path: string): Promise<void> {
  await withReason(path, async () => {
    const kind = await kindOf(path);
    if (kind !== 'new') await access(path, constants.W_OK);
    if (kind === 'device') return;
    const beside = join(dirname(path), leftoverName(basename(path)));
    await (await open(beside, 'wx', 0o600)).close();
    await rm(beside);
  });
}

/** The same for a folder, which need not be there yet. */
export async function tryFolder(path: string): Promise<void> {
  let folder = resolve(path);
  for (;;) {
    const found = await stat(folder).catch(() => undefined);
    if (found || folder === dirname(folder)) break;
    folder = dirname(folder);
  }
  await tryOutput(join(folder, `.meditron-${randomUUID()}`));
}

/** Makes a folder, and those above it, for the owner alone; one that is there stays as it is. @throws MeditronError `ERR_OUTPUT` */
export async function makeFolder(path: string): Promise<void> {
  await withReason(path, () => makeFolders(resolve(path)));
}

/** Node's own way does not end where a file system has no place for folders, as /proc. */
async function makeFolders(path: string): Promise<void> {
  const make = () =>
    mkdir(path, { mode: 0o700 }).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST' || !(await stat(path)).isDirectory()) throw error;
    });
  try {
    await make();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || path === dirname(path)) throw error;
    await makeFolders(dirname(path));
    await make();
  }
}

/**
 * Writes a file, whole or not at all: it is written under another name in the same folder and moved into place, so that what was
 * there before stays until all of the new one is on the disk. Only its owner may read it: it holds what was asked. A symbolic
 * link is refused, because what it leads to may be anybody's; a device, as /dev/stderr, and a pipe are written to.
 *
 * @throws MeditronError `ERR_OUTPUT` with the reason
 */
export async function writeOutput(path: string, content: Content): Promise<void> {
  await withReason(path, async () => {
    if ((await kindOf(path)) === 'device') return write(path, 'w', content);
    const beside = join(dirname(path), leftoverName(basename(path)));
    begin(beside);
    try {
      await write(beside, 'wx', content);
      await replace(beside, path);
    } catch (error) {
      await rm(beside, { force: true });
      throw error;
    } finally {
      end(beside);
    }
    await syncFolder(dirname(path));
    await removeLeftovers(path, longAgoMs).catch(() => {});
  });
}

/**
 * The same for a file that stays as it is if it is there: of two processes at once, one makes it.
 *
 * @throws MeditronError `ERR_OUTPUT` with the reason
 */
export async function makeOutput(path: string, content: Content): Promise<void> {
  await withReason(path, async () => {
    const beside = join(dirname(path), leftoverName(basename(path)));
    begin(beside);
    try {
      await write(beside, 'wx', content);
      await link(beside, path).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error;
      });
    } finally {
      await rm(beside, { force: true });
      end(beside);
    }
    await syncFolder(dirname(path));
  });
}

/** How long another program may hold a file that is to be replaced, in pauses of milliseconds: a virus scanner, an indexer, a preview. */
const pausesMs = [10, 20, 50, 100, 200, 400, 800];

/** Moves a file to where another may be. Windows refuses that while anybody has either open: then it is tried again for a while. */
export async function replace(from: string, to: string, move = rename, platform = process.platform): Promise<void> {
  for (const pause of pausesMs) {
    try {
      return await move(from, to);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (platform !== 'win32' || !['EPERM', 'EACCES', 'EBUSY'].includes(code ?? '')) throw error;
      await delay(pause);
    }
  }
  return move(from, to);
}

/** Files that are being written: a process that ends on its own meanwhile takes them away. */
const unfinished = new Set<string>();

function begin(path: string): void {
  if (unfinished.size === 0) process.on('exit', removeUnfinished);
  unfinished.add(path);
}

function end(path: string): void {
  unfinished.delete(path);
  if (unfinished.size === 0) process.off('exit', removeUnfinished);
}

function removeUnfinished(): void {
  for (const path of unfinished) rmSync(path, { force: true });
}

/** Whoever still writes a file has touched it since. */
const longAgoMs = 3_600_000;

/**
 * Removes what was to become, or was, the file or folder `path` in processes that were killed, if it has not been touched for so
 * many milliseconds.
 */
export async function removeLeftovers(path: string, untouchedMs: number): Promise<void> {
  const folder = dirname(path);
  for (const name of await readdir(folder)) {
    if (!isLeftover(name, basename(path))) continue;
    const leftover = join(folder, name);
    const { mtimeMs } = await stat(leftover);
    if (Date.now() - mtimeMs >= untouchedMs) await rm(leftover, { recursive: true, force: true });
  }
}

/** File systems allow 255 bytes, and a letter takes up to three. */
const mostLetters = 60;

/** A name beside `name` for what becomes it, or was it: should the process be killed meanwhile, it stays behind. */
export function leftoverName(name: string): string {
  return `.${name.slice(0, mostLetters)}.${randomUUID()}.part`;
}

/** Whether a name is a {@link leftoverName} beside `name`. */
export function isLeftover(found: string, name: string): boolean {
  const [start, end] = [`.${name.slice(0, mostLetters)}.`, '.part'];
  return found.startsWith(start) && found.endsWith(end) && found.length === start.length + 36 + end.length;
}

/** A file that could not be written, and why. A {@link MeditronError} is given back, and what is a fault of the program. */
export function outputError(path: string, cause: unknown): Error {
  if (cause instanceof MeditronError) return cause;
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === undefined && (cause instanceof TypeError || cause instanceof RangeError)) return cause;
  const why = code === 'ENOENT' ? `there is no folder ${dirname(resolve(path))}` : message;
  return new MeditronError('ERR_OUTPUT', `${path} cannot be written: ${why}`, { cause });
}

async function withReason(path: string, work: () => Promise<unknown>): Promise<void> {
  try {
    const fault = whyNoName(path);
    if (fault !== undefined) throw new Error(fault);
    await work();
  } catch (error) {
    throw outputError(path, error);
  }
}

async function write(path: string, how: 'w' | 'wx', content: Content): Promise<void> {
  const file = await open(path, how, 0o600);
  try {
    await writeFile(file, content);
    if (how === 'wx') await file.sync();
  } finally {
    await file.close();
  }
}

/** A device or a pipe cannot be replaced by a file of its name, and is often named by a link, as /dev/stdout. */
async function kindOf(path: string): Promise<'new' | 'file' | 'device'> {
  const named = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (!named) return 'new';
  const found = named.isSymbolicLink() ? await stat(path).catch(() => named) : named;
  if (found.isDirectory()) throw new Error('it is a folder');
  if (!found.isFile() && !found.isSymbolicLink()) return 'device';
  if (named.isSymbolicLink()) throw new Error('it is a symbolic link; name the file itself');
  return 'file';
}

/** Makes the new name survive a power failure. Windows cannot open folders, and does not need it. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => undefined);
  await folder?.sync().catch(() => {});
  await folder?.close();
}
