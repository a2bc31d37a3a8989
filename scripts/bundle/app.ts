import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { unpack } from '../packages.js';
import type { Platform } from '../platforms.js';
import { type Entry, filesBelow } from './files.js';

/** Where the packages of the application are, unpacked. */
export interface Packages {
  readonly main: string;
  readonly platform: string;
  readonly version: string;
}

/** Unpacks the two tarballs that an installation has. @throws an Error that names the one that is not there */
export function unpackedFrom(tarballs: string, platform: Platform, work: string): Packages {
  const of = (suffix: string) => new RegExp(`^meditron-${suffix}\\d+\\.\\d+\\.\\d+[^/]*\\.tgz$`);
  const folder = (suffix: string) => {
    const names = readdirSync(tarballs).filter(name => of(suffix).test(name));
    if (names.length !== 1)
      throw new Error(`${tarballs} has ${names.length} files meditron-${suffix}VERSION.tgz, where one was expected`);
    const to = join(work, suffix || 'main');
    mkdirSync(to);
    unpack(readFileSync(join(tarballs, names[0]!)), to);
    return join(to, 'package');
  };
  const [main, addon] = [folder(''), folder(`${platform.name}-`)];
  const version = versionIn(main);
  if (versionIn(addon) !== version)
    throw new Error(`the packages in ${tarballs} are of ${version} and ${versionIn(addon)}: make both again`);
  return { main, platform: addon, version };
}

/** The application as npm would install it, in the versions that the lock file names, without what is never loaded. */
export function application(root: string, platform: Platform, { main, platform: addon }: Packages): readonly Entry[] {
  const modules = 'app/node_modules';
  return [
    { path: 'app/package.json', content: { text: '{ "private": true }\n' } },
    ...filesBelow(main, `${modules}/meditron`, path => !/\.d\.ts$|\.map$/.test(path)),
    ...filesBelow(addon, `${modules}/@meditron/${platform.name}`),
    ...productionFolders(root).flatMap(folder => {
      const nested = productionFolders(root).filter(other => other.startsWith(`${folder}/`));
      const isOwn = (path: string) => !nested.some(other => `${folder}/${path}`.startsWith(`${other}/`));
      return filesBelow(join(root, folder), `app/${folder}`, path => isOwn(path) && isLoaded(path));
    }),
  ];
}

interface Locked {
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly devOptional?: boolean;
}

/** Folders of the packages that the application needs, as they lie in a checkout. @throws an Error if one is not installed */
export function productionFolders(root: string): readonly string[] {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, Locked>;
  };
  const folders = Object.entries(packages)
    .filter(([folder, { dev, optional, devOptional }]) => folder !== '' && !dev && !optional && !devOptional)
    .map(([folder]) => folder);
  const missing = folders.find(folder => !existsSync(join(root, folder)));
  if (missing !== undefined) throw new Error(`${missing} is not installed: run \`npm ci\``);
  return folders;
}

/** What a program loads, and what says under which terms. */
function isLoaded(path: string): boolean {
  if (/(^|\/)(licen[cs]e|copying|notice)[^/]*$/i.test(path)) return true;
  return /\.(js|cjs|mjs|json|wasm|node)$/.test(path) && !/(^|\/)(docs?|tests?|examples?|\.github)\//.test(path);
}

function versionIn(folder: string): string {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version as string;
}
