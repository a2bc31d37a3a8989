import { MeditronError } from '../check/errors.js';
import { loadOptions } from '../check/machine.js';
import { boolean, checkKeys, object, string } from '../check/options.js';
import { checkOptions, type Given } from '../check/table.js';
import { inBytes } from '../check/words.js';
import type { AdapterBase } from '../gguf/adapter.js';
import type { GgufFile } from '../gguf/reader.js';
import { validateModel } from '../gguf/validate.js';
import { describeFile } from '../models/inspect.js';
import { baseOf, OpenModel } from '../models/open.js';
import type { Addon, NativeModel, NativeTensors } from '../native/addon.js';
import { loadAddon, loadGpus } from '../native/load.js';
import { weightsFit } from './capacity/low.js';
import { availableMemory, memoryInWords } from './capacity/memory.js';
import { placeLayers, weightBytes } from './capacity/placement.js';
import { toMeditronError } from './errors.js';
import type { ModelInfo } from './info.js';
import { checkSignal } from './jobs/options.js';
import { longFactorsFrom } from './saved/belongs.js';
import { whenAborted } from './signals.js';

export interface LoadOptions extends Given<typeof loadOptions> {
  /** GGUF file; of a split model the first part (`…-00001-of-0000N.gguf`). */
  readonly path: string;
  /** Keep the weights from being swapped out. Default false. */
  readonly lock?: boolean | undefined;
  /** Told the fraction loaded, 0 … 1, some thirty times a second. */
  readonly onProgress?: ((fraction: number) => void) | undefined;
  /** Cancels the loading: the promise is rejected with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Weights in memory, and what is known of them. */
export interface LoadedWeights {
  readonly native: NativeModel;
  readonly info: ModelInfo;
  readonly base: AdapterBase;
  /** Files whose pages are the weights. */
  readonly mapped: ModelInfo['files'];
  readonly longFrom: number | undefined;
}

/** Load options that were checked, with their defaults. */
export interface CheckedLoad {
  readonly path: string;
  readonly gpuLayers: number | 'auto';
  readonly loadMode: 'auto' | 'read' | 'mmap';
  readonly lowMemory: boolean;
  readonly lock: boolean;
  readonly onProgress: ((fraction: number) => void) | undefined;
  readonly signal: AbortSignal | undefined;
}

/** @throws MeditronError `ERR_OPTION`; the signal's reason */
export function checkLoad(options: LoadOptions): CheckedLoad {
  object('options', options);
  checkKeys('loadModel()', options, ['path', 'gpuLayers', 'loadMode', 'lowMemory', 'lock', 'onProgress', 'signal']);
  const path = string('path', options.path);
  const { onProgress } = options;
  const signal = checkSignal(options.signal);
  signal?.throwIfAborted();
  const { gpuLayers, loadMode, lowMemory } = checkOptions('loadModel()', loadOptions, {
    gpuLayers: options.gpuLayers,
    loadMode: options.loadMode,
    lowMemory: options.lowMemory,
  });
  if (lowMemory && loadMode === 'read')
    throw new MeditronError(
      'ERR_OPTION',
      'Expected `loadMode` to be "auto" or "mmap" with `lowMemory`, got "read": it maps the weights',
    );
  const lock = boolean('lock', options.lock ?? false);
  if (onProgress !== undefined && typeof onProgress !== 'function')
    throw new MeditronError('ERR_OPTION', 'Expected `onProgress` to be a function');
  return { path, gpuLayers, loadMode, lowMemory, lock, onProgress, signal };
}

/** Told the GPUs that weights go to, before they do. */
export type Placed = (devices: readonly string[]) => void;

/** Checks a model file, decides where its weights go, and has llama.cpp load them. */
export async function loadWeights(options: LoadOptions, placed?: Placed): Promise<LoadedWeights> {
  const { path, gpuLayers: wanted, loadMode, lowMemory, lock, onProgress, signal } = checkLoad(options);
  await using opened = await OpenModel.at(path, signal ? { signal } : {});
  const { file } = opened;
  validateModel(file);
  const inspection = describeFile(file);

  const gpus = wanted === 0 ? undefined : await loadGpus(signal);
  const { addon, cpuVariant } = gpus ?? (await loadAddon(signal));
  const placement = placeLayers(wanted, weightBytes(file.tensors), inspection, gpus?.list() ?? []);
  const { gpuLayers, hostBytes, layers } = placement;
  const tensors = tensorsOf(file);
  const stays = loadMode === 'auto' && !lowMemory && gpuLayers < layers && fitsInMemory(hostBytes);
  const gains = () => !tensors || addon.gainsByRearranging(tensors);
  const mode = loadMode === 'read' || (stays && gains()) ? 'read' : 'mmap';
  const keptBytes = stays && mode === 'mmap' ? hostBytes : 0;
  if (mode === 'read' && !fitsInMemory(hostBytes)) {
    throw new MeditronError(
      'ERR_MEMORY',
      `Reading ${path} takes ${inBytes(hostBytes)}, and ${memoryInWords()}. Use loadMode "mmap", which streams the weights from disk, or \`lowMemory\`; \`meditron fit\` says what runs here.`,
    );
  }

  placed?.(placement.devices.map(device => device.name));
  const native = newModel(addon);
  const forget = signal && whenAborted(signal, () => native.cancelLoad());
  let failed: { readonly error: unknown } | undefined;
  const report = (fraction: number) => {
    try {
      if (!failed) onProgress?.(fraction);
    } catch (error) {
      failed = { error };
      native.cancelLoad();
    }
  };
  try {
    opened.unchanged();
    await native.load(
      {
        paths: opened.paths,
        gpuLayers,
        devices: placement.devices.map(device => device.name),
        mmap: mode === 'mmap',
        whole: keptBytes > 0,
        repack: mode === 'read',
        mlock: lock,
        tensors,
      },
      onProgress && report,
    );
    opened.unchanged();
  } catch (error) {
    await native.close();
    if (failed) throw failed.error;
    signal?.throwIfAborted();
    opened.unchanged(); // a change of the file is the better reason
    throw opened.plainly(toMeditronError(error));
  } finally {
    forget?.();
  }
  if (failed || signal?.aborted) {
    await native.close();
    throw failed ? failed.error : signal!.reason;
  }
  // Devices as they are with the weights on them.
  const names = placement.devices.map(device => device.name);
  const devices = addon.devices().filter(device => device.type === 'cpu' || names.includes(device.name));
  const { description, bos, eos, ends, specials, longestPiece, addBos } = native.info();
  return {
    native,
    info: {
      ...inspection,
      description,
      bos,
      eos,
      ends,
      specials,
      longestPiece,
      addBos,
      runtime: { build: { ...addon.build }, cpuVariant },
      loadMode: mode,
      keptBytes,
      lowMemory,
      gpuLayers,
      layersOf: names.map((device, i) => ({ device, layers: placement.layersOf[i]!.length })),
      devices,
      warnings: [...(gpus?.warnings ?? []), ...placement.warnings, ...(lowMemory ? [littleMemory] : [])],
    },
    base: baseOf(file),
    mapped: mode === 'mmap' && opened.itself ? inspection.files : [],
    longFrom: longFactorsFrom(file),
  };
}

/** What is smaller is read in a moment. */
const leastBytes = 256 << 20;

/** What native code has to know of a model to rearrange its weights, straight from the pages of the file; undefined: they are read. */
function tensorsOf({ tensors }: GgufFile): NativeTensors | undefined {
  if (tensors.reduce((sum, { bytes }) => sum + bytes, 0) < leastBytes) return undefined;
  if (tensors.some(({ dimensions }) => dimensions.length > 2)) return undefined;
  return {
    names: tensors.map(({ name }) => name),
    shapes: Float64Array.from(
      tensors.flatMap(({ type, dimensions: [columns = 1, rows = 1] }) => [type.id, columns, rows]),
    ),
  };
}

const littleMemory =
  'Laid out for little memory: weights are mapped, steps are small, which makes prompts slower, the cache is in q8_0 where it can be, which changes texts slightly, and samples may run in waves';

/** Its thread may find no room for its stack. */
function newModel(addon: Addon): NativeModel {
  try {
    return new addon.Model();
  } catch (error) {
    throw toMeditronError(error);
  }
}

function fitsInMemory(bytes: number): boolean {
  return weightsFit(bytes, availableMemory());
}
