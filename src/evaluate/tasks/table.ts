import { createReadStream } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { parse } from 'csv-parse';
import { type CodePage, type Decoder, decodeText, isUtf16, textDecoder } from '../../check/encoding.js';
import { describe, MeditronError } from '../../check/errors.js';
import { parseJson } from '../../prompt/question/json.js';
import { Row } from './row.js';

/** Given the first record of a CSV file: the names of its columns if it is data already, undefined if it is a header. */
export type Headerless = (first: readonly string[]) => readonly string[] | undefined;

export interface TableOptions {
  readonly headerless?: Headerless;
  /** Reads what is neither UTF-8 nor UTF-16; without it such a file is refused. */
  readonly codePage?: CodePage | undefined;
}

/**
 * The records of a JSON, JSON Lines, CSV or TSV file, whatever its name says: a `.json` file of MedMCQA holds one object
 * a line. JSON Lines and CSV are streamed. Understood inside JSON: an array, an object of records by key, and the
 * `rows` of the data set viewer's interface. Throws `ERR_INPUT` with file and line.
 */
export async function* rowsOf(path: string, { headerless, codePage }: TableOptions = {}): AsyncGenerator<Row> {
  if (/\.(?:csv|tsv)$/i.test(path)) return yield* csvRows(path, headerless, codePage);
  if (await isLines(path)) return yield* lineRows(path, codePage);
  yield* wholeRows(path, codePage);
}

/** A whole JSON file; `ERR_INPUT` if it is none. */
export async function readJson(path: string): Promise<unknown> {
  return parseJson(await readText(path), path);
}

/** The start of a file as text, for telling formats apart. Each byte is one character. */
export async function headOf(path: string): Promise<string> {
  const handle = await open(path).catch(error => {
    throw unreadable(path, error);
  });
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(65_536), 0, 65_536, 0);
    const head = buffer.subarray(0, bytesRead);
    if (isUtf16(head)) return textDecoder(head).decode(head);
    return head.toString('latin1').replace(/^\u00ef\u00bb\u00bf/, '');
  } finally {
    await handle.close();
  }
}

/** V8 cannot hold longer strings. */
const maxWhole = 500_000_000;

async function readText(path: string, codePage?: CodePage): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw unreadable(path, error);
  }
  if (bytes.length > maxWhole) {
    throw new MeditronError(
      'ERR_INPUT',
      `${path} is one JSON value of ${bytes.length} bytes: too large; save it as JSON Lines`,
    );
  }
  try {
    return decodeText(bytes, codePage);
  } catch (error) {
    throw unreadable(path, error);
  }
}

async function isLines(path: string): Promise<boolean> {
  const head = (await headOf(path)).trimStart();
  if (head.startsWith('[')) return false;
  if (/\.(?:jsonl|ndjson)$/i.test(path)) return true;
  const end = head.indexOf('\n');
  if (end < 0) return false;
  try {
    JSON.parse(head.slice(0, end));
    return head.slice(end).trim() !== '';
  } catch {
    return false;
  }
}

async function* lineRows(path: string, codePage?: CodePage): AsyncGenerator<Row> {
  let number = 0;
  for await (const line of lines(path, codePage)) {
    number++;
    if (line.trim() === '') continue;
    yield rowOf(path, `line ${number}`, parseJson(line, `${path}, line ${number}`));
  }
}

async function* lines(path: string, codePage?: CodePage): AsyncGenerator<string> {
  let rest = '';
  for await (const text of texts(path, codePage)) {
    const parts = (rest + text).split('\n');
    rest = parts.pop()!;
    yield* parts;
  }
  yield rest;
}

async function* texts(path: string, codePage?: CodePage): AsyncGenerator<string> {
  let decoder: Decoder | undefined;
  try {
    for await (const chunk of createReadStream(path)) {
      decoder ??= textDecoder(chunk, codePage);
      const text = decoder.decode(chunk);
      if (text) yield text;
    }
    const text = decoder?.decode();
    if (text) yield text;
  } catch (error) {
    throw unreadable(path, error);
  }
}

async function* csvRows(path: string, headerless?: Headerless, codePage?: CodePage): AsyncGenerator<Row> {
  const delimiter = /\.tsv$/i.test(path) ? '\t' : delimiterOf(await headOf(path));
  // `relax_quotes`: a quotation mark inside an unquoted field is text, as in Python's reader, which wrote these files.
  const parser = parse({ delimiter, relax_quotes: true, relax_column_count: true, skip_empty_lines: true, info: true });
  // The text goes through the same strict decoder as JSON Lines: a spreadsheet saved in another encoding is not misread.
  const feeding = pipeline(texts(path, codePage), parser).catch((error: Error) => error);
  let names: readonly string[] | undefined;
  let line = 1;
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
      const where = `line ${line}`;
      line = info.lines + 1;
      if (!names) {
        names = headerless?.(record);
        if (!names) {
          names = columnsOf(path, record);
          continue;
        }
      }
      if (record.length !== names.length) {
        const message = `${path}, ${where}: expected ${names.length} columns, got ${record.length}`;
        throw new MeditronError('ERR_INPUT', `${message}; is a quotation mark missing?`);
      }
      yield new Row(path, where, Object.fromEntries(names.map((name, i) => [name, record[i]])));
    }
  } catch (error) {
    throw unreadable(path, error);
  } finally {
    parser.destroy();
    await feeding;
  }
}

/** The commonest of the marks that spreadsheets put between cells, in the first line. */
function delimiterOf(head: string): string {
  const line = head.split('\n', 1)[0]!.replace(/"(?:[^"]|"")*"/g, '');
  const counts = [',', ';', '\t'].map(mark => ({ mark, count: line.split(mark).length }));
  return counts.reduce((most, entry) => (entry.count > most.count ? entry : most)).mark;
}

function columnsOf(path: string, header: readonly string[]): readonly string[] {
  const plain = header.map(name => name.trim().toLowerCase());
  const twice = plain.find((name, i) => name !== '' && plain.indexOf(name) !== i);
  if (twice === undefined) return header;
  throw new MeditronError('ERR_INPUT', `${path}, line 1: the column "${twice}" is there twice`);
}

async function* wholeRows(path: string, codePage?: CodePage): AsyncGenerator<Row> {
  const text = await readText(path, codePage);
  const value = parseJson(text, path);
  if (Array.isArray(value)) return yield* arrayRows(path, value);
  if (typeof value !== 'object' || value === null) throw rowError(path, 'the file', value);
  const fields = value as Record<string, unknown>;
  for (const name of ['data', 'rows', 'examples', 'questions']) {
    if (Array.isArray(fields[name]) && typeof fields[name][0] === 'object') return yield* arrayRows(path, fields[name]);
  }
  if (!Object.values(fields).every(isObject)) return yield new Row(path, 'row 1', fields);
  for (const key of new Set(keysInOrder(text))) {
    yield new Row(path, `record "${key}"`, fields[key] as Record<string, unknown>, key);
  }
}

/** The keys of the outermost object in the order of the file: JavaScript itself sorts those that look like numbers. */
function keysInOrder(text: string): string[] {
  const keys: string[] = [];
  let depth = 0;
  for (const token of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]]/g)) {
    const [part] = token;
    if (part === '{' || part === '[') depth++;
    else if (part === '}' || part === ']') depth--;
    else if (depth === 1 && /^\s*:/.test(text.slice(token.index + part.length, token.index + part.length + 20))) {
      keys.push(JSON.parse(part) as string);
    }
  }
  return keys;
}

function* arrayRows(path: string, values: readonly unknown[]): Generator<Row> {
  for (const [i, value] of values.entries()) yield rowOf(path, `row ${i + 1}`, value);
}

function rowOf(path: string, where: string, value: unknown): Row {
  if (!isObject(value)) throw rowError(path, where, value);
  // The data set viewer wraps each record, and cuts long cells.
  if (isObject(value.row) && 'row_idx' in value) {
    const cut = value.truncated_cells;
    if (Array.isArray(cut) && cut.length > 0) {
      const message = `${path}, ${where}: the viewer cut the cells ${cut.join(', ')}; download the data set itself`;
      throw new MeditronError('ERR_INPUT', message);
    }
    return new Row(path, where, value.row);
  }
  return new Row(path, where, value);
}

function rowError(path: string, where: string, value: unknown): MeditronError {
  return new MeditronError('ERR_INPUT', `${path}, ${where}: expected a JSON object, got ${describe(value)}`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unreadable(path: string, error: unknown): MeditronError {
  if (error instanceof MeditronError) return error;
  return new MeditronError('ERR_INPUT', `${path} cannot be read: ${(error as Error).message}`, { cause: error });
}
