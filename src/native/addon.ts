/**
 * The whole native surface as types. Values that go in are complete and checked; see native/core/core.h for what they mean.
 * Except for `call`, `abort` and `close`, an engine may be touched between two steps only.
 */
export interface Addon {
  readonly Model: new () => NativeModel;
  readonly Engine: new (model: NativeModel) => NativeEngine;
  /** `hidden`: environment variables that are set to -1 first, which has a backend inside the addon find no device. */
  loadBackends(directory: string, files: readonly string[], hidden: readonly string[]): BackendReport[];
  devices(): Device[];
  /** On Windows the physical cores that this process may run on; 0 elsewhere. */
  physicalCores(): number;
  /** Text by the code page of Windows's console, or else of the system; undefined if it is none, and on other systems. */
  decodeBySystem(bytes: Uint8Array, console: boolean): { readonly text: string; readonly page: number } | undefined;
  /** Whether rearranging would make some of these matrices faster for the CPU's kernels: ours are as fast with the others as the file has them. */
  gainsByRearranging(tensors: NativeTensors): boolean;
  /**
   * How fast the CPU multiplies with large matrices of one type: seconds per byte of them, for each number of vectors at once. Blocks for
   * some tenths of a second; `bytes` of memory are taken meanwhile.
   */
  measureProducts(products: NativeProducts): Float64Array;
  /** Bytes a second that so many threads read from memory together. Blocks for so many seconds, in which they want the processor all the time; `bytes` of memory are taken meanwhile. */
  measureReading(threads: number, bytes: number, seconds: number): number;
  /** For a process of its own: no core dump, dies with its parent, says on stderr what ends it; exits if the parent is gone already. */
  belongToParent(parentPid: number): void;
  /** Whether llama.cpp's warnings and errors go to file descriptor 2 too, for the whole process. */
  echoLog(on: boolean): void;
  readonly build: AddonBuild;
  /** The library that ggml's functions are in; the addon itself, or empty, where they are inside it. */
  readonly ggmlFile: string;
}

export interface NativeProducts {
  /** A tensor type's id (gguf/types.ts), of those for matrices. */
  readonly type: number;
  /** Whether matrices are rearranged for the fastest kernels, as by {@link NativeLoad.repack}. */
  readonly repack: boolean;
  readonly threads: number;
  readonly bytes: number;
  /** To measure for, for each of `columns`. */
  readonly seconds: number;
  readonly columns: Int32Array;
}

/** The llama.cpp that the addon was built with. */
export interface AddonBuild {
  /** llama.cpp release whose headers the addon was compiled with, as `v0.4.0`. */
  readonly headers: string;
  /** llama.cpp release that was linked, as `0.4.0-dev`. */
  readonly libraries: string;
  /** Version of ggml, llama.cpp's tensor library, that was linked. */
  readonly ggml: string;
  /** Linked to prebuilt libraries, or compiled into the addon from source. */
  readonly kind: 'prebuilt' | 'source';
}

export interface BackendReport {
  readonly path: string;
  readonly loaded: boolean;
  readonly message: string;
}

/** A device that llama.cpp can compute on. */
export interface Device {
  /** llama.cpp's name for it, as `CPU`, `CUDA0`, `Vulkan0`. */
  readonly name: string;
  /** The hardware in its driver's words. */
  readonly description: string;
  /** llama.cpp's name for what drives it, as `CPU`, `CUDA`, `Vulkan`. */
  readonly backend: string;
  /** Names the card whichever backend sees it, as `0000:01:00.0`; null where the backend does not say. */
  readonly id: string | null;
  /** Whether it has memory of its own (`gpu`), shares the CPU's (`integrated-gpu`), or helps the CPU (`accelerator`). */
  readonly type: 'cpu' | 'gpu' | 'integrated-gpu' | 'accelerator' | 'other';
  /** Bytes free when it was asked. */
  readonly memoryFree: number;
  /** Bytes in all. */
  readonly memoryTotal: number;
}

export interface NativeModel {
  /** Resolves with whether weights were rearranged straight from the pages of the file (see {@link NativeLoad.tensors}). */
  load(params: NativeLoad, onProgress?: (fraction: number) => void): Promise<boolean>;
  cancelLoad(): void;
  info(): NativeModelInfo;
  tokenize(texts: readonly string[], isTemplate: readonly boolean[], bos: 0 | 1 | 2, inside: boolean): NativeTokenizing;
  detokenize(tokens: Int32Array, special: boolean): Promise<Buffer>;
  spell(tokens: Int32Array): Promise<NativeSpelling>;
  close(): Promise<void>;
}

/** What tokens are shown as, one after the other; `ends` are where each one stops. */
export interface NativeSpelling {
  readonly bytes: Uint8Array;
  readonly ends: Uint32Array;
}

/** A long text is tokenized in pieces; `cancel` ends that between two of them, with `ERR_ABORTED`. */
export interface NativeTokenizing {
  readonly tokens: Promise<Int32Array>;
  cancel(): void;
}

export interface NativeLoad {
  readonly paths: readonly string[];
  readonly gpuLayers: number;
  /** Names of the GPUs to use, in llama.cpp's order; none for the CPU alone. */
  readonly devices: readonly string[];
  readonly mmap: boolean;
  /** All of the mapped weights are to be in memory: they are read ahead. */
  readonly whole: boolean;
  readonly repack: boolean;
  readonly mlock: boolean;
  /** Given where weights may be rearranged straight from the pages of their file, without being read first. */
  readonly tensors?: NativeTensors | undefined;
}

/** All tensors of a model. */
export interface NativeTensors {
  readonly names: readonly string[];
  /** Of each the type's id, its columns and its rows. */
  readonly shapes: Float64Array;
}

export interface NativeModelInfo {
  readonly description: string;
  readonly sizeBytes: number;
  readonly parameters: number;
  readonly layers: number;
  readonly embedding: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly trainContext: number;
  readonly vocabularySize: number;
  readonly bos: number | null;
  readonly eos: number | null;
  readonly addBos: boolean;
  readonly ends: Int32Array;
  readonly specials: Int32Array;
  readonly longestPiece: number;
  readonly chatTemplate: string | null;
}

export interface NativeEngine {
  open(params: NativeEngineParams): Promise<NativeLimits>;
  add(job: NativeJob): Int32Array;
  release(sequence: number): void;
  hold(sequence: number): void;
  /** What is in the cache for a held sequence, for {@link NativeJob.state}. */
  save(sequence: number): Promise<Buffer>;
  /**
   * One step, and further ones for so many milliseconds after the first began, while there is nothing in them to be looked at: no prompt, no
   * end or failure of a sequence, no stop token, nothing that may be a stop string, and no {@link NativeEngine.call}.
   */
  step(milliseconds: number): Promise<NativeStep>;
  /** Has the steps that run return after the one that does. */
  call(): void;
  abort(): void;
  close(): Promise<void>;
}

export interface NativeEngineParams {
  readonly contextSize: number;
  readonly batchSize: number;
  readonly maxSequences: number;
  readonly threads: number;
  /** Threads that turn rows of logits into tokens. */
  readonly samplers: number;
  /** Fewer of `threads` where other programs want the cores. */
  readonly adaptThreads: boolean;
  /** A file of mapped weights that is larger than memory; empty: there is none. */
  readonly streamed: string;
  /** Bytes of it that are kept in memory. */
  readonly stay: number;
  /** All weights are in memory: none are read from a disk as they are used. */
  readonly resident: boolean;
  readonly poll: number;
  readonly kvType: 'f32' | 'f16' | 'q8_0';
  readonly flashAttention: 'auto' | 'on' | 'off';
  /** Of what multiplies with weights in the processor's memory: our own where there are some for it, or llama.cpp's alone. */
  readonly kernels: 'auto' | 'llama.cpp';
  readonly loras: readonly { readonly path: string; readonly scale: number }[];
}

/** What llama.cpp made of the parameters: it rounds the context up and may lower the batch. */
export interface NativeLimits {
  readonly contextSize: number;
  readonly batchSize: number;
  readonly maxSequences: number;
  /** What multiplies with weights in the processor's memory: `AVX-512 VNNI`, `AVX-512`, `AVX2` (our own), or `llama.cpp`. */
  readonly kernels: string;
}

export interface NativeJob {
  readonly from: number;
  readonly fromSize: number;
  /**
   * Cells set aside for the job. `add` refuses fewer than it can take: the prompt; one more if it starts from all of a held sample that
   * did not end by an end token, whose last token has yet to be evaluated; and tokens - 1 for each branch.
   */
  readonly cells: number;
  readonly prompt: Int32Array;
  readonly branches: readonly NativeBranch[];
  /**
   * Restored instead of evaluating the prompt, whose state it is. Nothing but what `save` gave: llama.cpp does not survive other bytes. Its
   * memory is taken over, and freed in the next step.
   */
  readonly state: Uint8Array | null;
}

export interface NativeBranch {
  readonly maxTokens: number;
  /** Scored before anything is sampled. */
  readonly forced: Int32Array;
  readonly logprobs: boolean;
  /** With every token so many that were the most probable in its place. */
  readonly topLogprobs: number;
  /** Tokens that end a sample instead of the model's own end tokens; null for the model's. */
  readonly ends: Int32Array | null;
  /** What may end a sample besides: the step returns with the token after which the reader has to decide. */
  readonly stops: readonly string[];
  readonly stopTokens: Int32Array;
  readonly hold: boolean;
  readonly sampler: NativeSampler;
}

export interface NativeSampler {
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
  readonly repeatPenalty: number;
  readonly frequencyPenalty: number;
  readonly presencePenalty: number;
  readonly seed: number;
  readonly grammar: string;
  readonly biasTokens: Int32Array;
  readonly biases: Float32Array;
}

/** One entry per token, step by step. `text` holds the raw bytes of all of them, `ends` where each one stops. */
export interface NativeStep {
  readonly seq: Int32Array;
  readonly token: Int32Array;
  readonly logprob: Float32Array;
  readonly finish: Int32Array;
  readonly ends: Uint32Array;
  readonly text: Uint8Array;
  /** The most probable tokens in place of each, the most probable first; `topEnds` are where those of each one stop. */
  readonly topEnds: Uint32Array;
  readonly topToken: Int32Array;
  readonly topLogprob: Float32Array;
  readonly promptSeq: Int32Array;
  readonly promptLeft: Int32Array;
  readonly failures: readonly { readonly seq: number; readonly code: string; readonly message: string }[];
  /** The last step was given up; it can be tried again. */
  readonly aborted: boolean;
  readonly steps: number;
  /** Threads that computed them, added up. */
  readonly threads: number;
  /** Microseconds of all of them in llama.cpp, from logits to tokens, and of everything else on the engine's thread. */
  readonly decode: number;
  readonly sampling: number;
  readonly rest: number;
}

/** Values of {@link NativeStep.finish}. */
export const nativeFinish = { going: 0, end: 1, length: 2, ready: 3 } as const;
