import * as v from 'valibot';
import { type ModelFiles, modelHash } from '../../models/identity.js';
import type { ModelInfo } from '../info.js';
import type { EngineSettings } from '../settings.js';

/** What a saved prefix belongs to: all that decides the numbers in the KV cache. It is restored where each is the same. */
export type Belongs = v.InferOutput<typeof belongsSchema>;

export const belongsSchema = v.strictObject({
  headers: v.string(),
  libraries: v.string(),
  ggml: v.string(),
  build: v.string(),
  cpuVariant: v.string(),
  devices: v.string(),
  layers: v.string(),
  loadMode: v.string(),
  model: v.string(),
  loras: v.string(),
  vocabularySize: v.number(),
  contextSize: v.number(),
  batchSize: v.number(),
  kvType: v.string(),
  flashAttention: v.string(),
});

/** What an engine's prefixes belong to. Reads the model file once per process, for its hash. @throws MeditronError `ERR_MODEL_FILE` */
export async function belongsTo(
  info: ModelInfo,
  settings: EngineSettings,
  adapters: ModelFiles,
  signal: AbortSignal | undefined,
): Promise<Belongs> {
  const { build, cpuVariant } = info.runtime;
  const scales = settings.loras.map(({ scale }) => scale);
  const model = await modelHash(info, signal);
  const loras = await modelHash(adapters, signal);
  return {
    headers: build.headers,
    libraries: build.libraries,
    ggml: build.ggml,
    build: build.kind,
    cpuVariant,
    devices: info.devices.map(({ backend, name, description }) => `${backend} ${name} ${description}`).join(', '),
    layers: info.layersOf.map(({ device, layers }) => `${device} ${layers}`).join(', '),
    loadMode: info.loadMode,
    model: model.map(({ sha256 }) => sha256).join(' '),
    loras: loras.map(({ sha256 }, i) => `${sha256} × ${scales[i]}`).join(', '),
    vocabularySize: info.vocabulary.size,
    contextSize: settings.contextSize,
    batchSize: settings.batchSize,
    kvType: settings.kvType,
    flashAttention: settings.flashAttention,
  };
}
