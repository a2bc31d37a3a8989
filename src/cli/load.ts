import { EngineDied } from '../check/died.js';
import { loadOptions, processOptions } from '../check/machine.js';
import type { Model } from '../engine/model.js';
import { type LoadOptions, loadModel } from '../host/load.js';
import { launchEarly } from './early.js';
import { type Flags, optionsOf } from './flags.js';
import { piecesPrinted, print } from './terminal/output.js';
import { progressBar } from './terminal/progress.js';
import { warn } from './terminal/warning.js';

export interface ModelFlags extends Flags {
  readonly model: string;
}

/**
 * Loads a command's model, in a process of its own unless `--in-process` is given, with a progress bar where a person waits for it.
 * The options that were typed go before `defaults`. If the engine dies of it on a GPU, the CPU alone loads it, unless that is not wanted.
 */
export async function load(
  flags: ModelFlags,
  signal: AbortSignal,
  { cpuFallback = true, ...defaults }: WeightOptions & { readonly cpuFallback?: boolean } = {},
): Promise<CommandModel> {
  const { inProcess } = optionsOf(processOptions, flags);
  const options = {
    path: flags.model,
    isolate: inProcess ? false : { launch: launchEarly },
    ...defaults,
    ...optionsOf(loadOptions, flags),
  };
  return CommandModel.load(options, cpuFallback, signal);
}

type WeightOptions = Pick<LoadOptions, 'gpuLayers' | 'loadMode' | 'hash'>;
type Options = Parameters<typeof loadModel>[0];

/** A command's model. If its engine dies while a GPU computes, it is loaded again with the CPU alone: an answer in spite of the GPU. */
export class CommandModel implements AsyncDisposable {
  readonly #warnings: string[] = [];

  private constructor(
    private readonly options: Options,
    private current: Loaded,
  ) {}

  static async load(options: Options, cpuFallback: boolean, signal: AbortSignal): Promise<CommandModel> {
    try {
      return new CommandModel(options, await loadShown(options, signal));
    } catch (error) {
      const warning = cpuFallback ? gpuDeath(error) : undefined;
      if (warning === undefined || signal.aborted) throw error;
      warn(warning);
      const loaded = new CommandModel(options, await loadShown({ ...options, gpuLayers: 0 }, signal));
      loaded.#warnings.push(warning);
      return loaded;
    }
  }

  /** The model that runs now. */
  get model(): Model {
    return this.current.model;
  }

  /** Milliseconds that loading it took. */
  get loadMs(): number {
    return this.current.milliseconds;
  }

  /** What has been warned of, for `--json`. */
  get warnings(): readonly string[] {
    return this.#warnings;
  }

  /** Does work with the model; if its engine dies on a GPU, once more from the beginning, with the CPU alone. */
  async attempt<T>(work: (model: Model) => Promise<T>, signal: AbortSignal): Promise<T> {
    const before = piecesPrinted();
    try {
      return await work(this.model);
    } catch (error) {
      const warning = gpuDeath(error);
      if (warning === undefined || signal.aborted) throw error;
      if (piecesPrinted() > before) print(`\n${brokenOff}\n`);
      warn(warning);
      this.#warnings.push(warning);
      const next = await loadShown({ ...this.options, gpuLayers: 0 }, signal);
      await this.model.close();
      this.current = next;
      return await work(this.model);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.model.close();
  }
}

/** Where text of a broken attempt has been shown. */
const brokenOff = '[The engine died here. What was shown is no answer; it begins again.]';

/** What to say of a death that the CPU alone may be spared; undefined for any other error. */
function gpuDeath(error: unknown): string | undefined {
  if (!(error instanceof EngineDied)) return undefined;
  const gpus = error.death.devices.filter(name => name !== 'CPU');
  if (gpus.length === 0) return undefined;
  return (
    `${error.message}. It is done again from the beginning, with the CPU alone, which is slower. ` +
    `\`meditron devices\` says what is known of ${gpus.join(', ')}; a newer driver or a build from source may help, and --gpu-layers 0 does without`
  );
}

interface Loaded {
  readonly model: Model;
  readonly milliseconds: number;
}

async function loadShown(options: Options, signal: AbortSignal): Promise<Loaded> {
  const progress = progressBar('Loading');
  const start = performance.now();
  try {
    const model = await loadModel({ ...options, onProgress: progress.show, signal });
    return { model, milliseconds: performance.now() - start };
  } finally {
    progress.stop();
  }
}
