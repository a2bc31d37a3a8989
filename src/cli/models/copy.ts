import { createReadStream, createWriteStream } from 'node:fs';
import { constants, copyFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { MeditronError } from '../../check/errors.js';
import { makeFolder } from '../../check/outputs.js';
import type { FileHash } from '../../models/identity.js';
import { hashed } from '../hashing.js';

/**
 * Copies the files of a model into a folder and reads the copies again. Whatever comes between, a signal included, no part of a copy stays.
 *
 * @throws MeditronError `ERR_OUTPUT` if one cannot be written, is there already, or is not as the file that was read; the signal's reason
 */
export async function copiesOf(files: readonly FileHash[], folder: string, signal: AbortSignal): Promise<FileHash[]> {
  await makeFolder(folder);
  const begun: string[] = [];
  try {
    for (const { path } of files) {
      const to = join(folder, basename(path));
      await copied(path, to, () => begun.push(to), signal);
    }
    const copies = await hashed(
      files.map(({ sizeBytes }, i) => ({ path: begun[i]!, sizeBytes })),
      signal,
    );
    const differs = copies.findIndex(({ sha256 }, i) => sha256 !== files[i]!.sha256);
    if (differs < 0) return copies;
    throw new MeditronError(
      'ERR_OUTPUT',
      `${begun[differs]} is not as ${files[differs]!.path} is: the copy was taken away. Check the disk`,
    );
  } catch (error) {
    await Promise.all(begun.map(path => rm(path, { force: true })));
    throw error;
  }
}

/** `onBegun` is called as soon as there is a file that was not there before. */
async function copied(from: string, to: string, onBegun: () => void, signal: AbortSignal): Promise<void> {
  try {
    await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE);
    return onBegun();
  } catch {
    // not a file system that shares blocks, or an error that comes again
  }
  const output = createWriteStream(to, { flags: 'wx' });
  output.once('open', onBegun);
  try {
    await pipeline(createReadStream(from), output, { signal });
  } catch (cause) {
    signal.throwIfAborted();
    const { code, message } = cause as NodeJS.ErrnoException;
    const why = code === 'EEXIST' ? 'it is there already' : message;
    throw new MeditronError('ERR_OUTPUT', `${to} cannot be written: ${why}`, { cause });
  }
}
