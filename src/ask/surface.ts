import type { Engine } from '../engine/engine.js';
import type { Model } from '../engine/model.js';

/** The part of a model that asking needs; a test gives one of thirty lines. */
export interface AskModel extends Pick<Model, 'tokenize' | 'continuation'> {
  readonly info: Pick<
    Model['info'],
    | 'path'
    | 'name'
    | 'architecture'
    | 'chatTemplate'
    | 'sizeBytes'
    | 'quantization'
    | 'contextLength'
    | 'specialTokens'
    | 'specials'
    | 'ends'
    | 'files'
    | 'loadMode'
    | 'gpuLayers'
    | 'devices'
  >;
}

/** The part of an engine that asking needs. */
export interface AskEngine extends Pick<Engine, 'generate' | 'score' | 'prefix' | 'settings' | 'counters'> {
  readonly model: AskModel;
}
