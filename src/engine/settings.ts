import type { Lora } from '../check/machine.js';

/** What the engine was opened with, as llama.cpp made it. */
export interface EngineSettings {
  /** Cells of the KV cache, shared by all sequences. */
  readonly contextSize: number;
  /** Most tokens one sequence may have, prompt included. */
  readonly sequenceSize: number;
  /** Tokens evaluated in one step at most. */
  readonly batchSize: number;
  /** Sequences alive at once, held ones included. */
  readonly maxSequences: number;
  /** Compute threads at most. */
  readonly threads: number;
  /** Type of the numbers in the KV cache. */
  readonly kvType: 'f32' | 'f16' | 'q8_0';
  /** Whether attention is computed in one pass over the cache, as asked for; `auto` leaves it to llama.cpp. */
  readonly flashAttention: 'auto' | 'on' | 'off';
  /** What multiplies with weights in Q4_K and Q6_K in the processor's memory: our own kernels, as `AVX-512 VNNI`, `AVX-512` or `AVX2`, or `llama.cpp`. */
  readonly kernels: string;
  /** LoRA adapters in use, with their strengths. Empty: none. */
  readonly loras: readonly Required<Lora>[];
  /** What was changed from what was asked for, in words. */
  readonly warnings: readonly string[];
}

/** The option that has an engine multiply as one whose settings say this; where they say nothing, they are from before there was a choice. */
export function kernelsAgain(kernels: string | undefined): 'auto' | 'llama.cpp' {
  return (kernels ?? 'llama.cpp') === 'llama.cpp' ? 'llama.cpp' : 'auto';
}

/** What has been computed since the engine was opened, and where the time of its steps went. */
export interface EngineCounters {
  /** Batches that were evaluated. */
  steps: number;
  /** Threads that computed them, added up over the steps: divided by `steps`, how many there were. */
  threadSteps: number;
  /** Prompt tokens evaluated; a shared prompt counts once. */
  promptTokens: number;
  /** Tokens sampled, of all samples. */
  sampledTokens: number;
  /** Microseconds in llama.cpp: evaluating batches, until the logits are there. */
  decodeMicroseconds: number;
  /** Microseconds from logits to tokens, texts and log-probabilities. */
  samplingMicroseconds: number;
  /** Microseconds of steps in native code beside the two: making batches and samplers, keeping account of sequences. */
  nativeMicroseconds: number;
  /** Microseconds between native steps while there was work: JavaScript, and the ways between threads. Waiting for other engines is left out. */
  betweenMicroseconds: number;
  /** Microseconds of processor time that the process took during steps, all its threads together: less than they wanted where others compute. */
  processorMicroseconds: number;
}

export function noCounts(): EngineCounters {
  return {
    steps: 0,
    threadSteps: 0,
    promptTokens: 0,
    sampledTokens: 0,
    decodeMicroseconds: 0,
    samplingMicroseconds: 0,
    nativeMicroseconds: 0,
    betweenMicroseconds: 0,
    processorMicroseconds: 0,
  };
}
