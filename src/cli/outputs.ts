import { randomUUID } from 'node:crypto';
import { access, constants, open, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { MeditronError } from '../check/errors.js';

/** All of it, or its parts in order where it is too long for one string. */
export type Text = string | Iterable<string> | AsyncIterable<string>;

/**
 * Finds out before anything is computed whether a file can be written in the end. Nothing is left behind, and what is there stays.
 *
 * @throws MeditronError `ERR_OUTPUT` with the reason
 */
export async function tryOutput(path: string): Promise<void> {
  await withReason(path, async () => {
    const target = await targetOf(path);
    if (target.kind === 'device') return access(target.path, constants.W_OK);
    if (target.kind === 'file') await access(target.path, constants.W_OK);
    const beside = besideOf(target.path);
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

/**
 * Writes a file, whole or not at all: what was there before stays until all of the new one is on the disk. Only its owner may
 * read it: it holds what was asked.
 *
 * @throws MeditronError `ERR_OUTPUT` with the reason
 */
export async function writeOutput(path: string, text: Text): Promise<void> {
  await withReason(path, async () => {
    const target = await targetOf(path);
    if (target.kind === 'device') return write(target.path, 'w', text);
    const beside = besideOf(target.path);
    try {
      await write(beside, 'wx', text);
      await rename(beside, target.path);
    } catch (error) {
      await rm(beside, { force: true });
      throw error;
    }
  });
}

async function write(path: string, how: 'w' | 'wx', text: Text): Promise<void> {
  const file = await open(path, how, 0o600);
  try {
    await writeFile(file, text);
    if (how === 'wx') await file.sync();
  } finally {
    await file.close();
  }
}

interface Target {
  readonly path: string;
  /** A device, as /dev/stdout, or a pipe cannot be replaced by a file of its name. */
  readonly kind: 'new' | 'file' | 'device';
}

async function targetOf(path: string): Promise<Target> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (!found) return { path, kind: 'new' };
  if (found.isDirectory()) throw new Error('it is a folder');
  return found.isFile() ? { path: await realpath(path), kind: 'file' } : { path, kind: 'device' };
}

function besideOf(path: string): string {
  return join(dirname(path), `.${basename(path).slice(0, 100)}.${randomUUID()}`);
}

async function withReason(path: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? `there is no folder ${dirname(resolve(path))}` : message;
    throw new MeditronError('ERR_OUTPUT', `${path} cannot be written: ${why}`, { cause });
  }
}
