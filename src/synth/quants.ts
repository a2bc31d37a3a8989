import type { Quant } from '../models/mixture.js';

/** Quantizations that models are written in here: those whose tensor types are packed. */
export const quants = [
  'f32',
  'f16',
  'q8_0',
  'q4_0',
  'q4_k',
  'q4_k_m',
  'q5_k_m',
  'q6_k',
] as const satisfies readonly Quant[];

export type Writable = (typeof quants)[number];
