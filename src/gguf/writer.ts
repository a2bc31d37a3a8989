import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, lstat, open, rename, rm, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { MeditronError } from '../check/errors.js';
import { digits } from './fault.js';
import type { ArrayEntry, Entry, Metadata, NumberType } from './metadata.js';
import { type TensorType, tensorBytes, valueBytes, valueTypes } from './types.js';

/** A tensor to write, whose bytes are asked for when its turn comes. */
export interface TensorSource {
  readonly name: string;
  /** Fastest-running dimension first: a matrix is `[inputs, outputs]`. */
  readonly dimensions: readonly number[];
  readonly type: TensorType;
  /** The packed bytes in any number of pieces; a piece may be reused once the next one is asked for. */
  data(): Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

export interface WriteOptions {
  /** Replace an existing file; by default one is never touched. */
  readonly force?: boolean;
  /** Stops and removes what was written; the promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Told bytes written and bytes in all, now and then. */
  readonly onProgress?: (written: number, total: number) => void;
}

/** Padding between tensors; the default of the format. */
const alignment = 32;
/** Smaller pieces are gathered to this size before they are written. */
const stagingBytes = 1 << 20;

/**
 * Writes a GGUF version 3 file piece by piece, under a temporary name in the same folder that becomes `path` when all is
 * there. Whatever goes wrong, nothing is left behind.
 *
 * @returns the size of the file in bytes
 * @throws MeditronError ERR_OUTPUT if the file exists, cannot be written or does not fit on the disk
 */
export async function writeGguf(
  path: string,
  metadata: Metadata,
  tensors: readonly TensorSource[],
  options: WriteOptions = {},
): Promise<number> {
  const header = headerOf(metadata, tensors);
  const total = ggufBytes(metadata, tensors);
  options.signal?.throwIfAborted();
  await checkFree(path, options.force ?? false);
  await checkRoom(path, total);

  const temporary = `${path}.${randomBytes(4).toString('hex')}.part`;
  const handle = await create(path, temporary);
  let done = false;
  try {
    const out = new Output(handle, total, options);
    await out.write(header);
    for (const tensor of tensors) await writeTensor(out, tensor);
    await out.flush();
    await handle.close();
    await checkFree(path, options.force ?? false);
    await rename(temporary, path);
    done = true;
  } catch (error) {
    throw outputError(path, error, options.signal);
  } finally {
    if (!done) {
      await handle.close().catch(() => {});
      await rm(temporary, { force: true });
    }
  }
  return total;
}

/** The size in bytes of the file that {@link writeGguf} would write. */
export function ggufBytes(metadata: Metadata, tensors: readonly Omit<TensorSource, 'data'>[]): number {
  let bytes = headerOf(metadata, tensors).length;
  for (const tensor of tensors) bytes += padded(tensorBytes(tensor.type, tensor.dimensions));
  return bytes;
}

/** Everything before the weights, padded. */
function headerOf(metadata: Metadata, tensors: readonly Omit<TensorSource, 'data'>[]): Buffer {
  const parts: Uint8Array[] = [Buffer.from('GGUF'), u32(3), u64(tensors.length), u64(metadata.size)];
  for (const [key, value] of metadata) parts.push(text(key), ...entryOf(value));
  let offset = 0;
  for (const { name, dimensions, type } of tensors) {
    parts.push(text(name), u32(dimensions.length), ...dimensions.map(u64), u32(type.id), u64(offset));
    offset += padded(tensorBytes(type, dimensions));
  }
  const header = Buffer.concat(parts);
  return tensors.length === 0 ? header : Buffer.concat([header, Buffer.alloc(padded(header.length) - header.length)]);
}

function entryOf(value: Entry): Uint8Array[] {
  const type = u32(valueTypes.indexOf(value.type));
  if (value.type === 'array') return [type, ...arrayOf(value)];
  if (value.type === 'string') return [type, text(value.value)];
  if (value.type === 'bool') return [type, Uint8Array.of(value.value ? 1 : 0)];
  const bytes = Buffer.alloc(valueBytes[value.type]);
  if (typeof value.value === 'number') writeNumber[value.type as NumberType](bytes, value.value);
  else if (value.type === 'u64') bytes.writeBigUInt64LE(value.value);
  else bytes.writeBigInt64LE(value.value);
  return [type, bytes];
}

function arrayOf({ items, value }: ArrayEntry): Uint8Array[] {
  const parts: Uint8Array[] = [u32(valueTypes.indexOf(items)), u64(value.length)];
  if (items === 'string') {
    parts.push(value.prefixed());
  } else {
    parts.push(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  }
  return parts;
}

const writeNumber: Readonly<Record<NumberType, (to: Buffer, value: number) => void>> = {
  u8: (to, value) => void to.writeUInt8(value),
  i8: (to, value) => void to.writeInt8(value),
  u16: (to, value) => void to.writeUInt16LE(value),
  i16: (to, value) => void to.writeInt16LE(value),
  u32: (to, value) => void to.writeUInt32LE(value),
  i32: (to, value) => void to.writeInt32LE(value),
  f32: (to, value) => void to.writeFloatLE(value),
  f64: (to, value) => void to.writeDoubleLE(value),
};

function text(value: string | Uint8Array): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  return Buffer.concat([u64(bytes.length), bytes]);
}

function u32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function u64(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function padded(bytes: number): number {
  return Math.ceil(bytes / alignment) * alignment;
}

async function writeTensor(out: Output, tensor: TensorSource): Promise<void> {
  const bytes = tensorBytes(tensor.type, tensor.dimensions);
  let produced = 0;
  for await (const piece of tensor.data()) {
    produced += piece.length;
    if (produced > bytes) break;
    await out.write(piece);
  }
  if (produced !== bytes) {
    const got = `${produced > bytes ? 'more than that' : digits(produced)}`;
    throw new MeditronError('ERR_OUTPUT', `Expected ${digits(bytes)} bytes of tensor ${tensor.name}, got ${got}`);
  }
  await out.write(Buffer.alloc(padded(bytes) - bytes));
}

/** Gathers small pieces, passes large ones on; one write at a time, so a slow disk holds the producer back. */
class Output {
  readonly #staging = Buffer.allocUnsafe(stagingBytes);
  #staged = 0;
  #written = 0;

  constructor(
    readonly handle: FileHandle,
    readonly total: number,
    readonly options: WriteOptions,
  ) {}

  async write(piece: Uint8Array): Promise<void> {
    if (this.#staged + piece.length > stagingBytes) await this.flush();
    if (piece.length > stagingBytes) {
      await this.#put(piece);
    } else {
      this.#staging.set(piece, this.#staged);
      this.#staged += piece.length;
    }
  }

  async flush(): Promise<void> {
    await this.#put(this.#staging.subarray(0, this.#staged));
    this.#staged = 0;
  }

  async #put(bytes: Uint8Array): Promise<void> {
    for (let from = 0; from < bytes.length; ) {
      this.options.signal?.throwIfAborted();
      const { bytesWritten } = await this.handle.write(bytes, from, bytes.length - from);
      from += bytesWritten;
    }
    this.#written += bytes.length;
    this.options.onProgress?.(this.#written, this.total);
  }
}

async function checkFree(path: string, force: boolean): Promise<void> {
  const stat = await lstat(path).catch(() => undefined);
  if (stat === undefined) return;
  if (!stat.isFile() && !stat.isSymbolicLink())
    throw new MeditronError('ERR_OUTPUT', `${path}: expected a file name, got a directory or device`);
  if (!force)
    throw new MeditronError('ERR_OUTPUT', `${path} exists already; choose another name, or force replacing it`);
}

async function checkRoom(path: string, total: number): Promise<void> {
  const disk = await statfs(dirname(path), { bigint: true }).catch(() => undefined);
  if (disk === undefined) return; // opening the file gives the better message
  const free = disk.bavail * disk.bsize;
  if (free >= BigInt(total)) return;
  throw new MeditronError(
    'ERR_OUTPUT',
    `${path}: expected ${digits(total)} bytes free on the disk, got ${digits(free)}; make room or choose another disk`,
  );
}

async function create(path: string, temporary: string): Promise<FileHandle> {
  try {
    return await open(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o644);
  } catch (error) {
    throw outputError(path, error, undefined);
  }
}

function outputError(path: string, error: unknown, signal: AbortSignal | undefined): unknown {
  if (error instanceof MeditronError || (signal?.aborted && error === signal.reason)) return error;
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (code === undefined || (error as NodeJS.ErrnoException).syscall === undefined) return error;
  const reason = reasons[code] ?? `${code}; choose another folder`;
  return new MeditronError('ERR_OUTPUT', `${path} could not be written: ${reason}`, { cause: error });
}

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full; make room or choose another disk',
  EDQUOT: 'the disk quota is used up; make room or choose another disk',
  EFBIG: 'the file system does not hold files this large; choose another disk',
  ENOENT: 'its folder does not exist; create it first',
  ENOTDIR: 'its folder is a file; choose another folder',
  EACCES: 'permission denied; choose another folder',
  EPERM: 'permission denied; choose another folder',
  EROFS: 'the disk is read-only; choose another disk',
};
