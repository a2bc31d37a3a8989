import type { NativeBranch } from '../../native/addon.js';
import type { Held } from '../held.js';
import { nativeSampler, samplingDefaults } from './sampling.js';
import { Ticket } from './ticket.js';

/** What the model makes of one given continuation. */
export interface Score {
  /** Natural logarithm of the probability that exactly these tokens follow the prompt; the sum of `logprobs`. */
  readonly logprob: number;
  readonly tokens: Int32Array;
  /** One a token, from the raw logits: no sampler, no temperature. */
  readonly logprobs: Float32Array;
}

/** A job that scores given tokens after one evaluation of the prompt. */
export class Scoring extends Ticket {
  readonly #logprobs: number[][];
  #ended = 0;

  constructor(
    prompt: Int32Array,
    from: Held | undefined,
    readonly continuations: readonly Int32Array[],
  ) {
    super(prompt, from);
    this.#logprobs = continuations.map(() => []);
  }

  override branches(): NativeBranch[] {
    return this.continuations.map(forced => ({
      maxTokens: 0,
      forced,
      logprobs: true,
      ends: null,
      hold: false,
      sampler: nativeSampler(samplingDefaults),
    }));
  }

  override get branchCount(): number {
    return this.continuations.length;
  }

  /** The last token of a continuation is scored, not evaluated. */
  override get tokensPerBranch(): number {
    return Math.max(...this.continuations.map(tokens => tokens.length)) - 1;
  }

  override get holds(): boolean {
    return false;
  }

  override token(index: number, _token: number, logprob: number): undefined {
    this.#logprobs[index]!.push(logprob);
  }

  override end(): void {
    this.#ended++;
    this.wake();
  }

  async scores(): Promise<Score[]> {
    while (this.#ended < this.continuations.length) {
      this.throwIfFailed();
      await this.news();
    }
    return this.continuations.map((tokens, index) => {
      const logprobs = Float32Array.from(this.#logprobs[index]!);
      return { logprob: logprobs.reduce((sum, x) => sum + x, 0), tokens, logprobs };
    });
  }
}
