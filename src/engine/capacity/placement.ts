import { inBytes } from '../../check/words.js';
import type { Device } from '../../native/addon.js';
import { cacheBytesPerLayer, cellsOf, computeBytes, type ModelShape } from './compute.js';
import { dealLayers, gpusOf } from './devices.js';
import { sum } from './need.js';

/** Bytes of a model's weights, by where llama.cpp can put them. */
export interface WeightBytes {
  /** Token embeddings: always on the CPU. */
  readonly input: number;
  /** Every layer, the output as the last. */
  readonly layers: readonly number[];
}

/** Sorts tensors by name, as llama.cpp does. A model without an output of its own uses its token embeddings twice. */
export function weightBytes(tensors: readonly { readonly name: string; readonly bytes: number }[]): WeightBytes {
  let input = 0;
  let output = 0;
  let tied = true;
  const blocks: number[] = [];
  for (const { name, bytes } of tensors) {
    const block = /^blk\.(\d+)\./.exec(name)?.[1];
    if (block !== undefined) blocks[Number(block)] = (blocks[Number(block)] ?? 0) + bytes;
    else if (name.startsWith('token_embd.')) input += bytes;
    else {
      output += bytes;
      if (name === 'output.weight') tied = false;
    }
  }
  return { input, layers: [...Array.from(blocks, bytes => bytes ?? 0), output + (tied ? input : 0)] };
}

/** Where a model's weights go. */
export interface Placement {
  /** GPUs in use, in llama.cpp's order; empty for the CPU alone. */
  readonly devices: readonly Device[];
  /** Layers on them, of all; the output counts as one. */
  readonly gpuLayers: number;
  readonly layers: number;
  /** Bytes of weights that stay on the CPU. */
  readonly hostBytes: number;
  /** Layers of each of `devices`. */
  readonly layersOf: readonly (readonly number[])[];
  readonly warnings: readonly string[];
}

/** Of what a GPU has free, the part that is planned with. */
const usable = 0.9;
/** The batch and the context a GPU is reckoned with before an engine is made: the defaults of one. */
const planned = { batchSize: 512, maxSequences: 8, kvType: 'f16', flashAttention: true } as const;

/**
 * Decides which layers go on which GPUs. `auto`: as many as fit with their share of a default context beside them. A number is
 * taken as it is, as far as there are layers; what cannot be met of it is a warning.
 *
 * @param devices everything llama.cpp has found
 */
export function placeLayers(
  wanted: number | 'auto',
  weights: WeightBytes,
  model: ModelShape,
  devices: readonly Device[],
): Placement {
  const layers = weights.layers.length;
  const gpus = wanted === 0 ? [] : gpusOf(devices);
  if (gpus.length === 0) {
    const warnings =
      wanted === 'auto' || wanted === 0
        ? []
        : [`\`gpuLayers\` ${wanted} was asked for and no GPU can be used: all layers are on the CPU`];
    return placed([], 0, weights, warnings);
  }
  if (wanted !== 'auto') {
    const placement = placed(gpus, Math.min(wanted, layers), weights, []);
    return { ...placement, warnings: tooMuch(placement, weights) };
  }
  for (let count = layers; count > 0; count--) {
    const placement = placed(gpus, count, weights, []);
    if (fitsOn(placement, weights, model)) return placement;
  }
  return placed([], 0, weights, []);
}

/** Whether GPUs compute every layer: then the CPU's kernels and cores matter to nobody. */
export function gpuAlone(info: { readonly gpuLayers: number; readonly layers?: number | null | undefined }): boolean {
  return info.gpuLayers > 0 && info.gpuLayers > (info.layers ?? 0);
}

function placed(
  devices: readonly Device[],
  count: number,
  weights: WeightBytes,
  warnings: readonly string[],
): Placement {
  const layers = weights.layers.length;
  return {
    devices,
    gpuLayers: count,
    layers,
    hostBytes: weights.input + sum(weights.layers.slice(0, layers - count)),
    layersOf: dealLayers(layers, count, devices),
    warnings,
  };
}

function fitsOn({ devices, layersOf }: Placement, weights: WeightBytes, model: ModelShape): boolean {
  const contextSize = Math.min(model.contextLength ?? 2048, 8192);
  const cache = cacheBytesPerLayer(model, cellsOf(contextSize), planned.kvType);
  const compute = computeBytes(model, { ...planned, contextSize });
  return devices.every((device, i) => {
    const own = layersOf[i]!;
    if (own.length === 0) return true;
    const blocks = own.filter(layer => layer < weights.layers.length - 1).length;
    return bytesOf(own, weights) + blocks * cache + compute <= device.memoryFree * usable;
  });
}

function tooMuch({ devices, layersOf }: Placement, weights: WeightBytes): string[] {
  return devices.flatMap((device, i) => {
    const bytes = bytesOf(layersOf[i]!, weights);
    if (device.memoryTotal === 0 || bytes <= device.memoryFree) return [];
    return [
      `${layersOf[i]!.length} layers take ${inBytes(bytes)} on ${device.name}, which has ${inBytes(device.memoryFree)} free: ` +
        'lower `gpuLayers`, or leave it at "auto"',
    ];
  });
}

function bytesOf(layers: readonly number[], weights: WeightBytes): number {
  return sum(layers.map(layer => weights.layers[layer]!));
}
