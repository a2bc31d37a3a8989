import type { Held } from './held.js';
import type { LoadedModel } from './info.js';
import type { GenerateEvent } from './jobs/generation.js';
import type { GenerateOptions, LeaseSize, PrefixOptions, Prompt, ScoreOptions } from './jobs/options.js';
import type { Score } from './jobs/scoring.js';
import type { Lease } from './lease.js';
import type { EngineCounters, EngineSettings } from './settings.js';

/**
 * Runs many jobs on one context: whoever fits is in the batch, the rest wait in the order they came. Made by
 * `Model.createEngine`. Safe to close at any time, before or after its model.
 */
export abstract class Engine implements AsyncDisposable {
  abstract readonly model: LoadedModel;
  abstract readonly settings: EngineSettings;
  abstract readonly counters: Readonly<EngineCounters>;

  /**
   * Streams the samples of one prompt, which is evaluated once for all of them. Leaving the loop early, or aborting the signal,
   * cancels what is left; an abort throws the signal's reason.
   *
   * @throws MeditronError `ERR_OPTION`; `ERR_CONTEXT_FULL` if prompt and new tokens do not fit, with the numbers;
   *   `ERR_GRAMMAR`, `ERR_NUMERIC`, `ERR_DECODE`; `ERR_CLOSED`; of an isolated engine also `ERR_ENGINE_DIED` if its process dies
   *   under the job, `ERR_QUARANTINED` for a job that crashed two in a row, `ERR_ENGINE_DOWN` if none lives any more
   */
  abstract generate(options: GenerateOptions): AsyncGenerator<GenerateEvent, void, void>;

  /**
   * The exact log-probability of each given continuation of one prompt, which is evaluated once wherever two sequences are to be had.
   * Continuations given as text are tokenized as they would be right behind the prompt.
   *
   * @throws MeditronError as {@link generate}
   */
  abstract score(options: ScoreOptions): Promise<Score[]>;

  /**
   * Evaluates a prompt and keeps it in the KV cache, for several jobs to start from (`from`). The caller releases it.
   *
   * @throws MeditronError as {@link generate}
   */
  abstract prefix(prompt: Prompt, options?: PrefixOptions): Promise<Held>;

  /**
   * Sets sequences and cells aside for one caller: give the lease to `generate`, `score` and `prefix`, and release it. Waits in line
   * with the jobs. Work that holds sequences while it asks for more takes one, or two such callers can wait for each other.
   *
   * @throws MeditronError `ERR_CONTEXT_FULL` at once if the engine can never give that much; `ERR_OPTION`; `ERR_CLOSED`; the
   *   signal's reason
   */
  abstract lease(size: LeaseSize, options?: { readonly signal?: AbortSignal | undefined }): Promise<Lease>;

  /** Ends everything that runs with `ERR_CLOSED`, within a quarter of a second on the CPU, and frees the context. Idempotent. */
  abstract close(): Promise<void>;

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
