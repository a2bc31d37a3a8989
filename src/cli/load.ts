import { loadModel, type Model } from '../engine/model.js';
import type { ModelFlags } from './flags.js';
import { progressBar } from './terminal/progress.js';

/** Loads a command's model, with a progress bar where a person waits for it. */
export async function load(flags: ModelFlags, signal: AbortSignal): Promise<Model> {
  const progress = progressBar('Loading');
  try {
    return await loadModel({
      path: flags.model,
      gpuLayers: flags.gpuLayers,
      loadMode: flags.load,
      onProgress: progress.show,
      signal,
    });
  } finally {
    progress.stop();
  }
}
