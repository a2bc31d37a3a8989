import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import * as v from 'valibot';
import { MeditronError } from '../../check/errors.js';
import { checked } from '../../check/schema.js';
import type { Config } from './config.js';

/** The file inside a results folder that holds header and rows. */
export const resultsName = 'results.jsonl';
/** The file beside it that tells what befell the engine meanwhile. */
export const incidentsName = 'incidents.json';

/** What every row has; everything else is the caller's, as long as it is JSON. */
export interface Identified {
  /** One row for each. */
  readonly id: string;
}

/** Checks a row that was read back; `where` names file and line for its error. */
export type RowCheck<Row> = (value: unknown, where: string) => Row;

/** The first line of a results file. */
export interface Header {
  readonly format: 'meditron-results';
  readonly version: 2;
  /** Tells these results from others of the same configuration. */
  readonly id: string;
  /** When the run was first started, ISO 8601. */
  readonly created: string;
  readonly config: Config;
}

/** A line that is to be written, and its checksum, which the line after it is bound to. */
export interface SealedLine {
  readonly bytes: Buffer;
  readonly sha256: string;
}

/**
 * A JSON object as a line that ends in its checksum: SHA-256 of the checksum of the line before (of none: an empty text) and of
 * all its own bytes up to there. So a line that was changed is found, and one that is gone, doubled, moved or from another file.
 *
 * @param json an object that is not empty
 */
export function sealLine(json: string, before: string): SealedLine {
  const body = json.slice(0, -1);
  const sha256 = createHash('sha256').update(before).update(body).digest('hex');
  return { bytes: Buffer.from(`${body},"sha256":"${sha256}"}\n`), sha256 };
}

/**
 * The rows of a results file in the order in which they were written, each checked; returns header, ids and the end of the
 * last whole line. A torn last line is left out, so a file can be read while another process writes it.
 *
 * @throws MeditronError `ERR_INPUT` with the line if there is no such file, or it is not as it was written up to its last line
 */
export async function* rowsIn<Row extends Identified>(
  path: string,
  check: RowCheck<Row>,
): AsyncGenerator<Row, Contents> {
  let header: Header | undefined;
  let last = '';
  const ids = new Set<string>();
  let end = 0;
  let bad: string | undefined;
  for await (const { bytes, number, next } of linesOf(path)) {
    if (bad) throw changed(bad);
    const where = `${path}, line ${number}`;
    if (!header) {
      if (next === undefined) break;
      ({ header, sha256: last } = headerOf(path, bytes));
    } else if (next === undefined) {
      // What a kill leaves is the beginning of a line: it never goes on behind the checksum.
      if (unsealed(bytes.subarray(0, -1), last)) throw changed(where);
      break;
    } else {
      const line = unsealed(bytes, last);
      if (!line) {
        if (!bytes.includes(neverWritten)) throw changed(where);
        bad = where;
        continue;
      }
      const value = parsed(line.json);
      const { id } = checked(identified, value, where);
      if (ids.has(id)) throw new MeditronError('ERR_INPUT', `${where}: item "${id}" has two rows`);
      ids.add(id);
      yield check(value, where);
      last = line.sha256;
    }
    end = next!;
  }
  if (!header) throw foreign(path);
  return { header, ids, end, last };
}

/** After a power failure the last line can be whole in length but not in content: blocks that never reached the disk are zeros. */
const neverWritten = Buffer.alloc(8);

/** What stands in a results file besides its rows. */
export interface Contents {
  readonly header: Header;
  readonly ids: Set<string>;
  /** Bytes up to the end of the last whole line. */
  readonly end: number;
  /** The checksum of that line. */
  readonly last: string;
}

/** The header alone. @throws MeditronError `ERR_INPUT` if there is none, or it is not as it was written */
export async function readHeader(path: string): Promise<Header> {
  for await (const { bytes, next } of linesOf(path)) {
    if (next !== undefined) return headerOf(path, bytes).header;
  }
  throw foreign(path);
}

const identified = v.object({ id: v.pipe(v.string(), v.minLength(1, 'a text that is not empty')) });

const headerSchema = v.object({
  format: v.literal('meditron-results'),
  version: v.literal(2),
  id: v.string(),
  created: v.pipe(v.string(), v.isoTimestamp('a time as ISO 8601 writes it')),
  config: v.record(v.string(), v.unknown()),
});

function headerOf(path: string, bytes: Buffer): { readonly header: Header; readonly sha256: string } {
  const { format, version } = (parsed(bytes.toString('utf8')) ?? {}) as Record<string, unknown>;
  if (format !== 'meditron-results') throw foreign(path);
  if (version === 1)
    throw new MeditronError(
      'ERR_INPUT',
      `${path} was written by an older release, without the checksums by which a change is found: read it with that release, or evaluate again into another folder`,
    );
  const line = unsealed(bytes, '');
  if (!line) throw new MeditronError('ERR_INPUT', `${path}: its header was changed after the run was started`);
  return { header: checked(headerSchema, parsed(line.json), `${path}, line 1`), sha256: line.sha256 };
}

/** Undefined if it is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Bytes from the comma before a checksum to the brace behind it. */
const sealBytes = ',"sha256":""}'.length + 64;

/** What {@link sealLine} was given, if the line is as it was written and follows the one with that checksum. */
function unsealed(bytes: Buffer, before: string): { readonly json: string; readonly sha256: string } | undefined {
  const body = bytes.subarray(0, -sealBytes);
  const sha256 = createHash('sha256').update(before).update(body).digest('hex');
  if (bytes.toString('latin1', body.length) !== `,"sha256":"${sha256}"}`) return undefined;
  return { json: `${body.toString('utf8')}}`, sha256 };
}

function foreign(path: string): MeditronError {
  return new MeditronError('ERR_INPUT', `${path} does not begin with a header of this program's results`);
}

function changed(where: string): MeditronError {
  return new MeditronError(
    'ERR_INPUT',
    `${where}: the file is not as it was written from here on; use an unchanged copy, or take this line and all after it away and go on with --resume`,
  );
}

interface Line {
  readonly bytes: Buffer;
  /** From 1. */
  readonly number: number;
  /** The offset after its line feed; undefined if there is none, and the line is torn. */
  readonly next: number | undefined;
}

/** No row is that long; what is cannot be one text. */
const mostBytes = 1 << 28;

async function* linesOf(path: string): AsyncGenerator<Line> {
  let rest: Buffer[] = [];
  let offset = 0;
  let start = 0;
  let number = 0;
  try {
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
      let from = 0;
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
        const bytes = Buffer.concat([...rest, chunk.subarray(from, at)]);
        rest = [];
        from = at + 1;
        start = offset + from;
        number++;
        yield { bytes, number, next: start };
      }
      if (from < chunk.length) rest.push(chunk.subarray(from));
      offset += chunk.length;
      if (offset - start > mostBytes) throw foreign(path);
    }
  } catch (error) {
    if (error instanceof MeditronError) throw error;
    throw new MeditronError('ERR_INPUT', `Cannot read ${path}: ${(error as Error).message}`, { cause: error });
  }
  if (rest.length > 0) yield { bytes: Buffer.concat(rest), number: number + 1, next: undefined };
}
