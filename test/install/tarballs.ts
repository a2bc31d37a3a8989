import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { alone } from '../../scripts/lock.js';

export const root = resolve(import.meta.dirname, '..', '..');

/** The project's version, which all its packages have. */
export const { version, dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  version: string;
  dependencies: Record<string, string>;
};

/** The platform of this machine, by npm's names. */
export const platform = `${process.platform}-${process.arch}`;

/**
 * The tarball of a package of this project, packed by `npm run pack:all` once for each state of what goes into it, in `build/npm`.
 *
 * @param name a platform; the main package without one
 */
export function tarball(name?: string): string {
  const file = ['meditron', ...(name === undefined ? [] : [name]), `${version}.tgz`].join('-');
  // Tried with packages from elsewhere: as they were published, say.
  const given = process.env.MEDITRON_TARBALLS;
  if (given) return join(given, file);
  const folder = join(root, 'build', 'npm');
  const mark = join(folder, `${name ?? platform}.sha256`);
  const path = join(folder, file);
  alone(join(root, 'build', '.tarballs'), () => {
    const state = stateOfInputs();
    if (existsSync(path) && existsSync(mark) && readFileSync(mark, 'utf8') === state) return;
    const args = ['run', '--silent', 'pack:all', '--', '--out', folder, '--platform', name ?? platform];
    const packed = spawnSync('npm', args, { cwd: root, encoding: 'utf8' });
    if (packed.status !== 0 || !existsSync(path))
      throw new Error(`${args.join(' ')}:\n${packed.stdout}${packed.stderr}`);
    writeFileSync(mark, state);
  });
  return path;
}

/** Everything that is packed, or says how. */
function stateOfInputs(): string {
  const hash = createHash('sha256').update(process.env.MEDITRON_CPU_VARIANTS ?? '');
  const parts = [
    'src',
    'native',
    'cmake',
    'npm',
    'models',
    'bin',
    'scripts',
    'CMakeLists.txt',
    'package.json',
    'SECURITY.md',
    'LICENSE',
    ...readdirSync(join(root, 'docs'))
      .filter(name => name.endsWith('.md'))
      .map(name => join('docs', name)),
  ];
  for (const part of parts) {
    const path = join(root, part);
    if (!existsSync(path)) continue;
    const names = statSync(path).isDirectory() ? readdirSync(path, { recursive: true, encoding: 'utf8' }).sort() : [''];
    for (const name of names) {
      const file = join(path, name);
      if (statSync(file).isFile()) hash.update(`${part}/${name}\0`).update(readFileSync(file)).update('\0');
    }
  }
  return hash.digest('hex');
}
