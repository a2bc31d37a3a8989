import type { Architecture } from './architecture.js';
import type { Hyper } from './hyper.js';
import type { TensorInfo } from './tensors.js';

/** What one tensor has to be, if it is there. */
export interface TensorRule {
  /** Without trailing ones. */
  readonly shape: readonly number[];
  /** A matrix is multiplied with or looked up in, in any type ggml has kernels for; a vector is added, multiplied by or divided by, as f32. */
  readonly role: 'matrix' | 'vector';
  readonly required: boolean;
}

/** Tensors of a file, or as much of a map of them as decides what else there may be. */
export type Present = Pick<ReadonlyMap<string, Pick<TensorInfo, 'type'>>, 'has' | 'get'>;

/**
 * Every tensor that llama.cpp creates for a model of this shape, by name. It refuses a file with any other. Which ones there
 * are depends in places on which others are `present`.
 */
export function layoutOf(
  hyper: Hyper,
  architecture: Architecture,
  vocabularySize: number,
  present: Present,
): ReadonlyMap<string, TensorRule> {
  const rules = new Map<string, TensorRule>();
  const add = (name: string, role: TensorRule['role'], required: boolean, ...shape: number[]): void => {
    rules.set(name, { shape: withoutOnes(shape), role, required });
  };
  const { embedding } = hyper;
  add('token_embd.weight', 'matrix', true, embedding, vocabularySize);
  add('output_norm.weight', 'vector', true, embedding);
  if (architecture.output !== 'embedding') {
    add('output.weight', 'matrix', architecture.output === 'own', embedding, vocabularySize);
    if (architecture.biases.includes('output')) add('output.bias', 'vector', false, vocabularySize);
    if (present.get('output.weight')?.type.name === 'nvfp4') {
      add('output.scale', 'vector', false, 1);
      add('output.input_scale', 'vector', false, 1);
    }
  }
  // Of long and short factors one is taken by the size of the context; where that one is missing, llama.cpp rotates without any.
  const factors = ropeTensors(hyper, architecture);
  const paired = factors.length > 1 && factors.some(name => present.has(name));
  for (const name of factors) add(name, 'vector', paired, hyper.rotated / 2);
  for (let i = 0; i < hyper.layers; i++) {
    const fused = architecture.plainAttention && present.has(`blk.${i}.attn_qkv.weight`);
    addLayer((name, ...rule) => add(`blk.${i}.${name}`, ...rule), hyper, architecture, fused);
  }
  return rules;
}

/** The dimensions that count: GGUF may write a vector as a matrix of one row. */
export function withoutOnes(shape: readonly number[]): readonly number[] {
  return shape.slice(0, shape.findLastIndex(n => n !== 1) + 1);
}

function ropeTensors(hyper: Hyper, architecture: Architecture): readonly string[] {
  if (architecture.ropeFactors === 'none') return [];
  if (architecture.ropeFactors === 'freqs' && hyper.ropeScaling !== 'longrope') return ['rope_freqs.weight'];
  return ['rope_factors_long.weight', 'rope_factors_short.weight'];
}

type Add = (name: string, role: TensorRule['role'], required: boolean, ...shape: number[]) => void;

function addLayer(add: Add, hyper: Hyper, architecture: Architecture, fused: boolean): void {
  const { embedding, feedForward, heads, kvHeads, keySize, valueSize } = hyper;
  const { plainAttention, attentionBiases, feedForwardScales, biases } = architecture;
  const [q, k, v] = [heads * keySize, kvHeads * keySize, kvHeads * valueSize];
  const matrix = (name: string, inputs: number, outputs: number, scaled: boolean): void => {
    add(`${name}.weight`, 'matrix', true, inputs, outputs);
    if (scaled) add(`${name}.scale`, 'vector', false, 1);
    if (scaled) add(`${name}.input_scale`, 'vector', false, 1);
  };
  const vector = (name: string, required: boolean, size: number): void => add(name, 'vector', required, size);

  for (const [name, size] of fused
    ? ([['attn_qkv', q + k + v]] as const)
    : ([
        ['attn_q', q],
        ['attn_k', k],
        ['attn_v', v],
      ] as const)) {
    matrix(name, embedding, size, plainAttention);
    if (plainAttention) vector(`${name}.bias`, attentionBiases, size);
  }
  matrix('attn_output', q, embedding, true);
  if (biases.includes('attn_output')) vector('attn_output.bias', false, embedding);

  const up = architecture.feedForward === 'fused' ? 2 * feedForward : feedForward;
  const gated = architecture.feedForward === 'gated';
  if (gated) matrix('ffn_gate', embedding, feedForward, feedForwardScales);
  matrix('ffn_up', embedding, up, feedForwardScales);
  matrix('ffn_down', feedForward, embedding, feedForwardScales);
  if (biases.includes('ffn')) {
    if (gated) vector('ffn_gate.bias', false, feedForward);
    vector('ffn_up.bias', false, up);
    vector('ffn_down.bias', false, embedding);
  }
  if (architecture.preNorms) {
    vector('attn_norm.weight', true, embedding);
    vector('ffn_norm.weight', true, embedding);
  }
  if (architecture.postNorms) {
    vector('post_attention_norm.weight', true, embedding);
    vector('post_ffw_norm.weight', true, embedding);
  }
  if (architecture.headNorms !== 'none') {
    const head = architecture.headNorms === 'head';
    vector('attn_q_norm.weight', true, head ? keySize : q);
    vector('attn_k_norm.weight', true, head ? keySize : k);
  }
}
