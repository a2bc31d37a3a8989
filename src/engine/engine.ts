import { type ErrorCode, MeditronError } from '../check/errors.js';
import type { NativeEngine, NativeStep } from '../native/addon.js';
import { nativeFinish } from '../native/addon.js';
import type { Finish } from '../types.js';
import { checkFits } from './capacity/fit.js';
import { Reservation } from './capacity/reservation.js';
import { turn } from './capacity/turn.js';
import { Held } from './held.js';
import { type GenerateEvent, Generation } from './jobs/generation.js';
import {
  type BosRule,
  checkGenerate,
  checkPrompt,
  checkScore,
  type GenerateOptions,
  type Prompt,
  type ScoreOptions,
} from './jobs/options.js';
import { Prefix } from './jobs/prefix.js';
import { type Score, Scoring } from './jobs/scoring.js';
import type { Ticket } from './jobs/ticket.js';
import type { Model } from './model.js';
import type { EngineCounters, EngineSettings } from './settings.js';

/** How long a job that only held sequences keep out waits for them, when nothing else runs. */
const patienceMs = 2000;

/**
 * Runs many jobs on one context: whoever fits is in the batch, the rest wait in the order they came. Made by
 * `Model.createEngine`. Safe to close at any time, before or after its model.
 */
export class Engine implements AsyncDisposable {
  readonly counters: Readonly<EngineCounters> = { steps: 0, promptTokens: 0, sampledTokens: 0 };
  readonly #counters = this.counters as EngineCounters;
  readonly #native: NativeEngine;
  #freeSequences: number;
  #freeCells: number;
  readonly #waiting: Ticket[] = [];
  readonly #live = new Map<number, Ticket>(); // native sequence -> its ticket
  #toRelease: number[] = []; // held sequences that nobody wants, until the next moment between steps
  #stepping = false;
  #pumping: Promise<void> | undefined;
  #closed: Promise<void> | undefined;
  /** Somebody has come since the line was last looked at. */
  #entered = false;
  #stuck: ReturnType<typeof setTimeout> | undefined;

  /** @internal */
  constructor(
    native: NativeEngine,
    readonly model: Model,
    readonly settings: EngineSettings,
  ) {
    this.#native = native;
    this.#freeSequences = settings.maxSequences;
    this.#freeCells = settings.contextSize;
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
    const prompt = await this.#prompt(work.prompt, work.bos, work.from, work.signal);
    const generation = new Generation(work, prompt);
    const leave = this.#enter(generation, work.signal);
    try {
      yield* generation.events();
    } finally {
      leave();
    }
  }

  /**
   * The exact log-probability of each given continuation of one prompt, which is evaluated once. Continuations given as text
   * are tokenized as they would be right behind the prompt.
   *
   * @throws MeditronError as {@link generate}
   */
  async score(options: ScoreOptions): Promise<Score[]> {
    const { prompt, continuations, signal, bos, from } = checkScore(options);
    const tokens = await this.#prompt(prompt, bos, from, signal);
    const given = await Promise.all(
      continuations.map(text => (text instanceof Int32Array ? text : this.model.continuation(tokens, text))),
    );
    // More continuations than sequences are scored in rounds that share one evaluation of the prompt.
    const scores: Score[] = [];
    const round = this.settings.maxSequences - 1;
    if (given.length <= this.settings.maxSequences) return this.#scoreRound(tokens, from, given, signal);
    const head = tokens.length > 1 ? await this.#evaluate(tokens.subarray(0, -1), from, signal) : undefined;
    try {
      const rest = head ? tokens.subarray(-1) : tokens;
      for (let i = 0; i < given.length; i += round) {
        scores.push(...(await this.#scoreRound(rest, head ?? from, given.slice(i, i + round), signal)));
      }
    } finally {
      head?.release();
    }
    return scores;
  }

  /**
   * Evaluates a prompt and keeps it in the KV cache, for several jobs to start from (`from`). The caller releases it.
   *
   * @throws MeditronError as {@link generate}
   */
  async prefix(prompt: Prompt, options: { signal?: AbortSignal; bos?: BosRule; from?: Held } = {}): Promise<Held> {
    const tokens = await this.#prompt(
      checkPrompt(prompt),
      options.bos ?? (options.from ? 'never' : 'auto'),
      options.from,
      options.signal,
    );
    return this.#evaluate(tokens, options.from, options.signal);
  }

  /** Ends everything that runs with `ERR_CLOSED`, within a quarter of a second on the CPU, and frees the context. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const error = closedError();
    for (const ticket of new Set([...this.#live.values(), ...this.#waiting])) ticket.fail(error);
    this.#native.abort();
    await this.#pumping?.catch(() => {});
    await this.#native.close();
  }

  async #prompt(
    prompt: Prompt,
    bos: BosRule,
    from: Held | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Int32Array> {
    if (this.#closed) throw closedError();
    signal?.throwIfAborted();
    from?.check(this);
    const tokens =
      prompt instanceof Int32Array
        ? prompt.slice()
        : await this.model.tokenize(prompt, { bos, inside: from !== undefined });
    if (tokens.length === 0) throw new MeditronError('ERR_OPTION', 'Expected a prompt of at least one token, got none');
    return tokens;
  }

  async #scoreRound(
    prompt: Int32Array,
    from: Held | undefined,
    given: readonly Int32Array[],
    signal?: AbortSignal,
  ): Promise<Score[]> {
    const scoring = new Scoring(prompt, from, given);
    const leave = this.#enter(scoring, signal);
    try {
      return await scoring.scores();
    } finally {
      leave();
    }
  }

  async #evaluate(prompt: Int32Array, from: Held | undefined, signal?: AbortSignal): Promise<Held> {
    const prefix = new Prefix(prompt, from);
    const leave = this.#enter(prefix, signal);
    try {
      return await prefix.held();
    } finally {
      leave();
    }
  }

  /** Lets a job in line. What is returned lets it out again, whatever has become of it. */
  #enter(ticket: Ticket, signal: AbortSignal | undefined): () => void {
    if (this.#closed) throw closedError();
    signal?.throwIfAborted();
    ticket.from?.check(this);
    checkFits(ticket, this.settings);
    const onAbort = () => {
      ticket.fail(signal!.reason);
      this.#interruptFor(ticket);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#waiting.push(ticket);
    this.#entered = true;
    this.#start();
    return () => {
      signal?.removeEventListener('abort', onAbort);
      if (ticket.dropped) return;
      ticket.dropped = true;
      this.#interruptFor(ticket);
    };
  }

  /** A step that serves nobody else, or that evaluates this job's prompt, is not waited for. */
  #interruptFor(ticket: Ticket): void {
    if (!this.#stepping || ticket.live.size === 0) return;
    const others = [...this.#live.values()].some(other => !other.dropped);
    if (ticket.prompting || !others) this.#native.abort();
  }

  #start(): void {
    this.#pumping ??= this.#pump().finally(() => {
      this.#pumping = undefined;
      if (!this.#closed && (this.#entered || this.#toRelease.length > 0)) this.#start();
    });
  }

  /** The only place that touches the native engine, and only between two steps. */
  async #pump(): Promise<void> {
    try {
      for (;;) {
        this.#drop();
        this.#admit();
        if (this.#live.size === 0) return;
        this.#deliver(await turn.run(this.settings.threads, () => this.#step()));
      }
    } catch (error) {
      const failure = toMeditronError(error);
      for (const ticket of new Set([...this.#live.values(), ...this.#waiting])) ticket.fail(failure);
      this.#drop();
      this.#waiting.length = 0;
    }
  }

  async #step(): Promise<NativeStep> {
    this.#stepping = true;
    try {
      return await this.#native.step();
    } finally {
      this.#stepping = false;
    }
  }

  #drop(): void {
    for (const sequence of this.#toRelease) {
      this.#release(sequence);
      this.#freeSequences++;
    }
    this.#toRelease = [];
    for (const [sequence, ticket] of this.#live) {
      if (!ticket.dropped) continue;
      this.#release(sequence);
      this.#gone(sequence, ticket);
    }
  }

  #release(sequence: number): void {
    if (!this.#closed) this.#native.release(sequence);
  }

  #admit(): void {
    clearTimeout(this.#stuck);
    this.#entered = false;
    for (let ticket = this.#waiting[0]; ticket && !this.#closed; ticket = this.#waiting[0]) {
      if (!ticket.dropped && !this.#fits(ticket)) break;
      this.#waiting.shift();
      if (!ticket.dropped) this.#let(ticket);
    }
    if (this.#live.size === 0 && this.#waiting.length > 0 && !this.#closed) this.#admitPastHeld();
  }

  #fits(ticket: Ticket): boolean {
    return ticket.branchCount <= this.#freeSequences && ticket.cells <= this.#freeCells;
  }

  /**
   * Nothing runs, and still the first in line does not fit: held sequences are in the way. Whoever holds them may be waiting
   * behind it, so others that fit go first. If none does and nothing is released for a while, it is refused.
   */
  #admitPastHeld(): void {
    const index = this.#waiting.findIndex(ticket => !ticket.dropped && this.#fits(ticket));
    if (index >= 0) {
      const [ticket] = this.#waiting.splice(index, 1);
      this.#let(ticket!);
      return;
    }
    this.#stuck = setTimeout(() => {
      const ticket = this.#waiting[0];
      if (!ticket || this.#live.size > 0 || this.#fits(ticket)) return;
      ticket.fail(
        new MeditronError(
          'ERR_CONTEXT_FULL',
          `The job needs ${ticket.branchCount} sequences and ${ticket.cells} cells; held sequences leave ${this.#freeSequences} and ${this.#freeCells}. Release some.`,
        ),
      );
      this.#start();
    }, patienceMs);
  }

  #let(ticket: Ticket): void {
    let sequences: Int32Array;
    try {
      ticket.from?.check(this);
      sequences = this.#native.add({
        from: ticket.from?.sequence ?? -1,
        fromSize: ticket.from?.size ?? -1,
        cells: ticket.cells,
        prompt: ticket.prompt,
        branches: ticket.branches(),
      });
    } catch (error) {
      ticket.fail(toMeditronError(error));
      return;
    }
    this.#freeSequences -= sequences.length;
    this.#freeCells -= ticket.cells;
    ticket.reservation = new Reservation(ticket.cells, sequences.length, ticket.from?.reservation, cells => {
      this.#freeCells += cells;
    });
    sequences.forEach((sequence, index) => {
      ticket.live.set(sequence, index);
      this.#live.set(sequence, ticket);
    });
  }

  #deliver(step: NativeStep): void {
    this.#counters.steps++;
    step.promptSeq.forEach((sequence, i) => {
      const ticket = this.#live.get(sequence);
      if (!ticket) return;
      const left = step.promptLeft[i]!;
      this.#counters.promptTokens += (ticket.promptLeft ?? ticket.prompt.length) - left;
      ticket.promptLeft = left;
      ticket.advance(left);
    });
    let from = 0;
    for (let i = 0; i < step.seq.length; i++) {
      const to = step.ends[i]!;
      this.#deliverToken(step, i, step.text.subarray(from, to));
      from = to;
    }
    for (const { seq, code, message } of step.failures) {
      const ticket = this.#live.get(seq);
      if (!ticket) continue;
      this.#gone(seq, ticket); // native has released it
      ticket.fail(new MeditronError(code as ErrorCode, message));
    }
  }

  #deliverToken(step: NativeStep, i: number, bytes: Uint8Array): void {
    const sequence = step.seq[i]!;
    const ticket = this.#live.get(sequence);
    if (!ticket) return;
    const index = ticket.live.get(sequence)!;
    const finish = step.finish[i]!;
    const token = step.token[i]!;
    let stopped: 'stop' | 'end' | undefined;
    if (token >= 0) {
      if (!(ticket instanceof Scoring)) this.#counters.sampledTokens++;
      stopped = ticket.token(index, token, step.logprob[i]!, bytes);
    }
    if (finish === nativeFinish.going && !stopped) return;

    const running = finish === nativeFinish.going;
    if (running && ticket.holds) this.#native.hold(sequence);
    else if (running) this.#native.release(sequence);
    const reason: Finish = stopped ?? (finish === nativeFinish.length ? 'length' : 'end');
    const held =
      ticket.holds && !ticket.dropped
        ? this.#hold(sequence, ticket, ticket.heldTokens(index) - (finish === nativeFinish.end ? 1 : 0), finish)
        : undefined;
    if (held) {
      ticket.live.delete(sequence);
      this.#live.delete(sequence);
    } else {
      if (ticket.holds) this.#native.release(sequence);
      this.#gone(sequence, ticket);
    }
    ticket.end(index, reason, held);
  }

  /** The sequence keeps its place and its share of the cells until the holder lets go. An end token is never evaluated. */
  #hold(sequence: number, ticket: Ticket, sampled: number, finish: number): Held {
    const reservation = ticket.reservation!;
    reservation.shrink(ticket.tokensPerBranch - sampled);
    const count = (ticket.from?.tokenCount ?? 0) + ticket.prompt.length + sampled;
    const pending = finish === nativeFinish.end || finish === nativeFinish.ready ? 0 : 1;
    const release = () => {
      this.#toRelease.push(sequence);
      reservation.drop();
      this.#start();
    };
    return new Held(this, sequence, reservation, count, release, -1, undefined, pending);
  }

  #gone(sequence: number, ticket: Ticket): void {
    this.#live.delete(sequence);
    ticket.live.delete(sequence);
    this.#freeSequences++;
    ticket.reservation?.shrink(ticket.tokensPerBranch);
    ticket.reservation?.drop();
  }
}

function closedError(): MeditronError {
  return new MeditronError('ERR_CLOSED', 'The engine is closed');
}

/** Errors of the addon carry a code of ours; anything else is a fault of ours. */
export function toMeditronError(error: unknown): unknown {
  if (error instanceof MeditronError || !(error instanceof Error)) return error;
  const code = (error as { code?: string }).code;
  return code?.startsWith('ERR_') ? new MeditronError(code as ErrorCode, error.message, { cause: error }) : error;
}
