import type { Belongs } from '../../src/engine/saved/belongs.js';

/** What a saved prefix of a small model belongs to. */
export const belongs: Belongs = {
  headers: 'v0.4.0',
  libraries: '0.4.0',
  ggml: '0.23.0',
  build: 'prebuilt',
  addon: 'b'.repeat(64),
  cpuVariant: 'libggml-cpu-haswell.so',
  devices: 'CPU CPU Some Processor',
  layers: '',
  loadMode: 'read',
  model: 'a'.repeat(64),
  loras: '',
  ropeFactors: 'one',
  rows: 4,
  threads: 2,
  kvType: 'f16',
  flashAttention: 'auto',
  kernels: 'AVX2',
};
