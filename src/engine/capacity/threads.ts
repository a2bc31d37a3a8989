import { gpuAlone } from './placement.js';

/** Weights below which threads spend longer waiting for each other than they save. */
const smallModel = 20e6;

/** Rows of logits are turned into tokens in so little time that more threads than these are called for longer than they work. */
const mostSamplers = 8;

/** How many threads an engine uses. */
export interface ThreadCounts {
  /** That compute what llama.cpp has the CPU compute. */
  readonly computing: number;
  /** That sample, between two steps. */
  readonly sampling: number;
}

/** The model, as far as threads depend on it. */
export interface ThreadedModel {
  readonly parameters: number;
  readonly gpuLayers: number;
  readonly layers?: number | null | undefined;
}

/**
 * Threads of an engine where `cores` may be used: as many of both as somebody gives, else all, one for a small model. Where a GPU computes
 * all layers, the CPU looks up the embeddings of a few tokens: one thread does, where many would spin through every step and keep
 * sampling and JavaScript off the cores; those sample.
 */
export function threadCounts(given: number | undefined, model: ThreadedModel, cores: number): ThreadCounts {
  if (given !== undefined) return both(Math.min(given, cores));
  if (model.parameters < smallModel) return both(1);
  if (gpuAlone(model)) return { computing: 1, sampling: Math.min(cores, mostSamplers) };
  return both(cores);
}

const both = (threads: number): ThreadCounts => ({ computing: threads, sampling: threads });
