import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, lstat, open } from 'node:fs/promises';
import { join } from 'node:path';
import { MeditronError } from '../../check/errors.js';
import { makeFolder, outputError, removeLeftovers, writeOutput } from '../../check/outputs.js';
import { type Config, differences, plain } from './config.js';
import {
  type Contents,
  type Header,
  type Identified,
  incidentsName,
  type RowCheck,
  readHeader,
  resultsName,
  rowsIn,
  sealLine,
} from './lines.js';
import { acquire, type Lock } from './lock.js';

const lockName = 'lock';

export interface JournalOptions<Row> {
  /** Go on behind the rows that are there. Default false. */
  readonly resume?: boolean;
  /** Checks the rows that are there. */
  readonly check: RowCheck<Row>;
  /** What is to be done about fields that differ and that no option sets; told as `differences` words them. */
  readonly advise?: (differing: readonly string[]) => string | undefined;
}

/**
 * Opens the results in the folder `dir` for writing. The file holds one JSON object a line: a header with the
 * configuration, then a row for each item, each with a checksum over itself and what stands before it. Rows are only ever
 * appended, and each is on the disk before its `append` resolves, so a killed process loses at most rows whose `append` was
 * pending, and leaves at most one torn line, which is cut when the file is opened again. Only the user can read it.
 *
 * @throws MeditronError `ERR_OUTPUT` if the folder holds results and `resume` is not set, or cannot be written; `ERR_OPTION`
 *   if they are of another configuration (the fields are named); `ERR_BUSY` if another process writes them; `ERR_INPUT` if
 *   the file is damaged anywhere but at its end
 */
export async function openJournal<Row extends Identified>(
  dir: string,
  config: Config,
  { resume = false, check, advise }: JournalOptions<Row>,
): Promise<Journal<Row>> {
  const path = join(dir, resultsName);
  await makeFolder(dir);
  const lock = await acquire(join(dir, lockName));
  let file: FileHandle | undefined;
  try {
    const now = plain(config);
    for (const name of [resultsName, incidentsName, lockName]) await removeLeftovers(join(dir, name), 0);
    const exists = await isThere(path);
    if (exists && !resume) {
      const message = `${dir} already holds the results of a run; continue it with \`resume\`, or choose another folder`;
      throw new MeditronError('ERR_OUTPUT', message);
    }
    if (!exists) await writeHeader(path, now);
    const differing = differences((await readHeader(path)).config, now);
    if (differing.length > 0) {
      const advice = advise?.(differing) ?? 'Choose another folder, or set these as they were';
      const message = `${dir} holds a run of another configuration. ${advice}:\n  ${differing.join('\n  ')}`;
      throw new MeditronError('ERR_OPTION', message);
    }
    const contents = await read(path, check);
    file = await open(path, constants.O_RDWR | noFollow);
    await file.truncate(contents.end);
    await file.sync();
    return new Journal<Row>(path, file, lock, contents, check);
  } catch (error) {
    await file?.close();
    await lock.release();
    throw outputError(path, error);
  }
}

/** Elsewhere than on Windows: what becomes a link after it was looked at is not followed. */
const noFollow = constants.O_NOFOLLOW ?? 0;

/** Whether there are results; an empty file is none. */
async function isThere(path: string): Promise<boolean> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (found && !found.isFile()) throw outputError(path, new Error('it is no file'));
  return found !== undefined && found.size > 0;
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
  /** The checksum of the last line. */
  #last: string;
  /** Whether there is something behind the end that could not be cut off. */
  #torn = false;
  #queue: { readonly id: string; readonly json: string; resolve(): void; reject(error: unknown): void }[] = [];
  #writing: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  /** Use {@link openJournal}. */
  constructor(
    readonly path: string,
    file: FileHandle,
    lock: Lock,
    { header, ids, end, last }: Contents,
    private readonly check: RowCheck<Row>,
  ) {
    this.header = header;
    this.#file = file;
    this.#lock = lock;
    this.#done = ids;
    this.#end = end;
    this.#last = last;
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
    const { id } = row;
    const json = JSON.stringify(row);
    this.#pending.add(id);
    const written = new Promise<void>((resolve, reject) => this.#queue.push({ id, json, resolve, reject }));
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
      const error = await this.#write(batch.map(({ json }) => json));
      for (const { id, resolve, reject } of batch) {
        this.#pending.delete(id);
        if (error) {
          reject(error);
        } else {
          this.#done.add(id);
          resolve();
        }
      }
    }
    this.#writing = undefined;
  }

  async #write(rows: readonly string[]): Promise<Error | undefined> {
    let last = this.#last;
    const lines = rows.map(json => {
      const line = sealLine(json, last);
      last = line.sha256;
      return line.bytes;
    });
    const bytes = Buffer.concat(lines);
    try {
      await this.#lock.check();
    } catch (error) {
      return outputError(this.path, error);
    }
    try {
      if (this.#torn) await this.#cut();
      this.#torn = true;
      for (let at = 0; at < bytes.length; ) {
        const { bytesWritten } = await this.#file.write(bytes, at, bytes.length - at, this.#end + at);
        if (bytesWritten === 0) throw new Error('no byte was written');
        at += bytesWritten;
      }
      await this.#file.datasync();
      this.#end += bytes.length;
      this.#last = last;
      this.#torn = false;
      return undefined;
    } catch (error) {
      // If even that fails, the next append tries it again, and resuming does it.
      await this.#cut().catch(() => {});
      return outputError(this.path, error);
    }
  }

  /** Cuts off what was written of a batch that failed. */
  async #cut(): Promise<void> {
    await this.#file.truncate(this.#end);
    this.#torn = false;
  }
}

/** Written whole or not at all. */
async function writeHeader(path: string, config: unknown): Promise<void> {
  const created = new Date().toISOString();
  const header = { format: 'meditron-results', version: 2, id: randomUUID(), created, config };
  await writeOutput(path, sealLine(JSON.stringify(header), '').bytes);
}
