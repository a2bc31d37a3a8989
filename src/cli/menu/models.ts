import { basename, join, resolve } from 'node:path';
import { shippedModel } from '../../check/project.js';
import { modelsFolder } from '../../check/sums.js';
import { inBytes } from '../../check/words.js';
import { addedModel, addedModels } from '../../models/added.js';
import { modelFilesIn } from '../../models/folder.js';
import { inspectFile } from '../../models/inspect.js';
import { isDemonstration } from '../../models/known.js';
import { oneLine } from '../terminal/plain.js';

/** A model that can be chosen. */
export interface ModelChoice {
  readonly path: string;
  /** For a list: what it is, and its size. */
  readonly title: string;
  /** Why it cannot be used. */
  readonly problem: string | undefined;
}

/** The models in the folder on the stick, by name, those that were added here, and behind them the one that ships. */
export async function modelChoices(stick: string | undefined): Promise<readonly ModelChoice[]> {
  const lying = stick === undefined ? [] : await modelFilesIn(join(stick, modelsFolder));
  const added = addedModels().map(({ files }) => files[0]!.path);
  const paths = [...lying, ...added, shippedModel()].map(path => resolve(path));
  return Promise.all([...new Set(paths)].map(modelChoice));
}

const demonstrates = 'the demonstration: adds up six clinical scores, and knows nothing else';

/** What there is to say of a model file. */
export async function modelChoice(path: string): Promise<ModelChoice> {
  const shipped = resolve(shippedModel());
  const name = oneLine(addedModel(path)?.name ?? basename(path));
  try {
    const found = await inspectFile(path);
    const own = isDemonstration([found.name, path]);
    const title = !own
      ? `${name} (${inBytes(found.sizeBytes)})`
      : path === shipped
        ? demonstrates
        : `${name}, ${demonstrates}`;
    return { path, title, problem: found.problems[0]?.message };
  } catch (error) {
    return { path, title: name, problem: (error as Error).message };
  }
}
