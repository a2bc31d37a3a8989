import { type Death, EngineDied } from '../../check/died.js';
import { availableBeside } from '../../engine/capacity/memory.js';
import type { Engine } from '../../engine/engine.js';
import type { LoadOptions as WeightOptions } from '../../engine/load.js';
import type { EngineOptions, Model } from '../../engine/model.js';
import type { IsolateOptions } from '../../host/host.js';
import { loadModel } from '../../host/load.js';
import { Scorer } from './scorer.js';
import { sharedCells } from './size.js';

/** How every model of a server is loaded, and what its engine is like. */
export interface ModelSetup {
  readonly weights?: Omit<WeightOptions, 'path' | 'onProgress' | 'signal'> | undefined;
  readonly engine?: Omit<EngineOptions, 'maxSequences'> | undefined;
  /** Default true: a process of its own. */
  readonly isolate?: boolean | IsolateOptions | undefined;
  /** Sequences alive at once. */
  readonly parallel: number;
}

/** A model in memory with the engine that requests share. */
export interface LoadedEngine {
  readonly model: Model;
  readonly engine: Engine;
  readonly scorer: Scorer;
}

/** Loads a model and opens its engine; told of every death of its process. */
export async function loadEngine(
  path: string,
  { weights, engine, isolate = true, parallel }: ModelSetup,
  onDeath: (death: Death) => void,
  signal: AbortSignal,
): Promise<LoadedEngine> {
  const how = isolate === true ? {} : isolate;
  const tell = (death: Death) => {
    onDeath(death);
    if (how) how.onDeath?.(death);
  };
  const told = how && { ...how, onDeath: tell };
  const model = await loadModel({ ...weights, path, isolate: told, signal });
  try {
    const contextSize = engine?.contextSize ?? (await cellsOf(model, engine?.kvType, parallel));
    const opened = await model.createEngine({ ...engine, ...(contextSize && { contextSize }), maxSequences: parallel });
    if (!signal.aborted)
      return { model, engine: opened, scorer: new Scorer(opened, size => model.createEngine({ ...engine, ...size })) };
    await opened.close();
    throw signal.reason;
  } catch (error) {
    await model.close();
    throw error;
  }
}

/** Loads it once more, with the CPU alone. */
export function loadOnCpu(
  path: string,
  { weights, isolate = true }: ModelSetup,
  signal: AbortSignal | undefined,
): Promise<Model> {
  return loadModel({ ...weights, path, gpuLayers: 0, isolate, signal });
}

/** Undefined for a model that is laid out for little memory: its engine knows best. */
async function cellsOf(model: Model, kvType: EngineOptions['kvType'], parallel: number): Promise<number | undefined> {
  if (model.info.lowMemory) return undefined;
  return sharedCells(model.info, parallel, kvType ?? 'f16', availableBeside(model.info), await model.devices());
}

/** Whether the CPU alone may be spared what happened. */
export function diedOnGpu(error: unknown): boolean {
  return error instanceof EngineDied && gpuOf(error.death);
}

export function gpuOf({ devices }: Pick<Death, 'devices'>): boolean {
  return devices.some(name => name !== 'CPU');
}
