import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The installed `@node-llama-cpp/*` packages of this platform: folder and llama.cpp release of the CPU libraries.
 * On Apple silicon the package with Metal is the only one, and serves the CPU too.
 * @param {string} root the folder that has node_modules
 * @returns {{ expected: string | undefined, cpu: { name: string, directory: string, release: string } | undefined }}
 */
export function platformPackages(root) {
  const os = { linux: 'linux', darwin: 'mac', win32: 'win' }[/** @type {'linux'} */ (process.platform)];
  const name =
    os &&
    `${os}-${process.arch === 'arm' ? 'armv7l' : process.arch}${os === 'mac' && process.arch === 'arm64' ? '-metal' : ''}`;
  if (!name) return { expected: undefined, cpu: undefined };

  const bins = join(root, 'node_modules', '@node-llama-cpp', name, 'bins');
  if (!existsSync(bins)) return { expected: `@node-llama-cpp/${name}`, cpu: undefined };
  const directory = join(bins, /** @type {string} */ (readdirSync(bins)[0]));
  const metadata = JSON.parse(readFileSync(join(directory, '_nlcBuildMetadata.json'), 'utf8'));
  return {
    expected: `@node-llama-cpp/${name}`,
    cpu: { name, directory, release: metadata.buildOptions.llamaCpp.release },
  };
}
