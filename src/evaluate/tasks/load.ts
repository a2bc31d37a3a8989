import { oneOf } from '../../check/options.js';
import { clinical } from './clinical.js';
import { file } from './file.js';
import { medconceptsqa } from './medconceptsqa.js';
import { medicationqa } from './medicationqa.js';
import { medmcqa } from './medmcqa.js';
import { medqa, medqa4 } from './medqa.js';
import { mmlu } from './mmlu.js';
import { pubmedqa } from './pubmedqa.js';
import { type LoadOptions, type TaskDefinition, type TaskName, type TaskSet, taskNames } from './task.js';
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
