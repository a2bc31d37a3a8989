import type { NativeBranch } from '../../native/addon.js';
import type { Finish } from '../../types.js';
import type { Held } from '../held.js';
import { nativeSampler, samplingDefaults } from './sampling.js';
import { Ticket } from './ticket.js';

/** A job that only evaluates its prompt and keeps it, for others to start from. */
export class Prefix extends Ticket {
  #held: Held | undefined;

  override branches(): NativeBranch[] {
    return [
      {
        maxTokens: 0,
        forced: new Int32Array(0),
        logprobs: false,
        ends: null,
        hold: true,
        sampler: nativeSampler(samplingDefaults),
      },
    ];
  }

  override get branchCount(): number {
    return 1;
  }

  override get tokensPerBranch(): number {
    return 0;
  }

  override get holds(): boolean {
    return true;
  }

  override token(): undefined {}

  override end(_index: number, _finish: Finish, held: Held | undefined): void {
    this.#held = held;
    this.wake();
  }

  async held(): Promise<Held> {
    while (!this.#held) {
      this.throwIfFailed();
      await this.news();
    }
    return this.#held;
  }
}
