import { createCipheriv, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { constants, type FileHandle, open } from 'node:fs/promises';
import * as v from 'valibot';
import { MeditronError } from '../../check/errors.js';
import { writeOutput } from '../../check/outputs.js';
import { checked } from '../../check/schema.js';
import { inBytes } from '../../check/words.js';
import { availableMemory, memoryInWords } from '../capacity/memory.js';
import { type Belongs, belongsSchema, filesSchema, type KnownFiles } from './belongs.js';

/** An evaluated prompt as it is saved. */
export interface SavedPrefix {
  readonly tokens: Int32Array;
  /** Its part of the KV cache, as llama.cpp writes it. */
  readonly state: Uint8Array;
}

/** What a prefix of so many tokens belongs to, where the hashes of some files are known. */
export type BelongsHere = (tokenCount: number, known: KnownFiles) => Promise<Belongs>;

/*
 * A saved prefix is a file of: 16 bytes of magic; the length of the header, 32 bits, low byte first; the header, JSON in UTF-8;
 * HMAC-SHA-256 of all before it; the state, whose GMAC (NIST SP 800-38D, AES-256) stands in the header: of a gigabyte it takes a tenth of
 * the time of an HMAC, and less than reading it.
 */
const magic = Buffer.from('MEDITRON-PREFIX\n');
const headerAt = magic.length + 4;
const macBytes = 32;
const mostHeaderBytes = 4 << 20;
const chunkBytes = 4 << 20;
/** Reads under way at once: a disk is faster with several. */
const readsAtOnce = 4;

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const hex = (bytes: number) => v.pipe(v.string(), v.regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`)));
const headerSchema = v.strictObject({
  version: v.literal(2),
  belongs: belongsSchema,
  files: filesSchema,
  tokens: v.pipe(v.array(count), v.minLength(1)),
  state: v.strictObject({ bytes: count, nonce: hex(12), mac: hex(16) }),
});
type Header = v.InferOutput<typeof headerSchema>;

/** Writes a prefix whole or not at all, for its owner alone. @throws MeditronError `ERR_OUTPUT` */
export function writePrefix(
  path: string,
  { tokens, state }: SavedPrefix,
  { belongs, files }: { readonly belongs: Belongs; readonly files: KnownFiles },
  key: Buffer,
): Promise<void> {
  const nonce = randomBytes(12);
  const mac = new StateMac(key, nonce);
  for (const chunk of chunksOf(state)) mac.update(chunk);
  const about = { bytes: state.length, nonce: nonce.toString('hex'), mac: mac.digest().toString('hex') };
  const header: Header = { version: 2, belongs, files, tokens: [...tokens], state: about };
  const bytes = Buffer.from(JSON.stringify(header));
  return writeOutput(path, [magic, lengthOf(bytes), bytes, headerMac(key, bytes), ...chunksOf(state)]);
}

/**
 * Reads a prefix back: its header, whether that is as it was saved, whether it belongs to what is here and has the tokens that are wanted,
 * then the state, which is read once. Nothing of a file that fails one of them is given out.
 *
 * @throws MeditronError `ERR_INPUT` with the reason; `ERR_MEMORY`; the signal's reason
 */
export async function readPrefix(
  path: string,
  belongsHere: BelongsHere,
  key: Buffer | undefined,
  {
    tokens: wanted,
    signal,
  }: { readonly tokens?: Int32Array | undefined; readonly signal?: AbortSignal | undefined } = {},
): Promise<SavedPrefix> {
  const file = await openForReading(path);
  try {
    const { header, stateAt } = await readHeader(file, path, key);
    const here = await belongsHere(header.tokens.length, header.files);
    for (const [name, there] of Object.entries(header.belongs)) {
      const value = here[name as keyof Belongs];
      if (there !== value)
        throw refused(path, `it belongs to another engine: \`${name}\` is ${there} there, ${value} here`);
    }
    const tokens = Int32Array.from(header.tokens);
    if (wanted) checkTokens(path, tokens, wanted);
    const { bytes } = header.state;
    if (bytes > availableMemory())
      throw new MeditronError('ERR_MEMORY', `Restoring ${path} takes ${inBytes(bytes)}, and ${memoryInWords()}.`);
    const mac = new StateMac(key!, Buffer.from(header.state.nonce, 'hex'));
    const state = await readState(file, path, { from: stateAt, length: bytes, mac, signal });
    if (!timingSafeEqual(mac.digest(), Buffer.from(header.state.mac, 'hex'))) throw changed(path);
    return { tokens, state };
  } finally {
    await file.close();
  }
}

function checkTokens(path: string, there: Int32Array, wanted: Int32Array): void {
  let same = 0;
  while (same < wanted.length && there[same] === wanted[same]) same++;
  if (same === wanted.length && same === there.length) return;
  throw refused(
    path,
    `it is the beginning of other prompts: of its ${there.length} tokens and the ${wanted.length} that are wanted, the first ${same} are the same`,
  );
}

/** The message authentication code of a state, of its chunks in order. */
class StateMac {
  readonly #cipher;

  constructor(key: Buffer, nonce: Buffer) {
    const own = createHmac('sha256', key).update('meditron saved prefix: state').digest();
    this.#cipher = createCipheriv('aes-256-gcm', own, nonce);
  }

  update(chunk: Uint8Array): void {
    this.#cipher.setAAD(chunk);
  }

  digest(): Buffer {
    this.#cipher.final();
    return this.#cipher.getAuthTag();
  }
}

function headerMac(key: Buffer, bytes: Uint8Array): Buffer {
  return createHmac('sha256', key).update(magic).update(lengthOf(bytes)).update(bytes).digest();
}

function* chunksOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
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

async function readHeader(file: FileHandle, path: string, key: Buffer | undefined) {
  const found = await file.stat();
  if (!found.isFile() || found.size < headerAt + macBytes) throw notSaved(path);
  const start = await readAt(file, path, 0, Buffer.alloc(headerAt));
  if (!magic.equals(start.subarray(0, magic.length))) throw notSaved(path);
  const length = start.readUInt32LE(magic.length);
  const stateAt = headerAt + length + macBytes;
  if (length > mostHeaderBytes || stateAt > found.size) throw notSaved(path);
  if (!key) throw refused(path, 'this user has saved no prefix, or keeps nothing (MEDITRON_STATE)');
  const bytes = await readAt(file, path, headerAt, Buffer.alloc(length));
  const mac = await readAt(file, path, headerAt + length, Buffer.alloc(macBytes));
  if (!timingSafeEqual(mac, headerMac(key, bytes))) throw changed(path);
  const header = checked(headerSchema, parsed(path, bytes), path);
  if (found.size !== stateAt + header.state.bytes)
    throw refused(path, `its size is not that of a state of ${header.state.bytes} bytes`);
  return { header, stateAt };
}

function parsed(path: string, bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (cause) {
    throw refused(path, 'its header is not JSON', cause);
  }
}

interface StatePart {
  readonly from: number;
  readonly length: number;
  readonly mac: StateMac;
  readonly signal: AbortSignal | undefined;
}

/** Reads a state into memory of its own, a few chunks ahead of the code that is made of them in order. */
async function readState(file: FileHandle, path: string, { from, length, mac, signal }: StatePart): Promise<Buffer> {
  const state = Buffer.allocUnsafeSlow(length);
  const chunks = [...chunksOf(state)] as Buffer[];
  const reads: Promise<Buffer>[] = [];
  const begin = () => {
    const chunk = chunks[reads.length];
    if (!chunk) return;
    const read = readAt(file, path, from + chunkBytes * reads.length, chunk);
    read.catch(() => {}); // is waited for in its turn
    reads.push(read);
  };
  try {
    for (let i = 0; i < readsAtOnce; i++) begin();
    for (let i = 0; i < chunks.length; i++) {
      mac.update(await reads[i]!);
      signal?.throwIfAborted();
      begin();
    }
  } finally {
    await Promise.allSettled(reads);
  }
  return state;
}

/** Fills the bytes from a place of the file on. */
async function readAt(file: FileHandle, path: string, from: number, bytes: Buffer): Promise<Buffer> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesRead } = await file.read(bytes, done, bytes.length - done, from + done).catch(cause => {
      throw refused(path, (cause as Error).message, cause);
    });
    if (bytesRead === 0) throw refused(path, 'it was cut short meanwhile');
    done += bytesRead;
  }
  return bytes;
}

function notSaved(path: string): MeditronError {
  return refused(path, 'expected a prefix that an engine saved');
}

function changed(path: string): MeditronError {
  return refused(
    path,
    'its authentication code is not that of its bytes: another user or another version of meditron saved it, or it was changed',
  );
}

function refused(path: string, why: string, cause?: unknown): MeditronError {
  return new MeditronError('ERR_INPUT', `${path} cannot be restored: ${why}`, { cause });
}
