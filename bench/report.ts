import type { KernelComparison } from './against-kernels.js';
import type { machine, Spread } from './machine.js';
import type { PeerComparison } from './peers.js';

/** What `npm run bench -- --json` prints and results/bench.json holds. What was left out is null, and `leftOut` says why. */
export interface BenchReport {
  readonly what: string;
  readonly form: 'short' | 'long';
  readonly machine: Awaited<ReturnType<typeof machine>> & { readonly loadAfter: number };
  /** How long the measurement took. */
  readonly seconds: number;
  /** Part of the kernels' tokens a second that Meditron reaches with the model that ships, by samples at once; 1 is all. */
  readonly meditronToKernels: ByWidth | null;
  readonly meditronToKernelsWithLogprobs: ByWidth | null;
  /** Meditron's wall time to node-llama-cpp's, which evaluates the prompt once a sample. */
  readonly meditronToNodeLlamaCpp: number | null;
  /** The same where node-llama-cpp evaluates the prompt once and hands its state on by a file. */
  readonly meditronToNodeLlamaCppByState: number | null;
  readonly meditronToLlamaServer: number | null;
  /** What a step takes over llama.cpp's own decode, by sequences, on one thread. */
  readonly stepOverheadMicroseconds: ByWidth | null;
  readonly leftOut: readonly string[];
  readonly kernels: readonly KernelComparison[];
  readonly peers: PeerComparison | null;
  readonly step: StepReport | null;
}

export type ByWidth = Readonly<Record<string, number>>;

/** What is read of the report of bench/step.ts. */
export interface StepReport {
  readonly widths: readonly { readonly sequences: number; readonly inProcess: { readonly overMicroseconds: Spread } }[];
}
