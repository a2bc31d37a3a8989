import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { BackendReport } from './addon.js';

/** A GPU backend of the prebuilt libraries: where it is, what it needs, and why it is not used. */
export interface Backend {
  readonly name: 'CUDA' | 'Vulkan' | 'Metal';
  /** npm package that carries it. */
  readonly package: string;
  /** Its shared library, or undefined if the package is not installed. */
  readonly path: string | undefined;
  /** Shared libraries of the system that it needs and that were not found. */
  readonly missing: readonly string[];
  readonly loaded: boolean;
  /** Why it is not loaded, in words; absent when it is. */
  readonly reason?: string;
}

/** What is known of a backend: which system it is for, what it needs of it, and what tells that there is a GPU at all. */
interface Known {
  readonly name: Backend['name'];
  readonly platform: string;
  readonly package: string;
  readonly file: string;
  readonly needs: readonly string[];
  readonly install: string;
  readonly hardware?: readonly string[];
  readonly asked?: string;
}

/** Of several with one name the first that can be loaded is used. */
const known: readonly Known[] = [
  {
    name: 'CUDA',
    platform: 'linux-x64',
    package: 'linux-x64-cuda',
    file: 'libggml-cuda.so',
    // libcuda comes with the driver, the other two with the CUDA 13 runtime.
    needs: ['libcuda.so.1', 'libcudart.so.13', 'libcublas.so.13'],
    install: 'the NVIDIA driver, and the CUDA 13 runtime with cuBLAS',
  },
  {
    // For machines whose driver or runtime is of CUDA 12.
    name: 'CUDA',
    platform: 'linux-x64',
    package: 'linux-x64-cuda-ext',
    file: 'fallback/libggml-cuda.so',
    needs: ['libcuda.so.1', 'libcudart.so.12', 'libcublas.so.12'],
    install: 'the NVIDIA driver, and the CUDA 12 runtime with cuBLAS',
  },
  {
    name: 'Vulkan',
    platform: 'linux-x64',
    package: 'linux-x64-vulkan',
    file: 'libggml-vulkan.so',
    needs: ['libvulkan.so.1'],
    install: 'the Vulkan loader (Debian, Ubuntu: libvulkan1) and a Vulkan driver',
    // Loading it without a GPU costs a tenth of a second and the memory of Mesa's software renderer, for nothing.
    hardware: ['/dev/dri', '/dev/nvidiactl', '/dev/dxg'],
    asked: 'GGML_VK_VISIBLE_DEVICES',
  },
  {
    name: 'CUDA',
    platform: 'win32-x64',
    package: 'win-x64-cuda',
    file: 'ggml-cuda.dll',
    needs: [],
    install: 'the NVIDIA driver',
  },
  {
    name: 'CUDA',
    platform: 'win32-x64',
    package: 'win-x64-cuda-ext',
    file: 'fallback/ggml-cuda.dll',
    needs: [],
    install: 'the NVIDIA driver, and the CUDA 12 runtime with cuBLAS',
  },
  {
    name: 'Vulkan',
    platform: 'win32-x64',
    package: 'win-x64-vulkan',
    file: 'ggml-vulkan.dll',
    needs: [],
    install: 'a Vulkan driver',
  },
];

/** What has to be known of a system to choose backends for it. */
export interface System {
  /** As `linux-x64`. */
  readonly platform: string;
  /** Whether the dynamic loader would find a library. */
  has(library: string): boolean;
  exists(path: string): boolean;
  /** Path of a file of one of the npm packages with libraries; undefined if the package is not installed. */
  locate(name: string, file: string): string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * The GPU backends that exist for this platform, whether usable or not, the better of one name first. Nothing is loaded. Metal comes
 * with the CPU package.
 */
export function gpuBackends(root: string, system: System = thisSystem(root)): Backend[] {
  return known
    .filter(entry => entry.platform === system.platform)
    .map(entry => {
      const missing = entry.needs.filter(library => !system.has(library));
      const path = system.locate(entry.package, entry.file);
      const reasons = [
        path === undefined && `the package @node-llama-cpp/${entry.package} is not installed`,
        missing.length > 0 && `not found on this system: ${missing.join(', ')}; install ${entry.install}`,
        path !== undefined && missing.length === 0 && withoutHardware(entry, system),
      ].filter(reason => reason !== false);
      return {
        name: entry.name,
        package: `@node-llama-cpp/${entry.package}`,
        path,
        missing,
        loaded: false,
        ...(reasons.length > 0 && { reason: reasons.join('; ') }),
      };
    });
}

/** Tries backends in order and keeps the first of each name that loads; the others of that name are left out. */
export function loadFirst(backends: readonly Backend[], load: (path: string) => BackendReport): Backend[] {
  const tried = backends.map(backend => ({ ...backend }));
  for (const [i, backend] of tried.entries()) {
    if (backend.reason !== undefined || tried.some(other => other.loaded && other.name === backend.name)) continue;
    const { loaded, message } = load(backend.path!);
    tried[i] = { ...backend, loaded, ...(message && { reason: message }) };
  }
  return tried.filter(backend => backend.loaded || !tried.some(other => other.loaded && other.name === backend.name));
}

function thisSystem(root: string): System {
  return {
    platform: `${process.platform}-${process.arch}`,
    has: systemHas,
    exists: existsSync,
    locate: (name, file) => locate(root, name, file),
    env: process.env,
  };
}

function locate(root: string, name: string, file: string): string | undefined {
  const bins = join(root, 'node_modules', '@node-llama-cpp', name, 'bins');
  if (!existsSync(bins)) return undefined;
  const path = join(bins, readdirSync(bins)[0]!, file);
  return existsSync(path) ? path : undefined;
}

/** Why a backend is not worth loading, or false. */
function withoutHardware(entry: Known, { exists, env }: System): string | false {
  if (!entry.hardware || entry.hardware.some(exists) || (entry.asked && env[entry.asked] !== undefined)) return false;
  return `no GPU was found (none of ${entry.hardware.join(', ')})${entry.asked ? `; set ${entry.asked} to use a software device` : ''}`;
}

let cache: string | undefined;

/** Whether the dynamic loader would find a library: its cache, then the folders of LD_LIBRARY_PATH. */
function systemHas(library: string): boolean {
  const folders = (process.env.LD_LIBRARY_PATH ?? '').split(':').filter(Boolean);
  if (folders.some(folder => existsSync(join(folder, library)))) return true;
  cache ??=
    ['/sbin/ldconfig', 'ldconfig']
      .map(tool => spawnSync(tool, ['-p'], { encoding: 'utf8' }).stdout ?? '')
      .find(Boolean) ?? '';
  if (cache) return cache.includes(`${library} `);
  return ['/lib', '/usr/lib', '/usr/lib64', '/lib/x86_64-linux-gnu', '/usr/lib/x86_64-linux-gnu'].some(folder =>
    existsSync(join(folder, library)),
  );
}
