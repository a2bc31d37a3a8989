import { architectures } from '../../gguf/architecture.js';
import type { KvBytes } from '../../models/inspect.js';

/** Types the KV cache can have; models/inspect.ts says what a token takes in each. */
export type KvType = keyof KvBytes;

/** The sizes of a model that decide what computing with it takes. */
export interface ModelShape {
  readonly architecture?: string | null;
  readonly layers: number | null;
  readonly embedding: number | null;
  readonly heads: number | null;
  /** Of a head, where it is not embedding ÷ heads. */
  readonly headSize?: number | null;
  readonly feedForward: number | null;
  readonly contextLength: number | null;
  readonly vocabulary: { readonly size: number };
  readonly kvBytesPerToken: KvBytes | null;
}

export interface ContextShape {
  readonly contextSize: number;
  readonly batchSize: number;
  readonly maxSequences: number;
  readonly kvType: KvType;
  /** Without it the scores of every token for every cell are in memory at once. */
  readonly flashAttention: boolean;
}

/** Cells that llama.cpp makes of a context size: a multiple of 256. */
export function cellsOf(contextSize: number): number {
  return Math.ceil(contextSize / 256) * 256;
}

/** Bytes of KV cache of one layer. Without the sizes in the file: as much as the 7B takes. */
export function cacheBytesPerLayer(model: ModelShape, cells: number, kvType: KvType): number {
  const layers = model.layers ?? 1;
  return (cells * (model.kvBytesPerToken?.[kvType] ?? 2 ** 19)) / layers;
}

/**
 * Bytes of llama.cpp's compute buffer for a step, on each device that has layers: the largest of what is alive at once during
 * attention, feed-forward and output, and the attention masks. Follows the graph that llama.cpp reserves
 * (`llama_context::sched_reserve`); for the shapes of the family at most a quarter above what it reports, never below.
 */
export function computeBytes(model: ModelShape, context: ContextShape): number {
  const { batchSize: tokens, flashAttention } = context;
  const cells = cellsOf(context.contextSize);
  const embedding = tokens * (model.embedding ?? 4096);
  const queries = Math.max(embedding, tokens * (model.heads ?? 0) * (model.headSize ?? 0));
  const scores = flashAttention ? 0 : cells * tokens * (model.heads ?? 32);
  const attention = 7 * queries + scores;
  const feedForward = 5 * embedding + feedForwardRows(model) * tokens * (model.feedForward ?? 11_008);
  const output = 3 * embedding + outputRows(context) * model.vocabulary.size;
  // One for layers that see everything and one for those with a window; flash attention has them in f16.
  const masks = cells * tokens * (flashAttention ? 1 : 2);
  return 4 * (Math.max(attention, feedForward, output) + masks);
}

/** Gate, up and their product; a graph without a gate computes in place. */
function feedForwardRows({ architecture }: ModelShape): number {
  return architectures.get(architecture ?? '')?.feedForward === 'plain' ? 1 : 3;
}

/** Bytes of the logits that are handed out, in memory of the host. */
export function outputBytes(model: ModelShape, context: ContextShape): number {
  return 4 * outputRows(context) * model.vocabulary.size;
}

/** Rows of logits of one step, as the addon asks for them. */
function outputRows({ batchSize, maxSequences }: ContextShape): number {
  return Math.min(batchSize, Math.max(maxSequences, 32));
}

/**
 * Tokens of one step on the CPU, so that no single matrix product takes much longer than 200 ms: only between two of them can it be
 * interrupted. Reckoned from the model's largest matrix at 50 GFLOP/s a thread rather than measured, because the batch size
 * changes floating point results and the same seed has to repeat. 128 for the 7B on two threads, 32 for the 70B. A GPU that
 * computes every layer takes 512.
 */
export function microBatch(model: ModelShape, threads: number, gpuAlone: boolean): number {
  if (gpuAlone) return 512;
  const flopsPerToken = 2 * (model.embedding ?? 4096) * (model.feedForward ?? 11_008);
  const tokens = (0.2 * threads * 50e9) / flopsPerToken;
  return Math.min(512, Math.max(32, 2 ** Math.floor(Math.log2(Math.max(1, tokens)))));
}
