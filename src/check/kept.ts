import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as v from 'valibot';
import { makeFolder, writeOutput } from './outputs.js';
import { isSealed, sealed } from './seal.js';
import { stateFolder } from './state.js';

/** The SHA-256 of something, in lower-case hexadecimal. */
export const sha256Text = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));

/** A file of ours stays far below. */
const mostBytes = 1 << 20;

/** A file of this name in the state folder; undefined if nothing is to be kept. */
export function stateFile(name: string): string | undefined {
  try {
    const folder = stateFolder();
    return folder === undefined ? undefined : join(folder, name);
  } catch {
    return undefined; // a user without a home
  }
}

/** What {@link keep} wrote; undefined if there is nothing, or the file is damaged, of another version or not ours. */
export function kept<T extends object>(file: string | undefined, schema: v.GenericSchema<unknown, T>): T | undefined {
  if (file === undefined) return undefined;
  try {
    const read = JSON.parse(readOwn(file)) as unknown;
    const result = v.safeParse(schema, read);
    return result.success && isSealed(result.output) ? result.output : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Writes plain data, sealed and for the owner alone. Where nothing can be written nothing is kept: what stands in such a file is found
 * again without it. Of two processes that write at once one is lost.
 */
export async function keep(file: string | undefined, value: object): Promise<void> {
  if (file === undefined) return;
  try {
    await makeFolder(dirname(file));
    await writeOutput(file, `${JSON.stringify(sealed(value))}\n`);
  } catch {
    // no permission, a full disk
  }
}

/** A file that somebody else may have written decides nothing here. */
function readOwn(file: string): string {
  const handle = openSync(file, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  try {
    const found = fstatSync(handle);
    const foreign = process.getuid !== undefined && (found.uid !== process.getuid() || (found.mode & 0o022) !== 0);
    if (foreign || !found.isFile() || found.size > mostBytes) throw new Error('not ours');
    return readFileSync(handle, 'utf8');
  } finally {
    closeSync(handle);
  }
}
