import { MeditronError } from '../check/errors.js';

/** What a lease sets aside. */
export interface LeaseSize {
  /** Samples alive at once, held sequences included. */
  readonly sequences: number;
  /** Tokens of all of them together, a shared prompt counted once. */
  readonly cells: number;
}

/**
 * Sequences and cells of an engine set aside for one caller, so that work of several jobs never waits halfway for what others hold.
 * Jobs given the lease take from it alone. Made by `Engine.lease`; the caller releases it.
 */
export abstract class Lease implements Disposable {
  /** Sequences and cells the lease was made with. */
  abstract get size(): LeaseSize;

  /** Jobs that wait in it fail with `ERR_CLOSED`; those that run go on, and what they and held sequences use comes back when they end. */
  abstract release(): void;

  /** `release()`, for `using`. */
  [Symbol.dispose](): void {
    this.release();
  }
}

/** @internal */
export function leasedElsewhere(): MeditronError {
  return new MeditronError('ERR_OPTION', 'Expected `lease` to be a lease of this engine, got one of another');
}

/** @internal */
export function leasedNoMore(): MeditronError {
  return new MeditronError('ERR_CLOSED', 'The lease has been released');
}
