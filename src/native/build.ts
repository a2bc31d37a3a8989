import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { MeditronError } from '../check/errors.js';
import type { Addon, AddonBuild } from './addon.js';

/** What has been built, as scripts/build.js wrote it down. */
export interface Build {
  /** The compiled addon. */
  readonly addon: string;
  readonly kind: 'prebuilt' | 'source';
  /** Folder of the CPU backends: of the prebuilt libraries, or that of the addon, which has them inside. */
  readonly libraries: string;
  /** GPU backends inside the addon. */
  readonly builtIn: readonly ('CUDA' | 'Vulkan' | 'Metal')[];
}

/** @throws MeditronError `ERR_ADDON` if nothing has been built */
export function readBuild(root: string): Build {
  const file = join(root, 'build', 'addon.json');
  if (!existsSync(file)) {
    throw new MeditronError(
      'ERR_ADDON',
      `The native addon has not been built: ${file} is missing. Run \`npm run build\` in ${root}.`,
    );
  }
  const record = JSON.parse(readFileSync(file, 'utf8')) as BuildRecord;
  const addon = resolve(root, record.addon);
  const libraries = record.libraries ? resolve(root, record.libraries) : dirname(addon);
  return { addon, kind: record.kind, libraries, builtIn: builtIn(record, libraries) };
}

/** Paths are relative to the project. */
interface BuildRecord {
  readonly addon: string;
  readonly kind: 'prebuilt' | 'source';
  /** Empty for a source build. */
  readonly libraries: string;
  readonly options?: { readonly cuda?: boolean; readonly vulkan?: boolean; readonly metal?: boolean };
}

function builtIn({ kind, options = {} }: BuildRecord, libraries: string): Build['builtIn'] {
  if (kind === 'source') {
    return [options.cuda && 'CUDA', options.vulkan && 'Vulkan', options.metal && 'Metal'].filter(
      name => !!name,
    ) as Build['builtIn'];
  }
  // The macOS package has Metal beside the CPU backends, and all of a folder is loaded.
  const metal = ['libggml-metal.so', 'libggml-metal.dylib'].some(name => existsSync(join(libraries, name)));
  return process.platform === 'darwin' && metal ? ['Metal'] : [];
}

/** @throws MeditronError `ERR_ADDON` if it cannot be loaded, or found libraries of another llama.cpp release than it was built with */
export function requireAddon(path: string): Addon {
  // Without this llama.cpp starts a debugger on itself when an assertion fails, and waits for it.
  process.env.GGML_NO_BACKTRACE ??= '1';
  const addon = required(path);
  checkRelease(addon.build);
  return addon;
}

function required(path: string): Addon {
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
