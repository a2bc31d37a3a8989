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

/** What an answer is to be. */
export interface ResponseFormat {
  /** Text, or JSON. */
  readonly type: 'text' | 'json';
  /** The JSON schema that it follows. */
  readonly schema?: unknown;
  /** Not read. */
  readonly name?: string;
  /** Not read. */
  readonly description?: string;
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
  readonly responseFormat?: ResponseFormat | undefined;
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
  inputTokens: InputTokens;
  /** Sampled, of all samples. */
  outputTokens: OutputTokens;
}

/** Tokens of a prompt. */
export interface InputTokens {
  /** All of them. */
  total: number | undefined;
  /** Evaluated. */
  noCache: number | undefined;
  /** None. */
  cacheRead: number | undefined;
  /** None. */
  cacheWrite: number | undefined;
}

/** Tokens that were sampled. */
export interface OutputTokens {
  /** All of them. */
  total: number | undefined;
  /** All of them. */
  text: number | undefined;
  /** None that are told apart. */
  reasoning: number | undefined;
}

/** How an answer ended. */
export interface FinishReason {
  /** In the AI SDK's words. */
  unified: 'stop' | 'length' | 'other';
  /** In ours: `end`, `stop`, `length`, or the decision of a vote. */
  raw: string | undefined;
}

/** The text of an answer. */
export interface TextContent {
  /** It is text. */
  type: 'text';
  /** All of it. */
  text: string;
}

/** Which answer it is. */
export interface ResponseMetadata {
  /** Another for each call. */
  id: string;
  /** When it began. */
  timestamp: Date;
  /** The file's name without `.gguf`. */
  modelId: string;
}

/** What a call comes to. */
export interface CallResult {
  /** One text. */
  content: TextContent[];
  /** How it ended. */
  finishReason: FinishReason;
  /** What it cost. */
  usage: CallUsage;
  /** The vote, under `meditron`, where samples were counted. */
  providerMetadata?: Record<string, JsonObject>;
  /** When, and of which model. */
  response: ResponseMetadata;
  /** What was asked for and is not met. */
  warnings: CallWarning[];
}

/** A streamed answer begins. */
export interface StreamStart {
  /** It begins. */
  type: 'stream-start';
  /** What was asked for and is not met. */
  warnings: CallWarning[];
}

/** Which answer it is. */
export interface StreamResponse extends ResponseMetadata {
  /** Which answer it is. */
  type: 'response-metadata';
}

/** The text begins, or ends. */
export interface StreamEdge {
  /** It begins, or ends. */
  type: 'text-start' | 'text-end';
  /** Which text; there is one. */
  id: string;
}

/** The text goes on. */
export interface StreamDelta {
  /** It goes on. */
  type: 'text-delta';
  /** Which text; there is one. */
  id: string;
  /** What is added. */
  delta: string;
}

/** The answer has ended. */
export interface StreamFinish {
  /** It has ended. */
  type: 'finish';
  /** What it cost. */
  usage: CallUsage;
  /** How it ended. */
  finishReason: FinishReason;
  /** The vote, under `meditron`, where samples were counted. */
  providerMetadata?: Record<string, JsonObject>;
}

/** The answer has failed. */
export interface StreamError {
  /** It has failed. */
  type: 'error';
  /** With what. */
  error: unknown;
}

/** A part of a streamed answer. */
export type StreamPart = StreamStart | StreamResponse | StreamEdge | StreamDelta | StreamFinish | StreamError;

/** An answer as it is written. */
export interface StreamResult {
  /** Its parts. */
  stream: ReadableStream<StreamPart>;
}
