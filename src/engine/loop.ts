import { type ErrorCode, MeditronError } from '../check/errors.js';
import type { NativeEngine, NativeStep } from '../native/addon.js';
import { nativeFinish } from '../native/addon.js';
import type { Finish, TokenLogprob } from '../types.js';
import { checkFits, inWords } from './capacity/fit.js';
import { type Need, rest } from './capacity/need.js';
import { DirectHeld } from './direct/held.js';
import { DirectLease } from './direct/lease.js';
import { closedError, toMeditronError } from './errors.js';
import { type Held, heldElsewhere } from './held.js';
import type { Job, Start } from './jobs/job.js';
import { LeaseRequest } from './jobs/request.js';
import { type Lease, leasedElsewhere, leasedNoMore } from './lease.js';
import { letGo, type Outcomes, type Pool, Scheduler, Share } from './scheduler.js';
import { type EngineCounters, type EngineSettings, noCounts } from './settings.js';
import { whenAborted } from './signals.js';
import { turn } from './turn.js';

/** How long a job that only held sequences keep out waits for them, when nothing else runs. */
const patienceMs = 10_000;

/**
 * How long native code goes on by itself where nothing needs to be looked at, at most: two frames of a display, so that text still comes as
 * it is written, and long enough that the way to JavaScript and back, which takes up to a tenth of a fast GPU's step, does not count.
 */
export const runAhead = { milliseconds: 32 };

type Waiting = Job | LeaseRequest;

/** The loop of an engine: schedule, step, deliver, for as long as a job runs. It alone touches the native engine, between two steps. */
export class Loop {
  readonly counters: EngineCounters = noCounts();
  readonly #native: NativeEngine;
  readonly #scheduler: Scheduler<Waiting>;
  readonly #live = new Map<number, Job>(); // native sequence -> its job
  /** Held sequences that were released, until native may be called: between two steps. */
  #released: DirectHeld[] = [];
  /** What is to be done between two steps. */
  #errands: (() => Promise<void>)[] = [];
  #stepping = false;
  #pumping: Promise<void> | undefined;
  #closed: Promise<void> | undefined;
  /** True if the loop has something to look at since it last did. */
  #called = false;
  /** Readers may answer what was delivered last with other work: they have until the end of one step. */
  #told = false;
  /** Milliseconds, when {@link Loop.#lap} was last called. */
  #since = 0;
  #patience: ReturnType<typeof setTimeout> | undefined;

  constructor(
    native: NativeEngine,
    private readonly settings: EngineSettings,
    /** Cores that a step keeps busy. */
    private readonly cores: number,
  ) {
    this.#native = native;
    this.#scheduler = new Scheduler({ sequences: settings.maxSequences, cells: settings.contextSize });
  }

  /** Fails everything with `ERR_CLOSED` and frees the context. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  get takenSequences(): number {
    const { total, free } = this.#scheduler.root;
    return total.sequences - free.sequences;
  }

  /** What a caller may count on beside what its own held sequences keep. */
  room({ from, lease }: Start): Need {
    if (lease) return lease.pool.room;
    const { root } = this.#scheduler;
    if (!from) return root.total;
    return rest(root.total, { sequences: 1, cells: from.stretch.cells() });
  }

  /** What a job starts from, as this engine made it. Throws if another made it, and as {@link check}. */
  own({ from, lease }: { readonly from?: Held | undefined; readonly lease?: Lease | undefined }): Start {
    if (from !== undefined && !(from instanceof DirectHeld)) throw heldElsewhere();
    if (lease !== undefined && !(lease instanceof DirectLease)) throw leasedElsewhere();
    const start = { from, lease };
    this.check(start);
    return start;
  }

  /** Throws `ERR_CLOSED` after close(), and if a held sequence or a lease is not this engine's or has been released. */
  check({ from, lease }: Start): void {
    if (this.#closed) throw closedError();
    from?.check(this);
    lease?.check(this);
  }

  /** Queues a job; call the result to remove it, whether it waits, runs or is done. */
  enter(waiter: Waiting, signal: AbortSignal | undefined): () => void {
    signal?.throwIfAborted();
    if (waiter instanceof LeaseRequest) this.check({ from: undefined, lease: undefined });
    else {
      this.check(waiter);
      checkFits(waiter, this.settings);
    }
    const forget = signal
      ? whenAborted(signal, () => {
          waiter.fail(signal.reason);
          this.#remove(waiter);
        })
      : undefined;
    this.#scheduler.enter(waiter, this.#poolOf(waiter));
    this.#call();
    return () => {
      forget?.();
      if (waiter.dropped) return;
      waiter.dropped = true;
      this.#remove(waiter);
    };
  }

  /** The state of a held sequence, taken between two steps. */
  save(held: DirectHeld): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#errands.push(async () => {
        try {
          this.check({ from: held, lease: undefined });
          resolve(await this.#native.save(held.sequence));
        } catch (error) {
          reject(toMeditronError(error));
        }
      });
      this.#call();
    });
  }

  async #close(): Promise<void> {
    clearTimeout(this.#patience);
    this.#failAll(closedError());
    this.#native.abort();
    await this.#pumping?.catch(() => {});
    await this.#native.close();
  }

  #failAll(error: unknown): void {
    for (const job of new Set(this.#live.values())) job.fail(error);
    for (const waiter of this.#scheduler.waiting()) {
      this.#scheduler.leave(waiter, this.#poolOf(waiter));
      waiter.fail(error);
    }
  }

  #poolOf(waiter: Waiting): Pool<Waiting> {
    return (waiter.lease?.pool as Pool<Waiting> | undefined) ?? this.#scheduler.root;
  }

  /** Takes a dropped job out of the queue, or ends a step that serves nobody else or that evaluates this job's prompt. */
  #remove(waiter: Waiting): void {
    if (this.#scheduler.leave(waiter, this.#poolOf(waiter))) {
      this.#call(); // whoever stood behind it may be next
      return;
    }
    if (waiter instanceof LeaseRequest || waiter.live.size === 0) return;
    this.#call();
    const others = [...this.#live.values()].some(other => !other.dropped);
    if (this.#stepping && (waiter.prompting || !others)) this.#native.abort();
  }

  /** Has the loop look again, at once or after the step that is running. */
  #call(): void {
    this.#called = true;
    if (this.#stepping) this.#native.call();
    this.#pumping ??= this.#pump().finally(() => {
      this.#pumping = undefined;
      if (!this.#closed && this.#called) this.#call();
    });
  }

  /** The only place that touches the native engine, and only between two steps: schedule, step, deliver. */
  async #pump(): Promise<void> {
    this.#lap();
    try {
      for (;;) {
        while (this.#errands.length > 0) await this.#errands.shift()!();
        this.#takeBack();
        this.#admit();
        if (this.#live.size === 0) return this.#watch();
        this.counters.betweenMicroseconds += this.#lap();
        const step = await turn.run(this.cores, this.#step);
        if (step) this.#deliver(step);
      }
    } catch (error) {
      this.#failAll(toMeditronError(error));
    }
  }

  /** Microseconds since it was last called. */
  #lap(): number {
    const before = this.#since;
    this.#since = performance.now();
    return (this.#since - before) * 1000;
  }

  /** A step or some, or undefined if it failed: then it fails the jobs that are in it, and those that wait go on. */
  readonly #step = async (): Promise<NativeStep | undefined> => {
    this.#lap();
    this.#stepping = true;
    const before = process.cpuUsage();
    try {
      const step = await this.#native.step(this.#told || this.#called ? 0 : runAhead.milliseconds);
      const { user, system } = process.cpuUsage(before);
      this.counters.processorMicroseconds += user + system;
      this.#count(step);
      return step;
    } catch (error) {
      const failure = toMeditronError(error);
      for (const job of new Set(this.#live.values())) job.fail(failure);
      return undefined;
    } finally {
      this.#stepping = false;
    }
  };

  /** Sequences that were released, and those of jobs nobody reads. */
  #takeBack(): void {
    this.#called = false;
    for (const held of this.#released) {
      this.#release(held.sequence);
      letGo(held.stretch);
    }
    if (this.#released.length > 0) this.#released = [];
    for (const [sequence, job] of this.#live) {
      if (!job.dropped) continue;
      this.#release(sequence);
      this.#gone(sequence, job);
    }
  }

  #release(sequence: number): void {
    if (!this.#closed) this.#native.release(sequence);
  }

  #admit(): void {
    if (!this.#closed) this.#scheduler.schedule(this.#outcomes);
  }

  readonly #outcomes: Outcomes<Waiting> = {
    start: (waiter, pool) => {
      if (waiter instanceof LeaseRequest) {
        const lease = new DirectLease(this, this.#scheduler.lease(waiter.need), () => this.#endLease(lease));
        waiter.give(lease);
      } else this.#start(waiter, pool);
    },
    refuse: (waiter, pool) => {
      const message = `The job needs ${inWords(waiter.need)}; held sequences leave ${inWords(pool.free)} of its lease. Release some, or take a larger lease.`;
      waiter.fail(new MeditronError('ERR_CONTEXT_FULL', message));
    },
  };

  #endLease(lease: DirectLease): void {
    for (const waiter of [...lease.pool.queue] as Waiting[]) {
      this.#scheduler.leave(waiter, this.#poolOf(waiter));
      waiter.fail(leasedNoMore());
    }
    this.#scheduler.endLease(lease.pool as Pool<Waiting>);
    this.#call();
  }

  /** Nothing runs. If held sequences keep somebody out and none is released for a while, somebody is refused. */
  #watch(): void {
    clearTimeout(this.#patience);
    if (this.#closed || !this.#scheduler.stuck) return;
    this.#patience = setTimeout(() => {
      const waiter = this.#live.size > 0 ? undefined : this.#scheduler.stuck;
      if (!waiter) return;
      const { root } = this.#scheduler;
      const message = `The job needs ${inWords(waiter.need)}; held sequences leave ${root.free.sequences} and ${root.free.cells}. Release some, or take a lease before holding any.`;
      waiter.fail(new MeditronError('ERR_CONTEXT_FULL', message));
      this.#remove(waiter);
    }, patienceMs);
  }

  #start(job: Job, pool: Pool): void {
    job.share = new Share(pool, job.promptCells, job.branchCells, job.from?.stretch);
    let sequences: Int32Array;
    try {
      job.from?.check(this);
      job.watch?.('started');
      sequences = this.#native.add({
        from: job.from?.sequence ?? -1,
        fromSize: job.from?.size ?? -1,
        cells: job.need.cells,
        prompt: job.prompt,
        branches: job.branches(),
        state: job.state ?? null,
      });
    } catch (error) {
      for (const branch of job.branchCells.keys()) job.share.end(branch);
      job.fail(toMeditronError(error));
      return;
    }
    sequences.forEach((sequence, index) => {
      job.live.set(sequence, index);
      this.#live.set(sequence, job);
    });
  }

  #count({ steps, threads, decode, sampling, rest }: NativeStep): void {
    this.counters.steps += steps;
    this.counters.threadSteps += threads;
    this.counters.decodeMicroseconds += decode;
    this.counters.samplingMicroseconds += sampling;
    this.counters.nativeMicroseconds += rest;
    this.counters.betweenMicroseconds += Math.max(0, this.#lap() - decode - sampling - rest);
  }

  #deliver(step: NativeStep): void {
    this.#told = step.promptSeq.length > 0 || step.failures.length > 0;
    step.promptSeq.forEach((sequence, i) => {
      const job = this.#live.get(sequence);
      if (!job) return;
      const left = step.promptLeft[i]!;
      this.counters.promptTokens += (job.promptLeft ?? job.prompt.length) - left;
      job.promptLeft = left;
      job.advance(left);
    });
    let from = 0;
    let fromTop = 0;
    for (let i = 0; i < step.seq.length; i++) {
      const to = step.ends[i]!;
      const toTop = step.topEnds[i]!;
      this.#deliverToken(step, i, step.text.subarray(from, to), topOf(step, fromTop, toTop));
      from = to;
      fromTop = toTop;
    }
    for (const { seq, code, message } of step.failures) {
      const job = this.#live.get(seq);
      if (!job) continue;
      this.#gone(seq, job); // native has released it
      job.fail(new MeditronError(code as ErrorCode, message));
    }
  }

  #deliverToken(step: NativeStep, i: number, bytes: Uint8Array, top: readonly TokenLogprob[]): void {
    const sequence = step.seq[i]!;
    const job = this.#live.get(sequence);
    if (!job) return;
    const index = job.live.get(sequence)!;
    const finish = step.finish[i]!;
    const token = step.token[i]!;
    let stopped: 'stop' | 'end' | undefined;
    if (token >= 0) {
      if (!job.scores(index)) this.counters.sampledTokens++;
      else if (job.given > 0) this.counters.promptTokens++;
      stopped = job.token(index, token, step.logprob[i]!, bytes, top);
    }
    if (finish === nativeFinish.going && !stopped) return;
    this.#told = true;

    const running = finish === nativeFinish.going;
    if (running && job.holds) this.#native.hold(sequence);
    else if (running) this.#native.release(sequence);
    const reason: Finish = stopped ?? (finish === nativeFinish.length ? 'length' : 'end');
    if (job.holds && !job.dropped) {
      const sampled = job.sampled(index);
      job.end(
        index,
        reason,
        this.#hold(sequence, index, job, sampled - (finish === nativeFinish.end ? 1 : 0), sampled),
      );
      return;
    }
    if (job.holds) this.#native.release(sequence);
    this.#gone(sequence, job);
    job.end(index, reason, undefined);
  }

  /** The sequence and its cells stay taken until the holder lets go. The token sampled last has not been evaluated. */
  #hold(sequence: number, index: number, job: Job, kept: number, sampled: number): DirectHeld {
    const cells = Math.max(0, sampled - 1);
    const before = (job.from?.tokenCount ?? 0) + job.prompt.length;
    const stretch = job.share!.hold(index, cells);
    job.live.delete(sequence);
    this.#live.delete(sequence);
    return new DirectHeld(
      this,
      sequence,
      before + kept,
      held => {
        this.#released.push(held);
        this.#call();
      },
      { stretch, evaluated: before + cells },
    );
  }

  #gone(sequence: number, job: Job): void {
    const index = job.live.get(sequence)!;
    this.#live.delete(sequence);
    job.live.delete(sequence);
    job.share!.end(index);
  }
}

const none: readonly TokenLogprob[] = [];

function topOf({ topToken, topLogprob }: NativeStep, from: number, to: number): readonly TokenLogprob[] {
  if (from === to) return none;
  return Array.from(topToken.subarray(from, to), (token, i) => ({ token, logprob: topLogprob[from + i]! }));
}
