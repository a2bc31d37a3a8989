import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import * as v from 'valibot';
import { keep, kept, sha256Text, stateFile } from '../../check/kept.js';
import { makeFolder, makeOutput, tryOutput } from '../../check/outputs.js';
import { jsonHash, sealed } from '../../check/seal.js';
import { availableCores } from '../capacity/cores.js';
import type { StepTimes } from '../capacity/width.js';
import type { EngineOptions, ModelInfo } from '../model.js';

/** What a number of samples at once was chosen for, and by. */
const record = v.strictObject({
  version: v.literal(1),
  width: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(256)),
  /** False: other programs computed, and it is the usual one. */
  measured: v.boolean(),
  /** Seconds of a step, by the number of samples in it. */
  seconds: v.array(v.tuple([v.number(), v.number()])),
  sha256: sha256Text,
});

export interface Chosen {
  readonly width: number;
  readonly measured: boolean;
  readonly times: StepTimes;
}

/**
 * Where the number of samples at once is kept for questions of so many, of models of one shape, on one machine, with what changes the
 * time of a step; undefined where nothing is kept. A file a choice, so that of two processes the first decides.
 */
export function widthFile(info: ModelInfo, samples: number, options: EngineOptions): string | undefined {
  const { architecture, parameters, layers, embedding, heads, kvHeads, headSize, feedForward, quantization } = info;
  const { threads = null, kvType = null, flashAttention = null, kernels = 'auto', loras = [] } = options;
  const belongs = {
    machine: [process.platform, process.arch, cpus()[0]?.model ?? null, availableCores()],
    runtime: info.runtime,
    model: { architecture, parameters, layers, embedding, heads, kvHeads, headSize, feedForward, quantization },
    bytes: info.sizeBytes,
    vocabulary: info.vocabulary.size,
    loadMode: info.loadMode,
    gpuLayers: info.gpuLayers,
    engine: { threads, kvType, flashAttention, kernels, loras },
    samples,
  };
  return stateFile(join('widths', `${jsonHash(belongs)}.json`));
}

/** What was chosen; undefined if nothing was, or the file is damaged or not ours. */
export function chosenIn(file: string): number | undefined {
  return kept(file, record)?.width;
}

/** Whether something can be kept there. */
export async function canKeep(file: string): Promise<boolean> {
  try {
    await makeFolder(dirname(file));
    await tryOutput(file);
    return true;
  } catch {
    return false;
  }
}

/**
 * Keeps what was chosen, unless another process was first, and returns what stands; undefined if nothing could be kept. `instead` of what
 * is there.
 */
export async function choose(
  file: string,
  { width, measured, times }: Chosen,
  instead = false,
): Promise<number | undefined> {
  const choice = { version: 1, width, measured, seconds: [...times] };
  try {
    await makeFolder(dirname(file));
    if (!instead) await makeOutput(file, `${JSON.stringify(sealed(choice))}\n`);
  } catch {
    return undefined;
  }
  if (instead || chosenIn(file) === undefined) await keep(file, choice); // also of what is damaged
  return chosenIn(file);
}
