import { join } from 'node:path';
import { Presets, SingleBar } from 'cli-progress';
import { loadModel, type Model } from '../engine/model.js';
import type { ModelFlags } from './flags.js';
import { root } from './project.js';

/** The model that ships with the project, used where none is named. */
export const defaultModel: string = join(root, 'models', 'meditron-mini.gguf');

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

/** A bar on stderr that appears only on a terminal, and only if the work takes more than half a second. */
export function progressBar(what: string): { show(fraction: number): void; stop(): void } {
  let percent = 0;
  let bar: SingleBar | undefined;
  const begin = () => {
    const format = `${what} {bar} {percentage} %`;
    bar = new SingleBar({ stream: process.stderr, format, hideCursor: true, clearOnComplete: true }, Presets.rect);
    bar.start(100, percent);
  };
  const timer = process.stderr.isTTY ? setTimeout(begin, 500) : undefined;
  return {
    show(fraction) {
      percent = Math.floor(fraction * 100);
      bar?.update(percent);
    },
    stop() {
      clearTimeout(timer);
      bar?.stop();
      bar = undefined;
    },
  };
}
