import { expect, test } from 'vitest';
import { gpuBackends, type System } from '../../src/native/backends.js';

const linux = (libraries: readonly string[], system: Partial<System> = {}): System => ({
  platform: 'linux-x64',
  find: library => (libraries.includes(library) ? `/lib/${library}` : undefined),
  exists: path => path === '/dev/nvidiactl',
  locate: (name, file) => `/packages/${name}/${file}`,
  env: {},
  ...system,
});
const usable = (system: System) =>
  gpuBackends('/', system)
    .filter(backend => backend.reason === undefined)
    .map(backend => backend.package);
const cuda13 = ['libcuda.so.1', 'libcudart.so.13', 'libcublas.so.13'];
const cuda12 = ['libcuda.so.1', 'libcudart.so.12', 'libcublas.so.12'];

test('a Windows machine without the drivers of a card tries nothing', () => {
  const windows = (...libraries: string[]) => linux(libraries, { platform: 'win32-x64' });
  expect(usable(windows())).toEqual([]);
  expect(usable(windows('vulkan-1.dll'))).toEqual(['@node-llama-cpp/win-x64-vulkan']);
  expect(usable(windows('nvcuda.dll'))).toEqual(['@node-llama-cpp/win-x64-cuda', '@node-llama-cpp/win-x64-cuda-ext']);
});

test('a machine with CUDA 12 has the backend of the ext package', () => {
  expect(usable(linux(cuda12))).toEqual(['@node-llama-cpp/linux-x64-cuda-ext']);
  expect(usable(linux(cuda13))).toEqual(['@node-llama-cpp/linux-x64-cuda']);
  expect(usable(linux([]))).toEqual([]);
});
