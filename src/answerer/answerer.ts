import type { PromptEvent, TextEvent } from '../engine/jobs/generation.js';
import type { BosRule } from '../engine/jobs/options.js';
import type { EngineCounters, EngineSettings } from '../engine/settings.js';
import type { FileHash } from '../models/identity.js';
import type { VocabularyToken } from '../models/inspect.js';
import type { AddonBuild, Device } from '../native/addon.js';
import type { Prompt } from '../prompt/prompt.js';
import type { Finish, Sampling } from '../types.js';

/**
 * Whoever answers: an engine on this machine, a server elsewhere, ten lines in a test. Asking needs two verbs of it,
 * `complete` and `choose`; tokens, sequences and memory are its own affair.
 */
export interface Answerer {
  /** What it is; prompt formats are chosen by it. */
  readonly model: AnswererModel;
  /** Work done since it was opened, for whoever asked. */
  readonly counters: Readonly<Pick<EngineCounters, 'steps' | 'promptTokens' | 'sampledTokens'>>;
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
  /** What the model file, or whoever serves the model, says of it. */
  readonly info: {
    /** Path of the model file; of a server the name it knows the model by. */
    readonly path: string;
    /** `general.name` of the model file; null if it has none. */
    readonly name: string | null;
    /** `general.architecture`, as `llama`; null where it is not known. */
    readonly architecture: string | null;
    /** The chat template in the file, Jinja source; null if there is none. */
    readonly chatTemplate: string | null;
    /** Transformer blocks; null or absent where that is not known. */
    readonly layers?: number | null;
    /** Special tokens by role (`bos`, `eos`, …), as far as there are any. */
    readonly specialTokens: Readonly<Record<string, Pick<VocabularyToken, 'text'> | undefined>>;
    /** Ids of the tokens that end a text. */
    readonly ends: ArrayLike<number>;
    /** The files of the model: one, or the parts of a split one. Empty where there are none here. */
    readonly files: readonly Pick<FileHash, 'path' | 'sizeBytes'>[];
  };
  /** The id of a special token; undefined if the vocabulary spells it as plain text. */
  special(text: string): Promise<number | undefined>;
}

/** Everything that one question will ask for, known before anything runs. */
export interface Request {
  /** The prompts, one for each order in which the options are shown. */
  readonly prompts: readonly RequestedPrompt[];
  /** When the token that begins a text is put before a prompt. */
  readonly bos: BosRule;
  /** The samples to draw, by index; seeds and prompts are theirs. Empty where answers are only compared. */
  readonly samples: readonly RequestedSample[];
  /** How every sample chooses its tokens: see {@link Sampling}. */
  readonly sampling: Pick<Sampling, 'temperature' | 'topP' | 'topK' | 'frequencyPenalty'>;
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
  /** Seed of the sample's random numbers, 0 … 2^32 - 2: the same seed, prompt and batches give the same text. */
  readonly seed: number;
}

/** How a request fits. */
export interface Fit {
  /** Samples at once, wave after wave: never dependent on what else runs. */
  readonly waves: readonly number[];
  /** Most new tokens of a sample: what was asked for, or the less that fits, with a warning. */
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

/** How samples are completed. */
export interface CompleteOptions {
  /** Ends the samples when it is aborted: each ends as `cancelled` with the text it has. */
  readonly signal: AbortSignal;
  /** Most new tokens of a sample, fewer than the request's. Default: what {@link Fit} says. */
  readonly maxTokens?: number;
}

/** What a continuation is compared after: a prompt of the request, or a sample that has ended, by index. */
export type After =
  | {
      /** Index of the prompt in the request. */
      readonly prompt: number;
    }
  | {
      /** Index of the sample in the request. */
      readonly sample: number;
    };

/** What a session yields while samples are completed: progress in the prompt, pieces of text, finished samples. */
export type CompletionEvent =
  | PromptEvent
  | TextEvent
  | ({
      /** A sample has ended. */
      readonly type: 'end';
    } & Completion);

/** A sample that has ended. */
export interface Completion {
  /** Index of the sample in the request. */
  readonly sample: number;
  /** How it ended. */
  readonly finish: Finish;
  /** All of its text, without the stop string or end token. */
  readonly text: string;
  /** Every sampled token, end token and stop string included; empty where only their number is known. */
  readonly tokens: readonly number[];
  /** Sampled tokens, also where `tokens` are not known. */
  readonly tokenCount: number;
  /** Sum over its tokens, natural logarithm, before temperature. */
  readonly logprob: number;
}

/** How probable one of the given continuations is. */
export interface Choice {
  /** Natural logarithm of the probability that exactly these tokens follow. */
  readonly logprob: number;
  /** Token ids of the continuation, as they follow what is before it. */
  readonly tokens: readonly number[];
}

/** What identifies an answerer, and what can change its floating point results. Plain data. */
export interface Description {
  /** The model: what file, and how it is in memory. */
  readonly model: {
    /** Path of the model file as it was given; of a server the model's name. */
    readonly path: string;
    /** The path without its folders. */
    readonly file: string;
    /** Bytes of the file, of all parts of a split one; 0 of a server. */
    readonly sizeBytes: number;
    /** `general.name` of the file; null if it has none. */
    readonly name: string | null;
    /** `general.architecture`, as `llama`; null where it is not known. */
    readonly architecture: string | null;
    /** As in file names, `Q4_K_M`; `unknown` of a server. */
    readonly quantization: string;
    /** How the weights are in memory. */
    readonly loadMode: 'read' | 'mmap';
    /** Layers on GPUs, the output counted as one; 0 on the CPU alone. */
    readonly gpuLayers: number;
  };
  /** The machine that computes, as far as it can change results. */
  readonly machine: {
    /** `process.platform`; of a server its origin, as `http://127.0.0.1:8080`. */
    readonly platform: string;
    /** `process.arch`; `unknown` of a server. */
    readonly arch: string;
    /** `process.version` of the Node that asked. */
    readonly node: string;
    /** Devices in use: the CPU, then GPUs. Empty of a server. */
    readonly devices: readonly Pick<Device, 'name' | 'description' | 'backend'>[];
    /** The CPU kernels in use, as `libggml-cpu-haswell.so`. */
    readonly cpuVariant: string | null;
  };
  /** llama.cpp as it is built into the addon; null of a server. */
  readonly llama: AddonBuild | null;
  /** Settings of the engine; null of a server. */
  readonly engine: EngineSettings | null;
}
