import type { NativeBranch } from '../../native/addon.js';
import type { Finish, TokenLogprob } from '../../types.js';
import { jobNeed, largest, type Need } from '../capacity/need.js';
import type { DirectHeld } from '../direct/held.js';
import type { DirectLease } from '../direct/lease.js';
import type { Share, Waiter } from '../scheduler.js';

/** What a job starts from: a held sequence, and the lease whose sequences and cells it takes. */
export interface Start {
  readonly from?: DirectHeld | undefined;
  readonly lease?: DirectLease | undefined;
}

/** Told how far a caller's work is: its text is being tokenized; it waits in the queue; it is in the batch from the next step on. */
export type Watch = (stage: 'tokenize' | 'queued' | 'started') => void;

/** One job on its way through the engine, whatever it is for. The engine writes into it, its reader waits for news. */
export abstract class Job implements Waiter {
  /** Nobody reads any more: the engine takes its sequences back before the next step. */
  dropped = false;
  /** True until the prompt has been evaluated. */
  prompting = true;
  /** Native sequence to branch index, of those that run. */
  readonly live = new Map<number, number>();
  /** What it has of its pool once it was admitted. */
  share: Share | undefined;
  /** Told right before the job is handed to native code. */
  watch: Watch | undefined;
  /** Prompt tokens still to be evaluated; undefined before the first step. */
  promptLeft: number | undefined;
  readonly from: DirectHeld | undefined;
  readonly lease: DirectLease | undefined;
  readonly need: Need;
  /** What a saved prompt is restored from, instead of being evaluated. */
  readonly state: Uint8Array | undefined;

  #failure: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(
    readonly prompt: Int32Array,
    start: Start,
    /** Cells to set aside for each branch beyond the shared prompt. */
    readonly branchCells: readonly number[],
    /** Whether branches stay in the cache when they end. */
    readonly holds: boolean,
  ) {
    this.from = start.from;
    this.lease = start.lease;
    this.need = jobNeed({ promptTokens: prompt.length, branchCells, pending: this.from?.pending });
  }

  abstract branches(): NativeBranch[];

  /** Takes one token of a branch, and the most probable ones in its place. Returns how the branch ends if it is no longer wanted. */
  abstract token(
    index: number,
    token: number,
    logprob: number,
    bytes: Uint8Array,
    top: readonly TokenLogprob[],
  ): 'stop' | 'end' | undefined;
  /** A branch is over. */
  abstract end(index: number, finish: Finish, held: DirectHeld | undefined): void;

  get continues(): boolean {
    return this.from !== undefined;
  }

  /** Cells of the prompt, and of what is pending before it. */
  get promptCells(): number {
    return this.prompt.length + (this.from?.pending ?? 0);
  }

  /** Tokens of one sequence from its first position to its last. */
  get positions(): number {
    return (this.from?.tokenCount ?? 0) + this.prompt.length + largest(this.branchCells);
  }

  /** Tokens of each branch that are given, and scored before anything is sampled. */
  get given(): number {
    return 0;
  }

  /** Whether the next token of a branch is given. */
  scores(_index: number): boolean {
    return false;
  }

  /** Tokens that a branch has scored and sampled, where it may be held. */
  sampled(_index: number): number {
    return 0;
  }

  /** Part of the prompt has been evaluated; `left` tokens remain. */
  advance(left: number): void {
    if (left === 0) this.prompting = false;
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

  /** Settles when something has happened since it was last called. */
  protected news(): Promise<void> {
    return new Promise<void>(resolve => {
      this.#wake = resolve;
    });
  }
}
