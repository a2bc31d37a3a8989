import { MeditronError, optionError } from '../check/errors.js';

/**
 * Evaluated tokens that stay in the KV cache: a shared prefix, or a finished sample. Jobs start from it without evaluating
 * them again. It takes cells and a sequence of its engine, or of the lease it was made in, until `release()`; releasing twice is
 * harmless.
 */
export abstract class Held implements Disposable {
  /** Tokens it stands for, prompt and what was generated. */
  abstract readonly tokenCount: number;

  /** Tokens a job that starts here has to evaluate before its own: 1 after the last token of a sample, which was sampled only. */
  abstract get pending(): number;

  /** Cells that stay taken while it is held, or a job that started from it runs; those of the sequences it continues included. */
  abstract get cells(): number;

  /** The same sequence cut off after its first `count` tokens, for a job that starts there. Released with the whole. */
  abstract first(count: number): Held;

  /** Gives its sequence and cells back. Idempotent. */
  abstract release(): void;

  /** `release()`, for `using`. */
  [Symbol.dispose](): void {
    this.release();
  }
}

/** @internal Checks how many tokens of a held sequence are wanted. */
export function checkFirst(count: number, tokenCount: number): void {
  if (Number.isInteger(count) && count >= 1 && count <= tokenCount) return;
  throw optionError('count', `an integer from 1 to ${tokenCount}`, count);
}

/** @internal */
export function heldElsewhere(): MeditronError {
  return new MeditronError('ERR_OPTION', 'Expected `from` to be held by this engine, got one of another');
}

/** @internal */
export function heldNoMore(): MeditronError {
  return new MeditronError('ERR_CLOSED', 'The held sequence has been released');
}
