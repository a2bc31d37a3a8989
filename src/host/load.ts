import { loadHere } from '../engine/direct/model.js';
import type { LoadOptions, Model } from '../engine/model.js';

/**
 * Loads a model. The file is checked first, so that what llama.cpp would not survive is refused with a reason.
 *
 * @throws MeditronError `ERR_MODEL_FILE`, `ERR_MODEL_FORMAT`, `ERR_MODEL_UNSUPPORTED`, `ERR_MODEL_LOAD`, `ERR_MEMORY`, `ERR_OPTION`,
 *   `ERR_ADDON`; the signal's reason if it was aborted
 */
export function loadModel(options: LoadOptions): Promise<Model> {
  return loadHere(options);
}
