import type { Need } from '../capacity/need.js';
import { Lease, leasedElsewhere, leasedNoMore } from '../lease.js';
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
    if (this.engine !== engine) throw leasedElsewhere();
    if (this.pool.closed) throw leasedNoMore();
  }

  release(): void {
    if (!this.pool.closed) this.onRelease(this);
  }
}
