/**
 * A list of strings kept as the bytes they had in the file: a vocabulary of 128,256 tokens costs one buffer and two
 * numbers a token, and tokens that are not valid UTF-8 stay distinct.
 */
export class Strings {
  readonly length: number;
  readonly #bytes: Uint8Array;
  /** Start and end of each string in `#bytes`. */
  readonly #bounds: Uint32Array;

  constructor(bytes: Uint8Array, bounds: Uint32Array) {
    this.#bytes = bytes;
    this.#bounds = bounds;
    this.length = bounds.length / 2;
  }

  static from(texts: readonly (string | Uint8Array)[]): Strings {
    const parts = texts.map(text => (typeof text === 'string' ? Buffer.from(text) : text));
    const bounds = new Uint32Array(2 * parts.length);
    let end = 0;
    for (const [i, part] of parts.entries()) {
      bounds[2 * i] = end;
      end += part.length;
      bounds[2 * i + 1] = end;
    }
    return new Strings(Buffer.concat(parts), bounds);
  }

  /** The string as text; bytes that are not UTF-8 become U+FFFD. */
  at(index: number): string {
    return this.#slice(index).toString('utf8');
  }

  bytes(index: number): Uint8Array {
    return this.#slice(index);
  }

  /** One character per byte: two strings have equal keys only if their bytes are equal. */
  key(index: number): string {
    return this.#slice(index).toString('latin1');
  }

  /** All strings as a GGUF file holds them: each behind its length, a little-endian u64. */
  prefixed(): Uint8Array {
    let size = 8 * this.length;
    for (let i = 0; i < this.length; i++) size += this.#bounds[2 * i + 1]! - this.#bounds[2 * i]!;
    const all = Buffer.alloc(size);
    let at = 0;
    for (let i = 0; i < this.length; i++) {
      const bytes = this.#slice(i);
      all.writeUInt32LE(bytes.length, at);
      all.set(bytes, at + 8);
      at += 8 + bytes.length;
    }
    return all;
  }

  *[Symbol.iterator](): Generator<string> {
    for (let i = 0; i < this.length; i++) yield this.at(i);
  }

  #slice(index: number): Buffer {
    if (!(index >= 0 && index < this.length)) throw new RangeError(`No string ${index} in a list of ${this.length}`);
    const start = this.#bounds[2 * index]!;
    return Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset + start, this.#bounds[2 * index + 1]! - start);
  }
}
