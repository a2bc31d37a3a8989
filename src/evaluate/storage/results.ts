import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { MeditronError } from '../../check/errors.js';

/** What a result row must have; everything else is the caller's, as long as it is JSON. */
export interface StoredRow {
  /** The item's id: one row for each item. */
  readonly id: string;
}

/** A configuration of a run: plain JSON. Two runs with equal configurations may continue each other. */
export type RunConfig = Readonly<Record<string, unknown>>;

export interface StoreHeader {
  readonly format: 'meditron-results';
  readonly version: 1;
  /** SHA-256 of the configuration with its keys in order. */
  readonly hash: string;
  /** When the run was first started, ISO 8601. */
  readonly created: string;
  readonly config: RunConfig;
}

/** The file inside the folder that holds header and rows. */
export const resultsName = 'results.jsonl';

/**
 * The results in a folder, for reading only: also while another process writes them. A torn last line is left out.
 * Throws `ERR_INPUT` if there are none.
 */
export async function readStore<Row extends StoredRow>(dir: string): Promise<{ header: StoreHeader; rows: Row[] }> {
  const rows: Row[] = [];
  const { header } = await scan<Row>(join(dir, resultsName), row => rows.push(row));
  return { header, rows };
}

/** SHA-256 of a configuration, whatever the order of its keys. */
export function configHash(config: RunConfig): string {
  return createHash('sha256')
    .update(JSON.stringify(plain(config)))
    .digest('hex');
}

/** What is in a results file. */
export interface Scan {
  readonly header: StoreHeader;
  readonly ids: Set<string>;
  /** Bytes up to the end of the last whole line. */
  readonly end: number;
}

/**
 * Reads a results file to the end of its last whole line. Throws `ERR_INPUT` with the line if it is damaged before that.
 */
export async function scan<Row extends StoredRow>(path: string, onRow?: (row: Row) => void): Promise<Scan> {
  let header: StoreHeader | undefined;
  const ids = new Set<string>();
  let end = 0;
  let bad: string | undefined;
  for await (const { text, number, next } of linesOf(path)) {
    if (bad) throw new MeditronError('ERR_INPUT', `${bad}; the file is damaged`);
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      // After a power failure the last line can be whole in length but not in content: only then is it cut.
      bad = `${path}, line ${number}: not valid JSON`;
      continue;
    }
    if (!header) header = headerOf(path, value);
    else {
      const row = value as Row;
      if (typeof row?.id !== 'string')
        throw new MeditronError('ERR_INPUT', `${path}, line ${number}: expected a row with an \`id\``);
      if (ids.has(row.id))
        throw new MeditronError('ERR_INPUT', `${path}, line ${number}: item "${row.id}" has two rows`);
      ids.add(row.id);
      onRow?.(row);
    }
    end = next;
  }
  if (!header) throw new MeditronError('ERR_INPUT', `${path} does not begin with a header of this program's results`);
  return { header, ids, end };
}

function headerOf(path: string, value: unknown): StoreHeader {
  const header = value as Partial<StoreHeader> | null;
  if (
    typeof header !== 'object' ||
    header?.format !== 'meditron-results' ||
    typeof header.config !== 'object' ||
    !header.config
  ) {
    throw new MeditronError('ERR_INPUT', `${path} does not begin with a header of this program's results`);
  }
  if (header.version !== 1) {
    throw new MeditronError('ERR_INPUT', `${path} was written by another version of this program (${header.version})`);
  }
  if (header.hash !== configHash(header.config)) {
    throw new MeditronError(
      'ERR_INPUT',
      `${path}: the configuration in its header was changed after the run was started`,
    );
  }
  return header as StoreHeader;
}

/** Lines that end in a line feed, with the offset after it; what follows the last one is torn and left out. */
export async function* linesOf(
  path: string,
  end = Infinity,
): AsyncGenerator<{ text: string; number: number; next: number }> {
  let rest: Buffer[] = [];
  let offset = 0;
  let number = 0;
  try {
    if (end === 0) return;
    for await (const chunk of createReadStream(
      path,
      end === Infinity ? {} : { end: end - 1 },
    ) as AsyncIterable<Buffer>) {
      let from = 0;
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
        const line = Buffer.concat([...rest, chunk.subarray(from, at)]);
        rest = [];
        from = at + 1;
        number++;
        yield { text: line.toString('utf8'), number, next: offset + from };
      }
      if (from < chunk.length) rest.push(chunk.subarray(from));
      offset += chunk.length;
    }
  } catch (error) {
    if (error instanceof MeditronError) throw error;
    throw new MeditronError('ERR_INPUT', `Cannot read ${path}: ${(error as Error).message}`, { cause: error });
  }
}

/** As it will be read back, with keys in order; a value that JSON cannot hold is a mistake of the caller. */
export function plain(value: unknown, at = 'config'): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (Array.isArray(value)) return value.map((element, i) => plain(element, `${at}[${i}]`));
  if (typeof value === 'object') {
    const entries = Object.entries(value).filter(([, element]) => element !== undefined);
    entries.sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(entries.map(([key, element]) => [key, plain(element, `${at}.${key}`)]));
  }
  throw new MeditronError('ERR_OPTION', `Expected \`${at}\` to be plain JSON, got ${String(value)} (${typeof value})`);
}

/** `sampling.temperature: 0.8 there, 0.7 now` for each field that differs. */
export function differences(there: unknown, now: unknown, at = ''): string[] {
  if (JSON.stringify(there) === JSON.stringify(now)) return [];
  const nested = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  if (nested(there) && nested(now)) {
    const keys = [...new Set([...Object.keys(there), ...Object.keys(now)])].sort();
    return keys.flatMap(key => differences(there[key], now[key], at ? `${at}.${key}` : key));
  }
  return [`${at}: ${shown(there)} there, ${shown(now)} now`];
}

function shown(value: unknown): string {
  if (value === undefined) return 'absent';
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
