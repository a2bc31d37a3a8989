import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { computes, displayVendors, nvidia } from './adapters.js';
import type { Build } from './build.js';
import { addingCommand, managerOf } from './manager.js';
import { folderOf, readChecked, releaseIn } from './packages.js';

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
  /** What brings its package, a sentence without its full stop; null if it is installed, or no GPU seems to be there. */
  readonly add: string | null;
  /** What might help when it does not compute, a sentence without its full stop. */
  readonly remedy: string;
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
  /** PCI vendor of the cards it is for; all that compute unless given. */
  readonly vendor?: string;
  /** Devices of which one is there where a GPU is, seen or not among the display adapters. */
  readonly nodes: readonly string[];
  /** It is not even loaded without a GPU, unless this variable is set. */
  readonly asked?: string;
}

/** Devices that NVIDIA's driver makes; the last one under Windows' Linux. */
const nvidiaNodes = ['/dev/nvidiactl', '/dev/dxg'];

/** Microsoft's C++ runtime, which the GPU packages for Windows are linked with and Windows does not bring; the CPU libraries do without. */
const runtime = ['MSVCP140.dll', 'VCRUNTIME140.dll', 'VCRUNTIME140_1.dll'];
const itsPackage = "Microsoft's C++ runtime (`winget install Microsoft.VCRedist.2015+.x64`)";

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
    vendor: nvidia,
    nodes: nvidiaNodes,
  },
  {
    // For machines whose driver or runtime is of CUDA 12.
    name: 'CUDA',
    platform: 'linux-x64',
    package: 'linux-x64-cuda-ext',
    file: 'fallback/libggml-cuda.so',
    needs: ['libcuda.so.1', 'libcudart.so.12', 'libcublas.so.12'],
    install: 'the NVIDIA driver, and the CUDA 12 runtime with cuBLAS',
    vendor: nvidia,
    nodes: nvidiaNodes,
  },
  {
    name: 'Vulkan',
    platform: 'linux-x64',
    package: 'linux-x64-vulkan',
    file: 'libggml-vulkan.so',
    needs: ['libvulkan.so.1'],
    install: 'the Vulkan loader (Debian, Ubuntu: libvulkan1) and a Vulkan driver',
    // Loading it without a GPU costs a tenth of a second and the memory of Mesa's software renderer, for nothing.
    nodes: nvidiaNodes,
    asked: 'GGML_VK_VISIBLE_DEVICES',
  },
  {
    name: 'CUDA',
    platform: 'win32-x64',
    package: 'win-x64-cuda',
    file: 'ggml-cuda.dll',
    needs: ['nvcuda.dll', ...runtime], // the first comes with the driver
    install: `the NVIDIA driver, and ${itsPackage}`,
    vendor: nvidia,
    nodes: [],
  },
  {
    name: 'CUDA',
    platform: 'win32-x64',
    package: 'win-x64-cuda-ext',
    file: 'fallback/ggml-cuda.dll',
    needs: ['nvcuda.dll', ...runtime],
    install: `the NVIDIA driver, the CUDA 12 runtime with cuBLAS, and ${itsPackage}`,
    vendor: nvidia,
    nodes: [],
  },
  {
    name: 'Vulkan',
    platform: 'win32-x64',
    package: 'win-x64-vulkan',
    file: 'ggml-vulkan.dll',
    needs: ['vulkan-1.dll', ...runtime],
    install: `a Vulkan driver, and ${itsPackage}`,
    nodes: [],
  },
];

/** npm packages that carry a GPU backend. */
export const gpuPackages: readonly string[] = known.map(entry => carrierOf(entry));

/** What has to be known of a system to choose backends for it. */
export interface System {
  /** As `linux-x64`. */
  readonly platform: string;
  /** The file of a library that the dynamic loader would find. */
  find(library: string): string | undefined;
  exists(path: string): boolean;
  /** PCI vendors of the display adapters. */
  vendors(): readonly string[];
  /** One of the npm packages with libraries; undefined if it is not installed. */
  locate(name: string): Libraries | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** An installed package of llama.cpp's libraries. */
export interface Libraries {
  readonly folder: string;
  readonly version: string;
  /** llama.cpp's release, as `v0.4.0`; null where the package does not say. */
  readonly release: string | null;
}

/**
 * The prebuilt GPU backends that exist for this platform, whether usable or not, in the order in which they are tried. Nothing is
 * loaded. Metal comes with the CPU package; what is built from source loads no backend but its own.
 */
export function gpuBackends(root: string, build: Build, system: System = thisSystem(root)): Candidate[] {
  if (build.kind === 'source') return [];
  return known.filter(entry => entry.platform === system.platform).map(entry => candidate(entry, root, build, system));
}

function carrierOf(entry: Known): string {
  return `@node-llama-cpp/${entry.package}`;
}

function candidate(entry: Known, root: string, build: Build, system: System): Candidate {
  const carrier = carrierOf(entry);
  const installed = system.locate(carrier);
  const file = installed && join(installed.folder, entry.file);
  const other = installed && otherRelease(installed, build);
  const path = file !== undefined && !other && system.exists(file) ? file : null;
  const found = entry.needs.map(library => system.find(library));
  const missing = entry.needs.filter((_, i) => found[i] === undefined);
  const add = addingCommand(managerOf(root), carrier, build.librariesVersion ?? 'latest');
  const isFor = (vendor: string) => (entry.vendor === undefined ? computes(vendor) : vendor === entry.vendor);
  const hasGpu = entry.nodes.some(system.exists) || system.vendors().some(isFor);
  const reasons = [
    installed === undefined && `the package ${carrier} is not installed`,
    other && `${carrier} ${other}. ${add}`,
    installed && !other && path === null && `${file} is missing: install ${carrier} again`,
    missing.length > 0 && `not found on this system: ${missing.join(', ')}; install ${entry.install}`,
    path !== null && missing.length === 0 && entry.asked && !hasGpu && withoutGpu(entry, system),
  ].filter(reason => typeof reason === 'string');
  return {
    name: entry.name,
    package: carrier,
    path,
    missing,
    libraries: found.filter(library => library !== undefined),
    install: entry.install,
    add: path === null && hasGpu ? add : null,
    remedy: remedy(entry.name, build),
    ...(reasons.length > 0 && { reason: reasons.join('; ') }),
  };
}

/** Backends share llama.cpp's structures with the addon, so they have to be of its release. */
function otherRelease({ release, version }: Libraries, build: Build): string | undefined {
  if (release === null)
    return version === build.librariesVersion
      ? undefined
      : `${version} is not ${build.librariesVersion}, which the addon needs`;
  return release === build.release
    ? undefined
    : `${version} is of llama.cpp ${release}, and the addon of ${build.release}`;
}

function remedy(name: Candidate['name'], { place }: Pick<Build, 'place'>): string {
  if (name === 'Vulkan') return "Update the card's Vulkan driver";
  if (name === 'Metal') return 'Update macOS';
  return `Build ${place === 'checkout' ? 'from source' : 'Meditron from its sources'} for this card with \`npm run build -- --source --cuda --cuda-arch native\``;
}

/** What is inside the addon, or beside its CPU backends: it is there as soon as the addon is. */
export function builtInBackends(build: Build): Candidate[] {
  return build.builtIn.map(name => {
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
      add: null,
      remedy: remedy(name, build),
    };
  });
}

function thisSystem(root: string): System {
  return {
    platform: `${process.platform}-${process.arch}`,
    find: findLibrary,
    exists: existsSync,
    vendors: () => (vendors ??= displayVendors()),
    locate: name => locate(name, root),
    env: process.env,
  };
}

/** Where it is installed, or in a checkout where scripts/packages.js unpacks it. */
function locate(name: string, root: string): Libraries | undefined {
  const folder = [folderOf(name, root), join(root, 'build', 'packages', name)].find(
    place => place !== undefined && existsSync(join(place, 'bins')),
  );
  const inside = folder && readdirSync(join(folder, 'bins'))[0];
  if (!inside) return undefined;
  const bins = join(folder, 'bins', inside);
  try {
    const { version } = readChecked(join(folder, 'package.json'), v.object({ version: v.string() }));
    const release = releaseIn(bins) ?? null;
    return existsSync(join(bins, '_nlcBuildMetadata.json')) && release === null
      ? undefined
      : { folder: bins, version, release };
  } catch {
    return undefined; // a damaged package is none
  }
}

/** Why a backend is not worth loading, or false. */
function withoutGpu(entry: Known, { env }: System): string | false {
  if (entry.asked && env[entry.asked] !== undefined) return false;
  return `no GPU was found among the display adapters; set ${entry.asked} to use a software device`;
}

/**
 * What would make models run on a GPU that seems to be there, in one sentence; undefined if one is used, or none seems to be there. Of
 * several packages the one that needs the least besides.
 *
 * @param used a backend is in use
 */
export function missingBackend(candidates: readonly Candidate[], used: boolean): string | undefined {
  if (used) return undefined;
  const [best] = candidates.filter(({ add }) => add !== null).sort((a, b) => a.missing.length - b.missing.length);
  if (!best) return undefined;
  const first = best.missing.length > 0 ? ` Install ${best.install} first.` : '';
  return `A GPU seems to be there, and ${best.name} would use it.${first} ${best.add}.`;
}

let vendors: readonly string[] | undefined;
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
