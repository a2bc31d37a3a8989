import type { KvBytes } from '../../models/inspect.js';
import { type AskLayout, type AskShape, newTokensThatFit, roomyLayout, usualWidth } from './ask.js';
import { type ModelShape, microBatch } from './compute.js';
import { contextBytes } from './context.js';
import { lowBatch, lowCells, lowKvType, processBytes, weightsFit } from './low.js';
import { sum } from './need.js';

/** A model whose file may be elsewhere. */
export interface ReckonedModel extends ModelShape {
  /** Bytes of the file. */
  readonly sizeBytes: number;
  readonly headSize: number | null;
  readonly kvBytesPerToken: KvBytes | null;
}

/** How a typical question would run: laid out as `ask` lays it out, by the reckoning that engines are made with. */
export interface Outlook {
  /** `yes` with room to spare; `tight` without, or with `--low-memory` only; `no`. */
  readonly fits: 'yes' | 'tight' | 'no';
  /** Whether it takes `--low-memory`. */
  readonly lowMemory: boolean;
  /** Whether the weights stay in memory; else their pages come and go. */
  readonly inMemory: boolean;
  readonly kvType: 'f16' | 'q8_0';
  readonly batchSize: number;
  /** Cells of the context. */
  readonly context: number;
  /** Samples at once. */
  readonly samples: number;
  readonly waves: readonly number[];
  /** Everything: weights, cache, computing, both processes. */
  readonly memoryBytes: number;
}

/** A question with four options and its instruction, asked of five chains of at most 1,024 tokens (the authors' limit). */
export const typical = { promptTokens: 359, samples: 5, maxTokens: 1024, tokensOfChain: 200 } as const;
/** Beside what is reckoned, so that the rest of the machine does not swap. */
const spareBytes = 0.5e9;

/** Reckons a model on a CPU with so many bytes available. */
export function outlookOf(model: ReckonedModel, available: number, threads: number): Outlook {
  const usual = usualLayout(model, available, threads);
  if (usual.memoryBytes + spareBytes <= available) return { ...usual, fits: 'yes' };
  if (usual.memoryBytes <= available) return { ...usual, fits: 'tight' };
  const low = lowLayout(model, available, threads);
  return { ...low, fits: low.memoryBytes <= available ? 'tight' : 'no' };
}

type Layout = Omit<Outlook, 'fits'>;

function usualLayout(model: ReckonedModel, available: number, threads: number): Layout {
  const inMemory = weightsFit(model.sizeBytes, available);
  const loadMode = inMemory ? 'read' : 'mmap';
  const width = usualWidth({ gpuLayers: 0, layers: model.layers, loadMode }, typical.samples);
  const batchSize = Math.max(width, microBatch(model, threads, false));
  return laidOut(model, roomyLayout(shapeOf(model), width), { inMemory, kvType: 'f16', batchSize, lowMemory: false });
}

function lowLayout(model: ReckonedModel, available: number, threads: number): Layout {
  const most = lowCells(model, available);
  const shape = shapeOf(model);
  let layout = roomyLayout(shape, typical.samples);
  while (layout.need.cells > most && layout.width > 1) layout = roomyLayout(shape, layout.width - 1);
  const batchSize = Math.max(layout.width, Math.min(lowBatch, microBatch(model, threads, false)));
  const kvType = lowKvType(model) === 'q8_0' ? 'q8_0' : 'f16';
  return laidOut(model, layout, { inMemory: false, kvType, batchSize, lowMemory: true });
}

function laidOut(
  model: ReckonedModel,
  { need, width, waves }: AskLayout,
  how: Pick<Outlook, 'inMemory' | 'kvType' | 'batchSize' | 'lowMemory'>,
): Layout {
  const context = { ...how, contextSize: need.cells, maxSequences: need.sequences, flashAttention: true };
  const places = contextBytes({ ...model, gpuLayers: 0, layersOf: [] }, context);
  const bytes = sum(places.map(({ cache, compute }) => cache + compute));
  return { ...how, context: need.cells, samples: width, waves, memoryBytes: model.sizeBytes + bytes + processBytes };
}

/** A typical question, as far as the model was trained for so many tokens. */
export function shapeOf({ contextLength }: ReckonedModel): AskShape {
  const size = contextLength ?? 2048;
  const { promptTokens: wanted, samples } = typical;
  const promptTokens = Math.max(2, Math.min(wanted, size - 64));
  const again = { suffix: 8, continuations: [1, 1, 1, 1, 1] };
  const limits = { sequenceSize: size, contextSize: size };
  return {
    prompts: [{ tokens: promptTokens, samples: Array.from({ length: samples }, (_, i) => i) }],
    common: promptTokens - 1,
    samples,
    maxTokens: Math.max(1, newTokensThatFit(limits, promptTokens, typical.maxTokens, again)),
    again,
  };
}
