import { randomBytes } from 'node:crypto';
import { jsonHash } from '../../check/seal.js';
import type { Engine } from '../../engine/engine.js';
import type { Finish } from '../../types.js';

/** What every part of an answer has. */
export interface Head {
  readonly id: string;
  readonly object: string;
  readonly created: number;
  readonly model: string;
  readonly system_fingerprint: string;
}

export function headOf(prefix: string, object: string, model: string, engine: Engine): Head {
  return {
    id: `${prefix}-${randomBytes(16).toString('hex')}`,
    object,
    created: Math.floor(Date.now() / 1000),
    model,
    system_fingerprint: fingerprintOf(engine),
  };
}

/** Another one where the same request with the same seed may give another text. */
function fingerprintOf({ model, settings }: Engine): string {
  const { name, sizeBytes, parameters, quantization, runtime, loadMode, layersOf } = model.info;
  const { batchSize, threads, kvType, flashAttention, kernels, loras } = settings;
  const computed = { name, sizeBytes, parameters, quantization, runtime, loadMode, layersOf };
  return `fp_${jsonHash({ ...computed, batchSize, threads, kvType, flashAttention, kernels, loras }).slice(0, 10)}`;
}

export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly prompt_tokens_details: { readonly cached_tokens: number; readonly audio_tokens: number };
  readonly completion_tokens_details: {
    readonly reasoning_tokens: number;
    readonly audio_tokens: number;
    readonly accepted_prediction_tokens: number;
    readonly rejected_prediction_tokens: number;
  };
}

export function usageOf(promptTokens: number, completionTokens: number): Usage {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: 0,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}

export function reasonOf(finish: Finish): 'stop' | 'length' {
  return finish === 'length' ? 'length' : 'stop';
}
