import type { Device } from '../../native/addon.js';
import { roomyLayout } from './ask.js';
import { microBatch } from './compute.js';
import { contextBytes } from './context.js';
import { sum } from './need.js';
import { type ReckonedModel, shapeOf, typical } from './outlook.js';
import { placeLayers, weightBytes } from './placement.js';

/** What a machine's GPUs take of a model. Their speed is not predicted. */
export interface Offload {
  /** Names of the GPUs. */
  readonly devices: readonly string[];
  /** Layers on them, of `layers`; the output counts as one. */
  readonly gpuLayers: number;
  readonly layers: number;
  /** Samples of a typical question at once whose cache fits beside these layers; 0 if not even one does. */
  readonly samples: number;
  /** Every layer, with room for a sample at least. */
  readonly whole: boolean;
}

/** Reckons as weights are placed and contexts are made; null where there is no GPU. `devices`: everything llama.cpp has found. */
export function offloadOf(
  model: ReckonedModel,
  tensors: readonly { readonly name: string; readonly bytes: number }[],
  devices: readonly Device[],
  threads: number,
): Offload | null {
  const weights = weightBytes(tensors);
  const placement = placeLayers('auto', weights, model, devices);
  const { gpuLayers, layers, layersOf } = placement;
  if (placement.devices.length === 0) return null;
  const names = placement.devices.map(({ name }) => name);
  const loaded = { ...model, gpuLayers, layersOf: names.map((device, i) => ({ device, layers: layersOf[i]!.length })) };
  const whole = gpuLayers === layers;
  const fitsWith = (samples: number): boolean => {
    const { need } = roomyLayout(shapeOf(model), samples);
    const context = {
      contextSize: need.cells,
      maxSequences: need.sequences,
      batchSize: Math.max(samples, microBatch(model, threads, whole)),
      kvType: 'f16',
      flashAttention: true,
    } as const;
    const places = contextBytes(loaded, context).slice(1);
    return places.every(({ cache, compute }, i) => {
      const own = sum(layersOf[i]!.map(layer => weights.layers[layer]!));
      return own + cache + compute <= placement.devices[i]!.memoryFree;
    });
  };
  let samples = gpuLayers > 0 ? typical.samples : 0;
  while (samples > 0 && !fitsWith(samples)) samples--;
  return { devices: names, gpuLayers, layers, samples, whole: whole && samples > 0 };
}
