import { type Death, EngineDied } from '../check/died.js';
import { checkFirst, Held, heldElsewhere, heldNoMore } from '../engine/held.js';
import type { HeldFacts, HeldName } from './protocol.js';
import type { Content, Start } from './request.js';

/** How a prefix is evaluated again in another process. */
export interface Recipe {
  readonly content: Content<'prefix'>;
  readonly from: HostHeld | undefined;
}

/** A held sequence of an engine in another process. */
export class HostHeld extends Held {
  readonly pending: number;
  readonly cells: number;
  #released = false;
  #lost: unknown;

  constructor(
    readonly engine: object,
    readonly name: HeldName,
    /** The same for what was made in the same way. */
    readonly key: string,
    readonly tokenCount: number,
    { pending, cells }: Pick<HeldFacts, 'pending' | 'cells'>,
    private readonly onRelease: (held: HostHeld) => void,
    /** Without one it dies with its process. */
    readonly recipe: Recipe | undefined,
    private readonly whole?: HostHeld,
  ) {
    super();
    this.pending = pending;
    this.cells = cells;
  }

  first(count: number): HostHeld {
    checkFirst(count, this.tokenCount);
    // What was sampled last is pending only in the whole.
    const pending = Math.max(0, this.pending - (this.tokenCount - count));
    const name = { ...this.name, first: count };
    return new HostHeld(
      this.engine,
      name,
      `${this.key} ${count}`,
      count,
      { pending, cells: this.cells },
      () => {},
      undefined,
      this.whole ?? this,
    );
  }

  release(): void {
    if (this.#released || this.whole) return;
    this.#released = true;
    this.onRelease(this);
  }

  /** It was in a process that died. */
  lose(death: Death): void {
    this.#lost ??= new EngineDied(death);
  }

  /** Throws if it is not this engine's, has been released, or died with its process. */
  check(engine: object): void {
    if (this.engine !== engine) throw heldElsewhere();
    const whole = this.whole ?? this;
    if (whole.#released) throw heldNoMore();
    if (whole.#lost) throw whole.#lost;
  }
}

/** What a job starts from. */
export function startOf(
  engine: object,
  from: HostHeld | undefined,
  lease: { readonly id: number; check(engine: object): void } | undefined,
): Start {
  return {
    key: from?.key ?? '',
    now() {
      from?.check(engine);
      lease?.check(engine);
      return { from: from?.name, lease: lease?.id };
    },
  };
}
