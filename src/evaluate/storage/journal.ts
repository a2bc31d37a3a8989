import { type FileHandle, mkdir, open, rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { MeditronError } from '../../check/errors.js';
import { type Config, configHash, differences, plain } from './config.js';
import {
  type Contents,
  type Header,
  type Identified,
  type RowCheck,
  readHeader,
  resultsName,
  rowsIn,
} from './lines.js';
import { acquire, type Lock } from './lock.js';

export interface JournalOptions<Row> {
  /** Go on behind the rows that are there. Default false. */
  readonly resume?: boolean;
  /** Checks the rows that are there. */
  readonly check: RowCheck<Row>;
}

/**
 * Opens the results in the folder `dir` for writing. The file holds one JSON object a line: a header with the
 * configuration, then a row for each item. Rows are only ever appended, and each is on the disk before its `append`
 * resolves, so a killed process loses at most rows whose `append` was pending, and leaves at most one torn line, which is
 * cut when the file is opened again. Only the user can read it.
 *
 * @throws MeditronError `ERR_OUTPUT` if the folder holds results and `resume` is not set, or cannot be written; `ERR_OPTION`
 *   if they are of another configuration (the fields are named); `ERR_BUSY` if another process writes them; `ERR_INPUT` if
 *   the file is damaged anywhere but at its end
 */
export async function openJournal<Row extends Identified>(
  dir: string,
  config: Config,
  { resume = false, check }: JournalOptions<Row>,
): Promise<Journal<Row>> {
  const path = join(dir, resultsName);
  await mkdir(dir, { recursive: true }).catch(error => {
    throw outputError(dir, error);
  });
  const lock = await acquire(join(dir, 'lock'));
  let file: FileHandle | undefined;
  try {
    const now = plain(config);
    const exists = await stat(path).then(
      info => info.size > 0,
      () => false,
    );
    if (exists && !resume) {
      const message = `${dir} already holds the results of a run; continue it with \`resume\`, or choose another folder`;
      throw new MeditronError('ERR_OUTPUT', message);
    }
    if (!exists) await writeHeader(dir, path, config);
    const differing = differences((await readHeader(path)).config, now);
    if (differing.length > 0) {
      const message = `${dir} holds a run of another configuration; choose another folder, or set these as they were:\n  ${differing.join('\n  ')}`;
      throw new MeditronError('ERR_OPTION', message);
    }
    const contents = await read(path, check);
    file = await open(path, 'r+');
    await file.truncate(contents.end);
    await file.sync();
    return new Journal<Row>(path, file, lock, contents, check);
  } catch (error) {
    await file?.close();
    await lock.release();
    throw error instanceof MeditronError ? error : outputError(path, error);
  }
}

/** Reads to the end of the last whole line, every row checked and none kept. */
async function read<Row extends Identified>(path: string, check: RowCheck<Row>): Promise<Contents> {
  const rows = rowsIn(path, check);
  for (;;) {
    const { done, value } = await rows.next();
    if (done) return value;
  }
}

/** A results file that is open for writing. Appends may overlap; they are written in the order in which they were asked for. */
export class Journal<Row extends Identified> implements AsyncDisposable {
  readonly header: Header;
  readonly #done: Set<string>;
  readonly #pending = new Set<string>();
  readonly #file: FileHandle;
  readonly #lock: Lock;
  #end: number;
  #queue: { readonly row: Row; readonly line: Buffer; resolve(): void; reject(error: unknown): void }[] = [];
  #writing: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  /** Use {@link openJournal}. */
  constructor(
    readonly path: string,
    file: FileHandle,
    lock: Lock,
    { header, ids, end }: Contents,
    private readonly check: RowCheck<Row>,
  ) {
    this.header = header;
    this.#file = file;
    this.#lock = lock;
    this.#done = ids;
    this.#end = end;
  }

  /** The items whose rows are on the disk. */
  get done(): ReadonlySet<string> {
    return this.#done;
  }

  /**
   * Resolves when the row is on the disk. Rejects with `ERR_OUTPUT` if it cannot be written (the file stays valid, and the
   * append may be tried again), with `ERR_OPTION` if the item has a row, with `ERR_BUSY` if another process has taken the
   * folder over. Numbers that are not finite are stored as null.
   */
  append(row: Row): Promise<void> {
    if (this.#closing) return Promise.reject(new MeditronError('ERR_CLOSED', `${this.path} has been closed`));
    if (typeof row.id !== 'string' || row.id === '') {
      return Promise.reject(new MeditronError('ERR_OPTION', 'Expected a result row to have a non-empty `id`'));
    }
    if (this.#done.has(row.id) || this.#pending.has(row.id)) {
      return Promise.reject(new MeditronError('ERR_OPTION', `Item "${row.id}" already has a row in ${this.path}`));
    }
    const line = Buffer.from(`${JSON.stringify(row)}\n`);
    this.#pending.add(row.id);
    const written = new Promise<void>((resolve, reject) => this.#queue.push({ row, line, resolve, reject }));
    this.#writing ??= this.#drain();
    return written;
  }

  /** All rows on the disk, in the order in which they were written. */
  rows(): AsyncGenerator<Row> {
    return rowsIn(this.path, this.check);
  }

  /** Waits for pending appends, closes the file and gives the folder free. May be called more than once. */
  close(): Promise<void> {
    this.#closing ??= this.#finish();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #finish(): Promise<void> {
    await this.#writing;
    await this.#file.close();
    await this.#lock.release();
  }

  /** Everything that waits goes to the disk in one write and one sync. */
  async #drain(): Promise<void> {
    await undefined;
    while (this.#queue.length > 0) {
      const batch = this.#queue;
      this.#queue = [];
      const bytes = Buffer.concat(batch.map(({ line }) => line));
      const error = await this.#write(bytes);
      for (const { row, resolve, reject } of batch) {
        this.#pending.delete(row.id);
        if (error) {
          reject(error);
        } else {
          this.#done.add(row.id);
          resolve();
        }
      }
    }
    this.#writing = undefined;
  }

  async #write(bytes: Buffer): Promise<MeditronError | undefined> {
    try {
      await this.#lock.check();
    } catch (error) {
      return outputError(this.path, error);
    }
    try {
      for (let at = 0; at < bytes.length; ) {
        const { bytesWritten } = await this.#file.write(bytes, at, bytes.length - at, this.#end + at);
        if (bytesWritten === 0) throw new Error('no byte was written');
        at += bytesWritten;
      }
      await this.#file.datasync();
      this.#end += bytes.length;
      return undefined;
    } catch (error) {
      // What was written of the batch is cut off again; if even that fails, resuming will do it.
      await this.#file.truncate(this.#end).catch(() => {});
      return outputError(this.path, error);
    }
  }
}

/** The header is written beside the file and moved into place, so it is whole or not there. */
async function writeHeader(dir: string, path: string, config: Config): Promise<void> {
  const created = new Date().toISOString();
  const ordered = plain(config);
  const header = { format: 'meditron-results', version: 1, hash: configHash(config), created, config: ordered };
  const draft = `${path}.new`;
  try {
    const file = await open(draft, 'w', 0o600);
    try {
      await file.writeFile(`${JSON.stringify(header)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
    await syncFolder(dir);
  } catch (error) {
    await unlink(draft).catch(() => {});
    throw outputError(path, error);
  }
}

/** Makes the new name survive a power failure. Windows cannot open folders, and does not need it. */
async function syncFolder(dir: string): Promise<void> {
  const folder = await open(dir, 'r').catch(() => undefined);
  await folder?.sync().catch(() => {});
  await folder?.close();
}

function outputError(path: string, error: unknown): MeditronError {
  if (error instanceof MeditronError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  const reason = code === 'ENOSPC' || code === 'EDQUOT' ? 'the disk is full; free some space and resume' : message;
  return new MeditronError('ERR_OUTPUT', `Cannot write ${path}: ${reason}`, { cause: error });
}
