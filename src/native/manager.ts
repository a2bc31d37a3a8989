import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { stickFolder } from '../check/stick.js';

/** Who installed the package, and where its commands are run. */
export interface Manager {
  readonly name: 'npm' | 'npm --global' | 'pnpm' | 'yarn' | 'bun' | 'checkout' | 'stick';
  /** The folder to run them in; null where that is all the same. */
  readonly folder: string | null;
}

/** Tells the package manager from where a package lies and from the lock file beside it; npm where nothing tells. */
export function managerOf(root: string, exists: (path: string) => boolean = existsSync): Manager {
  if (isCheckout(root, exists)) return { name: 'checkout', folder: root };
  const stick = stickFolder(root);
  if (stick !== undefined) return { name: 'stick', folder: stick };
  const at = root.search(/[\\/](node_modules|\.yarn)[\\/]/);
  if (at < 0) return { name: 'npm', folder: null };
  const folder = root.slice(0, at) || resolve('/');
  const has = (...names: readonly string[]) => names.some(name => exists(join(folder, name)));
  // Yarn's cache may be anybody's: a package that it unplugged lies in the project.
  if (has('.pnp.cjs', 'yarn.lock', '.yarnrc.yml')) return { name: 'yarn', folder };
  if (has('pnpm-lock.yaml') || /[\\/]\.pnpm[\\/]/.test(root)) return { name: 'pnpm', folder };
  if (has('bun.lock', 'bun.lockb')) return { name: 'bun', folder };
  return has('package.json', 'package-lock.json') ? { name: 'npm', folder } : { name: 'npm --global', folder: null };
}

/** Sources and what builds them, as in the project's repository. */
export function isCheckout(root: string, exists: (path: string) => boolean = existsSync): boolean {
  return exists(join(root, 'scripts', 'build.js')) && exists(join(root, 'src'));
}

/** The command that adds a package of llama.cpp's libraries, in words: `` `npm install x@1.2.3` in /app ``. */
export function addingCommand({ name, folder }: Manager, libraries: string, version: string): string {
  const spec = `${libraries}@${version}`;
  switch (name) {
    case 'checkout':
      return inFolder(`npm run libraries -- ${libraries.replace(/^@node-llama-cpp\//, '')}`, folder);
    case 'stick':
      return `A folder on a stick computes on the processor alone: to use the card, install Meditron with npm, and \`npm install ${spec}\` beside it`;
    case 'npm':
      return inFolder(`npm install ${spec}`, folder);
    case 'npm --global':
      return inFolder(`npm install --global ${spec}`, folder);
    default:
      return inFolder(`${name} add ${spec}`, folder);
  }
}

/** The command that brings what is missing of the package itself, in words. */
export function repairingCommand({ name, folder }: Manager, version: string): string {
  switch (name) {
    case 'checkout':
      return inFolder('npm ci && npm run build', folder);
    case 'stick':
      return 'Copy the folder again; `meditron verify` says which files are not as they should be';
    case 'npm':
      return inFolder(`npm install --include=optional meditron@${version}`, folder);
    case 'npm --global':
      return inFolder(`npm install --global --include=optional meditron@${version}`, folder);
    default:
      return inFolder(`${name} install`, folder);
  }
}

function inFolder(command: string, folder: string | null): string {
  return `Run \`${command}\`${folder === null ? '' : ` in ${folder}`}`;
}
