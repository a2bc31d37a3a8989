import { createReadStream } from 'node:fs';
import * as v from 'valibot';
import { MeditronError } from '../../check/errors.js';
import { checked } from '../../check/schema.js';
import { type Config, configHash } from './config.js';

/** The file inside a results folder that holds header and rows. */
export const resultsName = 'results.jsonl';

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
  readonly version: 1;
  /** SHA-256 of the configuration with its keys in order. */
  readonly hash: string;
  /** When the run was first started, ISO 8601. */
  readonly created: string;
  readonly config: Config;
}

/**
 * The rows of a results file in the order in which they were written, each checked; returns header, ids and the end of the
 * last whole line. A torn last line is left out, so a file can be read while another process writes it.
 *
 * @throws MeditronError `ERR_INPUT` with the line if there is no such file or it is damaged before its last line
 */
export async function* rowsIn<Row extends Identified>(
  path: string,
  check: RowCheck<Row>,
): AsyncGenerator<Row, Contents> {
  let header: Header | undefined;
  const ids = new Set<string>();
  let end = 0;
  let bad: string | undefined;
  for await (const { text, number, next } of linesOf(path)) {
    if (bad) throw new MeditronError('ERR_INPUT', `${bad}; the file is damaged`);
    const where = `${path}, line ${number}`;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      // After a power failure the last line can be whole in length but not in content: only then is it cut.
      bad = `${where}: not valid JSON`;
      continue;
    }
    if (header) {
      const { id } = checked(identified, value, where);
      if (ids.has(id)) throw new MeditronError('ERR_INPUT', `${where}: item "${id}" has two rows`);
      ids.add(id);
      yield check(value, where);
    } else {
      header = headerOf(path, value);
    }
    end = next;
  }
  if (!header) throw new MeditronError('ERR_INPUT', `${path} does not begin with a header of this program's results`);
  return { header, ids, end };
}

/** What stands in a results file besides its rows. */
export interface Contents {
  readonly header: Header;
  readonly ids: Set<string>;
  /** Bytes up to the end of the last whole line. */
  readonly end: number;
}

/** The header alone. @throws MeditronError `ERR_INPUT` if there is none */
export async function readHeader(path: string): Promise<Header> {
  for await (const { text } of linesOf(path)) {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      break;
    }
    return headerOf(path, value);
  }
  throw new MeditronError('ERR_INPUT', `${path} does not begin with a header of this program's results`);
}

const identified = v.object({ id: v.pipe(v.string(), v.minLength(1, 'a text that is not empty')) });

const headerSchema = v.object({
  format: v.literal('meditron-results'),
  version: v.literal(1),
  hash: v.string(),
  created: v.pipe(v.string(), v.isoTimestamp('a time as ISO 8601 writes it')),
  config: v.record(v.string(), v.unknown()),
});

function headerOf(path: string, value: unknown): Header {
  const { format, version } = (value ?? {}) as { format?: unknown; version?: unknown };
  if (format !== 'meditron-results')
    throw new MeditronError('ERR_INPUT', `${path} does not begin with a header of this program's results`);
  if (version !== 1)
    throw new MeditronError('ERR_INPUT', `${path} was written by another version of this program (${String(version)})`);
  const header = checked(headerSchema, value, `${path}, line 1`);
  if (header.hash !== configHash(header.config)) {
    const message = `${path}: the configuration in its header was changed after the run was started`;
    throw new MeditronError('ERR_INPUT', message);
  }
  return header;
}

interface Line {
  readonly text: string;
  /** From 1. */
  readonly number: number;
  /** The offset after its line feed. */
  readonly next: number;
}

/** Lines that end in a line feed; what follows the last one is torn and left out. */
async function* linesOf(path: string): AsyncGenerator<Line> {
  let rest: Buffer[] = [];
  let offset = 0;
  let number = 0;
  try {
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
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
