import type { NativeBranch } from '../../native/addon.js';
import type { Finish } from '../../types.js';
import type { Reservation } from '../capacity/reservation.js';
import type { Held } from '../held.js';

/** One job on its way through the engine, whatever it is for. The engine writes into it, its reader waits for news. */
export abstract class Ticket {
  /** Nobody reads any more: the engine takes its sequences back before the next step. */
  dropped = false;
  /** True until the prompt has been evaluated. */
  prompting = true;
  /** Native sequence to branch index, of those that run. */
  readonly live = new Map<number, number>();
  reservation: Reservation | undefined;
  /** Prompt tokens still to be evaluated; undefined before the first step. */
  promptLeft: number | undefined;

  #failure: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(
    readonly prompt: Int32Array,
    readonly from: Held | undefined,
  ) {}

  abstract branches(): NativeBranch[];
  abstract get branchCount(): number;
  /** Cells to set aside for each branch beyond the shared prompt. */
  abstract get tokensPerBranch(): number;
  /** Whether branches stay in the cache when they end. */
  abstract get holds(): boolean;

  /** Takes one token of a branch. Returns how the branch ends if it is no longer wanted. */
  abstract token(index: number, token: number, logprob: number, bytes: Uint8Array): 'stop' | 'end' | undefined;
  /** A branch is over. */
  abstract end(index: number, finish: Finish, held: Held | undefined): void;

  /** Tokens beyond the prompt that a held branch stands for. */
  heldTokens(_index: number): number {
    return 0;
  }

  /** Part of the prompt has been evaluated; `left` tokens remain. */
  advance(left: number): void {
    if (left === 0) this.prompting = false;
  }

  /** Tokens of context one branch needs from its first position to its last. */
  get positions(): number {
    return (this.from?.tokenCount ?? 0) + this.prompt.length + this.tokensPerBranch;
  }

  get cells(): number {
    return (this.from?.pending ?? 0) + this.prompt.length + this.branchCount * this.tokensPerBranch;
  }

  fail(error: unknown): void {
    this.#failure ??= { error };
    this.dropped = true;
    this.wake();
  }

  protected throwIfFailed(): void {
    if (this.#failure) throw this.#failure.error;
  }

  protected wake(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  /** Settles when something has happened since the last look. */
  protected news(): Promise<void> {
    return new Promise<void>(resolve => {
      this.#wake = resolve;
    });
  }
}
