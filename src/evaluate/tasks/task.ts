/** The benchmarks this package can load; `medqa` has five options, `medqa4` four; `file` is the user's own. */
export const taskNames = [
  'medqa',
  'medqa4',
  'medmcqa',
  'pubmedqa',
  'mmlu-medical',
  'medconceptsqa',
  'truthfulqa',
  'medicationqa',
  'clinical',
  'file',
] as const;

export type TaskName = (typeof taskNames)[number];

/** The parts of a data set. MedMCQA and others call their validation part "dev": that is `validation` here. MMLU has both. */
export const partitions = ['train', 'validation', 'dev', 'test'] as const;
export type Partition = (typeof partitions)[number];

export type YesNoMaybe = 'yes' | 'no' | 'maybe';

/** One question of a benchmark. */
export interface Item {
  /** Stable between runs over the same file, unique in its set. */
  readonly id: string;
  /** Exactly as in the file, line breaks and surrounding spaces included. */
  readonly question: string;
  /** In the order in which they are lettered. Absent for yes/no/maybe and for open questions. */
  readonly options?: readonly string[];
  /** Index into `options`, or yes/no/maybe. Absent for open questions, which have no automatic score. */
  readonly gold?: number | YesNoMaybe;
  /** Passages that stand before the question in the prompt. */
  readonly context?: readonly string[];
  readonly subject?: string;
  /** Items with the same cluster are one question asked again; intervals count them once. */
  readonly cluster?: string;
  /** The data set's own reasoning or reference answer. For demonstrations and for reading; never part of a prompt. */
  readonly explanation?: string;
  /** True if the right option was taken out: none of those that are left is right. */
  readonly unanswerable?: true;
  readonly meta?: Readonly<Record<string, string | number | boolean>>;
}

/** A file that was read, with what identifies it. */
export interface SourceFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** What a loader returns. */
export interface TaskSet {
  readonly task: TaskName;
  readonly partition: Partition;
  readonly items: readonly Item[];
  /** What a reader of the figures has to know: traps that were met, rows that are missing, choices that were made. */
  readonly notes: readonly string[];
  /** Rows of the complete published partition, where known. */
  readonly expectedCount?: number;
  readonly files: readonly SourceFile[];
}

export interface LoadOptions {
  /** Default: the partition that is evaluated (validation for MedMCQA and TruthfulQA, otherwise test). */
  readonly partition?: Partition;
  /** Decides the draw and the order of TruthfulQA's options; default 0. Unused elsewhere. */
  readonly seed?: number;
  /** Where numbers that name right options count from, for files that do not tell by themselves. */
  readonly countsFrom?: 0 | 1 | undefined;
  /** Told of a file that is read in an encoding it does not say; it is in the notes too. */
  readonly onWarning?: ((message: string) => void) | undefined;
}

/** What is known about a task before its files are read. */
export interface TaskDefinition {
  readonly name: TaskName;
  readonly title: string;
  readonly answers: 'choice' | 'yesno' | 'open';
  readonly partition: Partition;
  /** Rows of each published partition. */
  readonly counts: Partial<Record<Partition, number>>;
  /** What to download and how to lay it out, one sentence a line. */
  readonly download: readonly string[];
  readonly licence: string;
  load(source: string, options?: LoadOptions): Promise<TaskSet>;
}
