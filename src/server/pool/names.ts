import { basename, dirname } from 'node:path';
import { MeditronError } from '../../check/errors.js';
import { modelName } from '../../models/names.js';

/** A name that none of `taken`, in small letters, is: with the folder's name before it, then with a number behind it. */
export function freeName(path: string, taken: ReadonlySet<string>): string {
  const name = modelName(path);
  const free = (candidate: string) => !taken.has(candidate.toLowerCase());
  if (free(name)) return name;
  const longer = `${basename(dirname(path))}/${name}`;
  if (free(longer)) return longer;
  for (let i = 2; ; i++) if (free(`${longer}-${i}`)) return `${longer}-${i}`;
}

/** What has this name, capitals and a `.gguf` behind it not counted. Nothing less will do: another model would answer unseen. */
export function named<T extends { readonly name: string }>(name: string, all: readonly T[]): T | undefined {
  const wanted = name.toLowerCase().replace(/\.gguf$/, '');
  return all.find(each => each.name === name) ?? all.find(each => each.name.toLowerCase() === wanted);
}

export function unknownModel(name: string, known: readonly string[]): MeditronError {
  const given = name.length > 100 ? `a text of ${name.length} characters` : JSON.stringify(name);
  return new MeditronError('ERR_UNKNOWN_MODEL', `Expected \`model\` to be one of ${known.join(', ')}, got ${given}`);
}
