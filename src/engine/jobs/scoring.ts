import type { NativeBranch } from '../../native/addon.js';
import { Job, type Start } from './job.js';
import { nativeSampler, samplingDefaults } from './sampling.js';

/** What the model makes of one given continuation. */
export interface Score {
  /** Natural logarithm of the probability that exactly these tokens follow the prompt; the sum of `logprobs`. */
  readonly logprob: number;
  /** Token ids of the continuation. */
  readonly tokens: Int32Array;
  /** One a token, from the raw logits: no sampler, no temperature. */
  readonly logprobs: Float32Array;
}

/** A job that scores given tokens after one evaluation of the prompt. */
export class Scoring extends Job {
  readonly #logprobs: number[][];
  #ended = 0;

  constructor(
    prompt: Int32Array,
    start: Start,
    readonly continuations: readonly Int32Array[],
  ) {
    // The last token of a continuation is scored, not evaluated.
    super(
      prompt,
      start,
      continuations.map(tokens => tokens.length - 1),
      false,
    );
    this.#logprobs = continuations.map(() => []);
  }

  override branches(): NativeBranch[] {
    return this.continuations.map(forced => ({
      maxTokens: 0,
      forced,
      logprobs: true,
      topLogprobs: 0,
      ends: null,
      stops: [],
      stopTokens: new Int32Array(0),
      hold: false,
      sampler: nativeSampler(samplingDefaults),
    }));
  }

  override scores(): boolean {
    return true;
  }

  override token(index: number, _token: number, logprob: number): undefined {
    this.#logprobs[index]!.push(logprob);
  }

  override end(): void {
    this.#ended++;
    this.wake();
  }

  async result(): Promise<Score[]> {
    while (this.#ended < this.continuations.length) {
      this.throwIfFailed();
      await this.news();
    }
    return this.continuations.map((tokens, index) => scoreOf(tokens, Float32Array.from(this.#logprobs[index]!)));
  }
}

export function scoreOf(tokens: Int32Array, logprobs: Float32Array): Score {
  return { logprob: logprobs.reduce((sum, x) => sum + x, 0), tokens, logprobs };
}
