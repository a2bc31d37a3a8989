import { tensorType } from '../gguf/types.js';
import { nearlyNormal } from '../random/xorshift.js';
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
    const random = nearlyNormal(seed);
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

function nextPrime(from: number): number {
  for (let n = from; ; n++) {
    let divisor = 2;
    while (divisor * divisor <= n && n % divisor !== 0) divisor++;
    if (divisor * divisor > n) return n;
  }
}
