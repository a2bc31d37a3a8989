import type { Inspection } from '../models/inspect.js';
import type { AddonBuild, Device } from '../native/addon.js';
import type { Segment } from '../types.js';
import type { TokenizeOptions } from './jobs/options.js';

/** What the model file says about itself, and what llama.cpp made of it. */
export interface ModelInfo extends Inspection {
  /** llama.cpp's one-line description. */
  readonly description: string;
  /** Id of the token that begins a text; null if the vocabulary has none. */
  readonly bos: number | null;
  /** Id of the token that ends a text; null if the vocabulary names none. */
  readonly eos: number | null;
  /** Tokens that end a text: llama.cpp's, and `<EOD>` with which MEDITRON's training documents end. */
  readonly ends: Int32Array;
  /** Ids of control and user-defined tokens. */
  readonly specials: Int32Array;
  /** Most bytes of text that one token stands for. */
  readonly longestPiece: number;
  /** What computes. */
  readonly runtime: {
    /** The llama.cpp that the addon was built with. */
    readonly build: AddonBuild;
    /** The CPU kernels in use, as `libggml-cpu-haswell.so`. */
    readonly cpuVariant: string;
  };
  /** How the weights are in memory. */
  readonly loadMode: 'read' | 'mmap';
  /** Bytes of mapped weights that are counted on to stay in memory; 0 where they are read, which has taken it, or where they come and go. */
  readonly keptBytes: number;
  /** Whether it was loaded with `lowMemory`, which engines made of it follow. */
  readonly lowMemory: boolean;
  /** Layers on GPUs, the output counted as one: `layers` + 1 are all. */
  readonly gpuLayers: number;
  /** How many of them each GPU has. */
  readonly layersOf: readonly {
    /** The device's name, as in `devices`. */
    readonly device: string;
    /** Layers on it. */
    readonly layers: number;
  }[];
  /** Devices in use: CPU always, then GPUs. Their free memory is that after loading. */
  readonly devices: readonly Device[];
  /** What was asked for and could not be met, in words. */
  readonly warnings: readonly string[];
}

/** What an engine and its users need of a loaded model. */
export interface LoadedModel {
  /** What the model file says about itself, and what llama.cpp made of it. */
  readonly info: ModelInfo;
  /** See `Model.tokenize`. */
  tokenize(prompt: string | readonly Segment[], options?: TokenizeOptions): Promise<Int32Array>;
  /** See `Model.continuation`. */
  continuation(after: Int32Array, text: string): Promise<Int32Array>;
  /** See `Model.special`. */
  special(text: string): Promise<number | undefined>;
  /** See `Model.detokenize`. */
  detokenize(tokens: Int32Array, options?: { readonly special?: boolean | undefined }): Promise<string>;
}
