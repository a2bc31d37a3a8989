import { MeditronError } from '../../check/errors.js';
import { countedAvailable } from '../../engine/capacity/memory.js';
import { type EngineCounters, noCounts } from '../../engine/settings.js';
import { whenAborted } from '../../engine/signals.js';
import { diedOnGpu, gpuOf, type LoadedEngine, loadEngine, type ModelSetup } from './load.js';
import type { ServedModel } from './pool.js';
import { Queue } from './queue.js';
import { added } from './sum.js';

interface Loading {
  readonly done: Promise<LoadedEngine>;
  readonly stop: AbortController;
}

/** One model of a pool: its file, its place in memory if it has one, and who uses it. */
export class Entry {
  readonly queue: Queue;
  /** Requests that use it or wait for it to be loaded: while there are any it stays. */
  pins = 0;
  /** Counts up with every use in the pool: the least recently used has the smallest. */
  lastUse = 0;
  /** It leaves as soon as nobody uses it. */
  leaves = false;
  #loaded: LoadedEngine | undefined;
  /** The load that whoever comes waits for. */
  #loading: Loading | undefined;
  /** It, and those that were stopped and have not ended. */
  readonly #running = new Set<Loading>();
  #before: EngineCounters = noCounts();
  #loads = 0;
  #deaths = 0;
  #diedSinceLoad = false;
  /** A GPU ended its process: the CPU alone computes. */
  #onCpu = false;

  constructor(
    readonly name: string,
    readonly path: string,
    /** The file that the path leads to. */
    readonly real: string,
    /** Of all of its files. */
    readonly sizeBytes: number,
    private readonly created: number,
    private readonly setup: ModelSetup,
    maxQueue: number,
  ) {
    this.queue = new Queue(setup.parallel, maxQueue);
  }

  get state(): ServedModel {
    const { name, path, created } = this;
    return {
      name,
      path,
      created,
      state: this.#loaded ? 'loaded' : this.#loading ? 'loading' : 'unloaded',
      keptBytes: this.keptBytes,
      requests: this.pins,
      waiting: this.queue.waiting,
      sequences: this.#loaded ? this.#loaded.engine.takenSequences + this.#loaded.scorer.takenSequences : 0,
      counters: added(this.#before, this.#loaded ? countersOf(this.#loaded) : noCounts()),
      loads: this.#loads,
      deaths: this.#deaths,
    };
  }

  /** As `ServedModel.keptBytes`. A step uses all weights. */
  get keptBytes(): number {
    if (!this.#loaded) return 0;
    const { keptBytes } = this.#loaded.model.info;
    return countedAvailable(keptBytes, countersOf(this.#loaded).steps > 0 ? keptBytes : 0);
  }

  get inMemory(): boolean {
    return this.#loaded !== undefined;
  }

  /** The model in memory, loaded by whoever asks first. It is loaded for all who wait, and given up when none is left. */
  async get(load: (signal: AbortSignal) => Promise<LoadedEngine>, signal: AbortSignal): Promise<LoadedEngine> {
    await this.#dropIfDown();
    if (this.#loaded) return this.#loaded;
    signal.throwIfAborted();
    this.#loading ??= this.#begin(load);
    return until(this.#loading.done, signal);
  }

  /** If nobody waits for it any more, a load that runs is stopped; whoever comes now begins another. */
  abandon(): void {
    if (this.pins > 0) return;
    this.#loading?.stop.abort(new MeditronError('ERR_ABORTED', 'Nobody waits for the model any more'));
    this.#loading = undefined;
  }

  /** Loads it now. After a death on a GPU with the CPU alone. */
  async load(signal: AbortSignal): Promise<LoadedEngine> {
    try {
      return await this.#load(signal);
    } catch (error) {
      if (this.#onCpu || !diedOnGpu(error) || signal.aborted) throw error;
      this.#onCpu = true;
      return this.#load(signal);
    }
  }

  /** Frees its memory. */
  async unload(): Promise<void> {
    const loaded = this.#loaded;
    this.#loaded = undefined;
    this.leaves = false;
    if (!loaded) return;
    await closed(loaded);
    this.#before = added(this.#before, countersOf(loaded));
  }

  /** Stops a load, and frees its memory. */
  async close(reason: unknown): Promise<void> {
    for (const { stop } of this.#running) stop.abort(reason);
    await Promise.allSettled([...this.#running].map(({ done }) => done));
    await this.unload();
  }

  #begin(load: (signal: AbortSignal) => Promise<LoadedEngine>): Loading {
    const stop = new AbortController();
    const done = this.#keep(load(stop.signal), stop.signal);
    const loading = { done, stop };
    const settled = () => {
      this.#running.delete(loading);
      if (this.#loading === loading) this.#loading = undefined;
    };
    this.#running.add(loading);
    done.then(settled, settled);
    return loading;
  }

  async #keep(loading: Promise<LoadedEngine>, signal: AbortSignal): Promise<LoadedEngine> {
    const loaded = await loading;
    if (signal.aborted) {
      await closed(loaded);
      throw signal.reason;
    }
    this.#loaded = loaded;
    this.#loads++;
    return loaded;
  }

  #load(signal: AbortSignal): Promise<LoadedEngine> {
    const weights = { ...this.setup.weights, ...(this.#onCpu && { gpuLayers: 0 }) };
    this.#diedSinceLoad = false;
    return loadEngine(
      this.path,
      { ...this.setup, weights },
      () => {
        this.#deaths++;
        this.#diedSinceLoad = true;
      },
      signal,
    );
  }

  /** An engine that has died too often is started no more: then the model is loaded anew, by the next who asks. */
  async #dropIfDown(): Promise<void> {
    const loaded = this.#loaded;
    if (!loaded || !this.#diedSinceLoad) return;
    try {
      await loaded.model.detokenize(new Int32Array(0));
    } catch (error) {
      if (!(error instanceof MeditronError) || error.code !== 'ERR_ENGINE_DOWN' || this.#loaded !== loaded) return;
      if (gpuOf({ devices: loaded.model.info.devices.map(device => device.name) })) this.#onCpu = true;
      await this.unload();
    }
  }
}

function countersOf({ engine, scorer }: LoadedEngine): EngineCounters {
  return added(engine.counters, scorer.counters);
}

async function closed({ model, engine, scorer }: LoadedEngine): Promise<void> {
  await scorer.close();
  await engine.close();
  await model.close();
}

/** The result, or the signal's reason if that comes first. */
function until<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const forget = whenAborted(signal, () => reject(signal.reason));
    promise.then(resolve, reject).finally(forget);
  });
}
