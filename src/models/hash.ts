import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { object, string } from '../check/options.js';
import { unreadable } from '../gguf/fault.js';

/** How a file is hashed. */
export interface HashOptions {
  /** Told bytes read and bytes in all. */
  readonly onProgress?: (read: number, total: number) => void;
  /** Stops; the promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

const chunkBytes = 4 << 20;

/**
 * The SHA-256 of a file in lower-case hexadecimal. Reads all of it: about a second a gigabyte.
 *
 * @throws MeditronError ERR_MODEL_FILE if the file cannot be read
 */
export async function hashFile(path: string, options: HashOptions = {}): Promise<string> {
  string('path', path);
  object('options', options);
  options.signal?.throwIfAborted();
  const handle = await open(path).catch(cause => {
    throw unreadable(path, cause);
  });
  try {
    return await hashHandle(handle, path, options);
  } finally {
    await handle.close();
  }
}

async function hashHandle(handle: FileHandle, path: string, options: HashOptions): Promise<string> {
  const hash = createHash('sha256');
  const chunk = Buffer.allocUnsafe(chunkBytes);
  const total = (await handle.stat()).size;
  for (let done = 0; ; ) {
    options.signal?.throwIfAborted();
    const { bytesRead } = await handle.read(chunk, 0, chunkBytes, done).catch(cause => {
      throw unreadable(path, cause);
    });
    if (bytesRead === 0) return hash.digest('hex');
    hash.update(chunk.subarray(0, bytesRead));
    done += bytesRead;
    options.onProgress?.(done, total);
  }
}
