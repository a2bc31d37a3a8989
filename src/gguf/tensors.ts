import type { Cursor } from './cursor.js';
import { damaged, digits } from './fault.js';
import { readName } from './header.js';
import { joinAdvice } from './split.js';
import { type TensorType, tensorTypes } from './types.js';

export interface TensorInfo {
  readonly name: string;
  /** Fastest-running dimension first: a matrix is `[inputs, outputs]`. */
  readonly dimensions: readonly number[];
  readonly type: TensorType;
  /** Bytes from the start of the weights of its file. */
  readonly offset: number;
  readonly bytes: number;
  /** Index of the file among the parts of a split model; 0 for a plain file. */
  readonly part: number;
}

/** Name length, one byte of name, dimension count, one dimension, type, offset. */
export const smallestTensor = 8 + 1 + 4 + 8 + 4 + 8;

/** GGML_MAX_NAME is 64 with the closing NUL, GGML_MAX_DIMS is 4 (ggml.h). */
const maxNameBytes = 63;
const maxDimensions = 4;
const maxElements = 1n << 62n;

/** Reads the tensor table. Offsets must follow each other without gaps, as llama.cpp demands, and end inside the file. */
export async function readTensors(
  cursor: Cursor,
  count: number,
  alignment: number,
  part: number,
): Promise<{ readonly tensors: readonly TensorInfo[]; readonly dataOffset: number }> {
  const tensors: TensorInfo[] = [];
  const names = new Set<string>();
  let next = 0n;
  let end = 0n;
  for (let i = 0; i < count; i++) {
    const name = await readName(cursor, `the name of tensor ${i}`, maxNameBytes);
    if (names.has(name)) throw damaged(cursor.path, 'each tensor once', `${name} twice`);
    names.add(name);

    const dimensions = await readDimensions(cursor, name);
    await cursor.need(12, `the type and offset of tensor ${name}`);
    const type = typeOf(cursor, name, cursor.u32());
    const offset = cursor.u64();
    const bytes = bytesOf(cursor, name, type, dimensions);
    if (offset !== next) throw damaged(cursor.path, `tensor ${name} at offset ${next}`, `${offset}`);
    end = offset + bytes;
    next = aligned(end, BigInt(alignment));
    tensors.push({
      name,
      dimensions: dimensions.map(Number),
      type,
      offset: Number(offset),
      bytes: Number(bytes),
      part,
    });
  }

  const dataOffset = aligned(BigInt(cursor.position), BigInt(alignment));
  if (count > 0 && dataOffset + end > BigInt(cursor.size)) {
    throw damaged(
      cursor.path,
      `${digits(dataOffset + end)} bytes, as its header says`,
      `a file of ${digits(cursor.size)}`,
      joinAdvice(cursor.path) ?? 'the download is incomplete: resume it or download the file again',
    );
  }
  return { tensors, dataOffset: Number(dataOffset) };
}

async function readDimensions(cursor: Cursor, name: string): Promise<readonly bigint[]> {
  await cursor.need(4, `the shape of tensor ${name}`);
  const count = cursor.u32();
  if (count < 1 || count > maxDimensions) {
    throw damaged(cursor.path, `tensor ${name} to have 1 to 4 dimensions`, `${digits(count)}`);
  }
  await cursor.need(8 * count, `the shape of tensor ${name}`);
  const dimensions: bigint[] = [];
  for (let i = 0; i < count; i++) dimensions.push(cursor.u64());
  const product = dimensions.reduce((a, b) => a * b, 1n);
  if (product === 0n || product >= maxElements) {
    throw damaged(cursor.path, `tensor ${name} to have 1 to 2^62 elements`, `the shape ${dimensions.join(' × ')}`);
  }
  return dimensions;
}

function typeOf(cursor: Cursor, name: string, id: number): TensorType {
  const type = tensorTypes.get(id);
  if (type !== undefined) return type;
  const advice = 'the file is damaged, needs a newer release, or uses a type that llama.cpp has removed';
  throw damaged(cursor.path, `tensor ${name} to have a known type`, `type ${digits(id)}`, advice);
}

function bytesOf(cursor: Cursor, name: string, type: TensorType, dimensions: readonly bigint[]): bigint {
  const block = BigInt(type.blockSize);
  if (dimensions[0]! % block !== 0n) {
    throw damaged(
      cursor.path,
      `rows of tensor ${name} to be multiples of ${block} (${type.name})`,
      `${dimensions[0]} elements`,
    );
  }
  return (dimensions.reduce((a, b) => a * b, 1n) / block) * BigInt(type.blockBytes);
}

function aligned(offset: bigint, alignment: bigint): bigint {
  return ((offset + alignment - 1n) / alignment) * alignment;
}
