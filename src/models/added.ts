import { existsSync } from 'node:fs';
import * as v from 'valibot';
import { MeditronError } from '../check/errors.js';
import { keep, kept, sha256Text, stateFile } from '../check/kept.js';
import { nearest } from '../check/options.js';
import { plainName } from './names.js';
import { registry } from './registry.js';

const oneFile = v.strictObject({ path: v.string(), sizeBytes: v.number(), sha256: sha256Text });

const list = v.strictObject({
  version: v.literal(1),
  models: v.array(
    v.strictObject({
      name: v.string(),
      files: v.pipe(v.array(oneFile), v.minLength(1)),
      /** SHA-256 of the chat template as it was; null if there was none. */
      template: v.nullable(sha256Text),
      /** When it was added, ISO 8601. */
      added: v.string(),
    }),
  ),
  sha256: sha256Text,
});

/** A model that was added: where it lies and what it was then. Nothing else is kept of it. */
export type AddedModel = v.InferOutput<typeof list>['models'][number];

/** So many that the file stays small. */
const mostAdded = 500;

function listFile(): string | undefined {
  return stateFile('models.json');
}

/** The models that were added, in that order. */
export function addedModels(): readonly AddedModel[] {
  return kept(listFile(), list)?.models ?? [];
}

/**
 * Keeps a model in place of those of the same name or file, and says which they were but for the same under the same name.
 *
 * @throws MeditronError `ERR_OUTPUT` if nothing can be kept
 */
export async function addModel(model: AddedModel): Promise<readonly AddedModel[]> {
  const path = model.files[0]!.path;
  const before = addedModels();
  const others = before.filter(({ name, files }) => !sameName(name, model.name) && files[0]!.path !== path);
  if (others.length >= mostAdded) {
    throw new MeditronError(
      'ERR_OUTPUT',
      `${mostAdded} models have been added already: \`meditron models remove NAME\` forgets one`,
    );
  }
  await write([...others, model]);
  return before.filter(
    each => !others.includes(each) && !(sameName(each.name, model.name) && each.files[0]!.path === path),
  );
}

/** Forgets one; its files stay. @throws MeditronError `ERR_OPTION` if there is none of this name or file */
export async function removeModel(nameOrPath: string): Promise<AddedModel> {
  const all = addedModels();
  const found = addedModel(nameOrPath, all);
  if (!found) {
    const names = all.map(({ name }) => name).join(', ') || 'none';
    throw new MeditronError(
      'ERR_OPTION',
      `Expected the name of a model that was added, got ${JSON.stringify(nameOrPath)}. Added: ${names}`,
    );
  }
  await write(all.filter(model => model !== found));
  return found;
}

export function addedModel(nameOrPath: string, all = addedModels()): AddedModel | undefined {
  return all.find(({ name, files }) => sameName(name, nameOrPath) || files[0]!.path === nameOrPath);
}

/** The file that is meant: the one of this path, or of the model that was added under this name. */
export function modelPath(fileOrName: string): string {
  if (/[/\\]|\.gguf$/i.test(fileOrName) || existsSync(fileOrName)) return fileOrName;
  const found = addedModel(fileOrName);
  return found ? found.files[0]!.path : fileOrName;
}

/**
 * As {@link modelPath}, of what is meant to be a model that is here. A path leads to a file or to none, which is said when it is read.
 *
 * @throws MeditronError `ERR_MODEL_FILE` for a name of nothing, with what may have been meant
 */
export function meantModel(fileOrName: string): string {
  const path = modelPath(fileOrName);
  if (/[/\\]/.test(path) || existsSync(path)) return path;
  const names = addedModels().map(({ name }) => name);
  const near = nearest(fileOrName.replace(/\.gguf$/i, ''), names);
  if (/\.gguf$/i.test(path) && near === undefined) return path;
  throw new MeditronError(
    'ERR_MODEL_FILE',
    `Expected a GGUF file or the name of an added model, got ${JSON.stringify(fileOrName)}, which is neither; ${meant(fileOrName, near, names)}`,
  );
}

function meant(name: string, near: string | undefined, names: readonly string[]): string {
  if (near !== undefined) return `did you mean ${near}?`;
  const known = registry.find(({ id }) => id === plainName(name));
  if (known) return `\`meditron models get ${known.id}\` says how to come by it`;
  return names.length > 0 ? `added: ${names.join(', ')}` : '`meditron models add FILE` gives a file a name';
}

async function write(models: readonly AddedModel[]): Promise<void> {
  const file = listFile();
  await keep(file, { version: 1, models });
  if (addedModels().length !== models.length) {
    throw new MeditronError(
      'ERR_OUTPUT',
      `${file ?? 'Nothing is kept (MEDITRON_STATE=none), so the list of models'} could not be written`,
    );
  }
}

function sameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
