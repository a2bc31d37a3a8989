import { tensorType } from '../gguf/types.js';
import { type Encodable, encode } from './quantize.js';

/**
 * Random weights of one type and spread. Writing gigabytes at the speed of the disk rules out drawing every number:
 * tensors are cut from a pool, each from its own place, over and over. The pool has a prime number of blocks, so that
 * rows of any length begin somewhere else each time and no two rows of one matrix are alike until as many rows as the
 * pool has blocks have passed.
 */
export class Pool {
  readonly #bytes: Uint8Array;
  readonly #blockBytes: number;
  readonly #blocks: number;

  /**
   * @param atLeast rows that must differ
   * @param spread standard deviation of the weights
   */
  constructor(type: Encodable, atLeast: number, spread: number, seed: number) {
    const { blockSize, blockBytes } = tensorType(type);
    this.#blockBytes = blockBytes;
    this.#blocks = nextPrime(Math.max(atLeast, 1009));
    this.#bytes = new Uint8Array(this.#blocks * blockBytes);
    const random = normal(seed);
    const slab = new Float32Array(Math.ceil(4096 / blockSize) * blockSize);
    for (let at = 0; at < this.#bytes.length; ) {
      for (let i = 0; i < slab.length; i++) slab[i] = spread * random();
      const packed = encode(type, slab);
      this.#bytes.set(packed.subarray(0, this.#bytes.length - at), at);
      at += packed.length;
    }
  }

  /** `bytes` bytes of whole blocks; the pieces are views into the pool. `place` is any number. */
  *take(bytes: number, place: number): Generator<Uint8Array> {
    let at = (place % this.#blocks) * this.#blockBytes;
    for (let left = bytes; left > 0; ) {
      const piece = this.#bytes.subarray(at, Math.min(this.#bytes.length, at + left));
      yield piece;
      left -= piece.length;
      at = 0;
    }
  }
}

/** Whole numbers from 0 to 2^32 - 1, the same for the same seed (xorshift32 behind one round of mixing). */
export function whole(seed: number): () => number {
  let state = mix(seed) || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** A seed of its own for every name. */
export function seedFor(seed: number, name: string): number {
  let hash = mix(seed);
  for (let i = 0; i < name.length; i++) hash = mix(hash ^ name.charCodeAt(i));
  return hash >>> 0;
}

/** Nearly normal numbers of mean 0 and variance 1: four uniform ones added up, never past 3.5. */
function normal(seed: number): () => number {
  const next = whole(seed);
  const scale = Math.sqrt(3) / 2 ** 32;
  return () => (next() + next() + next() + next() - 2 ** 33) * scale;
}

function mix(value: number): number {
  let x = (value + 0x9e37_79b9) | 0;
  x = Math.imul(x ^ (x >>> 16), 0x21f0_aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a_2d97);
  return x ^ (x >>> 15);
}

function nextPrime(from: number): number {
  for (let n = from; ; n++) {
    let divisor = 2;
    while (divisor * divisor <= n && n % divisor !== 0) divisor++;
    if (divisor * divisor > n) return n;
  }
}
