import { MeditronError } from '../check/errors.js';
import { array, boolean, checkKeys, integer, number, object, oneOf, string } from '../check/options.js';
import { inBytes } from '../check/words.js';
import { OpenAdapters } from '../models/open.js';
import { loadAddon } from '../native/load.js';
import { type ContextShape, type KvType, microBatch } from './capacity/compute.js';
import { doesNotFit } from './capacity/context.js';
import { availableCores } from './capacity/cores.js';
import { availableMemory, memoryInWords } from './capacity/memory.js';
import { gpuAlone } from './capacity/placement.js';
import { Engine } from './engine.js';
import { toMeditronError } from './errors.js';
import type { LoadedModel, ModelInfo } from './info.js';
import type { LoadedWeights } from './load.js';

export interface EngineOptions {
  /**
   * Cells of the KV cache: tokens of all sequences together, a shared prompt counted once. Default: the trained context, at
   * most 8192. Rounded up to a multiple of 256.
   */
  readonly contextSize?: number | undefined;
  /** Sequences alive at once: samples of all jobs, held ones included; at most 256. Default 8. */
  readonly maxSequences?: number | undefined;
  /** Tokens evaluated in one step, between which work can be cancelled. Default: see ARCHITECTURE.md, "Micro-batches". */
  readonly batchSize?: number | undefined;
  /** Compute threads; never more than the cores that are really there. Default: all of them, one for a model of under 20 million weights. */
  readonly threads?: number | undefined;
  /** How eagerly idle compute threads wait for work, 0 (asleep at once) … 100. Default 50. */
  readonly poll?: number | undefined;
  /** Type of the KV cache. `q8_0` halves it at a small loss and needs flash attention. Default `f16`. */
  readonly kvType?: KvType | undefined;
  readonly flashAttention?: 'auto' | 'on' | 'off' | undefined;
  /** LoRA adapters (GGUF files for this model), each with its strength. */
  readonly loras?: readonly { readonly path: string; readonly scale?: number }[] | undefined;
  /** Allow sequences longer than the model was trained for; the text degrades. Default false. */
  readonly beyondTraining?: boolean | undefined;
  /** Refuse what does not fit in memory, with the numbers, before trying. Default true. */
  readonly checkMemory?: boolean | undefined;
}

/** Weights below which threads spend longer waiting for each other than they save. */
const smallModel = 20e6;

const engineKeys = [
  'contextSize',
  'maxSequences',
  'batchSize',
  'threads',
  'poll',
  'kvType',
  'flashAttention',
  'loras',
  'beyondTraining',
  'checkMemory',
];

/** Checks the options, and makes a context of what they ask for. */
export async function openEngine(model: LoadedModel, weights: LoadedWeights, options: EngineOptions): Promise<Engine> {
  object('options', options);
  checkKeys('createEngine()', options, engineKeys);
  const { info } = model;
  const trained = info.contextLength ?? 2048;
  const warnings: string[] = [...info.warnings];
  const cores = availableCores();
  const threads = integer('threads', options.threads ?? (info.parameters < smallModel ? 1 : cores), 1, 4096);
  if (threads > cores)
    warnings.push(`${threads} threads were asked for; ${cores} are used, one for each core that is really there`);
  const maxSequences = integer('maxSequences', options.maxSequences ?? 8, 1, 256);
  const contextSize = integer('contextSize', options.contextSize ?? Math.min(trained, 8192), 1, 1 << 24);
  const used = Math.min(threads, cores);
  const batchSize = Math.max(
    maxSequences,
    integer('batchSize', options.batchSize ?? microBatch(info, used, gpuAlone(info)), 1, 8192),
  );
  const kvType = oneOf('kvType', options.kvType ?? 'f16', ['f32', 'f16', 'q8_0']);
  const flashAttention = oneOf('flashAttention', options.flashAttention ?? (kvType === 'q8_0' ? 'on' : 'auto'), [
    'auto',
    'on',
    'off',
  ]);
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
  const poll = integer('poll', options.poll ?? 50, 0, 100);
  const beyondTraining = boolean('beyondTraining', options.beyondTraining ?? false);
  const loras = checkLoras(options.loras ?? []);
  const context = { contextSize, batchSize, maxSequences, kvType, flashAttention: flashAttention !== 'off' };
  if (boolean('checkMemory', options.checkMemory ?? true)) checkMemory(info, context);

  const paths = loras.map(lora => lora.path);
  await using adapters = await OpenAdapters.at(paths, weights.base);
  warnings.push(...adapters.warnings);
  const { addon } = loadAddon();
  const native = new addon.Engine(weights.native);
  try {
    const limits = await native.open({
      contextSize,
      batchSize,
      maxSequences,
      threads: used,
      poll,
      kvType,
      flashAttention,
      loras: loras.map(({ scale }, i) => ({ path: adapters.paths[i]!, scale })),
    });
    adapters.unchanged();
    const sequenceSize = beyondTraining ? limits.contextSize : Math.min(limits.contextSize, trained);
    const settings = { ...limits, sequenceSize, threads: used, kvType, flashAttention, loras, warnings };
    return new Engine(native, model, settings, gpuAlone(info) ? 1 : used);
  } catch (error) {
    await native.close();
    adapters.unchanged();
    throw adapters.plainly(toMeditronError(error));
  }
}

/** Against what every place has free now: others may have taken memory since the model was loaded. */
function checkMemory(info: ModelInfo, context: ContextShape): void {
  const devices = info.gpuLayers > 0 ? loadAddon().addon.devices() : [];
  const message = doesNotFit(info, context, place => {
    if (place === 'CPU') return { bytes: availableMemory(), words: memoryInWords() };
    const free = devices.find(device => device.name === place)?.memoryFree ?? Infinity;
    return { bytes: free, words: `${inBytes(free)} are free there` };
  });
  if (message !== undefined) throw new MeditronError('ERR_MEMORY', message);
}

function checkLoras(loras: unknown): { path: string; scale: number }[] {
  return array('loras', loras, 0, 16).map((lora, index) => {
    const where = `loras[${index}]`;
    const given = object(where, lora);
    checkKeys(where, given, ['path', 'scale']);
    return {
      path: string(`${where}.path`, given.path),
      scale: number(`${where}.scale`, given.scale ?? 1, -100, 100),
    };
  });
}
