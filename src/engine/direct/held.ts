import { MeditronError, optionError } from '../../check/errors.js';
import { Held } from '../held.js';
import type { Stretch } from '../scheduler.js';

/** A held sequence of an engine in this process. */
export class DirectHeld extends Held {
  /** All its tokens, if it is a prefix that continues no sample: such a one can be saved. */
  tokens: Int32Array | undefined;
  #released = false;

  constructor(
    readonly engine: object,
    readonly sequence: number,
    readonly tokenCount: number,
    private readonly onRelease: (held: DirectHeld) => void,
    /** Its place in the cache, and how many of its tokens are there. */
    private readonly place: { readonly stretch: Stretch; readonly evaluated: number },
    /** Tokens of it that are used; -1 for all. */
    readonly size: number = -1,
    private readonly whole?: DirectHeld,
  ) {
    super();
  }

  first(count: number): DirectHeld {
    if (!Number.isInteger(count) || count < 1 || count > this.tokenCount) {
      throw optionError('count', `an integer from 1 to ${this.tokenCount}`, count);
    }
    return new DirectHeld(this.engine, this.sequence, count, () => {}, this.place, count, this.whole ?? this);
  }

  get pending(): number {
    return Math.max(0, this.tokenCount - this.place.evaluated);
  }

  get cells(): number {
    return this.stretch.cells();
  }

  get stretch(): Stretch {
    return this.place.stretch;
  }

  /** Throws if it is not this engine's, or has been released. */
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
}
