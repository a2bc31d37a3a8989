import type { Need } from '../capacity/need.js';
import type { DirectLease } from '../direct/lease.js';
import type { Waiter } from '../scheduler.js';

/** A request for a lease on its way through the queue. */
export class LeaseRequest implements Waiter {
  readonly continues = false;
  readonly holds = true;
  readonly lease = undefined;
  dropped = false;
  #resolve!: (lease: DirectLease) => void;
  #reject!: (error: unknown) => void;
  readonly #lease = new Promise<DirectLease>((resolve, reject) => {
    this.#resolve = resolve;
    this.#reject = reject;
  });

  constructor(readonly need: Need) {}

  give(lease: DirectLease): void {
    this.dropped = true; // it has left the queue for good
    this.#resolve(lease);
  }

  fail(error: unknown): void {
    this.dropped = true;
    this.#reject(error);
  }

  result(): Promise<DirectLease> {
    return this.#lease;
  }
}
