import { MeditronError } from '../check/errors.js';
import { array, boolean, checkKeys, integer, number, object, oneOf, string } from '../check/options.js';
import { inBytes } from '../check/words.js';
import { stringAt } from '../gguf/metadata.js';
import { readGguf } from '../gguf/reader.js';
import { validateModel } from '../gguf/validate.js';
import { describeFile, type Inspection } from '../models/inspect.js';
import type { Device, NativeModel, NativeModelInfo } from '../native/addon.js';
import { loadAddon } from '../native/load.js';
import type { Segment } from '../types.js';
import { availableCores } from './capacity/cores.js';
import { availableMemory, type KvType } from './capacity/memory.js';
import { Engine, toMeditronError } from './engine.js';
import { type BosRule, checkPrompt } from './jobs/options.js';

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

export interface EngineOptions {
  /**
   * Cells of the KV cache: tokens of all sequences together, a shared prompt counted once. Default: the trained context, at
   * most 8192. Rounded up to a multiple of 256.
   */
  readonly contextSize?: number | undefined;
  /** Sequences alive at once: samples of all jobs, held ones included; at most 256. Default 8. */
  readonly maxSequences?: number | undefined;
  /** Tokens evaluated in one step, between which work can be cancelled. Default: see ARCHITECTURE.md, "Micro-batches". */
  readonly batchSize?: number | undefined;
  /** Compute threads; never more than the cores that are really there. Default: all of them, one for a model of under 20 million weights. */
  readonly threads?: number | undefined;
  /** How eagerly idle compute threads wait for work, 0 (asleep at once) … 100. Default 50. */
  readonly poll?: number | undefined;
  /** Type of the KV cache. `q8_0` halves it at a small loss and needs flash attention. Default `f16`. */
  readonly kvType?: KvType | undefined;
  readonly flashAttention?: 'auto' | 'on' | 'off' | undefined;
  /** LoRA adapters (GGUF files for this model), each with its strength. */
  readonly loras?: readonly { readonly path: string; readonly scale?: number }[] | undefined;
  /** Allow sequences longer than the model was trained for; the text degrades. Default false. */
  readonly beyondTraining?: boolean | undefined;
  /** Refuse what does not fit in memory, with the numbers, before trying. Default true. */
  readonly checkMemory?: boolean | undefined;
}

/** What the model file says about itself, and what llama.cpp made of it. */
export interface ModelInfo extends Inspection {
  /** llama.cpp's one-line description. */
  readonly description: string;
  readonly bos: number | null;
  readonly eos: number | null;
  /** Tokens that end a text: llama.cpp's, and `<EOD>` with which MEDITRON's training documents end. */
  readonly ends: Int32Array;
  /** Ids of control and user-defined tokens. */
  readonly specials: Int32Array;
  /** How the weights are in memory. */
  readonly loadMode: 'read' | 'mmap';
  /** Layers on the GPU. */
  readonly gpuLayers: number;
  /** Devices in use: CPU always, then GPUs. */
  readonly devices: readonly Device[];
}

/** Weights below which threads spend longer waiting for each other than they save. */
const smallModel = 20e6;

/** Bytes of text beyond which a prompt is refused before it is tokenized. */
const maxPromptBytes = 4 << 20;

/**
 * Loads a model. The file is checked first, so that what llama.cpp would not survive is refused with a reason.
 *
 * @throws MeditronError `ERR_MODEL_FILE`, `ERR_MODEL_FORMAT`, `ERR_MODEL_UNSUPPORTED`, `ERR_MODEL_LOAD`, `ERR_MEMORY`, `ERR_OPTION`,
 *   `ERR_ADDON`; the signal's reason if it was aborted
 */
export async function loadModel(options: LoadOptions): Promise<Model> {
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

  const file = await readGguf(path, signal ? { signal } : {});
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
    await native.load(
      {
        paths: file.parts.map(part => part.path),
        gpuLayers,
        useGpu: gpuLayers > 0,
        mmap: mode === 'mmap',
        repack: mode === 'read',
        mlock: lock,
      },
      onProgress,
    );
  } catch (error) {
    await native.close();
    signal?.throwIfAborted();
    throw toMeditronError(error);
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
  if (signal?.aborted) {
    await native.close();
    throw signal.reason;
  }
  const used = [...addon.devices().filter(device => device.type === 'cpu'), ...(gpuLayers > 0 ? gpus : [])];
  return new Model(native, inspection, native.info(), mode, gpuLayers, used);
}

/** Weights and vocabulary in memory. Engines made from it keep them there: model and engines may be closed in any order. */
export class Model implements AsyncDisposable {
  readonly info: ModelInfo;
  readonly #native: NativeModel;
  readonly #specials: ReadonlySet<number>;
  #closed: Promise<void> | undefined;

  /** @internal */
  constructor(
    native: NativeModel,
    inspection: Inspection,
    info: NativeModelInfo,
    loadMode: 'read' | 'mmap',
    gpuLayers: number,
    devices: readonly Device[],
  ) {
    this.#native = native;
    this.#specials = new Set(info.specials);
    const { description, bos, eos, ends, specials, addBos } = info;
    this.info = { ...inspection, description, bos, eos, ends, specials, addBos, loadMode, gpuLayers, devices };
  }

  /**
   * Turns text into token ids. A string is text from outside: it never yields special tokens, whatever it spells; nor do segments that
   * are not template. `inside` continues a run of text that has begun before.
   *
   * @throws MeditronError `ERR_OPTION`; `ERR_CONTEXT_FULL` for more than 4 MB of text; `ERR_CLOSED`
   */
  async tokenize(
    prompt: string | readonly Segment[],
    options: { bos?: BosRule; inside?: boolean } = {},
  ): Promise<Int32Array> {
    const checked = checkPrompt(prompt);
    if (checked instanceof Int32Array) return checked;
    const segments = typeof checked === 'string' ? [{ text: checked, template: false }] : checked;
    const bytes = segments.reduce((sum, segment) => sum + Buffer.byteLength(segment.text), 0);
    if (bytes > maxPromptBytes) {
      throw new MeditronError(
        'ERR_CONTEXT_FULL',
        `Expected at most ${maxPromptBytes} bytes of text, got ${bytes}: no model here has a context that long`,
      );
    }
    const bos = oneOf('bos', options.bos ?? 'auto', ['auto', 'always', 'never']);
    const texts = segments.map(segment => segment.text);
    const templates = segments.map(segment => segment.template);
    return this.#call(() =>
      this.#native.tokenize(
        texts,
        templates,
        ({ auto: 0, always: 1, never: 2 } as const)[bos],
        options.inside ?? false,
      ),
    );
  }

  /** Token ids of text that stands right behind given tokens, as ` A` behind `The answer is:`. */
  continuation(after: Int32Array, text: string): Promise<Int32Array> {
    const last = after.at(-1);
    return this.tokenize(text, { bos: 'never', inside: last !== undefined && !this.#specials.has(last) });
  }

  /** Turns token ids into text. Special tokens are left out, or shown as their text with `special`. */
  async detokenize(tokens: Int32Array, options: { special?: boolean } = {}): Promise<string> {
    const checked = checkPrompt(tokens);
    if (!(checked instanceof Int32Array))
      throw new MeditronError('ERR_OPTION', 'Expected `tokens` to be an Int32Array');
    const bytes = await this.#call(() => this.#native.detokenize(checked, options.special ?? false));
    return bytes.toString('utf8');
  }

  /**
   * Makes a context with its KV cache and its own threads.
   *
   * @throws MeditronError `ERR_OPTION`; `ERR_MEMORY` if it does not fit, with the numbers; `ERR_LORA`; `ERR_CLOSED`
   */
  async createEngine(options: EngineOptions = {}): Promise<Engine> {
    object('options', options);
    checkKeys('createEngine()', options, engineKeys);
    const { info } = this;
    const trained = info.contextLength ?? 2048;
    const warnings: string[] = [];
    const cores = availableCores();
    const threads = integer('threads', options.threads ?? (info.parameters < smallModel ? 1 : cores), 1, 4096);
    if (threads > cores)
      warnings.push(`${threads} threads were asked for; ${cores} are used, one for each core that is really there`);
    const maxSequences = integer('maxSequences', options.maxSequences ?? 8, 1, 256);
    const contextSize = integer('contextSize', options.contextSize ?? Math.min(trained, 8192), 1, 1 << 24);
    const used = Math.min(threads, cores);
    const batchSize = Math.max(
      maxSequences,
      integer('batchSize', options.batchSize ?? microBatch(info, used), 1, 8192),
    );
    const kvType = oneOf('kvType', options.kvType ?? 'f16', ['f32', 'f16', 'q8_0']);
    const flashAttention = oneOf('flashAttention', options.flashAttention ?? (kvType === 'q8_0' ? 'on' : 'auto'), [
      'auto',
      'on',
      'off',
    ]);
    if (kvType === 'q8_0' && flashAttention === 'off') {
      throw new MeditronError(
        'ERR_OPTION',
        'Expected `flashAttention` to be on for `kvType` "q8_0", got "off": a quantized cache needs it',
      );
    }
    if (kvType === 'q8_0' && (info.headSize ?? 0) % 32 !== 0) {
      throw new MeditronError(
        'ERR_OPTION',
        `Expected \`kvType\` to be "f16" or "f32" for this model, got "q8_0": its attention heads are ${info.headSize} wide, and q8_0 needs a multiple of 32`,
      );
    }
    const poll = integer('poll', options.poll ?? 50, 0, 100);
    const beyondTraining = boolean('beyondTraining', options.beyondTraining ?? false);
    const loras = await checkLoras(options.loras ?? []);
    if (boolean('checkMemory', options.checkMemory ?? true)) this.#checkMemory(contextSize, batchSize, kvType);

    const { addon } = loadAddon();
    const native = await this.#call(async () => new addon.Engine(this.#native));
    try {
      const limits = await native.open({
        contextSize,
        batchSize,
        maxSequences,
        threads: used,
        poll,
        kvType,
        flashAttention,
        loras,
      });
      const sequenceSize = beyondTraining ? limits.contextSize : Math.min(limits.contextSize, trained);
      return new Engine(native, this, {
        ...limits,
        sequenceSize,
        threads: used,
        kvType,
        flashAttention,
        loras,
        warnings,
      });
    } catch (error) {
      await native.close();
      throw toMeditronError(error);
    }
  }

  /** Frees the weights as soon as no engine needs them. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#native.close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #call<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) throw new MeditronError('ERR_CLOSED', 'The model is closed');
    try {
      return await work();
    } catch (error) {
      throw toMeditronError(error);
    }
  }

  #checkMemory(contextSize: number, batchSize: number, kvType: KvType): void {
    const { info } = this;
    if (info.gpuLayers > 0) return; // llama.cpp knows the GPU's memory better than we do
    const cells = Math.ceil(contextSize / 256) * 256;
    const kv = cells * (info.kvBytesPerToken?.[kvType] ?? 0);
    const compute =
      batchSize * ((info.feedForward ?? 0) * 3 + (info.embedding ?? 0) * 8) * 4 + 32 * info.vocabulary.size * 8;
    const available = availableMemory();
    if (kv + compute <= available) return;
    throw new MeditronError(
      'ERR_MEMORY',
      `A context of ${cells} cells takes ${inBytes(kv)} of ${kvType} cache and about ${inBytes(compute)} to compute in; ${inBytes(available)} are available. ` +
        `Lower \`contextSize\`${kvType === 'q8_0' ? '' : ', or set `kvType` to "q8_0"'}.`,
    );
  }
}

const engineKeys = [
  'contextSize',
  'maxSequences',
  'batchSize',
  'threads',
  'poll',
  'kvType',
  'flashAttention',
  'loras',
  'beyondTraining',
  'checkMemory',
];

/**
 * Tokens of one step, so that no single matrix product takes much longer than 200 ms: only between two of them can the CPU be
 * interrupted. Reckoned from the model's largest matrix at 50 GFLOP/s a thread rather than measured, because the batch size
 * changes floating point results and the same seed has to repeat. 128 for the 7B on two threads, 32 for the 70B.
 */
function microBatch(info: ModelInfo, threads: number): number {
  const flopsPerToken = 2 * (info.embedding ?? 4096) * (info.feedForward ?? 11008);
  const tokens = (0.2 * threads * 50e9) / flopsPerToken;
  const power = 2 ** Math.floor(Math.log2(Math.max(1, tokens)));
  return info.gpuLayers > 0 ? 512 : Math.min(512, Math.max(32, power));
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

async function checkLoras(loras: unknown): Promise<{ path: string; scale: number }[]> {
  const checked = array('loras', loras, 0, 16).map((lora, index) => {
    const where = `loras[${index}]`;
    const given = object(where, lora);
    checkKeys(where, given, ['path', 'scale']);
    return {
      path: string(`${where}.path`, given.path),
      scale: number(`${where}.scale`, given.scale ?? 1, -100, 100),
    };
  });
  for (const { path } of checked) {
    const file = await readGguf(path);
    const type = stringAt(file.metadata, 'general.type');
    if (type !== 'adapter') {
      throw new MeditronError(
        'ERR_LORA',
        `Expected a LoRA adapter (general.type "adapter"), got ${type === undefined ? 'a GGUF that does not say so' : `"${type}"`}: ${path}`,
      );
    }
  }
  return checked;
}
