import { optionError } from '../check/errors.js';
import { boolean, object } from '../check/options.js';
import { loadHere } from '../engine/direct/model.js';
import { type CheckedLoad, checkLoad } from '../engine/load.js';
import type { LoadOptions as DirectLoadOptions, Model } from '../engine/model.js';
import { hashWhile } from '../models/identity.js';
import { checkInElectron } from './electron.js';
import { Host, type IsolateOptions } from './host.js';
import { HostModel } from './model.js';

/** Which model is loaded, how, and where it runs. */
export interface LoadOptions extends DirectLoadOptions {
  /**
   * Run the model in a process of its own, so that nothing that ends it ends this one. Default false; `true`, or how the process is
   * started. In Electron there is no default: give `{ execPath }`, the path of a plain Node.
   */
  readonly isolate?: boolean | IsolateOptions | undefined;
  /**
   * Work through the SHA-256 of the files while they are read, for what will need it: a record of `ask`, an evaluation. A file that is not
   * in memory is then read from the disk once. Default false: it is begun when it is needed.
   */
  readonly hash?: boolean | undefined;
}

/**
 * Loads a model. The file is checked first, so that what llama.cpp would not survive is refused with a reason.
 *
 * @throws MeditronError `ERR_MODEL_FILE`, `ERR_MODEL_FORMAT`, `ERR_MODEL_UNSUPPORTED`, `ERR_MODEL_LOAD`, `ERR_MEMORY`, `ERR_OPTION`,
 *   `ERR_ADDON`; with `isolate` also `ERR_ENGINE_DIED` (an `EngineDied`) if the process died of it; the signal's reason if it was aborted
 */
export async function loadModel(options: LoadOptions): Promise<Model> {
  object('options', options);
  const { isolate, hash, ...rest } = options;
  const how = isolationOf(isolate);
  checkInElectron(how, isolate);
  const hashes = boolean('hash', hash ?? false);
  const checked = checkLoad(rest);
  const loading = how ? isolated(checked, how) : loadHere(checked);
  return hashes ? hashWhile(checked.path, loading) : loading;
}

async function isolated(options: CheckedLoad, how: IsolateOptions): Promise<Model> {
  const { host, info } = await Host.load(options, how);
  return new HostModel(host, info);
}

function isolationOf(isolate: unknown): IsolateOptions | undefined {
  if (isolate === undefined || isolate === false) return undefined;
  if (isolate === true) return {};
  const given = object('isolate', isolate) as IsolateOptions;
  for (const [name, value] of Object.entries(given)) {
    const kind = { execPath: 'string', launch: 'function', onDeath: 'function' }[name];
    if (kind === undefined) throw optionError(`isolate.${name}`, 'one of execPath, launch, onDeath', value);
    if (value !== undefined && typeof value !== kind) throw optionError(`isolate.${name}`, `a ${kind}`, value);
  }
  return given;
}
