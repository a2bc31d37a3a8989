import type { Weighting } from '../../ask/options.js';
import type { FormatName, Protocol, Task } from '../../prompt/format/format.js';
import type { StopRule } from '../../vote/count/stopping.js';
import type { EvaluatedMode } from '../run/options.js';
import type { Partition, SourceFile, TaskName } from '../tasks/task.js';

/** Something that identifies a measurement, by its name. */
export interface Fact {
  readonly name: string;
  readonly value: string;
}

/** How a run is laid out on the engine: with how a text is sampled, all that decides floating point results. */
export interface Layout {
  /** Questions in flight at once; only 1 makes the composition of batches repeat. */
  readonly parallel: number;
  readonly contextSize: number;
  readonly maxSequences: number;
  readonly batchSize: number;
  readonly threads: number;
  /** As `EngineSettings.kernels`; absent: from before there was a choice, llama.cpp's. */
  readonly kernels?: string;
  /** Tokens that all prompts of the set begin with, evaluated once. */
  readonly sharedTokens: number;
}

/** A run as the results file describes it: all that decides its rows. */
export interface StoredRun {
  readonly key: string;
  readonly name: string;
  readonly mode: EvaluatedMode;
  readonly protocol: Protocol;
  readonly samples: number;
  readonly temperature: number;
  readonly topP: number;
  readonly topK: number;
  readonly frequencyPenalty: number;
  readonly seed: number;
  readonly maxTokens: number | null;
  readonly stop: StopRule;
  readonly weighting: Weighting;
  readonly format: FormatName;
  readonly task: Task;
  readonly bos: string;
  /** Whether "I cannot tell" was a further option; absent: no. */
  readonly abstainOption?: true;
  /** Which rules read its texts; absent: 1. */
  readonly reading?: 2;
  /** Whether its prompts end within the model's thinking; absent: no. */
  readonly begunThinking?: true;
  /** Texts that end a sample. */
  readonly stops: readonly string[];
  /** Demonstrations in the prompt. */
  readonly shots: number;
  readonly demonstrations: { readonly seed: number; readonly note: string } | null;
  /** Null where a server decides. */
  readonly layout: Layout | null;
}

/** What the header of an evaluation's results says: two with the same may continue each other. */
export interface EvaluationConfig {
  readonly kind: 'meditron-evaluation';
  readonly version: 1;
  readonly task: TaskName;
  readonly title: string;
  readonly partition: Partition;
  /** By content: the files may be moved. */
  readonly files: readonly Pick<SourceFile, 'bytes' | 'sha256'>[];
  readonly questions: number;
  /** What was asked, and how that is known: model, hash, quantization, format, build. Part of what must not change. */
  readonly subject: readonly Fact[];
  /** What the paper calls this model, if it measured it. */
  readonly model: string;
  readonly runs: readonly StoredRun[];
  readonly notes: readonly string[];
  /** The part of the questions whose right option was taken out; absent: none. */
  readonly unanswerable?: number;
}
