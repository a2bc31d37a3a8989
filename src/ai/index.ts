/** @module meditron/ai */

export { type MeditronModel, type MeditronOptions, meditron } from './model.js';
export type {
  CallOptions,
  CallResult,
  CallUsage,
  CallWarning,
  FinishReason,
  JsonObject,
  JsonValue,
  PromptMessage,
  PromptPart,
  StreamPart,
} from './types.js';
