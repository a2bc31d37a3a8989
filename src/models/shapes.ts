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
}

/** A shape of published weights, with the number of tokens in their vocabulary, and where it was read. */
export interface PublishedShape extends Shape {
  readonly vocabularySize: number;
  readonly source: string;
}

const llama2 = {
  ropeTheta: 10_000,
  epsilon: 1e-5,
  vocabularySize: 32_017,
  source: 'arXiv 2311.16079, section 4.1; config.json of Llama 2 and of malhajar/meditron-7b-chat and -70b-chat',
} as const;
const llama3 = {
  ropeTheta: 500_000,
  epsilon: 1e-5,
  vocabularySize: 128_256,
  context: 8192,
  source: 'config.json of Llama 3.1; EPFLiGHT/meditron-apertus, axolotl_config/meditron-3-8b.yaml',
} as const;

/** MEDITRON is Llama 2 with 17 added tokens, trained on 2,048 tokens (7B) and 4,096 (70B). Meditron3 is Llama 3.1 trained on 8,192. */
export const publishedShapes = {
  'meditron-7b': {
    ...llama2,
    title: 'Meditron 7B',
    layers: 32,
    embedding: 4096,
    feedForward: 11_008,
    heads: 32,
    kvHeads: 32,
    context: 2048,
  },
  'meditron-70b': {
    ...llama2,
    title: 'Meditron 70B',
    layers: 80,
    embedding: 8192,
    feedForward: 28_672,
    heads: 64,
    kvHeads: 8,
    context: 4096,
  },
  'llama-3-8b': {
    ...llama3,
    title: 'Llama 3 8B',
    layers: 32,
    embedding: 4096,
    feedForward: 14_336,
    heads: 32,
    kvHeads: 8,
  },
  'llama-3-70b': {
    ...llama3,
    title: 'Llama 3 70B',
    layers: 80,
    embedding: 8192,
    feedForward: 28_672,
    heads: 64,
    kvHeads: 8,
  },
} as const satisfies Record<string, PublishedShape>;

/** One tensor of a Llama model. */
export interface Plan {
  readonly name: string;
  readonly dimensions: readonly number[];
  readonly role: 'embedding' | 'output' | 'norm' | 'attention' | 'value' | 'attentionOutput' | 'feedForward' | 'down';
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
    add('attn_output', 'attentionOutput', embedding, embedding);
    add('ffn_norm', 'norm', embedding);
    add('ffn_gate', 'feedForward', embedding, feedForward);
    add('ffn_up', 'feedForward', embedding, feedForward);
    add('ffn_down', 'down', feedForward, embedding);
  }
  plans.push({ name: 'output_norm.weight', dimensions: [embedding], role: 'norm', layer: 0 });
  plans.push({ name: 'output.weight', dimensions: [embedding, vocabularySize], role: 'output', layer: 0 });
  return plans;
}
