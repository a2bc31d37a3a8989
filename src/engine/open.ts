import { MeditronError } from '../check/errors.js';
import { engineOptions } from '../check/machine.js';
import { checkOptions, type Given } from '../check/table.js';
import { inBytes } from '../check/words.js';
import { OpenAdapters } from '../models/open.js';
import type { Addon } from '../native/addon.js';
import { loadAddon } from '../native/load.js';
import { type ContextShape, microBatch } from './capacity/compute.js';
import { doesNotFit, hostContextBytes } from './capacity/context.js';
import { availableCores } from './capacity/cores.js';
import { lowBatch, lowCells, lowKvType, processBytes, staysInMemory } from './capacity/low.js';
import { availableBeside, availableMemory, memoryInWords } from './capacity/memory.js';
import { gpuAlone } from './capacity/placement.js';
import { streaming } from './capacity/streaming.js';
import { threadCounts } from './capacity/threads.js';
import { DirectEngine } from './direct/engine.js';
import { toMeditronError } from './errors.js';
import type { LoadedModel, ModelInfo } from './info.js';
import type { LoadedWeights } from './load.js';

/** How an engine is made; every option has a default. */
export interface EngineOptions extends Given<typeof engineOptions> {}

/** Checks the options, and makes a context of what they ask for. */
export async function openEngine(
  model: LoadedModel,
  weights: LoadedWeights,
  options: EngineOptions,
): Promise<DirectEngine> {
  const given = checkOptions('createEngine()', engineOptions, options);
  const { maxSequences, poll, beyondTraining } = given;
  const { info } = model;
  const { lowMemory } = info;
  const kvType = given.kvType ?? (lowMemory ? lowKvType(info, given.flashAttention) : 'f16');
  const trained = info.contextLength ?? 2048;
  const warnings: string[] = [...info.warnings];
  const cores = availableCores();
  if (given.threads !== undefined && given.threads > cores)
    warnings.push(`${given.threads} threads were asked for; ${cores} are used, one for each core that is really there`);
  const contextSize =
    given.contextSize ?? Math.min(trained, 8192, lowMemory ? lowCells(info, availableMemory(), kvType) : Infinity);
  const { computing: threads, sampling: samplers } = threadCounts(given.threads, info, cores);
  const batchSize = Math.max(
    maxSequences,
    given.batchSize ?? Math.min(microBatch(info, threads, gpuAlone(info)), lowMemory ? lowBatch : Infinity),
  );
  const flashAttention = given.flashAttention ?? (kvType === 'q8_0' ? 'on' : 'auto');
  if (kvType === 'q8_0' && flashAttention === 'off') {
    throw new MeditronError(
      'ERR_OPTION',
      'Expected `flashAttention` to be on for `kvType` "q8_0", got "off": a quantized cache needs it',
    );
  }
  if (kvType === 'q8_0' && (info.headSize ?? 0) % 32 !== 0) {
    throw new MeditronError(
      'ERR_OPTION',
      `Expected \`kvType\` to be "f16" or "f32" for this model, got "q8_0": its attention heads are ${info.headSize} wide, and q8_0 needs a multiple of 32`,
    );
  }
  const loras = given.loras.map(({ path, scale = 1 }) => ({ path, scale }));
  const context = { contextSize, batchSize, maxSequences, kvType, flashAttention: flashAttention !== 'off' };
  const { addon } = await loadAddon();
  if (given.checkMemory) checkMemory(info, context, addon);

  const paths = loras.map(lora => lora.path);
  await using adapters = await OpenAdapters.at(paths, weights.base);
  warnings.push(...adapters.warnings);
  const [file, ...more] = weights.mapped;
  const taken = processBytes + hostContextBytes(info, context);
  const stream = file && more.length === 0 ? streaming(file.sizeBytes, taken, availableMemory()) : undefined;
  const native = new addon.Engine(weights.native);
  try {
    const limits = await native.open({
      contextSize,
      batchSize,
      maxSequences,
      threads,
      samplers,
      adaptThreads: (given.adaptThreads ?? given.threads === undefined) && info.gpuLayers === 0,
      streamed: stream ? file!.path : '',
      stay: stream?.stayBytes ?? 0,
      resident: staysInMemory(info),
      poll,
      kvType,
      kernels: gpuAlone(info) ? 'llama.cpp' : given.kernels, // nothing is left to multiply beside GPUs
      flashAttention,
      loras: loras.map(({ scale }, i) => ({ path: adapters.paths[i]!, scale })),
    });
    adapters.unchanged();
    if (limits.maxSequences < maxSequences)
      warnings.push(
        `${maxSequences} sequences were asked for; a model whose layers see a window of the last tokens has at most ${limits.maxSequences}`,
      );
    const sequenceSize = beyondTraining ? limits.contextSize : Math.min(limits.contextSize, trained);
    const settings = { ...limits, sequenceSize, threads, kvType, flashAttention, loras, warnings };
    const files = { adapters: { files: adapters.files }, mapped: weights.mapped, longFrom: weights.longFrom };
    return new DirectEngine(native, model, settings, gpuAlone(info) ? 1 : threads, files);
  } catch (error) {
    await native.close();
    adapters.unchanged();
    throw adapters.plainly(toMeditronError(error));
  }
}

/** Against what every place has free now: others may have taken memory since the model was loaded. */
function checkMemory(info: ModelInfo, context: ContextShape, addon: Addon): void {
  const devices = info.gpuLayers > 0 ? addon.devices() : [];
  const message = doesNotFit({ ...info, weights: info }, context, place => {
    if (place === 'CPU') {
      const used = process.memoryUsage.rss(); // of the process that has mapped the weights
      return { bytes: availableBeside(info, used), words: memoryInWords(info, used) };
    }
    const free = devices.find(device => device.name === place)?.memoryFree ?? Infinity;
    return { bytes: free, words: `${inBytes(free)} are free there` };
  });
  if (message !== undefined) throw new MeditronError('ERR_MEMORY', message);
}
