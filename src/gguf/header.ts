import { isUtf8 } from 'node:buffer';
import type { Cursor } from './cursor.js';
import { damaged, digits } from './fault.js';
import type { Entry, Metadata, NumberArray, NumberType } from './metadata.js';
import { Strings } from './strings.js';
import { type ValueType, valueBytes, valueTypes } from './types.js';

/** Key length, one byte of key, type, one byte of value. */
export const smallestEntry = 8 + 1 + 4 + 1;

const maxKeyBytes = 65_535;
const maxStringBytes = 16 << 20;
const maxItemBytes = 1 << 20;
const maxItems = 2_000_000;
/** The default, and the least: llama.cpp asserts that mapped tensors lie on 32 bytes (TENSOR_ALIGNMENT, ggml-impl.h). */
const minAlignment = 32;

/** Reads the key-value part. Keys are unique, 1 to 65,535 bytes of UTF-8 without control characters. */
export async function readEntries(
  cursor: Cursor,
  count: number,
): Promise<{ readonly metadata: Metadata; readonly alignment: number }> {
  const metadata = new Map<string, Entry>();
  const late: (() => void)[] = [];
  for (let i = 0; i < count; i++) {
    const key = await readKey(cursor, i, metadata);
    await cursor.need(4, `the type of ${key}`);
    const type = valueType(cursor, key, cursor.u32());
    if (type === 'array') {
      const items = await readArray(cursor, key);
      // String lists keep pointing into the header, which may still move: they are made when all of it is there.
      if (items instanceof Uint32Array) {
        metadata.set(key, { type: 'string', value: '' });
        late.push(() =>
          metadata.set(key, { type: 'array', items: 'string', value: new Strings(cursor.buffer, items) }),
        );
      } else {
        metadata.set(key, items);
      }
    } else {
      metadata.set(key, await readScalar(cursor, key, type));
    }
  }
  for (const finish of late) finish();
  return { metadata, alignment: alignmentOf(cursor.path, metadata) };
}

/** A name from the file: bounded, printable, not seen before. */
export async function readName(cursor: Cursor, what: string, maxBytes: number): Promise<string> {
  await cursor.need(8, `the length of ${what}`);
  const length = cursor.length();
  if (length < 1 || length > maxBytes) {
    throw damaged(cursor.path, `${what} to be 1 to ${digits(maxBytes)} bytes long`, `${digits(length)}`);
  }
  await cursor.need(length, what);
  const bytes = cursor.view(length);
  const text = bytes.toString('utf8');
  if (!isUtf8(bytes) || /[\u0000-\u001f\u007f]/.test(text)) {
    throw damaged(cursor.path, `${what} to be printable UTF-8`, JSON.stringify(text.slice(0, 40)));
  }
  return text;
}

async function readKey(cursor: Cursor, index: number, seen: Metadata): Promise<string> {
  const key = await readName(cursor, `metadata key ${index}`, maxKeyBytes);
  if (seen.has(key)) throw damaged(cursor.path, 'each metadata key once', `${key} twice`);
  return key;
}

function valueType(cursor: Cursor, key: string, id: number): ValueType {
  const type = valueTypes[id];
  if (type === undefined) throw damaged(cursor.path, `${key} to have a type from 0 to 12`, `type ${id}`);
  return type;
}

async function readScalar(cursor: Cursor, key: string, type: Exclude<ValueType, 'array'>): Promise<Entry> {
  if (type === 'string') return { type, value: await readString(cursor, key) };
  await cursor.need(valueBytes[type], key);
  const at = cursor.view(valueBytes[type]);
  if (type === 'bool') return { type, value: at[0] !== 0 };
  if (type === 'u64') return { type, value: at.readBigUInt64LE() };
  if (type === 'i64') return { type, value: at.readBigInt64LE() };
  return { type, value: readNumber[type](at) };
}

const readNumber: Readonly<Record<NumberType, (at: Buffer) => number>> = {
  u8: at => at.readUInt8(),
  i8: at => at.readInt8(),
  u16: at => at.readUInt16LE(),
  i16: at => at.readInt16LE(),
  u32: at => at.readUInt32LE(),
  i32: at => at.readInt32LE(),
  f32: at => at.readFloatLE(),
  f64: at => at.readDoubleLE(),
};

async function readString(cursor: Cursor, key: string): Promise<string> {
  await cursor.need(8, `the length of ${key}`);
  const length = cursor.length();
  checkRoom(cursor, key, length, maxStringBytes, 1);
  await cursor.need(length, key);
  return cursor.view(length).toString('utf8');
}

/** The bounds of a list of strings, or any other array as an entry. */
async function readArray(cursor: Cursor, key: string): Promise<Entry | Uint32Array> {
  await cursor.need(12, `the type and length of ${key}`);
  const items = valueType(cursor, key, cursor.u32());
  const length = cursor.length();
  if (items === 'array') throw damaged(cursor.path, `${key} to be a flat array`, 'an array of arrays');
  if (items === 'string') return readBounds(cursor, key, length);

  checkRoom(cursor, key, length, Number.MAX_SAFE_INTEGER, valueBytes[items]);
  await cursor.need(length * valueBytes[items], key);
  const bytes = new Uint8Array(cursor.view(length * valueBytes[items]));
  if (items === 'u64') return { type: 'array', items, value: new BigUint64Array(bytes.buffer) };
  if (items === 'i64') return { type: 'array', items, value: new BigInt64Array(bytes.buffer) };
  return { type: 'array', items, value: typed(items, bytes.buffer) };
}

async function readBounds(cursor: Cursor, key: string, count: number): Promise<Uint32Array> {
  checkRoom(cursor, key, count, maxItems, 8);
  const bounds = new Uint32Array(2 * count);
  for (let i = 0; i < count; i++) {
    if (!cursor.has(8)) await cursor.need(8, `the length of ${key}[${i}]`);
    const length = cursor.length();
    if (length > maxItemBytes || length > cursor.left) checkRoom(cursor, `${key}[${i}]`, length, maxItemBytes, 1);
    if (!cursor.has(length)) await cursor.need(length, `${key}[${i}]`);
    bounds[2 * i] = cursor.position;
    cursor.position += length;
    bounds[2 * i + 1] = cursor.position;
  }
  return bounds;
}

function typed(items: NumberType | 'bool', buffer: ArrayBuffer): NumberArray {
  if (items === 'u8' || items === 'bool') return new Uint8Array(buffer);
  if (items === 'i8') return new Int8Array(buffer);
  if (items === 'u16') return new Uint16Array(buffer);
  if (items === 'i16') return new Int16Array(buffer);
  if (items === 'u32') return new Uint32Array(buffer);
  if (items === 'i32') return new Int32Array(buffer);
  return items === 'f32' ? new Float32Array(buffer) : new Float64Array(buffer);
}

/** Refuses a length before anything is allocated for it. */
function checkRoom(cursor: Cursor, what: string, length: number, cap: number, itemBytes: number): void {
  if (length > cap) throw damaged(cursor.path, `the length of ${what} to be at most ${digits(cap)}`, digits(length));
  if (length * itemBytes <= cursor.left) return;
  throw damaged(
    cursor.path,
    `${digits(length * itemBytes)} bytes or more of ${what}`,
    `the end of the file after ${digits(cursor.left)}`,
  );
}

function alignmentOf(path: string, metadata: Metadata): number {
  const found = metadata.get('general.alignment');
  if (found === undefined) return minAlignment;
  const value = found.type === 'u32' ? found.value : 0;
  if (value >= minAlignment && value <= 65_536 && (value & (value - 1)) === 0) return value;
  throw damaged(
    path,
    'general.alignment to be a power of two from 32 to 65,536 (u32)',
    `${found.value} (${found.type})`,
  );
}
