/**
 * The architectures of the MEDITRON line and what the graph of each knows, after llama.cpp v0.4.0 (src/models/*.cpp). What a graph
 * does not know it leaves out silently, or the process ends, so it is refused. Only `llama` is tested with real weights; in
 * other architectures load-time faults of llama.cpp keep being found, so what is not listed is refused.
 */
export interface Architecture {
  /** attn_norm and ffn_norm before attention and feed-forward. */
  readonly preNorms: boolean;
  /** post_attention_norm and post_ffw_norm after them. */
  readonly postNorms: boolean;
  /** Norms on queries and keys: none, one per head size, or one over the whole width. */
  readonly headNorms: 'none' | 'head' | 'width';
  /** A gated feed-forward has ffn_gate and ffn_up, `fused` both in ffn_up, `plain` only ffn_up. */
  readonly feedForward: 'gated' | 'fused' | 'plain';
  /** The output matrix: one of its own, the token embedding, or the embedding unless there is one. */
  readonly output: 'own' | 'embedding' | 'either';
  /** True if heads may be wider than embedding ÷ heads. */
  readonly freeHeadSize: boolean;
  /** True if a part of each head may be rotated; otherwise the graph asserts that all of it is. */
  readonly partialRope: boolean;
  /** Factors of the rotation: none, rope_freqs (or rope_factors_long and _short under longrope), or always the latter. */
  readonly ropeFactors: 'none' | 'freqs' | 'long-short';
  /** Queries, keys and values may be one tensor, attn_qkv, and have biases and scales. */
  readonly plainAttention: boolean;
  /** Queries, keys and values have biases in every model: without them it would be computed as another one. */
  readonly attentionBiases: boolean;
  /** Which other biases are added. */
  readonly biases: readonly ('attn_output' | 'ffn' | 'output')[];
  /** The feed-forward matrices may have scales. */
  readonly feedForwardScales: boolean;
  /** Some layers see a window of the last tokens only. */
  readonly slidingWindow: boolean;
}

const llama: Architecture = {
  preNorms: true,
  postNorms: false,
  headNorms: 'none',
  feedForward: 'gated',
  output: 'either',
  freeHeadSize: true,
  partialRope: false,
  ropeFactors: 'freqs',
  plainAttention: true,
  attentionBiases: false,
  biases: ['attn_output', 'ffn'],
  feedForwardScales: true,
  slidingWindow: false,
};

const qwen2: Architecture = {
  ...llama,
  attentionBiases: true,
  freeHeadSize: false,
  ropeFactors: 'none',
  biases: ['output'],
  feedForwardScales: false,
};

const gemma2: Architecture = {
  ...llama,
  postNorms: true,
  output: 'embedding',
  partialRope: true,
  ropeFactors: 'none',
  biases: [],
  feedForwardScales: false,
  slidingWindow: true,
};

export const architectures: ReadonlyMap<string, Architecture> = new Map([
  ['llama', llama],
  ['qwen2', qwen2],
  [
    'qwen3',
    { ...qwen2, headNorms: 'head', freeHeadSize: true, attentionBiases: false, biases: [], feedForwardScales: true },
  ],
  ['gemma2', gemma2],
  ['gemma3', { ...gemma2, headNorms: 'head', output: 'either' }],
  [
    'phi3',
    {
      ...qwen2,
      feedForward: 'fused',
      attentionBiases: false,
      partialRope: true,
      ropeFactors: 'long-short',
      biases: [],
    },
  ],
  [
    'apertus',
    {
      ...llama,
      headNorms: 'head',
      feedForward: 'plain',
      output: 'own',
      biases: ['attn_output'],
      feedForwardScales: false,
    },
  ],
  [
    'olmo2',
    {
      ...qwen2,
      attentionBiases: false,
      preNorms: false,
      postNorms: true,
      headNorms: 'width',
      output: 'own',
      plainAttention: false,
      biases: [],
      slidingWindow: true,
    },
  ],
]);
