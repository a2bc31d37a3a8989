import type { ErrorCode } from '../check/errors.js';
import type { ModelInfo } from '../engine/info.js';
import type { GenerateEvent, SampleEnd } from '../engine/jobs/generation.js';
import type { BosRule, Work } from '../engine/jobs/options.js';
import type { Score } from '../engine/jobs/scoring.js';
import type { LoadOptions } from '../engine/load.js';
import type { Tokenizing } from '../engine/model.js';
import type { EngineOptions } from '../engine/open.js';
import type { EngineCounters, EngineSettings } from '../engine/settings.js';
import type { Device, NativeSpelling } from '../native/addon.js';
import type { Segment } from '../types.js';

/** Both sides are of one package; another number means that files of two versions were mixed. */
export const protocolVersion = 1;

/*
 * Everything that crosses is plain data as structured clone has it. Numbers of requests, engines, leases and held sequences are
 * chosen by the client, so that they mean the same in the next process when one has died.
 */

/** A held sequence: the request that made it and the sample it was; `first` counts the tokens that are used, 0 for all. */
export interface HeldName {
  readonly request: number;
  readonly sample: number;
  readonly first: number;
}

/** What a job starts from. */
export interface StartFrom {
  readonly from: HeldName | undefined;
  readonly lease: number | undefined;
}

export type GenerateWork = Omit<Work, 'signal' | keyof StartFrom> & StartFrom;

export interface ScoreWork extends StartFrom {
  readonly prompt: string | readonly Segment[] | Int32Array;
  readonly continuations: readonly (string | Int32Array)[];
  readonly bos: BosRule;
}

export interface PrefixWork extends StartFrom {
  readonly prompt: string | readonly Segment[] | Int32Array;
  readonly bos: BosRule;
}

/** What a held sequence is to the client. */
export interface HeldFacts {
  readonly tokenCount: number;
  readonly pending: number;
  readonly cells: number;
}

/** Where a prefix is saved; `from` is the prefix. */
export interface SaveWork extends StartFrom {
  readonly path: string;
}

export interface RestoreWork extends StartFrom {
  readonly path: string;
  readonly tokens: Int32Array | undefined;
}

/** What the host can be asked for, each answered by one `result` or one `failure` of the same number. */
export interface Works {
  load: { work: Omit<LoadOptions, 'onProgress' | 'signal'>; result: ModelInfo };
  tokenize: { work: Tokenizing; result: Int32Array };
  detokenize: { work: { readonly tokens: Int32Array; readonly special: boolean }; result: string };
  spell: { work: { readonly tokens: Int32Array }; result: NativeSpelling };
  devices: { work: null; result: readonly Device[] };
  open: { work: { readonly engine: number; readonly options: EngineOptions }; result: EngineSettings };
  close: { work: { readonly engine: number }; result: null };
  generate: { work: GenerateWork & { readonly engine: number }; result: null };
  score: { work: ScoreWork & { readonly engine: number }; result: Score[] };
  prefix: { work: PrefixWork & { readonly engine: number }; result: HeldFacts };
  save: { work: SaveWork & { readonly engine: number }; result: null };
  restore: { work: RestoreWork & { readonly engine: number }; result: HeldFacts & { readonly tokens: Int32Array } };
  lease: {
    work: { readonly engine: number; readonly sequences: number; readonly cells: number };
    result: null;
  };
}

export type Verb = keyof Works;

/** From the client to the host. */
export type Command =
  | {
      readonly [V in Verb]: {
        readonly type: 'work';
        readonly id: number;
        readonly verb: V;
        readonly work: Works[V]['work'];
      };
    }[Verb]
  /** Nobody waits for the request any more. */
  | { readonly type: 'cancel'; readonly id: number }
  | { readonly type: 'release-held'; readonly held: HeldName }
  | { readonly type: 'release-lease'; readonly lease: number }
  | { readonly type: 'ping'; readonly count: number }
  | { readonly type: 'exit' }
  /** So many batches have been read. */
  | { readonly type: 'read'; readonly batches: number };

export type Stage = 'tokenize' | 'queued' | 'prompt';

/** An event of a stream: as `GenerateEvent`, with what a held sequence is in place of the sequence. */
export type StreamEvent =
  | Exclude<GenerateEvent, SampleEnd>
  | (Omit<SampleEnd, 'held'> & { readonly held: HeldFacts | undefined });

/** An error as data; without a code it is a fault of ours, and its stack comes with it. */
export interface PlainError {
  readonly code: ErrorCode | undefined;
  readonly message: string;
  readonly stack: string | undefined;
}

/** From the host to the client. */
export type Notice =
  | { readonly type: 'hello'; readonly protocol: number; readonly version: string }
  | { readonly type: 'progress'; readonly fraction: number }
  /** The GPUs that weights are about to go to. */
  | { readonly type: 'placed'; readonly devices: readonly string[] }
  /** Said before it is so: after a death it is known who was at work. */
  | { readonly type: 'stage'; readonly id: number; readonly stage: Stage }
  /** What has happened since the last one, usually in one step: events by request, and what engines have computed. */
  | {
      readonly type: 'batch';
      readonly events: readonly (readonly [id: number, events: readonly StreamEvent[]])[];
      readonly counters: readonly (readonly [engine: number, counters: EngineCounters, takenSequences: number])[];
    }
  | { readonly type: 'result'; readonly id: number; readonly value: unknown }
  | { readonly type: 'failure'; readonly id: number; readonly error: PlainError }
  | { readonly type: 'pong'; readonly count: number };
