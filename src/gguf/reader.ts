import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { MeditronError } from '../check/errors.js';
import { Cursor } from './cursor.js';
import { damaged, digits, unreadable } from './fault.js';
import { readEntries, smallestEntry } from './header.js';
import type { Metadata } from './metadata.js';
import { joinAdvice, type SplitInfo, siblingPaths, splitOf } from './split.js';
import { readTensors, smallestTensor, type TensorInfo } from './tensors.js';

/** What a GGUF file says about itself: everything but the weights. Of split files, all parts together. */
export interface GgufFile {
  /** As given; of split files the first part. */
  readonly path: string;
  readonly version: number;
  readonly metadata: Metadata;
  /** In file order, part after part. */
  readonly tensors: readonly TensorInfo[];
  /** One for a plain file. */
  readonly parts: readonly GgufPart[];
}

/** One file on disk, and enough to notice later that it was replaced or changed. */
export interface GgufPart {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Where the weights begin. */
  readonly dataOffset: number;
  readonly tensorCount: number;
  readonly identity: FileIdentity;
}

export interface FileIdentity {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

export interface ReadOptions {
  /** Stops reading; the promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Wait until the file has been at rest for a moment, so that any later change shows in its times. Default false. */
  readonly settled?: boolean;
}

/** Longest tick of the file times of Linux, macOS and Windows (a jiffy of 10 ms, twice). */
const tickMs = 20;
/** Our own limits; the largest published models stay below a tenth of them. */
const maxKeys = 10_000;
const maxTensors = 50_000;

/**
 * Reads the header of a GGUF file, and of its sibling parts if it is split. Reads at most 64 MB a file, whatever the
 * file claims, and compares every size with the bytes that are there before using it.
 *
 * @throws MeditronError ERR_MODEL_FILE if a file is missing, unreadable, empty or not a file; ERR_MODEL_FORMAT if it is
 * not a GGUF of version 2 or 3, is truncated, or contradicts itself.
 */
export async function readGguf(path: string, options: ReadOptions = {}): Promise<GgufFile> {
  const handles: FileHandle[] = [];
  try {
    return await readOpen(path, handles, options);
  } finally {
    await closeAll(handles);
  }
}

/** A file whose header has been read and whose parts are still open, so that the same bytes can be loaded. */
export interface OpenGguf {
  readonly file: GgufFile;
  /** One for each part, in order. */
  readonly handles: readonly FileHandle[];
  /** Idempotent. */
  close(): Promise<void>;
}

/** The same, and leaves the parts open. The caller closes them. */
export async function openGguf(path: string, options: ReadOptions = {}): Promise<OpenGguf> {
  const handles: FileHandle[] = [];
  try {
    const file = await readOpen(path, handles, { ...options, settled: true });
    return { file, handles, close: () => closeAll(handles) };
  } catch (error) {
    await closeAll(handles);
    throw error;
  }
}

async function readOpen(path: string, handles: FileHandle[], options: ReadOptions): Promise<GgufFile> {
  const first = await readPart(path, 0, handles, options);
  const split = splitOf(path, first.metadata);
  if (split === undefined) return { ...first, parts: [first.part] };

  const parts = [first];
  for (const [index, sibling] of siblingPaths(path, split).entries()) {
    if (index > 0) parts.push(await readSibling(sibling, index, split, handles, options));
  }
  const tensors = parts.flatMap(part => part.tensors);
  checkSplitTensors(path, split, tensors);
  return { ...first, tensors, parts: parts.map(part => part.part) };
}

async function closeAll(handles: readonly FileHandle[]): Promise<void> {
  for (const handle of handles) await handle.close(); // a closed handle closes again without error
}

interface Part extends Omit<GgufFile, 'parts'> {
  readonly part: GgufPart;
}

/** Reads one part and leaves it open in `handles`, whether reading succeeds or not. */
async function readPart(path: string, index: number, handles: FileHandle[], options: ReadOptions): Promise<Part> {
  const { signal } = options;
  signal?.throwIfAborted();
  const handle = await openFile(path);
  handles.push(handle);
  const identity = options.settled ? await settle(handle, path, signal) : await identify(handle, path);
  const cursor = new Cursor(handle, path, Number(identity.size), signal);
  const version = await readVersion(cursor);

  await cursor.need(16, 'the tensor and key counts');
  const tensorCount = checkCount(cursor, 'tensors', cursor.length(), maxTensors, smallestTensor);
  const keyCount = checkCount(cursor, 'metadata keys', cursor.length(), maxKeys, smallestEntry);
  const { metadata, alignment } = await readEntries(cursor, keyCount);
  const { tensors, dataOffset } = await readTensors(cursor, tensorCount, alignment, index);

  await checkUnchanged(handle, path, identity);
  const part = { path, size: Number(identity.size), dataOffset, tensorCount, identity };
  return { path, version, metadata, tensors, part };
}

/**
 * The identity of a file that has been at rest for one tick of the clock that times are written with: of two changes within
 * a tick the second leaves no trace. Waits that long if need be.
 */
async function settle(handle: FileHandle, path: string, signal: AbortSignal | undefined): Promise<FileIdentity> {
  const before = await identify(handle, path);
  if (Math.abs(Date.now() - Number(before.mtimeNs / 1_000_000n)) > tickMs) return before;
  await delay(tickMs, undefined, signal ? { signal } : {});
  const after = await identify(handle, path);
  if (after.mtimeNs !== before.mtimeNs || after.size !== before.size) throw restless(path);
  return after;
}

async function openFile(path: string): Promise<FileHandle> {
  if (path.includes('\0')) throw new MeditronError('ERR_MODEL_FILE', 'Expected a file path, got one that contains NUL');
  try {
    // Not blocking: opening a named pipe would otherwise wait for a writer that may never come.
    return await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

async function identify(handle: FileHandle, path: string): Promise<FileIdentity> {
  const stat = await handle.stat({ bigint: true });
  const notFile = stat.isDirectory()
    ? 'a directory; name the .gguf file inside it'
    : 'a device or pipe; name a .gguf file';
  if (!stat.isFile()) throw new MeditronError('ERR_MODEL_FILE', `${path}: expected a file, got ${notFile}`);
  if (stat.size === 0n) {
    throw new MeditronError('ERR_MODEL_FILE', `${path}: expected a GGUF model, got an empty file; download it again`);
  }
  return { dev: stat.dev, ino: stat.ino, size: stat.size, mtimeNs: stat.mtimeNs, ctimeNs: stat.ctimeNs };
}

async function readVersion(cursor: Cursor): Promise<number> {
  await cursor.need(4, 'the magic number');
  const magic = cursor.view(4);
  if (!magic.equals(Buffer.from('GGUF'))) throw notGguf(cursor.path, magic);
  await cursor.need(4, 'the version');
  const version = cursor.u32();
  if (version === 2 || version === 3) return version;
  if (version !== 0 && (version & 0xffff) === 0) {
    throw damaged(
      cursor.path,
      'a little-endian GGUF',
      'a big-endian one',
      'use the file made for x86 and Arm, or convert it with gguf_convert_endian.py',
    );
  }
  const advice = version > 3 ? 'the file needs a newer release of this program' : 'convert the model again';
  throw damaged(cursor.path, 'GGUF version 2 or 3', `version ${version}`, advice);
}

function notGguf(path: string, magic: Buffer): MeditronError {
  const known = [...foreign].find(([start]) => magic.toString('latin1').startsWith(start));
  const got = known?.[1] ?? `a file that starts with the bytes ${magic.toString('hex')}`;
  return damaged(path, 'a GGUF file', got, joinAdvice(path) ?? 'use the .gguf file of the model');
}

/** What people hand over instead of a GGUF, by the first bytes of the file. */
const foreign: ReadonlyMap<string, string> = new Map([
  ['PK', 'a zip archive or a PyTorch checkpoint'],
  ['lmgg', 'a model in the old GGML format'],
  ['fmgg', 'a model in the old GGMF format'],
  ['tjgg', 'a model in the old GGJT format'],
  ['\x1f\x8b', 'a gzip archive'],
  ['vers', 'a Git LFS pointer; fetch the file itself with `git lfs pull`'],
  ['<!DO', 'a web page'],
  ['<htm', 'a web page'],
  ['FUGG', 'a GGUF with its bytes swapped'],
]);

function checkCount(cursor: Cursor, what: string, count: number, cap: number, smallest: number): number {
  if (count > cap) throw damaged(cursor.path, `at most ${digits(cap)} ${what}`, `${digits(count)}`);
  if (count * smallest > cursor.left) {
    throw damaged(
      cursor.path,
      `${digits(count)} ${what}`,
      `${digits(cursor.left)} bytes after the header, too few for them`,
    );
  }
  return count;
}

async function checkUnchanged(handle: FileHandle, path: string, before: FileIdentity): Promise<void> {
  const after = await handle.stat({ bigint: true });
  if (after.size === before.size && after.mtimeNs === before.mtimeNs) return;
  throw restless(path);
}

function restless(path: string): MeditronError {
  return damaged(
    path,
    'a file at rest',
    'one that changed while it was read',
    'wait until its download or copy has finished',
  );
}

async function readSibling(
  path: string,
  index: number,
  split: SplitInfo,
  handles: FileHandle[],
  options: ReadOptions,
): Promise<Part> {
  let part: Part;
  try {
    part = await readPart(path, index, handles, options);
  } catch (error) {
    if (!(error instanceof MeditronError) || error.code !== 'ERR_MODEL_FILE') throw error;
    const message = `Part ${index + 1} of ${split.count} of a split model cannot be used: ${error.message}`;
    throw new MeditronError('ERR_MODEL_FILE', `${message}; all parts must lie in one folder`, { cause: error });
  }
  // llama.cpp reads these two as u16 without looking at their type first.
  const number = part.metadata.get('split.no');
  const count = part.metadata.get('split.count');
  const fits = number?.type === 'u16' && number.value === index && (count?.value ?? split.count) === split.count;
  if (fits) return part;
  const got = `split.no ${number?.value ?? 'missing'} (${number?.type ?? 'none'}), split.count ${count?.value ?? 'missing'}`;
  throw damaged(
    path,
    `part ${index + 1} of ${split.count} (split.no ${index}, u16)`,
    got,
    'use the parts of one model',
  );
}

function checkSplitTensors(path: string, split: SplitInfo, tensors: readonly TensorInfo[]): void {
  if (tensors.length !== split.tensorCount) {
    throw damaged(
      path,
      `${split.tensorCount} tensors in ${split.count} parts`,
      `${tensors.length}`,
      'use the parts of one model',
    );
  }
  const names = new Set<string>();
  for (const tensor of tensors) {
    if (names.has(tensor.name)) throw damaged(path, 'each tensor in one part only', `${tensor.name} in two parts`);
    names.add(tensor.name);
  }
}
