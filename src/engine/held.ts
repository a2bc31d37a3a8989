import { MeditronError, optionError } from '../check/errors.js';
import type { Reservation } from './capacity/reservation.js';

/**
 * Evaluated tokens that stay in the KV cache: a shared prefix, or a finished sample. Jobs start from it without evaluating
 * them again. It takes cells and a sequence of its engine until `release()`; releasing twice is harmless.
 */
export class Held implements Disposable {
  #released = false;

  /** @internal made by the engine */
  constructor(
    /** @internal */ readonly engine: object,
    /** @internal */ readonly sequence: number,
    /** @internal */ readonly reservation: Reservation,
    /** Tokens it stands for, prompt and what was generated. */
    readonly tokenCount: number,
    private readonly onRelease: (held: Held) => void,
    /** @internal tokens of it that are used; -1 for all */ readonly size: number = -1,
    private readonly whole?: Held,
    /** @internal tokens at its end that are sampled and not evaluated: a job from all of it evaluates them in cells of its own */
    readonly pending: 0 | 1 = 0,
  ) {}

  /** The same sequence cut off after its first `count` tokens, for a job that starts there. Released with the whole. */
  first(count: number): Held {
    if (!Number.isInteger(count) || count < 1 || count > this.tokenCount) {
      throw optionError('count', `an integer from 1 to ${this.tokenCount}`, count);
    }
    const pending = count === this.tokenCount ? this.pending : 0;
    return new Held(this.engine, this.sequence, this.reservation, count, () => {}, count, this.whole ?? this, pending);
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
