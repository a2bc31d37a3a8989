/**
 * The architectures of the MEDITRON line and what each needs in a file, after llama.cpp v0.4.0 (src/models/*.cpp). Only
 * `llama` is tested with real weights; in other architectures load-time faults of llama.cpp keep being found, so what
 * is not listed is refused.
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
  /** False if the token embedding may serve as output matrix. */
  readonly ownOutput: boolean;
  /** True if heads may be wider than embedding ÷ heads. */
  readonly freeHeadSize: boolean;
}

const llama: Architecture = {
  preNorms: true,
  postNorms: false,
  headNorms: 'none',
  feedForward: 'gated',
  ownOutput: false,
  freeHeadSize: true,
};

export const architectures: ReadonlyMap<string, Architecture> = new Map([
  ['llama', llama],
  ['qwen2', { ...llama, freeHeadSize: false }],
  ['qwen3', { ...llama, headNorms: 'head' }],
  ['gemma2', { ...llama, postNorms: true }],
  ['gemma3', { ...llama, postNorms: true, headNorms: 'head' }],
  ['phi3', { ...llama, feedForward: 'fused', freeHeadSize: false }],
  ['apertus', { ...llama, headNorms: 'head', feedForward: 'plain', ownOutput: true }],
  ['olmo2', { ...llama, preNorms: false, postNorms: true, headNorms: 'width', ownOutput: true, freeHeadSize: false }],
]);
