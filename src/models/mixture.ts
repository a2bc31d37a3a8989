import { type TensorType, type TensorTypeName, tensorType } from '../gguf/types.js';
import type { Plan } from './plan.js';
import type { Shape } from './shapes.js';

const table = [
  ['f32', 0, 'f32'],
  ['f16', 1, 'f16'],
  ['q8_0', 7, 'q8_0'],
  ['q6_k', 18, 'q6_K'],
  ['q5_k_m', 17, 'q5_K'],
  ['q4_k_m', 15, 'q4_K'],
  ['q4_k', 14, 'q4_K'],
  ['q4_0', 2, 'q4_0'],
  ['q3_k_m', 12, 'q3_K'],
  ['q2_k', 10, 'q2_K'],
] as const satisfies readonly (readonly [string, number, TensorTypeName])[];

/** Quantizations; each mixes tensor types as llama.cpp's quantizer does. `q4_k` is what file names call Q4_K_S. */
export type Quant = (typeof table)[number][0];

/** `general.file_type` of each (`enum llama_ftype`, include/llama.h). */
export const fileTypeOf = Object.fromEntries(table.map(([name, id]) => [name, id])) as Readonly<Record<Quant, number>>;

const mainType = Object.fromEntries(table.map(([name, , type]) => [name, type])) as Readonly<
  Record<Quant, TensorTypeName>
>;

/**
 * The type llama.cpp v0.4.0 gives a tensor of a model without experts (src/llama-quant.cpp, llama_tensor_get_type_impl and
 * tensor_type_fallback; no importance matrix).
 */
export function typeFor(plan: Plan, shape: Shape, quant: Quant): TensorType {
  if (plan.role === 'norm' || plan.role === 'bias') return tensorType('f32');
  if (quant === 'f32' || quant === 'f16') return tensorType(quant);
  return tensorType(fitting(mixed(plan, shape, quant), plan.dimensions[0]!));
}

function mixed(plan: Plan, shape: Shape, quant: Quant): TensorTypeName {
  const main = mainType[quant];
  if (plan.role === 'output') {
    if (plan.dimensions[0]! % tensorType(main).blockSize !== 0) return 'q8_0';
    return main === 'q8_0' ? main : 'q6_K';
  }
  if (plan.role === 'value') return valueType(plan.layer, shape, quant);
  if (plan.role === 'down') return downType(plan.layer, shape, quant);
  if (plan.role !== 'attentionOutput') return main;
  return quant === 'q2_k' ? 'q3_K' : quant === 'q3_k_m' ? 'q4_K' : main;
}

function valueType(layer: number, shape: Shape, quant: Quant): TensorTypeName {
  const type = ((): TensorTypeName => {
    if (quant === 'q2_k') return shape.heads / shape.kvHeads >= 4 ? 'q4_K' : 'q3_K';
    if (quant === 'q3_k_m') return layer < 2 ? 'q5_K' : 'q4_K';
    if (hasMoreBits(quant) && useMoreBits(layer, shape.layers)) return 'q6_K';
    return quant === 'q4_k' && layer < 4 ? 'q5_K' : mainType[quant];
  })();
  // Eight heads of the 70B share one small value matrix, so more bits cost little there.
  return is70B(shape) && (type === 'q3_K' || type === 'q4_K') ? 'q5_K' : type;
}

function downType(layer: number, { layers }: Shape, quant: Quant): TensorTypeName {
  if (quant === 'q2_k') return 'q3_K';
  if (quant === 'q3_k_m') return layer < Math.floor(layers / 16) ? 'q5_K' : 'q4_K';
  if (hasMoreBits(quant) && useMoreBits(layer, layers)) return 'q6_K';
  return quant === 'q4_k' && layer < Math.floor(layers / 8) ? 'q5_K' : mainType[quant];
}

function hasMoreBits(quant: Quant): boolean {
  return quant === 'q4_k_m' || quant === 'q5_k_m';
}

/** The first and last eighth of the layers and every third between. */
function useMoreBits(layer: number, layers: number): boolean {
  const eighth = Math.floor(layers / 8);
  return layer < eighth || layer >= Math.floor((7 * layers) / 8) || (layer - eighth) % 3 === 2;
}

function is70B({ layers, heads, kvHeads, architecture }: Shape): boolean {
  return architecture === 'llama' && layers === 80 && heads !== kvHeads;
}

/** Rows that a 256-wide type does not fit get a 32-wide one; rows that fit neither are written as f16. */
function fitting(type: TensorTypeName, columns: number): TensorTypeName {
  if (columns % tensorType(type).blockSize === 0) return type;
  const smaller =
    ({ q2_K: 'q4_0', q3_K: 'q4_0', q4_K: 'q5_0', q5_K: 'q5_1', q6_K: 'q8_0' } as const)[type as 'q4_K'] ?? type;
  return columns % tensorType(smaller).blockSize === 0 ? smaller : 'f16';
}
