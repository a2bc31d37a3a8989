import { MeditronError } from '../../check/errors.js';
import { oneOf } from '../../check/options.js';
import { clinical } from './clinical.js';
import { file } from './file.js';
import { medconceptsqa } from './medconceptsqa.js';
import { medicationqa } from './medicationqa.js';
import { medmcqa } from './medmcqa.js';
import { medqa, medqa4 } from './medqa.js';
import { mmlu } from './mmlu.js';
import { pubmedqa } from './pubmedqa.js';
import {
  type LoadOptions,
  type Partition,
  type TaskDefinition,
  type TaskName,
  type TaskSet,
  taskNames,
} from './task.js';
import { truthfulqa } from './truthfulqa.js';

export const tasks: Readonly<Record<TaskName, TaskDefinition>> = {
  medqa,
  medqa4,
  medmcqa,
  pubmedqa,
  'mmlu-medical': mmlu,
  medconceptsqa,
  truthfulqa,
  medicationqa,
  clinical,
  file,
};

/**
 * Reads the questions of a benchmark from `source`, a folder that holds its published files in any layout, or one such
 * file. Nothing is downloaded: if the files are not there, the error (`ERR_INPUT`) says what to get and where to put it.
 * A row that cannot be understood without guessing is an error that names file, row and field.
 */
export function loadTask(name: string, source: string, options: LoadOptions = {}): Promise<TaskSet> {
  return tasks[oneOf('task', name, taskNames)].load(source, options);
}

/** What is evaluated. */
export interface Questions {
  readonly set: TaskSet;
  /** Gives the questions that demonstrations are drawn from; called only if there are to be any. */
  readonly train?: (() => Promise<TaskSet>) | undefined;
}

/** Where questions come from: a benchmark below the folder `data`, or a file of one's own. */
export interface QuestionSource extends Pick<LoadOptions, 'countsFrom' | 'onWarning'> {
  readonly task?: TaskName | undefined;
  readonly data?: string | undefined;
  readonly file?: string | undefined;
  /** Draw demonstrations from this file instead of the benchmark's training part. */
  readonly demos?: string | undefined;
}

/**
 * The questions of a benchmark or a file, with what demonstrations are drawn from.
 *
 * @throws MeditronError `ERR_OPTION` unless one of `task` and `file` is given; what {@link loadTask} throws
 */
export async function loadQuestions({
  task,
  data = 'data',
  file,
  demos,
  countsFrom,
  onWarning,
}: QuestionSource): Promise<Questions> {
  if ((task === undefined) === (file === undefined)) {
    const names = taskNames.filter(name => name !== 'file').join(', ');
    throw new MeditronError('ERR_OPTION', `Expected --task NAME or --file FILE. Tasks: ${names}`);
  }
  const set = await loadTask(task ?? 'file', file ?? data, { countsFrom, onWarning });
  const train = async () => {
    if (demos !== undefined) return loadTask('file', demos, { countsFrom, onWarning });
    const partition = task && trainingPart[task];
    if (partition) return loadTask(task, data, { partition, countsFrom });
    throw new MeditronError(
      'ERR_INPUT',
      'Demonstrations need questions that are not evaluated: give --demos FILE, or --shots 0',
    );
  };
  return { set, train };
}

/** Where the authors draw demonstrations from; TruthfulQA and open questions have no such part. */
const trainingPart: Partial<Record<TaskName, Partition>> = {
  medqa: 'train',
  medqa4: 'train',
  medmcqa: 'train',
  pubmedqa: 'train',
  'mmlu-medical': 'dev',
  medconceptsqa: 'dev',
};
