import type { Belongs } from '../../src/engine/saved/belongs.js';

/** What a saved prefix of a small model belongs to. */
export const belongs: Belongs = {
  headers: 'v0.4.0',
  libraries: '0.4.0',
  ggml: '0.23.0',
  build: 'prebuilt',
  cpuVariant: 'libggml-cpu-haswell.so',
  devices: 'CPU CPU Some Processor',
  layers: '',
  loadMode: 'read',
  model: 'a'.repeat(64),
  loras: '',
  vocabularySize: 512,
  contextSize: 1024,
  batchSize: 128,
  kvType: 'f16',
  flashAttention: 'auto',
};
