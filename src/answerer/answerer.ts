import type { BosRule } from '../engine/jobs/options.js';
import type { EngineSettings } from '../engine/settings.js';
import type { FileHash } from '../models/identity.js';
import type { AddonBuild } from '../native/addon.js';
import type { Prompt } from '../prompt/prompt.js';
import type { Finish } from '../types.js';

/**
 * Whoever answers: an engine on this machine, a server elsewhere, ten lines in a test. Asking needs two verbs of it,
 * `complete` and `choose`; tokens, sequences and memory are its own affair.
 */
export interface Answerer {
  /** What it is; prompt formats are chosen by it. */
  readonly model: AnswererModel;
  /** Work done since it was opened, for whoever asked. */
  readonly counters: { readonly steps: number; readonly promptTokens: number; readonly sampledTokens: number };
  /** What evidence keeps of it. */
  describe(): Description;
  /** SHA-256 of the model's files. Absent where nobody can tell. */
  hash?(signal?: AbortSignal): Promise<FileHash[]>;
  /**
   * Says how a request fits. Nothing runs yet.
   *
   * @throws MeditronError `ERR_CONTEXT_FULL` with the numbers if it never can; the signal's reason
   */
  fit(request: Request, signal?: AbortSignal): Promise<Fit>;
}

/** What of a model formats are chosen by. */
export interface AnswererModel {
  readonly info: {
    readonly path: string;
    readonly name: string | null;
    readonly architecture: string | null;
    readonly chatTemplate: string | null;
    readonly specialTokens: Readonly<Record<string, { readonly text: string | null } | undefined>>;
    /** Ids of the tokens that end a text. */
    readonly ends: ArrayLike<number>;
    readonly files: readonly { readonly path: string; readonly sizeBytes: number }[];
  };
  /** The id of a special token; undefined if the vocabulary spells it as plain text. */
  special(text: string): Promise<number | undefined>;
}

/** Everything that one question will ask for, known before anything runs. */
export interface Request {
  readonly prompts: readonly RequestedPrompt[];
  readonly bos: BosRule;
  readonly samples: readonly RequestedSample[];
  readonly sampling: {
    readonly temperature: number;
    readonly topP: number;
    readonly topK: number;
    readonly frequencyPenalty: number;
  };
  /** Most new tokens of a sample. */
  readonly maxTokens: number;
  /** If less fits than `maxTokens`, but this many, samples get what fits and a warning says so. */
  readonly leastTokens: number;
  /** Most samples at once. Undefined: what suits the answerer. */
  readonly width: number | undefined;
  /** What ends a sample beside its stop strings: all tokens that end a text, or the one the vocabulary names, `</s>`. */
  readonly ends: 'all' | 'eos';
  /** Whether samples may be followed by `choose`. */
  readonly reask: boolean;
}

/** A prompt and what may follow it. */
export interface RequestedPrompt extends Pick<Prompt, 'segments' | 'continuations' | 'reask' | 'grammar'> {
  /** Texts that end a sample. */
  readonly stops: readonly string[];
}

/** One sample that is asked for. */
export interface RequestedSample {
  /** Index of its prompt. */
  readonly prompt: number;
  readonly seed: number;
}

/** How a request fits. */
export interface Fit {
  /** Samples at once, wave after wave: never dependent on what else runs. */
  readonly waves: readonly number[];
  readonly maxTokens: number;
  /** Of the longest prompt; null where only the other side can count. */
  readonly promptTokens: number | null;
  /** Token ids of each prompt; null where they are not known here. */
  readonly tokens: readonly (readonly number[] | null)[];
  /** What was asked for and is not as it was asked, in words. */
  readonly warnings: readonly string[];
  /** Takes all the room that the request needs at once, and waits for it in line. */
  begin(signal: AbortSignal): Promise<Session>;
}

/** A request while it runs. Disposing of it gives back everything that it has taken. */
export interface Session extends Disposable {
  /** Tokens of the longest prompt, as far as they have been counted. */
  readonly promptTokens: number | null;
  /**
   * Draws samples, by index, all at once. When the signal is aborted, what has happened by then is still yielded, then the
   * rest is cancelled.
   */
  complete(samples: readonly number[], options: CompleteOptions): AsyncGenerator<CompletionEvent, void, void>;
  /**
   * The exact log-probability of each continuation, after a prompt or, by the prompt's `reask`, after the text of a sample
   * that has ended. Undefined if a sample cannot be continued.
   */
  choose(after: After, signal: AbortSignal): Promise<readonly Choice[] | undefined>;
  /** No `choose` will follow this sample. */
  release(sample: number): void;
}

export interface CompleteOptions {
  readonly signal: AbortSignal;
  /** Less than the request's. */
  readonly maxTokens?: number;
}

export type After = { readonly prompt: number } | { readonly sample: number };

/** What a session yields while samples are completed: progress in the prompt, pieces of text, finished samples. */
export type CompletionEvent =
  /** Prompts are being evaluated: tokens done, of all. */
  | { readonly type: 'prompt'; readonly done: number; readonly total: number }
  | { readonly type: 'text'; readonly sample: number; readonly text: string }
  | ({ readonly type: 'end' } & Completion);

/** A sample that has ended. */
export interface Completion {
  readonly sample: number;
  readonly finish: Finish;
  readonly text: string;
  /** Every sampled token, end token and stop string included; empty where only their number is known. */
  readonly tokens: readonly number[];
  readonly tokenCount: number;
  /** Sum over its tokens, natural logarithm, before temperature. */
  readonly logprob: number;
}

/** How probable one of the given continuations is. */
export interface Choice {
  /** Natural logarithm of the probability that exactly these tokens follow. */
  readonly logprob: number;
  readonly tokens: readonly number[];
}

/** What identifies an answerer, and what can change its floating point results. Plain data. */
export interface Description {
  readonly model: {
    readonly path: string;
    readonly file: string;
    readonly sizeBytes: number;
    readonly name: string | null;
    readonly architecture: string | null;
    readonly quantization: string;
    readonly loadMode: 'read' | 'mmap';
    readonly gpuLayers: number;
  };
  readonly machine: {
    readonly platform: string;
    readonly arch: string;
    readonly node: string;
    readonly devices: readonly { readonly name: string; readonly description: string; readonly backend: string }[];
    /** The CPU kernels in use, as `libggml-cpu-haswell.so`. */
    readonly cpuVariant: string | null;
  };
  /** Null where this package's addon does not answer. */
  readonly llama: AddonBuild | null;
  readonly engine: EngineSettings | null;
}
