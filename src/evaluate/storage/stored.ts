import type { Weighting } from '../../ask/options.js';
import { MeditronError } from '../../check/errors.js';
import type { FormatName, Protocol, Task } from '../../prompt/format/format.js';
import type { StopRule } from '../../vote/count/stopping.js';
import type { Fact } from '../report/types.js';
import type { EvaluatedMode } from '../run/runs.js';
import type { Partition, SourceFile, TaskName } from '../tasks/task.js';
import { type RunConfig, readStore } from './results.js';
import type { ResultRow } from './rows.js';

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
  /** Texts that end a sample. */
  readonly stops: readonly string[];
  /** Demonstrations in the prompt. */
  readonly shots: number;
  readonly demonstrations: { readonly seed: number; readonly note: string } | null;
}

/** The header of an evaluation's results: two with the same may continue each other. */
export interface EvaluationConfig {
  readonly kind: 'meditron-evaluation';
  readonly version: 1;
  readonly task: TaskName;
  readonly title: string;
  readonly partition: Partition;
  /** By name: the files may be moved. */
  readonly files: readonly Pick<SourceFile, 'bytes' | 'sha256'>[];
  readonly questions: number;
  /** What was asked, and how that is known: model, hash, quantization, format, build. Part of what must not change. */
  readonly subject: readonly Fact[];
  /** What the paper calls this model, if it measured it. */
  readonly model: string;
  readonly runs: readonly StoredRun[];
  readonly notes: readonly string[];
}

export interface StoredEvaluation {
  readonly dir: string;
  readonly created: string;
  readonly config: EvaluationConfig;
  readonly rows: readonly ResultRow[];
}

/** As it is written: lists by name, so that two configurations that differ can be told apart field by field. */
export function packConfig({ runs, subject, ...rest }: EvaluationConfig): RunConfig {
  return {
    ...rest,
    subject: Object.fromEntries(subject.map(({ name, value }) => [name, value])),
    subjectOrder: subject.map(({ name }) => name),
    runs: Object.fromEntries(runs.map(run => [run.key, run])),
    runOrder: runs.map(run => run.key),
  };
}

/**
 * The results of an evaluation in a folder, also while it still runs.
 *
 * @throws MeditronError `ERR_INPUT` if there are none, or they are not those of an evaluation
 */
export async function readEvaluation(dir: string): Promise<StoredEvaluation> {
  const { header, rows } = await readStore<ResultRow>(dir);
  const config = header.config as RunConfig & Partial<Packed>;
  const { kind, version, subject, subjectOrder, runs, runOrder } = config;
  if (kind !== 'meditron-evaluation' || version !== 1 || !subject || !subjectOrder || !runs || !runOrder) {
    throw new MeditronError('ERR_INPUT', `${dir} does not hold the results of an evaluation of this version`);
  }
  const unpacked = {
    ...config,
    subject: subjectOrder.map(name => ({ name, value: subject[name]! })),
    runs: runOrder.map(key => runs[key]!),
  };
  return { dir, created: header.created, config: unpacked as unknown as EvaluationConfig, rows };
}

interface Packed {
  readonly kind: EvaluationConfig['kind'];
  readonly version: 1;
  readonly subject: Readonly<Record<string, string>>;
  readonly subjectOrder: readonly string[];
  readonly runs: Readonly<Record<string, StoredRun>>;
  readonly runOrder: readonly string[];
}
