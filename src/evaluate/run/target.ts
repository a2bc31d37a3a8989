import { basename } from 'node:path';
import type { Answerer, AnswererModel } from '../../answerer/answerer.js';
import { answererOf } from '../../answerer/engine.js';
import type { ChosenFormat } from '../../ask/choice.js';
import type { EngineOptions, Model } from '../../engine/model.js';
import { modelHash } from '../../models/identity.js';
import { loadAddon } from '../../native/load.js';
import type { FormatName } from '../../prompt/format/format.js';
import type { Fact } from '../report/types.js';
import type { Item } from '../tasks/task.js';
import type { Run } from './runs.js';
import { layoutFor } from './size.js';

/** What is evaluated: a model on this machine, or an endpoint elsewhere. */
export interface Target {
  readonly model: AnswererModel;
  /** By which the paper's figures are found. */
  readonly name: string;
  /** Used if none is asked for. Default: the one known for the model. */
  readonly defaultFormat?: FormatName;
  /** Whether a chain can be continued, to ask it again, in prompts of a format. Default: always. */
  readonly continues?: (format: FormatName) => boolean;
  /** How a format comes to the model, where that is not this package's doing. */
  readonly layOut?: (format: FormatName) => string | undefined;
  /** What identifies it and can change its answers. */
  describe(signal?: AbortSignal): Promise<readonly Fact[]>;
  /** An engine laid out for these items of a run. */
  open(run: Run, chosen: ChosenFormat, items: readonly Item[], options: OpenOptions): Promise<OpenTarget>;
}

export interface OpenOptions {
  /** Questions in flight at once. Default: what suits. */
  readonly parallel?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface OpenTarget extends AsyncDisposable {
  readonly answerer: Answerer;
  readonly parallel: number;
}

/** A loaded model. Each run gets an engine of its size, on which the beginning that all prompts share is evaluated once. */
export function localTarget(model: Model, engineOptions: EngineOptions = {}): Target {
  const { info } = model;
  return {
    model,
    name: info.name ?? basename(info.path),
    describe: signal => describeModel(model, engineOptions, signal),
    async open(run, chosen, items, { parallel, signal }) {
      const layout = await layoutFor(model, run, chosen, items, { parallel, engine: engineOptions });
      const engine = await model.createEngine(layout.engine);
      try {
        const { shared } = layout;
        const held = shared.length > 0 ? await engine.prefix(shared, signal ? { signal } : {}) : undefined;
        return {
          answerer: answererOf(engine, held && { held, tokens: shared }),
          parallel: layout.parallel,
          async [Symbol.asyncDispose]() {
            held?.release();
            await engine.close();
          },
        };
      } catch (error) {
        await engine.close();
        throw error;
      }
    },
  };
}

async function describeModel(model: Model, options: EngineOptions, signal: AbortSignal | undefined): Promise<Fact[]> {
  const { info } = model;
  const { addon, cpuVariant } = loadAddon();
  const files = await modelHash(info, signal);
  const { kvType = 'f16', threads, batchSize, flashAttention, loras = [] } = options;
  const given = {
    threads,
    batch: batchSize,
    flash: flashAttention,
    lora: loras.map(l => `${basename(l.path)}=${l.scale ?? 1}`).join(' '),
  };
  const settings = Object.entries(given).flatMap(([name, value]) => (value ? [`${name} ${value}`] : []));
  return [
    { name: 'model', value: `${info.name ?? basename(info.path)} (${basename(info.path)})` },
    { name: 'model SHA-256', value: files.map(file => file.sha256).join(' ') },
    { name: 'quantization', value: info.quantization.name },
    { name: 'build', value: `llama.cpp ${addon.build.libraries}, ${addon.build.kind}, ${cpuVariant}` },
    {
      name: 'machine',
      value: `${info.devices.map(device => device.description || device.name).join(', ')}; ${info.gpuLayers} layers on the GPU, weights by ${info.loadMode}`,
    },
    { name: 'engine', value: [`cache ${kvType}`, ...settings].join(', ') },
  ];
}
