import { type Entry, entry } from '../gguf/metadata.js';
import { headSizeOf } from '../models/plan.js';
import type { Shape } from './shapes.js';

/** What convert_hf_to_gguf.py writes of a shape, by architecture (conversion/*.py of llama.cpp's tree). */
export function hyperEntries(shape: Shape, vocabularySize: number): [string, Entry][] {
  const { architecture } = shape;
  const numbers: Record<string, number> = {
    block_count: shape.layers,
    context_length: shape.context,
    embedding_length: shape.embedding,
    feed_forward_length: shape.feedForward,
    'attention.head_count': shape.heads,
    'attention.head_count_kv': shape.kvHeads,
    ...headEntries(shape),
    ...(shape.slidingWindow === undefined ? {} : { 'attention.sliding_window': shape.slidingWindow }),
    ...(shape.windowPeriod === undefined ? {} : { 'attention.sliding_window_pattern': shape.windowPeriod }),
    ...(architecture === 'phi3'
      ? { 'rope.scaling.original_context_length': shape.context, 'attention.sliding_window': 0 }
      : {}),
    vocab_size: vocabularySize,
  };
  const reals: Record<string, number> = {
    'attention.layer_norm_rms_epsilon': shape.epsilon,
    // Gemma 2's conversion leaves it to llama.cpp's default.
    ...(architecture === 'gemma2' ? {} : { 'rope.freq_base': shape.ropeTheta }),
    ...(architecture === 'gemma2' ? { attn_logit_softcapping: 50, final_logit_softcapping: 30 } : {}),
  };
  return [
    ...Object.entries(numbers).map(([key, value]): [string, Entry] => [`${architecture}.${key}`, entry.u32(value)]),
    ...Object.entries(reals).map(([key, value]): [string, Entry] => [`${architecture}.${key}`, entry.f32(value)]),
    ...(architecture === 'apertus' ? xieluEntries(shape.layers) : []),
  ];
}

function headEntries(shape: Shape): Record<string, number> {
  const size = headSizeOf(shape);
  const gemma = shape.architecture.startsWith('gemma');
  return gemma ? { 'attention.key_length': size, 'attention.value_length': size } : { 'rope.dimension_count': size };
}

/** The activation's coefficients of each layer, as it begins training. */
function xieluEntries(layers: number): [string, Entry][] {
  const each = { alpha_n: 0.8, alpha_p: 0.8, beta: 0.5, eps: -1e-6 };
  return Object.entries(each).map(([key, value]) => [`xielu.${key}`, entry.f32s(new Float32Array(layers).fill(value))]);
}
