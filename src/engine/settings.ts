/** What the engine was opened with, as llama.cpp made it. */
export interface EngineSettings {
  /** Cells of the KV cache, shared by all sequences. */
  readonly contextSize: number;
  /** Most tokens one sequence may have, prompt included. */
  readonly sequenceSize: number;
  /** Tokens evaluated in one step at most. */
  readonly batchSize: number;
  readonly maxSequences: number;
  readonly threads: number;
  readonly kvType: 'f32' | 'f16' | 'q8_0';
  readonly flashAttention: 'auto' | 'on' | 'off';
  readonly loras: readonly { readonly path: string; readonly scale: number }[];
  /** What was changed from what was asked for, in words. */
  readonly warnings: readonly string[];
}

/** What has been computed since the engine was opened. */
export interface EngineCounters {
  steps: number;
  /** Prompt tokens evaluated; a shared prompt counts once. */
  promptTokens: number;
  /** Tokens sampled, of all samples. */
  sampledTokens: number;
}
