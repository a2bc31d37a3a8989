import { createHmac, type Hmac, timingSafeEqual } from 'node:crypto';
import { constants, type FileHandle, open } from 'node:fs/promises';
import * as v from 'valibot';
import { MeditronError } from '../../check/errors.js';
import { writeOutput } from '../../check/outputs.js';
import { checked } from '../../check/schema.js';
import { inBytes } from '../../check/words.js';
import { availableMemory, memoryInWords } from '../capacity/memory.js';
import { type Belongs, belongsSchema } from './belongs.js';

/** An evaluated prompt as it is saved. */
export interface SavedPrefix {
  readonly tokens: Int32Array;
  /** Its part of the KV cache, as llama.cpp writes it. */
  readonly state: Uint8Array;
}

/*
 * A saved prefix is a file of: 16 bytes of magic; the length of the header, 32 bits, low byte first; the header, JSON in UTF-8; the
 * state; HMAC-SHA-256 of all before it.
 */
const magic = Buffer.from('MEDITRON-PREFIX\n');
const headerAt = magic.length + 4;
const macBytes = 32;
const mostHeaderBytes = 4 << 20;
const chunkBytes = 1 << 20;

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const headerSchema = v.strictObject({
  version: v.literal(1),
  belongs: belongsSchema,
  tokens: v.pipe(v.array(count), v.minLength(1)),
  stateBytes: count,
});

/** Writes a prefix whole or not at all, for its owner alone. @throws MeditronError `ERR_OUTPUT` */
export function writePrefix(path: string, prefix: SavedPrefix, belongs: Belongs, key: Buffer): Promise<void> {
  return writeOutput(path, authenticated(partsOf(prefix, belongs), key));
}

/**
 * Reads a prefix back: size, header, authentication code, and whether it belongs to what is here, in this order. Nothing of a file
 * that fails one of them is given out.
 *
 * @throws MeditronError `ERR_INPUT` with the reason; `ERR_MEMORY`
 */
export async function readPrefix(path: string, belongs: Belongs, key: Buffer | undefined): Promise<SavedPrefix> {
  const file = await openForReading(path);
  try {
    const { header, bytes, size } = await readHeader(file, path);
    const { stateBytes, tokens } = header;
    if (size !== headerAt + bytes.length + stateBytes + macBytes)
      throw refused(path, `its size is not that of a state of ${stateBytes} bytes`);
    if (2 * stateBytes > availableMemory())
      throw new MeditronError(
        'ERR_MEMORY',
        `Restoring ${path} takes twice ${inBytes(stateBytes)}, and ${memoryInWords()}.`,
      );
    if (!key) throw refused(path, 'this user has saved no prefix');
    const hmac = createHmac('sha256', key).update(magic).update(lengthOf(bytes)).update(bytes);
    const stateAt = headerAt + bytes.length;
    const state = await readAt(file, path, stateAt, stateBytes, hmac);
    const mac = await readAt(file, path, stateAt + stateBytes, macBytes);
    if (!timingSafeEqual(mac, hmac.digest()))
      throw refused(path, 'its authentication code is not that of its bytes: another user saved it, or it was changed');
    for (const [name, there] of Object.entries(header.belongs)) {
      const here = belongs[name as keyof Belongs];
      if (there !== here)
        throw refused(path, `it belongs to another engine: \`${name}\` is ${there} there, ${here} here`);
    }
    return { tokens: Int32Array.from(tokens), state };
  } finally {
    await file.close();
  }
}

function partsOf({ tokens, state }: SavedPrefix, belongs: Belongs): readonly Uint8Array[] {
  const header = { version: 1, belongs, tokens: [...tokens], stateBytes: state.length };
  const bytes = Buffer.from(JSON.stringify(header));
  return [magic, lengthOf(bytes), bytes, state];
}

function* authenticated(parts: readonly Uint8Array[], key: Buffer): Generator<Uint8Array> {
  const hmac = createHmac('sha256', key);
  for (const part of parts) {
    for (let at = 0; at < part.length; at += chunkBytes) {
      const chunk = part.subarray(at, at + chunkBytes);
      hmac.update(chunk);
      yield chunk;
    }
  }
  yield hmac.digest();
}

function lengthOf(bytes: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return length;
}

async function openForReading(path: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)); // a pipe is not waited for
  } catch (cause) {
    throw refused(path, (cause as Error).message, cause);
  }
}

async function readHeader(file: FileHandle, path: string) {
  const found = await file.stat();
  if (!found.isFile() || found.size < headerAt + macBytes) throw notSaved(path);
  const start = await readAt(file, path, 0, headerAt);
  if (!magic.equals(start.subarray(0, magic.length))) throw notSaved(path);
  const length = start.readUInt32LE(magic.length);
  if (length > mostHeaderBytes || length > found.size - headerAt - macBytes) throw notSaved(path);
  const bytes = await readAt(file, path, headerAt, length);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (cause) {
    throw refused(path, 'its header is not JSON', cause);
  }
  return { header: checked(headerSchema, json, path), bytes, size: found.size };
}

async function readAt(file: FileHandle, path: string, from: number, length: number, hmac?: Hmac): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.read(bytes, done, Math.min(chunkBytes, length - done), from + done);
    if (bytesRead === 0) throw refused(path, 'it was cut short meanwhile');
    hmac?.update(bytes.subarray(done, done + bytesRead));
    done += bytesRead;
  }
  return bytes;
}

function notSaved(path: string): MeditronError {
  return refused(path, 'expected a prefix that an engine saved');
}

function refused(path: string, why: string, cause?: unknown): MeditronError {
  return new MeditronError('ERR_INPUT', `${path} cannot be restored: ${why}`, { cause });
}
