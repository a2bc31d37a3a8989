import { cpus } from 'node:os';
import { MeditronError } from '../../check/errors.js';
import { availableMemory } from '../../engine/capacity/memory.js';
import type { Outlook } from '../../engine/capacity/outlook.js';
import { measuredColumns, multiplied, type Rates, type Speed, speedOf } from '../../engine/capacity/speed.js';
import { type TensorTypeName, tensorType } from '../../gguf/types.js';
import type { Addon, Device } from '../../native/addon.js';
import { loadAddon, loadGpus } from '../../native/load.js';
import type { Candidate } from './candidates.js';

/** Of the processor, what other programs may take while it is measured. */
const mostOthers = 0.25;

/** What computes on this machine, and how fast its CPU multiplies, measured once for each type of matrix when it is first needed. */
export class Measurement {
  readonly #addon: Addon | undefined;
  readonly #threads: number;
  readonly #problems = new Set<string>();
  readonly #rates = new Map<string, Rates>();
  /** Seconds of all threads together, of this process and of others, while it was measured. */
  #seconds = 0;
  #others = 0;

  private constructor(
    addon: Addon | undefined,
    threads: number,
    /** Everything llama.cpp has found; nothing unless GPUs are asked for. */
    readonly devices: readonly Device[],
  ) {
    this.#addon = addon;
    this.#threads = threads;
  }

  /** Without an addon nothing is measured, and {@link warn} says so. */
  static async here({ gpus, threads, signal }: { gpus: boolean; threads: number; signal: AbortSignal }) {
    try {
      if (!gpus) return new Measurement((await loadAddon(signal)).addon, threads, []);
      const loaded = await loadGpus(signal);
      return new Measurement(loaded.addon, threads, loaded.list());
    } catch (error) {
      if (!(error instanceof MeditronError) || error.code !== 'ERR_ADDON') throw error;
      const none = new Measurement(undefined, threads, []);
      none.#problems.add(error.message);
      return none;
    }
  }

  /** Null where it cannot be measured. */
  speedOf(tensors: Candidate['tensors'], outlook: Outlook): Speed | null {
    try {
      const rates = (type: TensorTypeName) => this.#ratesOf(type, outlook.inMemory);
      return this.#addon ? speedOf(multiplied(tensors), rates, outlook) : null;
    } catch (error) {
      this.#problems.add(error instanceof Error ? error.message : 'it failed');
      return null;
    }
  }

  /** Why speeds could not be measured. */
  get problems(): string[] {
    return [...this.#problems].map(problem => `The speed was not measured: ${problem}`);
  }

  /** Adds what went wrong to `warnings`; whether other programs computed meanwhile, so that the speeds are too low. */
  warn(warnings: string[]): boolean {
    warnings.push(...this.problems);
    const share = this.#seconds > 0 ? this.#others / this.#seconds : 0;
    if (share <= mostOthers) return false;
    warnings.push(
      `Other programs took ${Math.round(Math.min(1, share) * 100)} % of the processor while it was measured: the speeds are too low, and nothing is recommended by them. Run it again when they have ended`,
    );
    return true;
  }

  #ratesOf(type: TensorTypeName, repack: boolean): Rates {
    const key = `${type} ${repack}`;
    const known = this.#rates.get(key);
    if (known) return known;
    const start = { time: performance.now(), busy: busySeconds(), own: process.cpuUsage() };
    const found = this.#addon!.measureProducts({
      type: tensorType(type).id,
      repack,
      threads: this.#threads,
      bytes: Math.min(128e6, Math.max(8e6, availableMemory() / 8)),
      seconds: 0.02,
      columns: Int32Array.from(measuredColumns),
    });
    const own = process.cpuUsage(start.own);
    this.#others += Math.max(0, busySeconds() - start.busy - (own.user + own.system) / 1e6);
    this.#seconds += (this.#threads * (performance.now() - start.time)) / 1000;
    const rates = Array.from(found);
    this.#rates.set(key, rates);
    return rates;
  }
}

/** Seconds that all processors have computed, for whomever. */
function busySeconds(): number {
  return cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0) / 1000;
}
