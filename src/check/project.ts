import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MeditronError } from './errors.js';

/** This file, from src/check and from dist/check alike; in a bundle the bundle, or nothing where it is CommonJS. */
const here: string | undefined = import.meta.url;

let found: { readonly folder: string; readonly version: string } | undefined;

/**
 * The package's folder: it has package.json, dist/ and models/, and in a checkout build/ with the addon. In an Electron app it is the one
 * outside the archive. Nothing is read before the first call, so that importing the package touches no file.
 *
 * @throws MeditronError `ERR_ADDON` if this code was bundled and no installed package is near, its files cannot be read, or they are
 *   inside an archive
 */
export function packageFolder(): string {
  found ??= find();
  if (archiveOf(found.folder) === undefined) return found.folder;
  const folder = unpacked(found.folder);
  if (existsSync(join(folder, 'package.json'))) return folder;
  throw new MeditronError(
    'ERR_ADDON',
    `The package meditron is inside the archive ${archiveOf(found.folder)}, from which neither a library nor a program of its own can be ` +
      'started. Unpack it with what it needs: `asarUnpack: ["**/node_modules/**"]` in the configuration of electron-builder.',
  );
}

/** The package's version, from its package.json. */
export function packageVersion(): string {
  found ??= find();
  return found.version;
}

/** The model that ships with the project, used where none is named. */
export function shippedModel(): string {
  return join(packageFolder(), 'models', 'meditron-mini.gguf');
}

/** Where Electron's tools put a file of an archive that was to be unpacked: `…/app.asar/x` is `…/app.asar.unpacked/x`. */
export function unpacked(path: string): string {
  const archive = archiveOf(path);
  return archive === undefined ? path : `${archive}.unpacked${path.slice(archive.length)}`;
}

/** The archive that a path leads into. */
function archiveOf(path: string): string | undefined {
  return /^(.*?[\\/][^\\/]*\.asar)(?=[\\/]|$)/.exec(path)?.[1];
}

function find(): { folder: string; version: string } {
  for (const folder of candidates()) {
    const file = join(folder, 'package.json');
    if (!existsSync(file)) continue;
    const { name, version } = read(file);
    if (name === 'meditron' && version !== undefined) return { folder, version };
  }
  throw new MeditronError(
    'ERR_ADDON',
    'The files of the package meditron (its addon, libraries, programs and models) were not found beside this code, which seems to be a ' +
      'bundle. Install `meditron` where the bundle runs, and leave it out of the bundle (esbuild: `--external:meditron`; ' +
      "webpack: `externals: { meditron: 'module meditron' }`; Rollup and Vite: `external: ['meditron']`).",
  );
}

function read(file: string): { name?: string; version?: string } {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as { name?: string; version?: string };
  } catch (cause) {
    throw new MeditronError('ERR_ADDON', `${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
}

/** Two folders above this file, or where a program that stands here finds the installed package. */
function* candidates(): Generator<string> {
  const file = here === undefined ? join(process.cwd(), 'index.js') : fileURLToPath(here);
  yield resolve(dirname(file), '..', '..');
  try {
    yield resolve(dirname(createRequire(file).resolve('meditron')), '..');
  } catch {
    // not installed there
  }
}
