import { existsSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import * as v from 'valibot';
import { MeditronError } from '../check/errors.js';
import { packageVersion } from '../check/project.js';
import type { Addon, AddonBuild } from './addon.js';
import { type Host, thisHost, whyRefused } from './loading.js';
import { isCheckout, managerOf, repairingCommand } from './manager.js';
import { platformPackage, readChecked, releaseIn } from './packages.js';

/** The addon of this installation: built in a checkout, or installed in a package for this platform. */
export interface Build {
  readonly place: 'checkout' | 'package';
  /** The compiled addon. */
  readonly addon: string;
  readonly kind: 'prebuilt' | 'source';
  /** Folder of the CPU backends: of the prebuilt libraries, or that of the addon, which has them inside. */
  readonly libraries: string;
  /** llama.cpp's release, as `v0.4.0`. */
  readonly release: string;
  /** Version of the `@node-llama-cpp` packages that a GPU backend has to come from; null for a source build. */
  readonly librariesVersion: string | null;
  /** GPU backends inside the addon. */
  readonly builtIn: readonly ('CUDA' | 'Vulkan' | 'Metal')[];
  /** What to do when it cannot be loaded, a sentence without its full stop. */
  readonly repair: string;
}

/**
 * Finds the addon: what a checkout has built, else the platform package that the package in `root` finds.
 *
 * @throws MeditronError `ERR_ADDON` with every reason why there is none, and the command to run
 */
export function readBuild(root: string, host?: Host): Build {
  const record = join(root, 'build', 'addon.json');
  if (existsSync(record)) return builtHere(root, record);
  const version = packageVersion();
  const repair = repairingCommand(managerOf(root), version);
  if (isCheckout(root))
    throw addonError([`it has not been built: ${record} is missing`], `Run \`npm run build\` in ${root}`);

  const found = platformPackage(root, version, host ?? thisHost());
  if ('reasons' in found) throw addonError(found.reasons, found.instead ?? repair);
  const { addon, folder, kind, release, libraries: librariesVersion } = found;
  return {
    place: 'package',
    addon,
    kind,
    libraries: folder,
    release,
    librariesVersion,
    builtIn: metalIn(folder),
    repair,
  };
}

/** What scripts/build.js writes down. Paths are relative to the project. */
const built = v.object({
  addon: v.string(),
  kind: v.picklist(['prebuilt', 'source']),
  /** Empty for a source build. */
  libraries: v.string(),
  release: v.string(),
  options: v.optional(
    v.object({ cuda: v.optional(v.boolean()), vulkan: v.optional(v.boolean()), metal: v.optional(v.boolean()) }),
    {},
  ),
});

function builtHere(root: string, file: string): Build {
  const repair = `Run \`npm ci && npm run build\` in ${root}`;
  const { kind, release, options, ...paths } = repairable(() => readChecked(file, built), repair);
  const addon = resolve(root, paths.addon);
  const libraries = kind === 'prebuilt' ? resolve(root, paths.libraries) : dirname(addon);
  const missing = [addon, libraries].filter(path => !existsSync(path));
  if (missing.length > 0)
    throw addonError([`${missing.join(' and ')} of this build ${missing.length === 1 ? 'is' : 'are'} missing`], repair);
  const common = { place: 'checkout', addon, kind, libraries, release, repair } as const;
  if (kind === 'prebuilt') return { ...common, librariesVersion: versionOf(libraries), builtIn: metalIn(libraries) };
  const { cuda, vulkan, metal } = options;
  const builtIn = [cuda && 'CUDA', vulkan && 'Vulkan', metal && 'Metal'].filter(name => !!name);
  return { ...common, librariesVersion: null, builtIn: builtIn as Build['builtIn'] };
}

/** The version of the package that libraries are in: they lie in its `bins/<platform>`. */
function versionOf(libraries: string): string | null {
  const file = join(libraries, '..', '..', 'package.json');
  return existsSync(file) ? readChecked(file, v.object({ version: v.string() })).version : null;
}

/** The macOS package has Metal beside the CPU backends, and all of a folder is loaded. */
function metalIn(libraries: string): Build['builtIn'] {
  const metal = ['libggml-metal.so', 'libggml-metal.dylib'].some(name => existsSync(join(libraries, name)));
  return process.platform === 'darwin' && metal ? ['Metal'] : [];
}

function repairable<T>(read: () => T, repair: string): T {
  try {
    return read();
  } catch (cause) {
    throw addonError([(cause as Error).message], repair);
  }
}

/**
 * Loads an addon into this process.
 *
 * @param repair what to do when it cannot be loaded, a sentence
 * @throws MeditronError `ERR_ADDON` if it cannot be loaded, or found libraries of another llama.cpp release than it was built with
 */
export function requireAddon(path: string, repair = 'Run `npm run build` again', host?: Host): Addon {
  // Without this llama.cpp starts a debugger on itself when an assertion fails, and waits for it.
  process.env.GGML_NO_BACKTRACE ??= '1';
  const addon = required(path, repair, host);
  checkRelease(addon.build, repair);
  return addon;
}

function required(path: string, repair: string, host: Host | undefined): Addon {
  try {
    return createRequire(path)(path) as Addon;
  } catch (cause) {
    const { reason, instead } = whyRefused(cause instanceof Error ? cause.message : String(cause), host ?? thisHost());
    throw addonError([`${path} could not be loaded: ${reason}`], instead ?? repair, cause);
  }
}

/** Structures differ between releases, so headers and libraries have to be of the same one. */
export function checkRelease(build: Pick<AddonBuild, 'headers' | 'libraries'>, repair: string): void {
  const headers = build.headers.replace(/^v/, '');
  const libraries = build.libraries.replace(/-dev$/, '');
  if (headers === libraries) return;
  throw addonError(
    [`it was compiled with the headers of llama.cpp ${headers} and found libraries of ${libraries}`],
    repair,
  );
}

/**
 * A process has one library of a name. Where another package, or another version of this one, has loaded llama.cpp before, this addon
 * computes with that one's, which works if it is of the same release.
 *
 * @throws MeditronError `ERR_ADDON` if it is not, or cannot be told
 */
export function checkLibraries({ ggmlFile }: Pick<Addon, 'ggmlFile'>, build: Build): void {
  if (build.kind === 'source' || ggmlFile === '') return;
  const folder = dirname(realpathSync(ggmlFile));
  if (folder === realpathSync(build.libraries)) return;
  const release = releaseIn(folder);
  if (release === build.release) return;
  throw addonError(
    [
      `another llama.cpp is in this process already: ${ggmlFile}, ${release === undefined ? 'whose release is not known' : `of ${release}`}, and this addon is of ${build.release}`,
    ],
    'Load models with `isolate: true`, which gives them a process of their own, or bring both to the same release',
  );
}

/** One sentence with all reasons, and one that says what to do. */
export function addonError(reasons: readonly string[], todo: string, cause?: unknown): MeditronError {
  const { version, platform, arch } = process;
  const where = `on ${platform}-${arch} with Node ${version.slice(1)}`;
  return new MeditronError(
    'ERR_ADDON',
    `Meditron's native addon cannot be used ${where}: ${reasons.join('; ')}. ${todo}.`,
    cause === undefined ? undefined : { cause },
  );
}
