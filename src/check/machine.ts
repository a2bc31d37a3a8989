import { optionError } from './errors.js';
import { asNumber, choice, decimal, type Kind, listOf, text, whole, yesNo } from './kinds.js';
import { checkKeys, integer, object } from './options.js';
import type { Table } from './table.js';

/** A LoRA adapter and its strength. */
export interface Lora {
  /** Path of the adapter, a GGUF file made for this model. */
  readonly path: string;
  /** Strength, -100 … 100: what the adapter's change is multiplied by. Default 1. */
  readonly scale?: number;
}

const scale = decimal(-100, 100);

const lora: Kind<Lora> = {
  check(name, value) {
    const given = object(name, value);
    checkKeys(name, given, ['path', 'scale']);
    const path = text.check(`${name}.path`, given.path);
    return given.scale === undefined ? { path } : { path, scale: scale.check(`${name}.scale`, given.scale) };
  },
};

const loras: Kind<readonly Lora[]> = {
  check: listOf(lora, 0, 16).check,
  read(typed) {
    const at = typed.lastIndexOf('=');
    const scale = at < 0 ? undefined : asNumber(typed.slice(at + 1));
    return [typeof scale === 'number' ? { path: typed.slice(0, at), scale } : { path: typed }];
  },
};

const layers: Kind<number | 'auto'> = {
  check(name, value) {
    if (value === 'auto') return value;
    if (typeof value !== 'number') throw optionError(name, 'a number of layers or auto', value);
    return integer(name, value, 0, 10_000);
  },
  read: asNumber,
};

/** How a model's weights come into memory. */
export const loadOptions = {
  /** Layers to put on the GPU: a number, or `auto` for as many as fit. Default `auto`; 0 is the CPU alone. */
  gpuLayers: {
    kind: layers,
    default: 'auto',
    flag: '--gpu-layers <n|auto>',
    help: 'layers to put on the GPU; 0 is the CPU alone (default: auto)',
    stored: true,
  },
  /**
   * How weights come into memory. `read` copies them once, rearranged for llama.cpp's fastest kernels; the file may go then. `mmap` maps the
   * file, which has to stay as it is: its pages are there at once when it is loaded again, and a model may be larger than memory. `auto`
   * (default) maps what our own kernels multiply with as the file has it (`kernels`), and what does not fit; it reads the rest.
   */
  loadMode: {
    kind: choice(['auto', 'read', 'mmap']),
    default: 'auto',
    flag: '--load <mode>',
    help: 'how weights come into memory: auto, read (copied, the file may go then) or mmap (mapped, may exceed memory)',
    stored: true,
  },
  /**
   * Lay the model out for little memory: weights mapped, and for engines that are told nothing else a cache in q8_0, which changes texts
   * slightly, small steps, which makes prompts slower, and a gigabyte of cache at most, so that samples run in waves. Default false.
   */
  lowMemory: {
    kind: yesNo,
    default: false,
    flag: '--low-memory',
    help: 'take as little memory as possible: slower, and texts differ slightly (a 7B in Q4_K_M with five samples in 5.6 GB)',
    stored: true,
  },
} as const satisfies Table;

/** Where a command's model runs. The library's `loadModel` has `isolate` for it. */
export const processOptions = {
  inProcess: {
    kind: yesNo,
    default: false,
    flag: '--in-process',
    help: 'run the model in the command itself, not in a process of its own: what ends the model then ends the command',
    stored: false,
  },
} as const satisfies Table;

/** What an engine's context is like. */
export const engineOptions = {
  /**
   * Compute threads; never more than the cores that are really there. Default: all of them, one for a model of under 20 million weights and
   * where a GPU computes all layers, and fewer while other programs want the cores (`adaptThreads`).
   */
  threads: {
    kind: whole(1, 4096),
    flag: '--threads <n>',
    help: 'compute threads; never more than the cores there are (default: all, fewer while other programs want the cores; one beside a GPU that computes all)',
    stored: true,
  },
  /**
   * Compute with fewer of the threads where that is faster because other programs want the cores; chosen anew from step to step, and without
   * effect on what is computed. On the CPU alone. Default: whether `threads` is left out.
   */
  adaptThreads: {
    kind: yesNo,
    flag: { none: 'follows from --threads' },
    help: 'compute with fewer threads while other programs want the cores',
    stored: false,
  },
  /**
   * Cells of the KV cache: tokens of all sequences together, a shared prompt counted once. Default: the trained context, at
   * most 8192. Rounded up to a multiple of 256.
   */
  contextSize: {
    kind: whole(1, 1 << 24),
    flag: '--ctx <n>',
    help: 'tokens in the context, of all samples together (default: as many as are needed)',
    stored: true,
  },
  /** Tokens evaluated in one step, between which work can be cancelled. Default: see ARCHITECTURE.md, "Micro-batches". */
  batchSize: { kind: whole(1, 8192), flag: '--batch <n>', help: 'prompt tokens evaluated in one step', stored: true },
  /** Type of the KV cache. `q8_0` halves it at a small loss and needs flash attention. Default `f16`; `q8_0` on a model with `lowMemory`. */
  kvType: {
    kind: choice(['f16', 'q8_0', 'f32']),
    flag: '--kv-type <type>',
    help: 'type of the key-value cache: f16, q8_0 or f32 (default: f16; q8_0 halves it)',
    stored: true,
  },
  /** Compute attention in one pass over the cache, with less memory. `auto` (default) where llama.cpp can. */
  flashAttention: {
    kind: choice(['auto', 'on', 'off']),
    flag: '--flash-attention <when>',
    help: 'auto, on or off (default: auto)',
    stored: true,
  },
  /**
   * What multiplies with weights in Q4_K and Q6_K that the processor has in memory. `auto` (default): our own kernels where it has AVX2 or
   * better, which take several samples at once in about half of the time; `llama.cpp`: its own alone, which want weights that were read
   * (`loadMode`). Products differ by rounding.
   */
  kernels: {
    kind: choice(['auto', 'llama.cpp']),
    default: 'auto',
    flag: '--kernels <which>',
    help: 'what multiplies on the CPU: auto (default), our own kernels where it has AVX2 or better, or llama.cpp, its alone',
    stored: true,
  },
  /** LoRA adapters (GGUF files for this model), each with its strength. */
  loras: {
    kind: loras,
    default: [],
    flag: '--lora <file[=scale]>',
    help: 'LoRA adapter and its strength; may be repeated',
    stored: true,
  },
  /** Sequences alive at once: samples of all jobs, held ones included; at most 256, 127 of a model with a sliding window. Default 8. */
  maxSequences: {
    kind: whole(1, 256),
    default: 8,
    flag: { none: 'follows from --samples' },
    help: 'sequences alive at once (default: 8)',
    stored: true,
  },
  /**
   * How long compute threads that have nothing to do spin before they sleep, 0 (not at all) … 100 (up to a second). Default 5: some milliseconds
   * to some tens of them, longer than the time between two steps.
   */
  poll: {
    kind: whole(0, 100),
    default: 5,
    flag: { none: 'for measurements' },
    help: 'how eagerly idle threads wait for work, 0 to 100',
    stored: false,
  },
  /** Allow sequences longer than the model was trained for; the text degrades. Default false. */
  beyondTraining: {
    kind: yesNo,
    default: false,
    flag: { none: 'for measurements' },
    help: 'allow sequences longer than the model was trained for',
    stored: false,
  },
  /** Refuse what does not fit in memory, with the numbers, before trying. Default true. */
  checkMemory: {
    kind: yesNo,
    default: true,
    flag: { none: 'for measurements' },
    help: 'refuse what does not fit in memory before trying',
    stored: false,
  },
} as const satisfies Table;
