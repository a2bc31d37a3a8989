import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** A GPU backend that this machine might use: where it is, what it needs, and why it cannot even be tried. */
export interface Candidate {
  readonly name: 'CUDA' | 'Vulkan' | 'Metal';
  /** npm package that carries it; null for what is built into the addon. */
  readonly package: string | null;
  /** Its shared library; null if the package is not installed, and for what is built in. */
  readonly path: string | null;
  /** Shared libraries of the system that it needs and that were not found. */
  readonly missing: readonly string[];
  /** Files of those that were. */
  readonly libraries: readonly string[];
  /** What has to be installed for it. */
  readonly install: string;
  /** Why it is not worth trying, in words. */
  readonly reason?: string;
}

/** What is known of a backend: which system it is for, what it needs of it, and what tells that there is a GPU at all. */
interface Known {
  readonly name: Candidate['name'];
  readonly platform: string;
  readonly package: string;
  readonly file: string;
  readonly needs: readonly string[];
  readonly install: string;
  readonly hardware?: readonly string[];
  readonly asked?: string;
}

/** The better first: the first that computes is used. */
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
    needs: ['nvcuda.dll'], // comes with the driver
    install: 'the NVIDIA driver',
  },
  {
    name: 'CUDA',
    platform: 'win32-x64',
    package: 'win-x64-cuda-ext',
    file: 'fallback/ggml-cuda.dll',
    needs: ['nvcuda.dll'],
    install: 'the NVIDIA driver, and the CUDA 12 runtime with cuBLAS',
  },
  {
    name: 'Vulkan',
    platform: 'win32-x64',
    package: 'win-x64-vulkan',
    file: 'ggml-vulkan.dll',
    needs: ['vulkan-1.dll'],
    install: 'a Vulkan driver',
  },
];

/** What has to be known of a system to choose backends for it. */
export interface System {
  /** As `linux-x64`. */
  readonly platform: string;
  /** The file of a library that the dynamic loader would find. */
  find(library: string): string | undefined;
  exists(path: string): boolean;
  /** Path of a file of one of the npm packages with libraries; undefined if the package is not installed. */
  locate(name: string, file: string): string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * The prebuilt GPU backends that exist for this platform, whether usable or not, in the order in which they are tried. Nothing is
 * loaded. Metal comes with the CPU package.
 */
export function gpuBackends(root: string, system: System = thisSystem(root)): Candidate[] {
  return known
    .filter(entry => entry.platform === system.platform)
    .map(entry => {
      const path = system.locate(entry.package, entry.file) ?? null;
      const found = entry.needs.map(library => system.find(library));
      const missing = entry.needs.filter((_, i) => found[i] === undefined);
      const reasons = [
        path === null && `the package @node-llama-cpp/${entry.package} is not installed`,
        missing.length > 0 && `not found on this system: ${missing.join(', ')}; install ${entry.install}`,
        path !== null && missing.length === 0 && withoutHardware(entry, system),
      ].filter(reason => reason !== false);
      return {
        name: entry.name,
        package: `@node-llama-cpp/${entry.package}`,
        path,
        missing,
        libraries: found.filter(file => file !== undefined),
        install: entry.install,
        ...(reasons.length > 0 && { reason: reasons.join('; ') }),
      };
    });
}

/** What is inside the addon, or beside its CPU backends: it is there as soon as the addon is. */
export function builtInBackends(names: readonly Candidate['name'][]): Candidate[] {
  return names.map(name => {
    const drivers = { CUDA: ['libcuda.so.1', 'nvcuda.dll'], Vulkan: ['libvulkan.so.1', 'vulkan-1.dll'], Metal: [] }[
      name
    ];
    const found = process.platform === 'darwin' ? [] : drivers.map(findLibrary);
    return {
      name,
      package: null,
      path: null,
      missing: [],
      libraries: found.filter(file => file !== undefined),
      install: '',
    };
  });
}

function thisSystem(root: string): System {
  return {
    platform: `${process.platform}-${process.arch}`,
    find: findLibrary,
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

/** Where the dynamic loader would find a library: in its cache, or in the folders of LD_LIBRARY_PATH; a driver's on Windows. */
function findLibrary(library: string): string | undefined {
  if (process.platform === 'win32') return fileIn([join(process.env.SystemRoot ?? 'C:\\Windows', 'System32')], library);
  const folders = (process.env.LD_LIBRARY_PATH ?? '').split(':').filter(Boolean);
  const named = fileIn(folders, library);
  if (named) return named;
  cache ??=
    ['/sbin/ldconfig', 'ldconfig']
      .map(tool => spawnSync(tool, ['-p'], { encoding: 'utf8' }).stdout ?? '')
      .find(Boolean) ?? '';
  if (!cache)
    return fileIn(['/lib', '/usr/lib', '/usr/lib64', '/lib/x86_64-linux-gnu', '/usr/lib/x86_64-linux-gnu'], library);
  // "libvulkan.so.1 (libc6,x86-64) => /lib/x86_64-linux-gnu/libvulkan.so.1"
  const line = cache.split('\n').find(text => text.trimStart().startsWith(`${library} `));
  return line?.split(' => ')[1]?.trim();
}

function fileIn(folders: readonly string[], name: string): string | undefined {
  return folders.map(folder => join(folder, name)).find(path => existsSync(path));
}
