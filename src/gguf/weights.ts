import type { Architecture } from './architecture.js';
import type { Checklist } from './checklist.js';
import type { Hyper } from './hyper.js';
import type { TensorInfo } from './tensors.js';
import { forMatrices, type TensorTypeName } from './types.js';

const forVectors: ReadonlySet<TensorTypeName> = new Set(['f32', 'f16', 'bf16']);

/** Checks that the tensors an architecture needs are there, in the shapes the hyper-parameters say. */
export function checkWeights(
  list: Checklist,
  tensors: readonly TensorInfo[],
  hyper: Hyper,
  architecture: Architecture,
  vocabularySize: number,
): void {
  const byName = new Map(tensors.map(tensor => [tensor.name, tensor]));
  for (const [name, dimensions] of required(hyper, architecture, vocabularySize, byName)) {
    const found = byName.get(name);
    const shape = dimensions.join(' × ');
    if (found === undefined) list.damaged(`a tensor ${name} (${shape})`, 'none');
    else if (found.dimensions.join(' × ') !== shape)
      list.damaged(`tensor ${name} to be ${shape}`, found.dimensions.join(' × '));
    // One wrong count makes every tensor wrong: the first few say enough.
    if (list.problems.length >= 5) return;
  }
  for (const tensor of tensors) {
    const vector = tensor.dimensions.length === 1;
    if (vector ? forVectors.has(tensor.type.name) : forMatrices.has(tensor.type.name)) continue;
    list.damaged(`tensor ${tensor.name} to hold ${vector ? 'f32' : 'weights'}`, tensor.type.name);
    return;
  }
}

type Required = readonly [name: string, dimensions: readonly number[]];

function* required(
  hyper: Hyper,
  architecture: Architecture,
  vocabularySize: number,
  present: ReadonlyMap<string, TensorInfo>,
): Generator<Required> {
  const { embedding, layers } = hyper;
  yield ['token_embd.weight', [embedding, vocabularySize]];
  yield ['output_norm.weight', [embedding]];
  if (architecture.ownOutput || present.has('output.weight')) yield ['output.weight', [embedding, vocabularySize]];
  for (let i = 0; i < layers; i++) {
    const prefix = `blk.${i}.`;
    for (const [name, dimensions] of requiredOfLayer(hyper, architecture, present.has(`${prefix}attn_qkv.weight`))) {
      yield [`${prefix}${name}.weight`, dimensions];
    }
  }
}

function* requiredOfLayer(hyper: Hyper, architecture: Architecture, fused: boolean): Generator<Required> {
  const { embedding, feedForward, heads, kvHeads, keySize, valueSize } = hyper;
  const [q, k, v] = [heads * keySize, kvHeads * keySize, kvHeads * valueSize];
  if (fused) {
    yield ['attn_qkv', [embedding, q + k + v]];
  } else {
    yield ['attn_q', [embedding, q]];
    yield ['attn_k', [embedding, k]];
    yield ['attn_v', [embedding, v]];
  }
  yield ['attn_output', [q, embedding]];
  if (architecture.feedForward === 'gated') yield ['ffn_gate', [embedding, feedForward]];
  yield ['ffn_up', [embedding, architecture.feedForward === 'fused' ? 2 * feedForward : feedForward]];
  yield ['ffn_down', [feedForward, embedding]];
  if (architecture.preNorms) {
    yield ['attn_norm', [embedding]];
    yield ['ffn_norm', [embedding]];
  }
  if (architecture.postNorms) {
    yield ['post_attention_norm', [embedding]];
    yield ['post_ffw_norm', [embedding]];
  }
  if (architecture.headNorms !== 'none') {
    const head = architecture.headNorms === 'head';
    yield ['attn_q_norm', [head ? keySize : embedding]];
    yield ['attn_k_norm', [head ? keySize : k]];
  }
}
