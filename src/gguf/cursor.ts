import type { FileHandle } from 'node:fs/promises';
import { damaged, digits, unreadable } from './fault.js';

/** Largest single read, and most that is ever read of one file's header. */
const chunkBytes = 1 << 20;
const headerLimit = 64 << 20;

const bigChunk = 0x1_0000_0000;

/**
 * Reads a header front to back. Nothing is allocated because a length in the file says so: a length is first compared
 * with the bytes that are left. Call {@link need} before the synchronous readers.
 */
export class Cursor {
  position = 0;
  #buffer: Buffer;
  #filled = 0;

  constructor(
    readonly handle: FileHandle,
    readonly path: string,
    /** Bytes in the file. */
    readonly size: number,
    readonly signal: AbortSignal | undefined,
  ) {
    this.#buffer = Buffer.allocUnsafe(Math.min(chunkBytes, size));
  }

  /** What has been read so far. Later reads may move it: take slices only when the header is complete. */
  get buffer(): Buffer {
    return this.#buffer;
  }

  get left(): number {
    return this.size - this.position;
  }

  /** True if the next `bytes` bytes can be read without waiting. */
  has(bytes: number): boolean {
    return this.position + bytes <= this.#filled;
  }

  /** Waits until the next `bytes` bytes are in memory. `what` names the field for the message. */
  async need(bytes: number, what: string): Promise<void> {
    const end = this.position + bytes;
    if (end <= this.#filled) return;
    if (end > this.size) {
      throw damaged(this.path, `${digits(bytes)} bytes of ${what}`, `the end of the file after ${digits(this.left)}`);
    }
    if (end > headerLimit) {
      throw damaged(this.path, `a header of at most ${digits(headerLimit)} bytes`, `${digits(end)} bytes at ${what}`);
    }
    while (this.#filled < end) await this.#fill();
  }

  /** A count or length. Values past 2^53 come back rounded, which is enough to refuse them. */
  length(): number {
    const low = this.#buffer.readUInt32LE(this.position);
    const high = this.#buffer.readUInt32LE(this.position + 4);
    this.position += 8;
    return high * bigChunk + low;
  }

  u32(): number {
    this.position += 4;
    return this.#buffer.readUInt32LE(this.position - 4);
  }

  u64(): bigint {
    this.position += 8;
    return this.#buffer.readBigUInt64LE(this.position - 8);
  }

  /** A view that is valid until the next {@link need}. */
  view(bytes: number): Buffer {
    this.position += bytes;
    return this.#buffer.subarray(this.position - bytes, this.position);
  }

  async #fill(): Promise<void> {
    this.signal?.throwIfAborted();
    const want = Math.min(chunkBytes, this.size - this.#filled);
    if (this.#filled + want > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(2 * this.#buffer.length);
      this.#buffer.copy(larger, 0, 0, this.#filled);
      this.#buffer = larger;
    }
    let bytesRead: number;
    try {
      ({ bytesRead } = await this.handle.read(this.#buffer, this.#filled, want, this.#filled));
    } catch (cause) {
      throw unreadable(this.path, cause);
    }
    if (bytesRead === 0) {
      throw damaged(
        this.path,
        `${digits(this.size)} bytes`,
        `the end of the file after ${digits(this.#filled)}`,
        'something is changing the file: wait until its download or copy has finished',
      );
    }
    this.#filled += bytesRead;
  }
}
