import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { gpuBackends, type Libraries, missingBackend, type System } from '../../src/native/backends.js';
import type { Build } from '../../src/native/build.js';

const build: Build = {
  place: 'package',
  addon: '/app/node_modules/@meditron/linux-x64/meditron.node',
  kind: 'prebuilt',
  libraries: '/app/node_modules/@meditron/linux-x64',
  release: 'v0.4.0',
  librariesVersion: '3.21.1',
  builtIn: [],
  repair: 'Install it again',
};
const root = '/app/node_modules/meditron';

/** A machine with these libraries and an NVIDIA card, on which every package is installed. */
const linux = (libraries: readonly string[], system: Partial<System> = {}): System => ({
  platform: 'linux-x64',
  find: library => (libraries.includes(library) ? `/lib/${library}` : undefined),
  exists: path => path.startsWith('/packages/'),
  vendors: () => ['10de'],
  locate: name => ({ folder: `/packages/${name}`, version: '3.21.1', release: 'v0.4.0' }),
  env: {},
  ...system,
});
const usable = (system: System) =>
  gpuBackends(root, build, system)
    .filter(backend => backend.reason === undefined)
    .map(backend => backend.package);
const cuda13 = ['libcuda.so.1', 'libcudart.so.13', 'libcublas.so.13'];
const cuda12 = ['libcuda.so.1', 'libcudart.so.12', 'libcublas.so.12'];

test('a Windows machine without the drivers of a card tries nothing', () => {
  const windows = (...libraries: string[]) => linux(libraries, { platform: 'win32-x64' });
  expect(usable(windows())).toEqual([]);
  const runtime = ['MSVCP140.dll', 'VCRUNTIME140.dll', 'VCRUNTIME140_1.dll'];
  expect(usable(windows('vulkan-1.dll', ...runtime))).toEqual(['@node-llama-cpp/win-x64-vulkan']);
  expect(usable(windows('nvcuda.dll', ...runtime))).toEqual([
    '@node-llama-cpp/win-x64-cuda',
    '@node-llama-cpp/win-x64-cuda-ext',
  ]);
});

test("a Windows machine with a card and without Microsoft's C++ runtime is told to install it", () => {
  const system = linux(['nvcuda.dll'], { platform: 'win32-x64', locate: () => undefined });
  const [cuda] = gpuBackends(root, build, system);
  expect(cuda!.reason).toMatch(/not found on this system: MSVCP140\.dll, .*winget install Microsoft\.VCRedist/);
  expect(cuda!.add).not.toBeNull(); // the card is there
});

test('a machine with CUDA 12 has the backend of the ext package', () => {
  expect(usable(linux(cuda12))).toEqual(['@node-llama-cpp/linux-x64-cuda-ext']);
  expect(usable(linux(cuda13))).toEqual(['@node-llama-cpp/linux-x64-cuda']);
  expect(usable(linux([]))).toEqual([]);
});

test('a backend that is not there says which package it is in', () => {
  const backends = gpuBackends(root, build, linux(cuda13, { locate: () => undefined }));
  expect(backends.map(backend => backend.name)).toEqual(['CUDA', 'CUDA', 'Vulkan']);
  for (const backend of backends) expect(backend.reason).toContain(`the package ${backend.package} is not installed`);
});

test('an addon that was built from source loads no backend of a package', () => {
  expect(gpuBackends(root, { ...build, kind: 'source' }, linux(cuda13))).toEqual([]);
});

test.each<[string, Libraries, string]>([
  [
    'another release of llama.cpp',
    { folder: '/packages/x', version: '3.22.1', release: 'v0.5.0' },
    '3.22.1 is of llama.cpp v0.5.0, and the addon of v0.4.0. Run `npm install --global @node-llama-cpp/linux-x64-cuda@3.21.1`',
  ],
  [
    'another version, where the package does not say its release',
    { folder: '/packages/x', version: '3.20.0', release: null },
    '3.20.0 is not 3.21.1, which the addon needs. Run `npm install --global @node-llama-cpp/linux-x64-cuda@3.21.1`',
  ],
])('a package of %s is not tried, and it is said which one is', (_, libraries, expected) => {
  const [cuda] = gpuBackends(root, build, linux(cuda13, { locate: () => libraries }));
  expect(cuda).toMatchObject({ path: null, reason: `@node-llama-cpp/linux-x64-cuda ${expected}` });
});

test('a package that lost its backend is to be installed again', () => {
  const [cuda] = gpuBackends(root, build, linux(cuda13, { exists: () => false }));
  expect(cuda?.reason).toBe(
    '/packages/@node-llama-cpp/linux-x64-cuda/libggml-cuda.so is missing: install @node-llama-cpp/linux-x64-cuda again',
  );
});

const nothing = { locate: () => undefined };
test.each<[string, System, string | undefined]>([
  ['no card', linux(cuda13, { ...nothing, vendors: () => [] }), undefined],
  [
    'the screen of a virtual machine',
    linux([...cuda13, 'libvulkan.so.1'], { ...nothing, vendors: () => ['1234'] }),
    undefined,
  ],
  [
    'an NVIDIA card in a container',
    linux(cuda13, { ...nothing, vendors: () => [], exists: path => path === '/dev/nvidiactl' }),
    'CUDA .*npm install',
  ],
  ['CUDA 13', linux([...cuda13, 'libvulkan.so.1'], nothing), 'CUDA .*npm install .*linux-x64-cuda@3\\.21\\.1'],
  ['CUDA 12', linux(cuda12, nothing), 'CUDA .*npm install .*linux-x64-cuda-ext@3\\.21\\.1'],
  ['a Vulkan loader', linux(['libvulkan.so.1'], nothing), 'Vulkan .*npm install .*linux-x64-vulkan@3\\.21\\.1'],
  [
    'a card and nothing else',
    linux([], { ...nothing, vendors: () => ['1a03', '1002'] }),
    'Install the Vulkan loader .* first\\. Run `npm install .*linux-x64-vulkan@3\\.21\\.1`\\.$',
  ],
  [
    'an NVIDIA card on Windows',
    linux(['nvcuda.dll'], { ...nothing, platform: 'win32-x64' }),
    'npm install .*win-x64-cuda@',
  ],
  [
    'Vulkan’s loader alone on Windows',
    linux(['vulkan-1.dll'], { ...nothing, platform: 'win32-x64', vendors: () => [] }),
    undefined,
  ],
  [
    'Intel graphics on Windows',
    linux(['vulkan-1.dll'], { ...nothing, platform: 'win32-x64', vendors: () => ['8086'] }),
    'Vulkan .*npm install .*win-x64-vulkan@',
  ],
])('a machine with %s is told the one command that adds a backend', (_, system, expected) => {
  const advice = missingBackend(gpuBackends(root, build, system), false);
  if (expected === undefined) expect(advice).toBeUndefined();
  else expect(advice).toMatch(new RegExp(expected));
  expect(missingBackend(gpuBackends(root, build, system), true)).toBeUndefined();
});

const folder = mkdtempSync(join(tmpdir(), 'meditron-backends-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.runIf(process.platform === 'linux' && process.arch === 'x64').each([
  ['beside it', 'app/node_modules/@node-llama-cpp/linux-x64-vulkan'],
  ['above it', 'node_modules/@node-llama-cpp/linux-x64-vulkan'],
  ['fetched in a checkout', 'app/node_modules/meditron/build/packages/@node-llama-cpp/linux-x64-vulkan'],
])('an installed backend is found %s', (_, place) => {
  const here = mkdtempSync(join(folder, 'tree-'));
  const bins = join(here, place, 'bins', 'linux-x64-vulkan');
  mkdirSync(bins, { recursive: true });
  mkdirSync(join(here, place, 'dist'));
  // As published: the manifest is not among its exports.
  const exports = { '.': { import: './dist/index.js', node: './dist/index.js', default: './dist/index.js' } };
  const manifest = { name: '@node-llama-cpp/linux-x64-vulkan', version: '3.21.1', type: 'module', exports };
  writeFileSync(join(here, place, 'package.json'), JSON.stringify(manifest));
  writeFileSync(join(here, place, 'dist', 'index.js'), '');
  writeFileSync(join(bins, 'libggml-vulkan.so'), '');
  const metadata = { buildOptions: { llamaCpp: { repo: 'ggml-org/llama.cpp', release: 'v0.4.0' } } };
  writeFileSync(join(bins, '_nlcBuildMetadata.json'), JSON.stringify(metadata));
  const found = () => gpuBackends(join(here, 'app/node_modules/meditron'), build).find(({ name }) => name === 'Vulkan');
  expect(found()?.path).toBe(join(bins, 'libggml-vulkan.so'));
  expect(existsSync(found()!.path!)).toBe(true);
  rmSync(join(here, place, 'dist'), { recursive: true });
  expect(found()?.path).toBe(join(bins, 'libggml-vulkan.so'));
  writeFileSync(join(bins, '_nlcBuildMetadata.json'), '{');
  expect(found()).toMatchObject({ path: null, reason: expect.stringContaining('is not installed') });
});
