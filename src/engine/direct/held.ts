import { MeditronError, optionError } from '../check/errors.js';
import type { Stretch } from './scheduler.js';

/**
 * Evaluated tokens that stay in the KV cache: a shared prefix, or a finished sample. Jobs start from it without evaluating
 * them again. It takes cells and a sequence of its engine, or of the lease it was made in, until `release()`; releasing twice is
 * harmless.
 */
export class Held implements Disposable {
  #released = false;

  /** @internal made by the engine */
  constructor(
    /** @internal */ readonly engine: object,
    /** @internal */ readonly sequence: number,
    /** Tokens it stands for, prompt and what was generated. */
    readonly tokenCount: number,
    private readonly onRelease: (held: Held) => void,
    /** @internal its place in the cache, and how many of its tokens are there */
    private readonly place?: { readonly stretch: Stretch; readonly evaluated: number },
    /** @internal tokens of it that are used; -1 for all */ readonly size: number = -1,
    private readonly whole?: Held,
  ) {}

  /** The same sequence cut off after its first `count` tokens, for a job that starts there. Released with the whole. */
  first(count: number): Held {
    if (!Number.isInteger(count) || count < 1 || count > this.tokenCount) {
      throw optionError('count', `an integer from 1 to ${this.tokenCount}`, count);
    }
    return new Held(this.engine, this.sequence, count, () => {}, this.place, count, this.whole ?? this);
  }

  /** Tokens a job that starts here has to evaluate before its own: 1 after the last token of a sample, which was sampled only. */
  get pending(): number {
    return Math.max(0, this.tokenCount - (this.place?.evaluated ?? this.tokenCount));
  }

  /** Cells that stay taken while it is held, or a job that started from it runs; those of the sequences it continues included. */
  get cells(): number {
    return this.place?.stretch.cells() ?? 0;
  }

  /** @internal */
  get stretch(): Stretch | undefined {
    return this.place?.stretch;
  }

  /** @internal */
  check(engine: object): void {
    if (this.engine !== engine)
      throw new MeditronError('ERR_OPTION', 'Expected `from` to be held by this engine, got one of another');
    if ((this.whole ?? this).#released) throw new MeditronError('ERR_CLOSED', 'The held sequence has been released');
  }

  release(): void {
    if (this.#released || this.whole) return;
    this.#released = true;
    this.onRelease(this);
  }

  [Symbol.dispose](): void {
    this.release();
  }
}
