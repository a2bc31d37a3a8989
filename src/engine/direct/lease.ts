import { MeditronError } from '../check/errors.js';
import type { Need } from './capacity/need.js';
import type { Pool } from './scheduler.js';

/**
 * Sequences and cells of an engine set aside for one caller, so that work of several jobs never waits halfway for what others hold.
 * Jobs given the lease take from it alone. Made by `Engine.lease`; the caller releases it.
 */
export class Lease implements Disposable {
  /** @internal made by the engine */
  constructor(
    /** @internal */ readonly engine: object,
    /** @internal */ readonly pool: Pool,
    private readonly onRelease: (lease: Lease) => void,
  ) {}

  /** Sequences and cells the lease was made with. */
  get size(): Need {
    return this.pool.total;
  }

  /** @internal */
  check(engine: object): void {
    if (this.engine !== engine)
      throw new MeditronError('ERR_OPTION', 'Expected `lease` to be a lease of this engine, got one of another');
    if (this.pool.closed) throw new MeditronError('ERR_CLOSED', 'The lease has been released');
  }

  /** Jobs that wait in it fail with `ERR_CLOSED`; those that run go on, and what they and held sequences use comes back when they end. */
  release(): void {
    if (!this.pool.closed) this.onRelease(this);
  }

  [Symbol.dispose](): void {
    this.release();
  }
}
