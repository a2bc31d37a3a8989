import { expect, test } from 'vitest';
import { type Backend, gpuBackends, loadFirst, type System } from '../../src/native/backends.js';

const linux = (libraries: readonly string[], system: Partial<System> = {}): System => ({
  platform: 'linux-x64',
  has: library => libraries.includes(library),
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
const loads =
  (...paths: string[]) =>
  (path: string) => ({
    path,
    loaded: paths.some(each => path.includes(each)),
    message: paths.some(each => path.includes(each)) ? '' : 'it would not load',
  });

test('a machine with CUDA 12 has the backend of the ext package', () => {
  expect(usable(linux(cuda12))).toEqual(['@node-llama-cpp/linux-x64-cuda-ext']);
  expect(usable(linux(cuda13))).toEqual(['@node-llama-cpp/linux-x64-cuda']);
  expect(usable(linux([]))).toEqual([]);
});

test('of two CUDA backends that can be used the first is loaded, and the second where the first fails', () => {
  const both = gpuBackends('/', linux([...cuda12, ...cuda13]));
  const paths: string[] = [];
  const first = loadFirst(both, path => {
    paths.push(path);
    return loads('cuda')(path);
  });
  expect(paths).toEqual(['/packages/linux-x64-cuda/libggml-cuda.so']);
  expect(first.map(({ package: name, loaded }) => [name, loaded])).toEqual([
    ['@node-llama-cpp/linux-x64-cuda', true],
    ['@node-llama-cpp/linux-x64-vulkan', false],
  ]);
  const second = loadFirst(both, loads('fallback'));
  expect(second.find(backend => backend.loaded)!.package).toBe('@node-llama-cpp/linux-x64-cuda-ext');
  const none: Backend[] = loadFirst(both, loads());
  expect(none.map(backend => backend.reason)).toEqual([
    'it would not load',
    'it would not load',
    expect.stringContaining('libvulkan.so.1'),
  ]);
});
