import { expect, test } from 'vitest';
import { gpuBackends } from '../../src/native/backends.js';
import { checkRelease } from '../../src/native/build.js';
import { loadAddon } from '../../src/native/load.js';

test('the addon and its libraries are of one release, and a CPU variant was chosen', async () => {
  const { addon, cpuVariant } = await loadAddon();
  expect(() => checkRelease(addon.build)).not.toThrow();
  expect(cpuVariant).toMatch(/^(libggml-cpu|ggml-cpu|built in)/);
  expect(addon.devices().map(device => device.type)).toContain('cpu');
});

test('what is to be hidden from backends inside the addon is hidden before anything is listed', async () => {
  const { addon } = await loadAddon();
  expect(process.env.GGML_TEST_HIDDEN).toBeUndefined();
  addon.loadBackends('', [], ['GGML_TEST_HIDDEN']);
  expect(process.env.GGML_TEST_HIDDEN).toBe('-1');
});

test('libraries of another release are refused', () => {
  expect(() => checkRelease({ headers: 'v0.4.0', libraries: '0.5.0-dev' })).toThrow(
    /headers of llama\.cpp 0\.4\.0 and found libraries of 0\.5\.0/,
  );
});

test.runIf(process.platform === 'linux' && process.arch === 'x64')(
  'a GPU backend that is not there says which package it is in',
  () => {
    const backends = gpuBackends('/nowhere');
    expect(backends.map(backend => backend.name)).toEqual(['CUDA', 'CUDA', 'Vulkan']);
    for (const backend of backends) {
      expect(backend.reason).toContain(`the package ${backend.package} is not installed`);
    }
  },
);
