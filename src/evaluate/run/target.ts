import { basename } from 'node:path';
import type { Answerer, AnswererModel } from '../../answerer/answerer.js';
import { answererOf, type Beginning } from '../../answerer/engine.js';
import { keptBeginning, tooShortToKeep } from '../../answerer/kept.js';
import type { ChosenFormat } from '../../ask/choice.js';
import { MeditronError } from '../../check/errors.js';
import { lowKvType } from '../../engine/capacity/low.js';
import type { Engine } from '../../engine/engine.js';
import type { EngineOptions, Model } from '../../engine/model.js';
import { type EngineSettings, kernelsAgain } from '../../engine/settings.js';
import { modelHash } from '../../models/identity.js';
import type { FormatName } from '../../prompt/format/format.js';
import type { StandIn } from '../storage/rows.js';
import type { Fact, Layout } from '../storage/types.js';
import type { Item } from '../tasks/task.js';
import { beginningOf, sizeFor } from './layout.js';
import type { Run } from './runs.js';

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
  /** How a run over the whole set is laid out; null where a server decides. */
  plan(run: Run, chosen: ChosenFormat, items: readonly Item[], options: OpenOptions): Promise<Layout | null>;
  /**
   * Ready for a run over the whole set, laid out as planned.
   *
   * @throws MeditronError `ERR_OPTION` if this machine cannot lay it out so; `ERR_MEMORY` if it does not fit
   */
  open(run: PlannedRun, chosen: ChosenFormat, items: readonly Item[], options: OpenOptions): Promise<OpenTarget>;
  /** Absent where no other can stand in for it, or none may. */
  readonly standIn?: StandInTarget | undefined;
}

/** Who goes on in place of a target whose engine is down. */
export interface StandInTarget {
  readonly as: StandIn;
  /** Names of the devices it does without. */
  readonly insteadOf: readonly string[];
  open(signal?: AbortSignal): Promise<Target & AsyncDisposable>;
}

/** A run and how it is laid out. */
export interface PlannedRun extends Run {
  readonly layout: Layout | null;
}

export interface OpenOptions {
  /** Questions in flight at once. Default: what suits. */
  readonly parallel?: number | undefined;
  /** The file that keeps what all prompts begin with. */
  readonly prefix?: string | undefined;
  readonly onWarning?: ((message: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface OpenTarget extends AsyncDisposable {
  readonly answerer: Answerer;
  readonly parallel: number;
  /** Has the engine compute a token, while nothing else runs on it. */
  readonly probe?: () => Promise<void>;
}

export interface LocalOptions {
  /** Loads the same model on the CPU alone, should its engine go down on a GPU. Default: the evaluation ends then. */
  readonly loadOnCpu?: ((signal?: AbortSignal) => Promise<Model>) | undefined;
}

/** A loaded model. Each run gets an engine of its size, on which the beginning that all prompts share is evaluated once. */
export function localTarget(model: Model, engineOptions: EngineOptions = {}, { loadOnCpu }: LocalOptions = {}): Target {
  const { info } = model;
  const gpus = info.devices.filter(({ type }) => type !== 'cpu').map(({ name }) => name);
  return {
    model,
    name: info.name ?? basename(info.path),
    describe: signal => describeModel(model, engineOptions, signal),
    async plan(run, chosen, items, { parallel }) {
      const size = await sizeFor(model, run, chosen, items, { parallel, engine: engineOptions });
      const { contextSize, maxSequences } = size;
      await using engine = await model.createEngine({ ...engineOptions, contextSize, maxSequences });
      const { batchSize, threads, kernels } = engine.settings;
      return { ...size, contextSize: engine.settings.contextSize, batchSize, threads, kernels };
    },
    async open(run, chosen, items, { prefix, onWarning, signal }) {
      const layout = run.layout!;
      const { contextSize, maxSequences, batchSize, threads } = layout;
      const adaptThreads = engineOptions.adaptThreads ?? engineOptions.threads === undefined;
      const kernels = kernelsAgain(layout.kernels);
      const options = { ...engineOptions, contextSize, maxSequences, batchSize, threads, adaptThreads, kernels };
      const engine = await model.createEngine(options);
      try {
        checkSettings(engine.settings, layout);
        const tokens = await beginningOf(model, run, chosen, items, layout.sharedTokens);
        const beginning = await begin(engine, tokens, { prefix, onWarning, signal });
        return {
          answerer: answererOf(engine, beginning),
          parallel: layout.parallel,
          probe: async () => (await engine.prefix(Int32Array.of(info.bos ?? 0))).release(),
          async [Symbol.asyncDispose]() {
            beginning?.held.release();
            await engine.close();
          },
        };
      } catch (error) {
        await engine.close();
        throw error;
      }
    },
    standIn:
      loadOnCpu && gpus.length > 0
        ? { as: 'cpu', insteadOf: gpus, open: signal => onCpu(loadOnCpu, engineOptions, signal) }
        : undefined,
  };
}

/** What all prompts begin with, evaluated, or loaded from where it is kept. Undefined if that is nothing. */
async function begin(
  engine: Engine,
  tokens: Int32Array,
  { prefix, onWarning, signal }: OpenOptions,
): Promise<Beginning | undefined> {
  if (prefix === undefined)
    return tokens.length > 0 ? { held: await engine.prefix(tokens, { signal }), tokens } : undefined;
  const short = tooShortToKeep(tokens);
  if (short !== undefined) {
    onWarning?.(short);
    return undefined;
  }
  const kept = await keptBeginning(engine, tokens, prefix, signal);
  for (const warning of kept.warnings) onWarning?.(warning);
  return kept;
}

async function onCpu(
  load: NonNullable<LocalOptions['loadOnCpu']>,
  engineOptions: EngineOptions,
  signal: AbortSignal | undefined,
): Promise<Target & AsyncDisposable> {
  const model = await load(signal);
  return { ...localTarget(model, engineOptions), [Symbol.asyncDispose]: () => model.close() };
}

/** What an engine makes of a layout on another machine is not the layout: its rows would differ from those that are there. */
function checkSettings(settings: EngineSettings, layout: Layout): void {
  const planned = { kernels: 'llama.cpp', ...layout };
  const names = ['contextSize', 'maxSequences', 'batchSize', 'threads', 'kernels'] as const;
  const differing = names.filter(name => settings[name] !== planned[name]);
  if (differing.length === 0) return;
  const list = differing.map(name => `${name}: ${planned[name]} planned, ${settings[name]} here`).join(', ');
  throw new MeditronError(
    'ERR_OPTION',
    `This machine cannot lay the run out as it was begun, so new rows would not repeat the old ones: ${list}. Choose another folder.`,
  );
}

async function describeModel(model: Model, options: EngineOptions, signal: AbortSignal | undefined): Promise<Fact[]> {
  const { info } = model;
  const { runtime } = info;
  const files = await modelHash(info, signal);
  const { threads, batchSize, flashAttention, kernels, loras = [] } = options;
  const kvType = options.kvType ?? (info.lowMemory ? lowKvType(info, flashAttention) : 'f16');
  const given = {
    threads,
    batch: batchSize,
    flash: flashAttention,
    kernels: kernels === 'auto' ? undefined : kernels,
    lora: loras.map(l => `${basename(l.path)}=${l.scale ?? 1}`).join(' '),
  };
  const settings = Object.entries(given).flatMap(([name, value]) => (value ? [`${name} ${value}`] : []));
  return [
    { name: 'model', value: `${info.name ?? basename(info.path)} (${basename(info.path)})` },
    { name: 'model SHA-256', value: files.map(file => file.sha256).join(' ') },
    { name: 'quantization', value: info.quantization.name },
    { name: 'build', value: `llama.cpp ${runtime.build.libraries}, ${runtime.build.kind}, ${runtime.cpuVariant}` },
    {
      name: 'machine',
      value: `${info.devices.map(device => device.description || device.name).join(', ')}; ${info.gpuLayers} layers on the GPU, weights by ${info.loadMode}`,
    },
    { name: 'engine', value: [`cache ${kvType}${info.lowMemory ? ', little memory' : ''}`, ...settings].join(', ') },
  ];
}
