import { MeditronError } from '../../check/errors.js';
import { checkMapped, type ModelFiles } from '../../models/identity.js';
import type { NativeEngine } from '../../native/addon.js';
import { checkLeaseFits } from '../capacity/fit.js';
import { planHead, planScoring } from '../capacity/scoring.js';
import { Engine } from '../engine.js';
import type { Held } from '../held.js';
import type { LoadedModel } from '../info.js';
import { type GenerateEvent, Generation, type SampleEnd } from '../jobs/generation.js';
import type { Job, Start, Watch } from '../jobs/job.js';
import {
  type BosRule,
  checkGenerate,
  checkLeaseSize,
  checkPrefix,
  checkPrompt,
  checkRestore,
  checkSave,
  checkScore,
  type GenerateOptions,
  type PrefixOptions,
  type Prompt,
  type RestoreOptions,
  type SaveOptions,
  type ScoreOptions,
} from '../jobs/options.js';
import { Prefix } from '../jobs/prefix.js';
import { LeaseRequest } from '../jobs/request.js';
import { type Score, Scoring, scoreOf } from '../jobs/scoring.js';
import type { LeaseSize } from '../lease.js';
import { Line } from '../line.js';
import { Loop } from '../loop.js';
import { belongsTo, type KnownFiles } from '../saved/belongs.js';
import { type BelongsHere, readPrefix, writePrefix } from '../saved/file.js';
import { knownKey, userKey } from '../saved/key.js';
import type { EngineCounters, EngineSettings } from '../settings.js';
import type { DirectHeld } from './held.js';
import type { DirectLease } from './lease.js';

/** An engine in this process. Whoever relays its work to another process watches how far it is. */
export class DirectEngine extends Engine {
  readonly counters: Readonly<EngineCounters>;
  readonly #loop: Loop;
  /** Texts are scored one after the other: a step scores no more tokens of several than of one. */
  readonly #scoring = new Line();

  constructor(
    native: NativeEngine,
    readonly model: LoadedModel,
    readonly settings: EngineSettings,
    /** Cores that a step keeps busy. */
    cores: number,
    /**
     * The files of its LoRA adapters as they were loaded, those of the model whose pages are its weights, and the size of context from which
     * the model has other factors of rotation.
     */
    private readonly files: {
      readonly adapters: ModelFiles;
      readonly mapped: ModelFiles['files'];
      readonly longFrom: number | undefined;
    },
  ) {
    super();
    this.#loop = new Loop(native, settings, cores);
    this.counters = this.#loop.counters;
  }

  get takenSequences(): number {
    return this.#loop.takenSequences;
  }

  async *generate(options: GenerateOptions, watch?: Watch): AsyncGenerator<GenerateEvent, void, void> {
    const work = checkGenerate(options);
    const start = this.#loop.own(work);
    const prompt = await this.#prompt(work.prompt, work.bos, start, work.signal, watch);
    const generation = new Generation(work, prompt, start);
    generation.watch = watch;
    watch?.('queued');
    const leave = this.#loop.enter(generation, work.signal);
    try {
      yield* generation.events();
      work.signal?.throwIfAborted(); // all of it was here before its reader left off
    } finally {
      leave();
    }
  }

  async score(options: ScoreOptions, watch?: Watch): Promise<Score[]> {
    const { prompt, continuations, signal, bos, ...rest } = checkScore(options);
    const start = this.#loop.own(rest);
    const { from, lease } = start;
    const tokens = await this.#prompt(prompt, bos, start, signal, watch);
    const given = await Promise.all(
      continuations.map(text => (text instanceof Int32Array ? text.slice() : this.model.continuation(tokens, text))),
    );
    const lengths = given.map(each => each.length);
    if (!from && !lease) {
      watch?.('queued');
      return this.#scoring.run(signal, () => this.#scoreTexts(tokens, given, signal, watch));
    }
    const plan = planScoring(tokens.length + (from?.pending ?? 0), lengths, this.#loop.room(start));
    if (plan.way === 'together') return this.#run(new Scoring(tokens, start, given), signal, watch);
    if (plan.way === 'apart') return this.#scoreInJobs(tokens, start, given, 1, signal, watch);
    const own = lease ? undefined : await this.lease(plan.need, { signal });
    try {
      const within = lease ?? own;
      const head = await this.#run(new Prefix(tokens.subarray(0, -1), { from, lease: within }), signal, watch);
      try {
        return await this.#scoreInJobs(
          tokens.subarray(-1),
          { from: head, lease: within },
          given,
          plan.atOnce,
          signal,
          watch,
        );
      } finally {
        head.release();
      }
    } finally {
      own?.release();
    }
  }

  /**
   * Texts are scored in the steps in which a prompt is that is echoed (`promptLogprobs`), wherever the prompt ends and the continuation begins: other steps
   * round otherwise, and with weights of 8 bits a last digit more or less grows to tenths.
   */
  async #scoreTexts(
    prompt: Int32Array,
    given: readonly Int32Array[],
    signal: AbortSignal | undefined,
    watch: Watch | undefined,
  ): Promise<Score[]> {
    const lengths = given.map(each => each.length);
    const plan = given.length > 1 ? planHead(prompt.length, lengths, this.#loop.room({})) : undefined;
    if (!plan) {
      const scores: Score[] = [];
      for (const continuation of given) scores.push(await this.#scoreText(prompt, continuation, signal, watch));
      return scores;
    }
    using lease = await this.lease(plan.need, { signal });
    const { held } = await this.#scored(prompt.subarray(0, plan.head), { hold: true, lease, signal }, watch);
    try {
      const from = this.#loop.own({ from: held!.first(plan.head), lease });
      return await this.#scoreInJobs(prompt.subarray(plan.head), from, given, plan.atOnce, signal, watch);
    } finally {
      held!.release();
    }
  }

  async #scoreText(
    prompt: Int32Array,
    continuation: Int32Array,
    signal: AbortSignal | undefined,
    watch: Watch | undefined,
  ): Promise<Score> {
    const text = joined(prompt, continuation);
    if (text.length + 1 > Math.min(this.settings.sequenceSize, this.settings.contextSize)) {
      const [score] = await this.#run(new Scoring(prompt, this.#loop.own({}), [continuation]), signal, watch);
      return score!;
    }
    const { prompt: scored } = await this.#scored(text, { signal }, watch);
    return scoreOf(continuation, scored!.logprobs.slice(prompt.length - 1));
  }

  /** The end of a sample of one token, which nobody wants, behind a prompt that is scored. */
  async #scored(
    prompt: Int32Array,
    options: Pick<GenerateOptions, 'hold' | 'lease' | 'signal'>,
    watch: Watch | undefined,
  ): Promise<SampleEnd> {
    const asked = { ...options, prompt, promptLogprobs: true, maxTokens: 1, samplers: [{ temperature: 0 }] };
    for await (const event of this.generate(asked, watch))
      if (event.type === 'end' && event.finish !== 'cancelled') return event; // why it was cancelled is thrown next
    throw new Error('A sample ends, or throws');
  }

  async prefix(prompt: Prompt, options: PrefixOptions = {}, watch?: Watch): Promise<DirectHeld> {
    const checked = checkPrompt(prompt);
    const { bos, signal, ...rest } = checkPrefix(options);
    const start = this.#loop.own(rest);
    const tokens = await this.#prompt(checked, bos, start, signal, watch);
    const held = await this.#run(new Prefix(tokens, start), signal, watch);
    held.tokens = allTokens(start.from, tokens);
    return held;
  }

  async savePrefix(held: Held, path: string, options: SaveOptions = {}): Promise<void> {
    const { signal } = checkSave(held, path, options);
    const from = this.#loop.own({ from: held }).from!;
    const { tokens } = from;
    if (!tokens)
      throw new MeditronError(
        'ERR_OPTION',
        'Expected `held` to be a whole prefix, as `prefix()` returns it; samples and what continues or cuts one off are not saved',
      );
    const belongs = await this.#belongs(tokens.length, [], signal);
    const key = await userKey();
    signal?.throwIfAborted();
    await writePrefix(path, { tokens, state: await this.#loop.save(from) }, belongs, key);
  }

  async restorePrefix(path: string, options: RestoreOptions = {}, watch?: Watch): Promise<DirectHeld> {
    const { signal, lease, tokens: wanted } = checkRestore(path, options);
    const start = this.#loop.own({ lease });
    const here: BelongsHere = async (...about) => (await this.#belongs(...about, signal)).belongs;
    const { tokens, state } = await readPrefix(path, here, await knownKey(), { tokens: wanted, signal });
    const held = await this.#run(new Prefix(tokens, start, state), signal, watch);
    held.tokens = tokens;
    return held;
  }

  async lease(size: LeaseSize, options: { readonly signal?: AbortSignal | undefined } = {}): Promise<DirectLease> {
    const need = checkLeaseSize(size, options);
    checkLeaseFits(need, this.settings);
    return this.#run(new LeaseRequest(need), options.signal);
  }

  close(): Promise<void> {
    return this.#loop.close();
  }

  #belongs(tokenCount: number, known: KnownFiles, signal: AbortSignal | undefined) {
    const { adapters, longFrom } = this.files;
    return belongsTo({ tokenCount, info: this.model.info, settings: this.settings, adapters, longFrom }, known, signal);
  }

  async #prompt(
    prompt: Prompt,
    bos: BosRule,
    start: Start,
    signal: AbortSignal | undefined,
    watch: Watch | undefined,
  ): Promise<Int32Array> {
    this.#loop.check(start);
    signal?.throwIfAborted();
    checkMapped(this.files.mapped);
    watch?.('tokenize');
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
    watch: Watch | undefined,
  ): Promise<Score[]> {
    const failed = new AbortController();
    const either = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal;
    const jobs: Promise<Score[]>[] = [];
    for (let i = 0; i < given.length; i += atOnce) {
      jobs.push(this.#run(new Scoring(prompt, start, given.slice(i, i + atOnce)), either, watch));
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
  async #run<T>(
    waiter: (Job | LeaseRequest) & { result(): Promise<T> },
    signal: AbortSignal | undefined,
    watch?: Watch,
  ): Promise<T> {
    if (!(waiter instanceof LeaseRequest)) waiter.watch = watch;
    watch?.('queued');
    const leave = this.#loop.enter(waiter, signal);
    try {
      return await (waiter as { result(): Promise<T> }).result();
    } finally {
      leave();
    }
  }
}

function joined(before: Int32Array, after: Int32Array): Int32Array {
  const all = new Int32Array(before.length + after.length);
  all.set(before);
  all.set(after, before.length);
  return all;
}

/** The tokens of a prefix behind another; undefined if those of the other are not known. */
function allTokens(from: DirectHeld | undefined, tokens: Int32Array): Int32Array | undefined {
  if (!from) return tokens;
  if (!from.tokens) return undefined;
  return joined(from.tokens, tokens);
}
