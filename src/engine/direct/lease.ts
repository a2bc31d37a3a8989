import { MeditronError } from '../../check/errors.js';
import type { Need } from '../capacity/need.js';
import { Lease } from '../lease.js';
import type { Pool } from '../scheduler.js';

/** A lease of an engine in this process. */
export class DirectLease extends Lease {
  constructor(
    readonly engine: object,
    readonly pool: Pool,
    private readonly onRelease: (lease: DirectLease) => void,
  ) {
    super();
  }

  get size(): Need {
    return this.pool.total;
  }

  /** Throws if it is not this engine's, or has been released. */
  check(engine: object): void {
    if (this.engine !== engine)
      throw new MeditronError('ERR_OPTION', 'Expected `lease` to be a lease of this engine, got one of another');
    if (this.pool.closed) throw new MeditronError('ERR_CLOSED', 'The lease has been released');
  }

  release(): void {
    if (!this.pool.closed) this.onRelease(this);
  }
}
