import type { Need } from '../engine/capacity/need.js';
import { Lease, leasedElsewhere, leasedNoMore } from '../engine/lease.js';

/** A lease of an engine in another process. */
export class HostLease extends Lease {
  #released = false;

  constructor(
    readonly engine: object,
    readonly id: number,
    readonly size: Need,
    private readonly onRelease: (lease: HostLease) => void,
  ) {
    super();
  }

  /** Throws if it is not this engine's, or has been released. */
  check(engine: object): void {
    if (this.engine !== engine) throw leasedElsewhere();
    if (this.#released) throw leasedNoMore();
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.onRelease(this);
  }
}
