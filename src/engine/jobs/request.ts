import type { Need } from '../capacity/need.js';
import type { Lease } from '../lease.js';
import type { Waiter } from '../scheduler.js';

/** A request for a lease on its way through the queue. */
export class LeaseRequest implements Waiter {
  readonly continues = false;
  readonly holds = true;
  readonly lease = undefined;
  dropped = false;
  #resolve!: (lease: Lease) => void;
  #reject!: (error: unknown) => void;
  readonly #lease = new Promise<Lease>((resolve, reject) => {
    this.#resolve = resolve;
    this.#reject = reject;
  });

  constructor(readonly need: Need) {}

  give(lease: Lease): void {
    this.dropped = true; // it has left the queue for good
    this.#resolve(lease);
  }

  fail(error: unknown): void {
    this.dropped = true;
    this.#reject(error);
  }

  result(): Promise<Lease> {
    return this.#lease;
  }
}
