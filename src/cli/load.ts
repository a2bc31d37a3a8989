import type { LoadOptions, Model } from '../engine/model.js';
import { loadModel } from '../host/load.js';
import { progressBar } from './terminal/progress.js';

/** Loads a command's model, with a progress bar where a person waits for it. */
export async function load(
  path: string,
  options: Pick<LoadOptions, 'gpuLayers' | 'loadMode'>,
  signal: AbortSignal,
): Promise<Model> {
  const progress = progressBar('Loading');
  try {
    return await loadModel({ ...options, path, onProgress: progress.show, signal });
  } finally {
    progress.stop();
  }
}
