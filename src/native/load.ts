import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { MeditronError } from '../check/errors.js';
import { packageFolder } from '../check/project.js';
import type { Addon, AddonBuild, BackendReport } from './addon.js';
import { type Backend, gpuBackends, loadFirst } from './backends.js';

/** The loaded addon, and what became of every backend that was tried. */
export interface LoadedAddon {
  readonly addon: Addon;
  /** Path of the compiled addon. */
  readonly path: string;
  /** File name of the CPU variant in use, as `libggml-cpu-haswell.so`, or `built in` for a source build. */
  readonly cpuVariant: string;
  readonly backends: readonly Backend[];
}

let loaded: Promise<LoadedAddon> | undefined;

/**
 * Loads the native addon and the backends this machine can use, once per thread.
 *
 * @throws MeditronError `ERR_ADDON` if the addon has not been built, or was built with headers of another llama.cpp release
 *   than the libraries it finds.
 */
export function loadAddon(): Promise<LoadedAddon> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<LoadedAddon> {
  // Without this llama.cpp starts a debugger on itself when an assertion fails, and waits for it.
  process.env.GGML_NO_BACKTRACE ??= '1';

  const root = packageFolder();
  const record = readRecord(root);
  const path = resolve(root, record.addon);
  const addon = requireAddon(path);
  checkRelease(addon.build);
  if (addon.build.kind === 'source') {
    addon.loadBackends(dirname(path), []);
    return { addon, path, cpuVariant: 'built in', backends: [] };
  }

  const libraries = resolve(root, record.libraries);
  const [cpu] = addon.loadBackends(libraries, []) as [BackendReport];
  if (!cpu.loaded)
    throw new MeditronError('ERR_ADDON', `llama.cpp found no CPU backend: ${cpu.message}. Reinstall with \`npm ci\`.`);
  const backends = loadFirst(gpuBackends(root), path => addon.loadBackends(libraries, [path])[1]!);
  return { addon, path, cpuVariant: cpu.path.replace(/^.*[\\/]/, ''), backends };
}

/** What scripts/build.js wrote down; paths are relative to the project. */
interface BuildRecord {
  readonly addon: string;
  /** The folder of the prebuilt libraries; empty for a source build. */
  readonly libraries: string;
}

function readRecord(root: string): BuildRecord {
  const file = join(root, 'build', 'addon.json');
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as BuildRecord;
  throw new MeditronError(
    'ERR_ADDON',
    `The native addon has not been built: ${file} is missing. Run \`npm run build\` in ${root}.`,
  );
}

function requireAddon(path: string): Addon {
  try {
    return createRequire(path)(path) as Addon;
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new MeditronError(
      'ERR_ADDON',
      `The native addon ${path} could not be loaded: ${message}. Run \`npm run build\` again.`,
      { cause },
    );
  }
}

/** Structures differ between releases, so headers and libraries have to be of the same one. */
export function checkRelease(build: Pick<AddonBuild, 'headers' | 'libraries'>): void {
  const headers = build.headers.replace(/^v/, '');
  const libraries = build.libraries.replace(/-dev$/, '');
  if (headers === libraries) return;
  throw new MeditronError(
    'ERR_ADDON',
    `The addon was compiled with the headers of llama.cpp ${headers} and found libraries of ${libraries}. Run \`npm ci && npm run build\`.`,
  );
}
