import { checkFirst, Held, heldElsewhere, heldNoMore } from '../held.js';
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
    checkFirst(count, this.tokenCount);
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
    if (this.engine !== engine) throw heldElsewhere();
    if ((this.whole ?? this).#released) throw heldNoMore();
  }

  release(): void {
    if (this.#released || this.whole) return;
    this.#released = true;
    this.onRelease(this);
  }
}
