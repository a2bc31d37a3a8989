import { type TensorType, type TensorTypeName, tensorType } from '../gguf/types.js';
import type { Plan, Shape } from './shapes.js';

/** Quantizations a model can be written in; each mixes tensor types as llama.cpp's quantizer does. */
export const quants = ['f32', 'f16', 'q8_0', 'q4_0', 'q4_k', 'q4_k_m', 'q6_k'] as const;

export type Quant = (typeof quants)[number];

/** `general.file_type` of each (`enum llama_ftype`, include/llama.h). `q4_k` is what file names call Q4_K_S. */
export const fileTypeOf: Readonly<Record<Quant, number>> = {
  f32: 0,
  f16: 1,
  q4_0: 2,
  q8_0: 7,
  q4_k: 14,
  q4_k_m: 15,
  q6_k: 18,
};

const mainType: Readonly<Record<Quant, TensorTypeName>> = {
  f32: 'f32',
  f16: 'f16',
  q8_0: 'q8_0',
  q4_0: 'q4_0',
  q4_k: 'q4_K',
  q4_k_m: 'q4_K',
  q6_k: 'q6_K',
};

/**
 * The type llama.cpp v0.4.0 gives a tensor of a Llama model (src/llama-quant.cpp, llama_tensor_get_type_impl and
 * tensor_type_fallback; no importance matrix).
 */
export function typeFor(plan: Plan, shape: Shape, quant: Quant): TensorType {
  if (plan.role === 'norm') return tensorType('f32');
  if (quant === 'f32' || quant === 'f16') return tensorType(quant);
  return tensorType(fitting(mixed(plan, shape, quant), plan.dimensions[0]!));
}

function mixed(plan: Plan, shape: Shape, quant: Quant): TensorTypeName {
  const main = mainType[quant];
  const moreBits = useMoreBits(plan.layer, shape.layers);
  if (plan.role === 'output') {
    if (plan.dimensions[0]! % tensorType(main).blockSize !== 0) return 'q8_0';
    return main === 'q8_0' ? main : 'q6_K';
  }
  if (plan.role === 'value') {
    if (quant === 'q4_k_m' && moreBits) return 'q6_K';
    if (quant === 'q4_k' && plan.layer < 4) return 'q5_K';
    // Eight heads of the 70B share one small value matrix, so more bits cost little there.
    return main === 'q4_K' && is70B(shape) ? 'q5_K' : main;
  }
  if (plan.role === 'down') {
    if (quant === 'q4_k_m' && moreBits) return 'q6_K';
    if (quant === 'q4_k' && plan.layer < Math.floor(shape.layers / 8)) return 'q5_K';
  }
  return main;
}

/** The first and last eighth of the layers and every third between. */
function useMoreBits(layer: number, layers: number): boolean {
  const eighth = Math.floor(layers / 8);
  return layer < eighth || layer >= Math.floor((7 * layers) / 8) || (layer - eighth) % 3 === 2;
}

function is70B(shape: Shape): boolean {
  return shape.layers === 80 && shape.heads !== shape.kvHeads;
}

/** Rows that a 256-wide type does not fit get a 32-wide one; rows that fit neither are written as f16. */
function fitting(type: TensorTypeName, columns: number): TensorTypeName {
  if (columns % tensorType(type).blockSize === 0) return type;
  const smaller = ({ q4_K: 'q5_0', q5_K: 'q5_1', q6_K: 'q8_0' } as const)[type as 'q4_K'] ?? type;
  return columns % tensorType(smaller).blockSize === 0 ? smaller : 'f16';
}
