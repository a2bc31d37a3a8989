/*
 * What of the AI SDK's interface for language models (`LanguageModelV4` of @ai-sdk/provider 4) is met here, written out, so that neither
 * that package nor another is needed. The tests of test/clients see that the two fit.
 */

/** Metadata as JSON has it. */
export type JsonValue = null | string | number | boolean | JsonObject | JsonValue[];
/** An object as JSON has it. */
export interface JsonObject {
  [key: string]: JsonValue | undefined;
}

/** What was asked for and is not met. */
export type CallWarning =
  | {
      /** A setting that has no effect here. */
      readonly type: 'unsupported';
      /** Its name. */
      readonly feature: string;
      /** What became of it. */
      readonly details?: string;
    }
  | {
      /** Anything else. */
      readonly type: 'other';
      /** One sentence. */
      readonly message: string;
    };

/** A part of a message: only text is read. */
export interface PromptPart {
  /** `text`, or what is refused or left out. */
  readonly type: string;
  /** Of a part of type `text`. */
  readonly text?: string;
}

/** One message of a prompt. */
export interface PromptMessage {
  /** Who speaks. */
  readonly role: 'system' | 'user' | 'assistant' | 'tool';
  /** A system message's text, or the parts of any other. */
  readonly content: string | readonly PromptPart[];
}

/** What a call asks for. */
export interface CallOptions {
  /** The conversation. */
  readonly prompt: readonly PromptMessage[];
  /** Most tokens of the answer. */
  readonly maxOutputTokens?: number | undefined;
  /** 0 is greedy, the default. */
  readonly temperature?: number | undefined;
  /** Texts at which the answer ends. */
  readonly stopSequences?: readonly string[] | undefined;
  /** Keeps the smallest set of tokens with this probability. */
  readonly topP?: number | undefined;
  /** Keeps so many most probable tokens. */
  readonly topK?: number | undefined;
  /** Subtracted once from what has been generated. */
  readonly presencePenalty?: number | undefined;
  /** Subtracted for each time something has been generated. */
  readonly frequencyPenalty?: number | undefined;
  /** Text, or JSON, of a schema if there is one. */
  readonly responseFormat?:
    | { readonly type: 'text' }
    | { readonly type: 'json'; readonly schema?: unknown; readonly name?: string; readonly description?: string }
    | undefined;
  /** The same seed, the same answer. */
  readonly seed?: number | undefined;
  /** Not supported: a warning. */
  readonly tools?: readonly unknown[] | undefined;
  /** Not supported: a warning. */
  readonly toolChoice?: unknown;
  /** Not supported: a warning. */
  readonly reasoning?: string | undefined;
  /** Cancels. */
  readonly abortSignal?: AbortSignal | undefined;
  /** Options by provider; ours are under `meditron`. */
  readonly providerOptions?: Readonly<Record<string, Readonly<Record<string, unknown>>>> | undefined;
}

/** Tokens of a call. */
export interface CallUsage {
  /** Of the prompt. */
  inputTokens: {
    total: number | undefined;
    noCache: number | undefined;
    cacheRead: number | undefined;
    cacheWrite: number | undefined;
  };
  /** Sampled, of all samples. */
  outputTokens: { total: number | undefined; text: number | undefined; reasoning: number | undefined };
}

/** How an answer ended. */
export interface FinishReason {
  /** In the AI SDK's words. */
  unified: 'stop' | 'length' | 'other';
  /** In ours. */
  raw: string | undefined;
}

/** What a call comes to. */
export interface CallResult {
  /** One text. */
  content: { type: 'text'; text: string }[];
  /** How it ended. */
  finishReason: FinishReason;
  /** What it cost. */
  usage: CallUsage;
  /** The vote, under `meditron`, where samples were counted. */
  providerMetadata?: Record<string, JsonObject>;
  /** When, and of which model. */
  response: { id: string; timestamp: Date; modelId: string };
  /** What was asked for and is not met. */
  warnings: CallWarning[];
}

/** A part of a streamed answer. */
export type StreamPart =
  | { type: 'stream-start'; warnings: CallWarning[] }
  | { type: 'response-metadata'; id: string; timestamp: Date; modelId: string }
  | { type: 'text-start'; id: string }
  | { type: 'text-delta'; id: string; delta: string }
  | { type: 'text-end'; id: string }
  | {
      type: 'finish';
      usage: CallUsage;
      finishReason: FinishReason;
      providerMetadata?: Record<string, JsonObject>;
    }
  | { type: 'error'; error: unknown };
