import { Strings } from './strings.js';
import type { ValueType } from './types.js';

/** The key-value part of a GGUF file, in file order. */
export type Metadata = ReadonlyMap<string, Entry>;

export type Entry = ScalarEntry | ArrayEntry;

export type ScalarEntry =
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'u64' | 'i64'; readonly value: bigint }
  | { readonly type: NumberType; readonly value: number };

export type ArrayEntry =
  | { readonly type: 'array'; readonly items: 'string'; readonly value: Strings }
  | { readonly type: 'array'; readonly items: 'u64'; readonly value: BigUint64Array }
  | { readonly type: 'array'; readonly items: 'i64'; readonly value: BigInt64Array }
  | { readonly type: 'array'; readonly items: NumberType | 'bool'; readonly value: NumberArray };

export type NumberType = Exclude<ValueType, 'string' | 'bool' | 'array' | 'u64' | 'i64'>;

export type NumberArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array;

/** Entries to write: `new Map([['general.architecture', entry.string('llama')], ...])`. */
export const entry = {
  u16: (value: number): Entry => ({ type: 'u16', value }),
  u32: (value: number): Entry => ({ type: 'u32', value }),
  i32: (value: number): Entry => ({ type: 'i32', value }),
  f32: (value: number): Entry => ({ type: 'f32', value }),
  bool: (value: boolean): Entry => ({ type: 'bool', value }),
  string: (value: string): Entry => ({ type: 'string', value }),
  strings: (value: Strings | readonly (string | Uint8Array)[]): Entry => ({
    type: 'array',
    items: 'string',
    value: value instanceof Strings ? value : Strings.from(value),
  }),
  f32s: (value: Float32Array): Entry => ({ type: 'array', items: 'f32', value }),
  i32s: (value: Int32Array): Entry => ({ type: 'array', items: 'i32', value }),
} as const;

export function stringAt(metadata: Metadata, key: string): string | undefined {
  const found = metadata.get(key);
  return found?.type === 'string' ? found.value : undefined;
}

export function booleanAt(metadata: Metadata, key: string): boolean | undefined {
  const found = metadata.get(key);
  return found?.type === 'bool' ? found.value : undefined;
}

/** A number of any type; of an array the first element; 64-bit ones only while they are exact. */
export function numberAt(metadata: Metadata, key: string): number | undefined {
  const found = metadata.get(key);
  if (found === undefined || found.type === 'string' || found.type === 'bool') return undefined;
  const value = found.type !== 'array' ? found.value : found.items === 'string' ? undefined : found.value[0];
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : undefined;
  return value;
}

export function stringsAt(metadata: Metadata, key: string): Strings | undefined {
  const found = metadata.get(key);
  return found?.type === 'array' && found.items === 'string' ? found.value : undefined;
}

export function numbersAt(metadata: Metadata, key: string): NumberArray | undefined {
  const found = metadata.get(key);
  if (found?.type !== 'array') return undefined;
  return found.items === 'string' || found.items === 'u64' || found.items === 'i64' ? undefined : found.value;
}

/** A type as it is shown in messages: `u32`, `array of string`. */
export function typeText(found: Entry): string {
  return found.type === 'array' ? `array of ${found.items}` : found.type;
}
