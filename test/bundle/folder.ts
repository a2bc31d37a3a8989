import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { root, tarball } from '../install/tarballs.js';

/** Lays a folder out as a user would, from tarballs that all tests share. */
export function bundled(platform: string, out: string): string {
  tarball();
  const packages = dirname(tarball(platform));
  const tsx = join(root, 'node_modules', 'tsx', 'dist', 'cli.mjs');
  const args = [join(root, 'scripts', 'bundle.ts'), '--platform', platform, '--packages', packages, '--out', out];
  const { status, stderr } = spawnSync(process.execPath, [tsx, ...args], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return out;
}
