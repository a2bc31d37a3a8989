import type { NativeBranch } from '../../native/addon.js';
import type { Finish } from '../../types.js';
import type { DirectHeld } from '../direct/held.js';
import { Job, type Start } from './job.js';
import { nativeSampler, samplingDefaults } from './sampling.js';

/** A job that only evaluates its prompt, or restores its saved state, and keeps it for others to start from. */
export class Prefix extends Job {
  #held: DirectHeld | undefined;

  constructor(
    prompt: Int32Array,
    start: Start,
    override readonly state: Uint8Array | undefined = undefined,
  ) {
    super(prompt, start, [0], true);
  }

  override branches(): NativeBranch[] {
    return [
      {
        maxTokens: 0,
        forced: new Int32Array(0),
        logprobs: false,
        topLogprobs: 0,
        ends: null,
        stops: [],
        stopTokens: new Int32Array(0),
        hold: true,
        sampler: nativeSampler(samplingDefaults),
      },
    ];
  }

  override token(): undefined {}

  override end(_index: number, _finish: Finish, held: DirectHeld | undefined): void {
    this.#held = held;
    this.wake();
  }

  async result(): Promise<DirectHeld> {
    while (!this.#held) {
      this.throwIfFailed();
      await this.news();
    }
    return this.#held;
  }
}
