import { inBytes } from '../../check/words.js';
import type { Device } from '../../native/addon.js';
import {
  type ContextShape,
  cacheBytesPerLayer,
  cellsOf,
  computeBytes,
  type ModelShape,
  outputBytes,
} from './compute.js';
import { type InMemory, type LowModel, lowWouldDo, staysInMemory } from './low.js';
import { gpuAlone } from './placement.js';

/** How a loaded model lies on the machine. */
export interface Loaded extends ModelShape {
  readonly gpuLayers: number;
  /** Layers of each GPU, in the order of `devices`; the output counts as the last. */
  readonly layersOf: readonly { readonly device: string; readonly layers: number }[];
  /** How its weights are in memory; what to say where a context does not fit. */
  readonly weights?: (LowModel & InMemory & { readonly lowMemory: boolean }) | undefined;
}

/** Bytes that a context takes in one place. */
export interface ContextBytes {
  /** A device's name; `CPU` is the host. */
  readonly place: string;
  readonly cache: number;
  readonly compute: number;
}

/** What a context takes on the CPU, and on every GPU that has layers. A layer's cache lies where the layer does. */
export function contextBytes(model: Loaded, context: ContextShape): ContextBytes[] {
  const layer = cacheBytesPerLayer(model, cellsOf(context.contextSize), context.kvType);
  const compute = computeBytes(model, context);
  const blocks = model.layers ?? 1;
  const onGpus = Math.min(blocks, Math.max(0, model.gpuLayers - 1));
  const host: ContextBytes = {
    place: 'CPU',
    cache: (blocks - onGpus) * layer,
    compute: outputBytes(model, context) + (gpuAlone(model) ? 0 : compute),
  };
  let left = onGpus;
  const gpus = model.layersOf.map(({ device, layers }): ContextBytes => {
    const own = Math.min(left, layers); // the output, the last layer of the last device, has no cache
    left -= own;
    return { place: device, cache: own * layer, compute: layers > 0 ? compute : 0 };
  });
  return [host, ...gpus];
}

/** Bytes of the host's memory that a context takes. */
export function hostContextBytes(model: Loaded, context: ContextShape): number {
  const { cache, compute } = contextBytes(model, context).find(({ place }) => place === 'CPU')!;
  return cache + compute;
}

/** Cells whose cache takes at most `share` of the memory that is free in every place. `hostFree` in bytes; devices as they are now. */
export function cellsInMemory(
  model: Loaded,
  kvType: ContextShape['kvType'],
  hostFree: number,
  devices: readonly Device[],
  share = 0.5,
): number {
  const context = { contextSize: 256, batchSize: 1, maxSequences: 1, kvType, flashAttention: true };
  let cells = Infinity;
  for (const { place, cache } of contextBytes(model, context)) {
    const free = place === 'CPU' ? hostFree : (devices.find(device => device.name === place)?.memoryFree ?? 0);
    if (cache > 0) cells = Math.min(cells, Math.floor((free * share) / (cache / 256)));
  }
  return cells;
}

/** The sentence for a context that does not fit, or undefined if it does. */
export function doesNotFit(
  model: Loaded,
  context: ContextShape,
  free: (place: string) => { readonly bytes: number; readonly words: string },
): string | undefined {
  const all = contextBytes(model, context);
  for (const { place, cache, compute } of all) {
    const { bytes, words } = free(place);
    if (cache + compute <= bytes) continue;
    const where = place === 'CPU' && all.length === 1 ? '' : ` on ${place}`;
    const flash = context.flashAttention ? '' : '; leave `flashAttention` on';
    return (
      `A context of ${cellsOf(context.contextSize)} cells takes ${inBytes(cache)} of ${context.kvType} cache${where} and about ` +
      `${inBytes(compute)} to compute in; ${words}. Lower \`contextSize\`` +
      `${context.kvType === 'q8_0' ? '' : ', or set `kvType` to "q8_0"'}${flash}.${place === 'CPU' ? hintOf(model, context, bytes) : ''}`
    );
  }
  return undefined;
}

/** Whether little memory would do: weights that stay in memory would come and go instead, and their room is free then. */
function hintOf({ weights }: Loaded, { contextSize, maxSequences }: ContextShape, free: number): string {
  if (!weights) return '';
  const available = free + (staysInMemory(weights) ? weights.sizeBytes : 0);
  const low = !weights.lowMemory && lowWouldDo(weights, contextSize, maxSequences, available);
  return `${low ? ' Loaded with `lowMemory` it runs.' : ''} \`meditron fit\` says what runs here.`;
}
