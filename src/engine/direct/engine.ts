import { MeditronError } from '../check/errors.js';
import type { NativeEngine } from '../native/addon.js';
import { checkLeaseFits } from './capacity/fit.js';
import { planScoring } from './capacity/scoring.js';
import type { Held } from './held.js';
import type { LoadedModel } from './info.js';
import { type GenerateEvent, Generation } from './jobs/generation.js';
import type { Job, Start } from './jobs/job.js';
import {
  type BosRule,
  checkGenerate,
  checkLeaseSize,
  checkPrefix,
  checkPrompt,
  checkScore,
  type GenerateOptions,
  type LeaseSize,
  type PrefixOptions,
  type Prompt,
  type ScoreOptions,
} from './jobs/options.js';
import { Prefix } from './jobs/prefix.js';
import { LeaseRequest } from './jobs/request.js';
import { type Score, Scoring } from './jobs/scoring.js';
import type { Lease } from './lease.js';
import { Loop } from './loop.js';
import type { EngineCounters, EngineSettings } from './settings.js';

/**
 * Runs many jobs on one context: whoever fits is in the batch, the rest wait in the order they came. Made by
 * `Model.createEngine`. Safe to close at any time, before or after its model.
 */
export class Engine implements AsyncDisposable {
  readonly counters: Readonly<EngineCounters>;
  readonly #loop: Loop;

  /** @internal */
  constructor(
    native: NativeEngine,
    readonly model: LoadedModel,
    readonly settings: EngineSettings,
    /** Cores that a step keeps busy. */
    cores: number,
  ) {
    this.#loop = new Loop(native, settings, cores);
    this.counters = this.#loop.counters;
  }

  /**
   * Streams the samples of one prompt, which is evaluated once for all of them. Leaving the loop early, or aborting the signal,
   * cancels what is left; an abort throws the signal's reason.
   *
   * @throws MeditronError `ERR_OPTION`; `ERR_CONTEXT_FULL` if prompt and new tokens do not fit, with the numbers;
   *   `ERR_GRAMMAR`, `ERR_NUMERIC`, `ERR_DECODE`; `ERR_CLOSED`.
   */
  async *generate(options: GenerateOptions): AsyncGenerator<GenerateEvent, void, void> {
    const work = checkGenerate(options);
    const prompt = await this.#prompt(work.prompt, work.bos, work, work.signal);
    const generation = new Generation(work, prompt);
    const leave = this.#loop.enter(generation, work.signal);
    try {
      yield* generation.events();
    } finally {
      leave();
    }
  }

  /**
   * The exact log-probability of each given continuation of one prompt, which is evaluated once wherever two sequences are to be had.
   * Continuations given as text are tokenized as they would be right behind the prompt.
   *
   * @throws MeditronError as {@link generate}
   */
  async score(options: ScoreOptions): Promise<Score[]> {
    const { prompt, continuations, signal, bos, from, lease } = checkScore(options);
    const start = { from, lease };
    const tokens = await this.#prompt(prompt, bos, start, signal);
    const given = await Promise.all(
      continuations.map(text => (text instanceof Int32Array ? text.slice() : this.model.continuation(tokens, text))),
    );
    const lengths = given.map(each => each.length);
    const plan = planScoring(tokens.length + (from?.pending ?? 0), lengths, this.#loop.room(start));
    if (plan.way === 'together') return this.#run(new Scoring(tokens, start, given), signal);
    if (plan.way === 'apart') return this.#scoreInJobs(tokens, start, given, 1, signal);
    const own = lease ? undefined : await this.lease(plan.need, { signal });
    try {
      const within = lease ?? own;
      const head = await this.#run(new Prefix(tokens.subarray(0, -1), { from, lease: within }), signal);
      try {
        return await this.#scoreInJobs(tokens.subarray(-1), { from: head, lease: within }, given, plan.atOnce, signal);
      } finally {
        head.release();
      }
    } finally {
      own?.release();
    }
  }

  /**
   * Evaluates a prompt and keeps it in the KV cache, for several jobs to start from (`from`). The caller releases it.
   *
   * @throws MeditronError as {@link generate}
   */
  async prefix(prompt: Prompt, options: PrefixOptions = {}): Promise<Held> {
    const checked = checkPrompt(prompt);
    const { bos, from, lease, signal } = checkPrefix(options);
    const start = { from, lease };
    return this.#run(new Prefix(await this.#prompt(checked, bos, start, signal), start), signal);
  }

  /**
   * Sets sequences and cells aside for one caller: give the lease to `generate`, `score` and `prefix`, and release it. Waits in line
   * with the jobs. Work that holds sequences while it asks for more takes one, or two such callers can wait for each other.
   *
   * @throws MeditronError `ERR_CONTEXT_FULL` at once if the engine can never give that much; `ERR_OPTION`; `ERR_CLOSED`; the
   *   signal's reason
   */
  async lease(size: LeaseSize, options: { readonly signal?: AbortSignal | undefined } = {}): Promise<Lease> {
    const need = checkLeaseSize(size, options);
    checkLeaseFits(need, this.settings);
    return this.#run(new LeaseRequest(need), options.signal);
  }

  /** Ends everything that runs with `ERR_CLOSED`, within a quarter of a second on the CPU, and frees the context. Idempotent. */
  close(): Promise<void> {
    return this.#loop.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #prompt(prompt: Prompt, bos: BosRule, start: Start, signal: AbortSignal | undefined): Promise<Int32Array> {
    this.#loop.check(start);
    signal?.throwIfAborted();
    const tokens =
      prompt instanceof Int32Array
        ? prompt.slice()
        : await this.model.tokenize(prompt, {
            bos,
            inside: start.from !== undefined,
            maxTokens: this.settings.sequenceSize,
            signal,
          });
    if (tokens.length === 0) throw new MeditronError('ERR_OPTION', 'Expected a prompt of at least one token, got none');
    return tokens;
  }

  /** Jobs of `atOnce` continuations each. If one fails, the others are cancelled. */
  async #scoreInJobs(
    prompt: Int32Array,
    start: Start,
    given: readonly Int32Array[],
    atOnce: number,
    signal: AbortSignal | undefined,
  ): Promise<Score[]> {
    const failed = new AbortController();
    const either = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal;
    const jobs: Promise<Score[]>[] = [];
    for (let i = 0; i < given.length; i += atOnce) {
      jobs.push(this.#run(new Scoring(prompt, start, given.slice(i, i + atOnce)), either));
    }
    try {
      return (await Promise.all(jobs)).flat();
    } catch (error) {
      failed.abort(error);
      await Promise.allSettled(jobs);
      throw error;
    }
  }

  /** Runs a job that ends in one result. */
  async #run<T>(waiter: (Job | LeaseRequest) & { result(): Promise<T> }, signal: AbortSignal | undefined): Promise<T> {
    const leave = this.#loop.enter(waiter, signal);
    try {
      return await (waiter as { result(): Promise<T> }).result();
    } finally {
      leave();
    }
  }
}
