import { createHash, type Hash } from 'node:crypto';
import { statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { MeditronError } from '../check/errors.js';
import { unreadable } from '../gguf/fault.js';
import type { FileIdentity } from '../gguf/reader.js';
import { namedParts } from '../gguf/split.js';
import { recallHash, rememberHash, tellsChanges } from './remembered.js';

/** The SHA-256 of one file of a model. */
export interface FileHash {
  /** Path of the file. */
  readonly path: string;
  /** Its size in bytes. */
  readonly sizeBytes: number;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
}

/** The files of a model, as `info.files` of a loaded one lists them. */
export interface ModelFiles {
  readonly files: readonly {
    readonly path: string;
    readonly sizeBytes: number;
    /** {@link identityText} of the file that was loaded; without it whatever lies at the path now is hashed. */
    readonly identity?: string | null;
  }[];
}

/**
 * The SHA-256 of a model's files. Each file is read once per process, however many ask, and not at all if its hash is remembered.
 * Reading stops when the last caller gives up and goes on from there when the next one comes.
 *
 * @throws MeditronError `ERR_MODEL_FILE` if a file cannot be read, or is no longer the one that was loaded; the signal's reason
 */
export async function modelHash({ files }: ModelFiles, signal?: AbortSignal): Promise<FileHash[]> {
  const hashes: FileHash[] = [];
  for (const { path, sizeBytes, identity } of files) {
    signal?.throwIfAborted();
    const reading = readingOf(path, identity ?? identityText(identityAt(path)));
    hashes.push({ path, sizeBytes, sha256: await reading.result(signal) });
  }
  return hashes;
}

/**
 * Works through the hash of a model's files for as long as `loading` reads them: whoever is first brings a byte from the disk, and the other
 * finds it in memory. What is left then is for {@link modelHash}, as is the reason why they cannot be hashed.
 */
export async function hashWhile<T>(path: string, loading: Promise<T>): Promise<T> {
  const loaded = new AbortController();
  const files = namedParts(path).map(part => ({ path: part, sizeBytes: 0 }));
  modelHash({ files }, loaded.signal).catch(() => {});
  try {
    return await loading;
  } finally {
    loaded.abort();
  }
}

/** How far the hashes of a loaded model's files are. Reads nothing. */
export function hashProgress({ files }: ModelFiles): {
  /** Null until all of them are known. */
  readonly files: readonly FileHash[] | null;
  /** Bytes that have been read, of all bytes; 0 … 1. */
  readonly fraction: number;
} {
  const found = files.map(({ path, identity }) => (identity ? readings.get(keyOf(path, identity)) : undefined));
  const total = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  const read = found.reduce((sum, reading) => sum + (reading?.bytesRead ?? 0), 0);
  const hashes = files.flatMap(({ path, sizeBytes }, i) => {
    const sha256 = found[i]?.sha256;
    return sha256 === undefined ? [] : [{ path, sizeBytes, sha256 }];
  });
  const all = files.length > 0 && hashes.length === files.length;
  return { files: all ? hashes : null, fraction: total === 0 ? (all ? 1 : 0) : Math.min(1, read / total) };
}

/** Which file it is, in text: a replaced or rewritten file has another one. */
export function identityText({ dev, ino, size, mtimeNs, ctimeNs }: FileIdentity): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(':');
}

/**
 * The identity of the file that a path leads to now.
 *
 * @throws MeditronError `ERR_MODEL_FILE` if there is none
 */
export function identityAt(path: string): FileIdentity {
  try {
    return statSync(path, { bigint: true });
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

/**
 * That files which are mapped into memory have not been written to. Another file at the same place does no harm: the mapped one is
 * still there, without a name.
 *
 * @throws MeditronError `ERR_MODEL_FILE`
 */
export function checkMapped(files: ModelFiles['files']): void {
  for (const { path, identity } of files) {
    if (!identity) continue;
    const [dev, ino, size, mtimeNs] = identity.split(':');
    const now = statSync(path, { bigint: true, throwIfNoEntry: false });
    if (!now || String(now.dev) !== dev || String(now.ino) !== ino) continue;
    if (String(now.size) !== size || String(now.mtimeNs) !== mtimeNs) throw moved(path, 'loaded, and is mapped,');
  }
}

export function moved(path: string, when: string): MeditronError {
  const advice = 'load the model again when the file is no longer being written';
  return new MeditronError(
    'ERR_MODEL_FILE',
    `${path}: expected the file that was ${when}, got one that was replaced or changed since; ${advice}`,
  );
}

const chunkBytes = 1 << 20;

/** One file being hashed for all who wait for it. */
class Reading {
  sha256: string | undefined;
  bytesRead = 0;
  readonly #hash: Hash = createHash('sha256');
  #callers = 0;
  #lasting = false;
  #running: Promise<void> | undefined;

  constructor(
    readonly path: string,
    readonly identity: string,
  ) {}

  async result(signal: AbortSignal | undefined): Promise<string> {
    this.#callers++;
    try {
      // The reading that runs may have been given up by its last caller just now: then it is taken up again.
      while (this.sha256 === undefined) {
        signal?.throwIfAborted();
        this.#running ??= this.#read().finally(() => {
          this.#running = undefined;
        });
        await orAborted(this.#running, signal);
      }
      return this.sha256;
    } finally {
      this.#callers--;
    }
  }

  async #read(): Promise<void> {
    const handle = await open(this.path).catch(cause => {
      throw unreadable(this.path, cause);
    });
    const check = async (): Promise<FileIdentity> => {
      const now = await handle.stat({ bigint: true });
      if (identityText(now) !== this.identity) throw moved(this.path, 'loaded');
      return now;
    };
    try {
      const found = await check();
      if (this.bytesRead === 0) {
        this.sha256 = recallHash(this.identity);
        if (this.sha256 !== undefined) {
          this.bytesRead = Number(found.size);
          return;
        }
        this.#lasting = await tellsChanges(handle, this.path, found);
      }
      const chunk = Buffer.allocUnsafe(chunkBytes);
      while (this.#callers > 0) {
        const { bytesRead } = await handle.read(chunk, 0, chunkBytes, this.bytesRead).catch(cause => {
          throw unreadable(this.path, cause);
        });
        if (bytesRead === 0) {
          await check();
          const sha256 = this.#hash.digest('hex');
          if (this.#lasting) await rememberHash(this.identity, sha256);
          this.sha256 = sha256;
          return;
        }
        this.#hash.update(chunk.subarray(0, bytesRead));
        this.bytesRead += bytesRead;
      }
    } finally {
      await handle.close();
    }
  }
}

/** By path and identity. A finished one keeps 64 characters and two names. */
const readings = new Map<string, Reading>();

function readingOf(path: string, identity: string): Reading {
  const key = keyOf(path, identity);
  const found = readings.get(key) ?? new Reading(path, identity);
  readings.set(key, found);
  return found;
}

function keyOf(path: string, identity: string): string {
  return `${identity} ${path}`;
}

/** The promise, or the signal's reason if that comes first; the promise goes on. */
async function orAborted(promise: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (!signal) return promise;
  let stop = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
  });
  promise.catch(() => {}); // may fail after this caller has left
  try {
    await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
