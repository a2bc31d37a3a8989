import { stat } from 'node:fs/promises';
import { hashFile } from './hash.js';

export interface FileHash {
  readonly path: string;
  readonly sizeBytes: number;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
}

const known = new Map<string, Promise<string>>();

/**
 * The SHA-256 of a model's files. Each file is read once per process, as long as its path, size and time stay the same.
 *
 * @throws MeditronError `ERR_MODEL_FILE` if a file cannot be read; the signal's reason
 */
export async function modelHash(
  info: { readonly files: readonly { readonly path: string; readonly sizeBytes: number }[] },
  signal?: AbortSignal,
): Promise<FileHash[]> {
  const hashes: FileHash[] = [];
  for (const { path, sizeBytes } of info.files) {
    hashes.push({ path, sizeBytes, sha256: await once(path, signal) });
  }
  return hashes;
}

async function once(path: string, signal: AbortSignal | undefined): Promise<string> {
  const { size, mtimeMs } = await stat(path).catch(() => ({ size: -1, mtimeMs: -1 }));
  const key = `${path}\n${size}\n${mtimeMs}`;
  const seen = known.get(key);
  if (seen) {
    try {
      return await seen;
    } catch {
      signal?.throwIfAborted(); // else it was another caller's signal: try for ourselves
    }
  }
  const hash = hashFile(path, signal ? { signal } : {});
  known.set(key, hash);
  hash.catch(() => known.delete(key));
  return hash;
}
