import type { Held } from './held.js';
import type { LoadedModel } from './info.js';
import type { GenerateEvent } from './jobs/generation.js';
import type {
  GenerateOptions,
  PrefixOptions,
  Prompt,
  RestoreOptions,
  SaveOptions,
  ScoreOptions,
} from './jobs/options.js';
import type { Score } from './jobs/scoring.js';
import type { Lease, LeaseSize } from './lease.js';
import type { EngineCounters, EngineSettings } from './settings.js';

/**
 * Runs many jobs on one context: whoever fits is in the batch, the rest wait in the order they came. Made by
 * `Model.createEngine`. Safe to close at any time, before or after its model.
 */
export abstract class Engine implements AsyncDisposable {
  /** The model it was made from. */
  abstract readonly model: LoadedModel;
  /** What it was opened with. */
  abstract readonly settings: EngineSettings;
  /** What it has computed since; the same object, which goes on counting. */
  abstract readonly counters: Readonly<EngineCounters>;
  /** Sequences that are taken now, of `settings.maxSequences`: by samples that run, by what is held, and by leases. */
  abstract readonly takenSequences: number;

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
   * Continuations given as text are tokenized as they would be right behind the prompt. Without `from` and `lease`, in an engine that does nothing else, the
   * log-probabilities are those of the same tokens in a prompt that is scored (`promptLogprobs`), wherever it is cut.
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
   * Writes a prefix to a file, to be restored by this program or the next instead of being evaluated: whole or not at all, for its
   * owner alone. The file has the prompt in clear: save no patient's text. A prefix is saved that `prefix` made or `restorePrefix`, also
   * behind another such; samples are not.
   *
   * @throws MeditronError `ERR_OPTION`; `ERR_OUTPUT` if the file cannot be written; `ERR_MODEL_FILE` if the model's file was changed since it
   *   was loaded; `ERR_INPUT` if the key in the state folder cannot be used; as {@link generate}
   */
  abstract savePrefix(held: Held, path: string, options?: SaveOptions): Promise<void>;

  /**
   * Restores a saved prefix into a free sequence, as if {@link prefix} had evaluated it: what is sampled from it is the same bit for bit. The
   * caller releases it. Only what this user saved is taken, with every bit as it was, by an engine with the same model, adapters,
   * build of llama.cpp, devices, batch size (where that is less than its tokens), threads and kind of cache.
   *
   * @throws MeditronError `ERR_INPUT` with what is wrong or differs; `ERR_MEMORY`; `ERR_CONTEXT_FULL`; as {@link generate}
   */
  abstract restorePrefix(path: string, options?: RestoreOptions): Promise<Held>;

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

  /** `close()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
