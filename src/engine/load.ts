import { MeditronError } from '../check/errors.js';
import { boolean, checkKeys, integer, object, oneOf, string } from '../check/options.js';
import { inBytes } from '../check/words.js';
import type { AdapterBase } from '../gguf/adapter.js';
import { validateModel } from '../gguf/validate.js';
import { describeFile, type Inspection } from '../models/inspect.js';
import { baseOf, OpenModel } from '../models/open.js';
import type { Device, NativeModel } from '../native/addon.js';
import { loadAddon } from '../native/load.js';
import { availableMemory } from './capacity/memory.js';
import { toMeditronError } from './errors.js';
import type { ModelInfo } from './info.js';

export interface LoadOptions {
  /** GGUF file; of a split model the first part (`…-00001-of-0000N.gguf`). */
  readonly path: string;
  /** Layers to put on the GPU: a number, or `auto` for as many as fit. Default `auto`; 0 is the CPU alone. */
  readonly gpuLayers?: number | 'auto' | undefined;
  /**
   * How weights come into memory. `read` copies them once, rearranged for the CPU's fastest kernels. `mmap` maps the file as it is:
   * slower kernels, but pages come and go, so a model may be larger than memory. `auto` (default) reads what fits, maps what does not.
   */
  readonly loadMode?: 'auto' | 'read' | 'mmap' | undefined;
  /** Keep the weights from being swapped out. Default false. */
  readonly lock?: boolean | undefined;
  /** Told the fraction loaded, 0 … 1, some thirty times a second. */
  readonly onProgress?: ((fraction: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Weights in memory, and what is known of them. */
export interface LoadedWeights {
  readonly native: NativeModel;
  readonly info: ModelInfo;
  readonly base: AdapterBase;
}

/** Checks a model file, decides where its weights go, and has llama.cpp load them. */
export async function loadWeights(options: LoadOptions): Promise<LoadedWeights> {
  object('options', options);
  checkKeys('loadModel()', options, ['path', 'gpuLayers', 'loadMode', 'lock', 'onProgress', 'signal']);
  const path = string('path', options.path);
  const { signal, onProgress } = options;
  signal?.throwIfAborted();
  const loadMode = oneOf('loadMode', options.loadMode ?? 'auto', ['auto', 'read', 'mmap']);
  const wanted =
    options.gpuLayers === undefined || options.gpuLayers === 'auto'
      ? 'auto'
      : integer('gpuLayers', options.gpuLayers, 0, 10_000);
  const lock = boolean('lock', options.lock ?? false);
  if (onProgress !== undefined && typeof onProgress !== 'function')
    throw new MeditronError('ERR_OPTION', 'Expected `onProgress` to be a function');

  await using opened = await OpenModel.at(path, signal ? { signal } : {});
  const { file } = opened;
  validateModel(file);
  const inspection = describeFile(file);

  const { addon } = loadAddon();
  const gpus = addon.devices().filter(device => device.type === 'gpu' || device.type === 'integrated-gpu');
  const layers = (inspection.layers ?? 0) + 1; // the output layer counts as one
  const gpuLayers =
    gpus.length === 0 ? 0 : wanted === 'auto' ? layersThatFit(inspection, layers, gpus) : Math.min(wanted, layers);
  const mode =
    loadMode !== 'auto' ? loadMode : gpuLayers >= layers || !fitsInMemory(inspection.sizeBytes) ? 'mmap' : 'read';
  if (mode === 'read' && !fitsInMemory(inspection.sizeBytes)) {
    throw new MeditronError(
      'ERR_MEMORY',
      `Reading ${path} takes ${inBytes(inspection.sizeBytes)}, and ${inBytes(availableMemory())} are available. Use loadMode "mmap", which streams the weights from disk.`,
    );
  }

  const native = new addon.Model();
  const onAbort = () => native.cancelLoad();
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    opened.unchanged();
    await native.load(
      {
        paths: opened.paths,
        gpuLayers,
        useGpu: gpuLayers > 0,
        mmap: mode === 'mmap',
        repack: mode === 'read',
        mlock: lock,
      },
      onProgress,
    );
    opened.unchanged();
  } catch (error) {
    await native.close();
    signal?.throwIfAborted();
    opened.unchanged(); // a change of the file is the better reason
    throw opened.plainly(toMeditronError(error));
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
  if (signal?.aborted) {
    await native.close();
    throw signal.reason;
  }
  const used = [...addon.devices().filter(device => device.type === 'cpu'), ...(gpuLayers > 0 ? gpus : [])];
  const { description, bos, eos, ends, specials, addBos } = native.info();
  return {
    native,
    info: {
      ...inspection,
      description,
      bos,
      eos,
      ends,
      specials,
      addBos,
      loadMode: mode,
      gpuLayers,
      devices: used,
    },
    base: baseOf(file),
  };
}

/** Weights and a gigabyte for cache, computing and the rest of the machine. */
function fitsInMemory(bytes: number): boolean {
  return bytes + 1e9 <= availableMemory();
}

/** Layers whose share of the file fits in what the GPUs have free, less a fifth for cache and computing. */
function layersThatFit(inspection: Inspection, layers: number, gpus: readonly Device[]): number {
  const free = gpus.reduce((sum, gpu) => sum + gpu.memoryFree, 0) * 0.8;
  return Math.max(0, Math.min(layers, Math.floor((free / inspection.sizeBytes) * layers)));
}
