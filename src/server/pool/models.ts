import { realpath, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { MeditronError } from '../../check/errors.js';
import { weightsFit } from '../../engine/capacity/low.js';
import { availableMemory } from '../../engine/capacity/memory.js';
import { whenAborted } from '../../engine/signals.js';
import { inspectFile } from '../../models/inspect.js';
import { sum } from '../../vote/count/arithmetic.js';
import { Entry } from './entry.js';
import { type LoadedEngine, loadOnCpu, type ModelSetup } from './load.js';
import { freeName, named, unknownModel } from './names.js';
import type { Pool, ServedModel, Use, UseOptions } from './pool.js';
import { Queue } from './queue.js';

export interface ModelPoolOptions extends ModelSetup {
  readonly maxQueue: number;
  /** Models in memory at once. Default: as many as fit. */
  readonly maxModels?: number | undefined;
  /** Bytes that can still be allocated. For tests. */
  readonly available?: (() => number) | undefined;
}

/**
 * Models on demand, each in a process of its own with one engine that its requests share. One is loaded at a time; where memory is short, the least
 * recently used of those that nobody uses leaves first.
 */
export class ModelPool implements Pool {
  readonly #entries: Entry[] = [];
  /** Loads wait for each other: each reckons with the memory that the last one left. */
  readonly #loads = new Queue(1, Number.POSITIVE_INFINITY);
  readonly #closing = new AbortController();
  /** Told when somebody has left a model. */
  readonly #left = new Set<() => void>();
  readonly #available: () => number;
  #uses = 0;

  constructor(private readonly options: ModelPoolOptions) {
    this.#available = options.available ?? availableMemory;
  }

  /** @throws MeditronError what reading a header of them throws */
  static async of(paths: readonly string[], options: ModelPoolOptions): Promise<ModelPool> {
    const pool = new ModelPool(options);
    for (const path of paths) await pool.add(path);
    return pool;
  }

  get models(): readonly ServedModel[] {
    return this.#entries.map(entry => entry.state);
  }

  find(name: string | undefined): ServedModel {
    return this.#entry(name).state;
  }

  async use(name: string | undefined, signal: AbortSignal, { computes = true, waitMs }: UseOptions = {}): Promise<Use> {
    const entry = this.#entry(name);
    using waiting = new Waiting([signal, this.#closing.signal], waitMs);
    waiting.signal.throwIfAborted();
    const leaveQueue = computes ? await entry.queue.enter(waiting.signal) : () => {};
    entry.pins++;
    const leave = () => {
      leaveQueue();
      this.#leave(entry);
    };
    let loaded: LoadedEngine;
    try {
      loaded = await entry.get(stop => this.#load(entry, stop), waiting.signal);
      waiting.signal.throwIfAborted();
    } catch (error) {
      leave();
      entry.abandon();
      throw error;
    }
    let left = false;
    const chosen = typeof this.options.weights?.gpuLayers === 'number';
    return {
      name: entry.name,
      ...loaded,
      loadOnCpu: chosen ? undefined : signal => loadOnCpu(entry.path, this.options, signal),
      [Symbol.asyncDispose]: async () => {
        if (!left) leave();
        left = true;
      },
    };
  }

  async add(path: string): Promise<ServedModel> {
    this.#closing.signal.throwIfAborted();
    const { sizeBytes } = await inspectFile(path);
    const [real, { mtimeMs }] = await Promise.all([realpath(path), stat(path)]);
    const known = this.#entries.find(entry => entry.real === real);
    if (known) return known.state;
    const name = freeName(path, new Set(this.#entries.map(entry => entry.name.toLowerCase())));
    const created = Math.floor(mtimeMs / 1000);
    const entry = new Entry(name, resolve(path), real, sizeBytes, created, this.options, this.options.maxQueue);
    this.#entries.push(entry);
    return entry.state;
  }

  async unload(name: string): Promise<void> {
    const entry = this.#entry(name);
    if (entry.pins > 0) entry.leaves = true;
    else await entry.unload();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new MeditronError('ERR_CLOSED', 'The server is closing');
    this.#closing.abort(closed);
    await Promise.all(this.#entries.map(entry => entry.close(closed)));
  }

  #entry(name: string | undefined): Entry {
    const entry = name === undefined ? this.#entries[0] : named(name, this.#entries);
    if (entry) return entry;
    const names = this.#entries.map(each => each.name);
    throw unknownModel(name ?? '', names);
  }

  #leave(entry: Entry): void {
    entry.pins--;
    entry.lastUse = ++this.#uses;
    if (entry.pins === 0 && entry.leaves) void entry.unload();
    for (const tell of this.#left) tell();
  }

  async #load(entry: Entry, signal: AbortSignal): Promise<LoadedEngine> {
    const done = await this.#loads.enter(signal);
    try {
      await this.#makeRoom(entry, signal);
      for (;;) {
        try {
          return await entry.load(signal);
        } catch (error) {
          const short = error instanceof MeditronError && error.code === 'ERR_MEMORY';
          if (!short || !(await this.#dismiss(signal))) throw error;
        }
      }
    } finally {
      done();
    }
  }

  /** Sends models away until there is one less than may be, and until this one's weights can be read, as long as any is idle. */
  async #makeRoom(entry: Entry, signal: AbortSignal): Promise<void> {
    const { maxModels = Number.POSITIVE_INFINITY } = this.options;
    const inMemory = () => this.#entries.filter(each => each.inMemory).length;
    while (inMemory() >= maxModels) await this.#dismiss(signal);
    const left = () => this.#available() - sum(this.#entries.map(({ keptBytes }) => keptBytes));
    for (let idle = this.#idle(); idle && !weightsFit(entry.sizeBytes, left()); idle = this.#idle()) {
      await idle.unload();
    }
  }

  /** Frees the memory of the least recently used, once there is one that nobody uses; false if no other is in memory. */
  async #dismiss(signal: AbortSignal): Promise<boolean> {
    for (;;) {
      signal.throwIfAborted();
      const idle = this.#idle();
      if (idle) {
        await idle.unload();
        return true;
      }
      if (!this.#entries.some(entry => entry.inMemory)) return false;
      await this.#somebodyLeaves(signal);
    }
  }

  /** The least recently used of those in memory that nobody uses. */
  #idle(): Entry | undefined {
    const idle = this.#entries.filter(entry => entry.inMemory && entry.pins === 0);
    return idle.sort((a, b) => a.lastUse - b.lastUse)[0];
  }

  #somebodyLeaves(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const forget = whenAborted(signal, () => end(() => reject(signal.reason)));
      const tell = () => end(resolve);
      const end = (settle: () => void) => {
        forget();
        this.#left.delete(tell);
        settle();
      };
      this.#left.add(tell);
    });
  }
}

/** Aborted when one of some signals is, or after some time, until it is disposed of: nothing of it is left at signals that live longer. */
class Waiting implements Disposable {
  readonly #controller = new AbortController();
  readonly #forget: readonly (() => void)[];
  readonly #timer: NodeJS.Timeout | undefined;

  constructor(signals: readonly AbortSignal[], waitMs: number | undefined) {
    const abort = (reason: unknown) => this.#controller.abort(reason);
    this.#forget = signals.map(signal => whenAborted(signal, () => abort(signal.reason)));
    for (const signal of signals) if (signal.aborted) abort(signal.reason);
    this.#timer = waitMs === undefined ? undefined : setTimeout(() => abort(busy()), waitMs);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    for (const forget of this.#forget) forget();
  }
}

function busy(): MeditronError {
  return new MeditronError('ERR_BUSY', 'The model is loading or busy, and the request would not wait: try again later');
}
