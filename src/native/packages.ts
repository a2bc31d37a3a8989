import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as v from 'valibot';
import { MeditronError } from '../check/errors.js';
import { unpacked } from '../check/project.js';
import { checked } from '../check/schema.js';
import { fromSource, type Host } from './loading.js';

/** The platforms that a package with the addon exists for, by npm's names. */
export const supported = ['linux-x64', 'linux-arm64', 'win32-x64', 'darwin-arm64', 'darwin-x64'];

/** What decides which package serves a process. */
export type Machine = Pick<Host, 'platform' | 'arch' | 'musl'>;

/** What a platform package says of itself. */
const description = v.object({
  kind: v.literal('prebuilt'),
  /** llama.cpp's release, as `v0.4.0`. */
  release: v.string(),
  /** Version of the `@node-llama-cpp` packages that a GPU backend has to come from. */
  libraries: v.string(),
  /** Bytes of every file that belongs to it. */
  files: v.optional(v.record(v.string(), v.number())),
});
const manifest = v.object({ name: v.string(), version: v.string() });

/** A platform package that is whole. */
export interface PlatformPackage extends v.InferOutput<typeof description> {
  readonly folder: string;
  readonly addon: string;
}

/** Why there is none, and what to do where no command helps. */
export interface Lack {
  readonly reasons: readonly string[];
  readonly instead?: string;
}

/** The package with the addon for this machine, as the package in `root` finds it; or every reason why there is none. */
export function platformPackage(root: string, version: string, machine: Machine): PlatformPackage | Lack {
  const platform = `${machine.platform}-${machine.arch}`;
  if (!supported.includes(platform)) return unsupported(machine);
  const name = `@meditron/${platform}`;
  const folder = folderOf(name, root);
  if (folder === undefined) return notInstalled(name, root, machine);
  const { found, reasons } = inspected(name, folder, version);
  return reasons.length === 0 && found ? { ...found, folder, addon: join(folder, 'meditron.node') } : { reasons };
}

/**
 * The folder of a package as Node finds it from another's: beside it, above it, linked by pnpm, unplugged by Yarn, outside an Electron
 * app's archive. It may be damaged.
 */
export function folderOf(name: string, root: string): string | undefined {
  const require = createRequire(join(root, 'package.json'));
  const folder =
    resolved(require, name) ??
    require.resolve
      .paths(name)
      ?.map(path => join(path, name))
      .find(existsSync);
  return folder === undefined ? undefined : unpacked(folder);
}

/** By Node's resolution, which Yarn replaces by its own. */
function resolved(require: NodeJS.Require, name: string): string | undefined {
  for (const id of [`${name}/package.json`, name]) {
    try {
      // Whichever file of it is found, the package's folder is named as the package is.
      const file = require.resolve(id);
      const end = Math.max(
        ...[`/${name}/`, `\\${name.replace('/', '\\')}\\`].map(part => file.lastIndexOf(part) + part.length - 1),
      );
      if (file.slice(0, end).replaceAll('\\', '/').endsWith(`/${name}`)) return file.slice(0, end);
    } catch {
      // not there, or not exported
    }
  }
  return undefined;
}

function inspected(name: string, folder: string, version: string) {
  const reasons: string[] = [];
  const read = <T>(file: string, schema: v.GenericSchema<unknown, T>): T | undefined => {
    try {
      return readChecked(join(folder, file), schema);
    } catch (error) {
      reasons.push((error as Error).message);
      return undefined;
    }
  };
  const installed = read('package.json', manifest);
  if (installed && installed.version !== version)
    reasons.push(`${name} ${installed.version} is installed in ${folder}, and meditron is ${version}`);
  const found = read('addon.json', description);
  const files = Object.entries(found?.files ?? { 'meditron.node': undefined });
  const bad = files.filter(([file, bytes]) => {
    const size = statSync(join(folder, file), { throwIfNoEntry: false })?.size;
    return size === undefined || size !== (bytes ?? size);
  });
  if (bad.length > 0) {
    const names = bad.map(([file]) => file).join(', ');
    reasons.push(
      `${names} in ${folder} ${bad.length === 1 ? 'is' : 'are'} missing or not whole: the copy was interrupted, or a virus scanner has taken ${bad.length === 1 ? 'it' : 'them'} away`,
    );
  }
  return { found, reasons };
}

/**
 * A file of JSON that belongs to the installation.
 *
 * @throws MeditronError `ERR_ADDON` if it is missing or damaged
 */
export function readChecked<T>(file: string, schema: v.GenericSchema<unknown, T>): T {
  try {
    return checked(schema, JSON.parse(readFileSync(file, 'utf8')), file);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const reason =
      code === 'ENOENT'
        ? `${file} is missing`
        : cause instanceof SyntaxError
          ? `${file} is damaged: it is not JSON`
          : cause instanceof MeditronError
            ? `${message}: the file is damaged`
            : `${file} cannot be read: ${message}`;
    throw new MeditronError('ERR_ADDON', reason, { cause });
  }
}

/** What `@node-llama-cpp` packages say of themselves. */
const origin = v.object({ buildOptions: v.object({ llamaCpp: v.object({ release: v.string() }) }) });

/** llama.cpp's release of the libraries in a folder, if it says so. */
export function releaseIn(folder: string): string | undefined {
  try {
    const metadata = join(folder, '_nlcBuildMetadata.json');
    if (existsSync(metadata)) return readChecked(metadata, origin).buildOptions.llamaCpp.release;
    return readChecked(join(folder, 'addon.json'), description).release;
  } catch {
    return undefined;
  }
}

function unsupported({ platform, arch, musl }: Machine): Lack {
  const list = supported.map(name => (name.startsWith('linux') ? `${name} (glibc)` : name)).join(', ');
  const reasons = [`there is no package for ${platform}-${arch}${musl ? ' with musl' : ''}; there are ${list}`];
  if (['ia32', 'arm'].includes(arch)) {
    return {
      reasons: [...reasons, 'this is a Node for 32-bit processors'],
      instead: 'Install a 64-bit Node, if the system is one',
    };
  }
  if (platform === 'win32' && arch === 'arm64')
    return { reasons, instead: 'Install the Node for x64: Windows on Arm runs it, and what belongs to it' };
  return { reasons, instead: fromSource.replace('Or build', 'Build') };
}

function notInstalled(name: string, root: string, { musl }: Machine): Lack {
  const reasons = [`the package ${name} is not installed`];
  if (musl) {
    reasons.push('the C library of this system is musl (Alpine), and the packages are for glibc');
    return { reasons, instead: `Use a system with glibc, as Debian. ${fromSource}` };
  }
  const others = othersBeside(name, root);
  reasons.push(
    others.length > 0
      ? `installed ${others.length === 1 ? 'is' : 'are'} ${others.join(', ')}: the folder node_modules or the lock file was made on another system`
      : 'optional dependencies were left out when it was installed (--omit=optional, --no-optional, --ignore-optional), or the lock file was made on another system',
  );
  return { reasons };
}

/** Platform packages for other systems. */
function othersBeside(name: string, root: string): string[] {
  const paths = createRequire(join(root, 'package.json')).resolve.paths(name) ?? [];
  const names = paths
    .map(path => join(path, dirname(name)))
    .filter(existsSync)
    .flatMap(folder => readdirSync(folder))
    .filter(other => supported.includes(other));
  return [...new Set(names)].map(other => `${dirname(name)}/${other}`);
}
