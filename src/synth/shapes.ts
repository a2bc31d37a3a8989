import type { VocabularyName } from './vocabulary.js';

/** The numbers of a Llama model. */
export interface Shape {
  readonly title: string;
  readonly layers: number;
  readonly embedding: number;
  readonly feedForward: number;
  readonly heads: number;
  readonly kvHeads: number;
  /** Trained context in tokens. */
  readonly context: number;
  readonly ropeTheta: number;
  readonly epsilon: number;
  /** The vocabulary it has unless another one is asked for. */
  readonly vocabulary: VocabularyName;
}

const tiny: Shape = {
  title: 'tiny',
  layers: 2,
  embedding: 64,
  feedForward: 160,
  heads: 4,
  kvHeads: 4,
  context: 2048,
  ropeTheta: 10_000,
  epsilon: 1e-5,
  vocabulary: 'meditron',
};

/**
 * True shapes and tiny ones. MEDITRON: arXiv 2311.16079, section 4.1 (the 7B was trained on 2,048 tokens, the 70B on
 * 4,096), over the configurations of Llama-2; Llama-3-8B: its published configuration.
 */
export const shapes = {
  'meditron-7b': {
    ...tiny,
    title: 'Meditron 7B shape, random weights',
    layers: 32,
    embedding: 4096,
    feedForward: 11_008,
    heads: 32,
    kvHeads: 32,
  },
  'meditron-70b': {
    ...tiny,
    title: 'Meditron 70B shape, random weights',
    layers: 80,
    embedding: 8192,
    feedForward: 28_672,
    heads: 64,
    kvHeads: 8,
    context: 4096,
  },
  'llama-3-8b': {
    ...tiny,
    title: 'Llama 3 8B shape, random weights',
    layers: 32,
    embedding: 4096,
    feedForward: 14_336,
    heads: 32,
    kvHeads: 8,
    context: 8192,
    ropeTheta: 500_000,
    vocabulary: 'llama-3',
  },
  /** The smallest; its rows of 64 are too short for k-quants, which fall back to 32-wide blocks. */
  tiny: { ...tiny, title: 'Tiny shape, random weights' },
  /** Grouped-query attention and rows that k-quants fit. */
  'tiny-gqa': {
    ...tiny,
    title: 'Tiny grouped-query shape, random weights',
    layers: 4,
    embedding: 256,
    feedForward: 512,
    heads: 8,
    kvHeads: 2,
  },
  'tiny-llama-3': {
    ...tiny,
    title: 'Tiny Llama 3 shape, random weights',
    kvHeads: 2,
    context: 8192,
    ropeTheta: 500_000,
    vocabulary: 'llama-3',
  },
} as const satisfies Record<string, Shape>;

export type ShapeName = keyof typeof shapes;

export const shapeNames = Object.keys(shapes) as readonly ShapeName[];

/** One tensor of a Llama model. */
export interface Plan {
  readonly name: string;
  readonly dimensions: readonly number[];
  readonly role: 'embedding' | 'output' | 'norm' | 'attention' | 'value' | 'feedForward' | 'down';
  readonly layer: number;
}

/** The tensors of a shape with a vocabulary of the given size, in the order they are written. */
export function planTensors(shape: Shape, vocabularySize: number): readonly Plan[] {
  const { embedding, feedForward } = shape;
  const kv = (embedding / shape.heads) * shape.kvHeads;
  const plans: Plan[] = [
    { name: 'token_embd.weight', dimensions: [embedding, vocabularySize], role: 'embedding', layer: 0 },
  ];
  for (let layer = 0; layer < shape.layers; layer++) {
    const add = (name: string, role: Plan['role'], ...dimensions: number[]): void => {
      plans.push({ name: `blk.${layer}.${name}.weight`, dimensions, role, layer });
    };
    add('attn_norm', 'norm', embedding);
    add('attn_q', 'attention', embedding, embedding);
    add('attn_k', 'attention', embedding, kv);
    add('attn_v', 'value', embedding, kv);
    add('attn_output', 'attention', embedding, embedding);
    add('ffn_norm', 'norm', embedding);
    add('ffn_gate', 'feedForward', embedding, feedForward);
    add('ffn_up', 'feedForward', embedding, feedForward);
    add('ffn_down', 'down', feedForward, embedding);
  }
  plans.push({ name: 'output_norm.weight', dimensions: [embedding], role: 'norm', layer: 0 });
  plans.push({ name: 'output.weight', dimensions: [embedding, vocabularySize], role: 'output', layer: 0 });
  return plans;
}
