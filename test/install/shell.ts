import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';
import { alone } from '../../scripts/lock.js';
import { platform, root, tarball } from './tarballs.js';

/** What a command came to. */
export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Settings {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Without any network; needs root. */
  readonly offline?: boolean;
}

/** A folder for one test file, removed when it is done. */
export function workFolder(name: string): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), `meditron ${name} ö-`)));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/**
 * Runs a command as a user would who has Node and its npm, and no compiler, CMake or git. The registry in a test runs in its process, so
 * that nothing here may block.
 */
export async function run(
  command: string,
  args: readonly string[],
  { cwd, env = {}, offline = false }: Settings,
): Promise<Outcome> {
  const apart = offline && canUnshare ? ['unshare', '-n'] : [];
  const [program, ...rest] = [...apart, command, ...args] as [string, ...string[]];
  const child = spawn(program, rest, {
    cwd,
    env: { ...plainEnvironment(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', text => {
      said[name] += text;
    });
  const [status] = await once(child, 'close');
  return { status, ...said };
}

/** The same of a command that has to succeed. */
export async function done(command: string, args: readonly string[], settings: Settings): Promise<string> {
  const { status, stdout, stderr } = await run(command, args, settings);
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}:\n${stdout}${stderr}`);
  return stdout;
}

/** Whether commands can be run without a network here. */
export const canUnshare = process.getuid?.() === 0 && spawnSync('unshare', ['-n', 'true']).status === 0;

let path: string | undefined;

function plainEnvironment(): Record<string, string> {
  path ??= plainPath();
  const { HOME = '/', LANG = 'C.UTF-8', NODE_EXTRA_CA_CERTS } = process.env;
  return {
    PATH: path,
    HOME,
    LANG,
    CI: 'true',
    MEDITRON_STATE: 'none',
    ...(NODE_EXTRA_CA_CERTS && { NODE_EXTRA_CA_CERTS }),
    npm_config_cache: npmCache,
    npm_config_audit: 'false',
    npm_config_fund: 'false',
  };
}

/** npm's cache of the tests, kept from one run to the next. */
const npmCache = join(root, 'build', 'install', 'npm-cache');

/** A folder with Node, npm and the tools that their starting scripts need, and nothing that builds. */
function plainPath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'meditron-path-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  symlinkSync(process.execPath, join(folder, 'node'));
  for (const tool of [
    'npm',
    'npx',
    'sh',
    'env',
    'unshare',
    'uname',
    'sed',
    'dirname',
    'basename',
    'ldd',
    'tar',
    'gzip',
    'cat',
    'true',
  ]) {
    const found = spawnSync('sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).stdout.trim();
    if (found.startsWith('/')) symlinkSync(realpathSync(found), join(folder, tool));
  }
  return folder;
}

/** The program of another package manager or a bundler, as pinned in `clients/`. */
export function client(...parts: readonly string[]): string {
  const folder = join(root, 'build', 'install', 'clients');
  alone(join(root, 'build', 'install', '.clients'), () => {
    const lock = join(import.meta.dirname, 'clients');
    const same =
      spawnSync('cmp', ['-s', join(lock, 'package-lock.json'), join(folder, 'package-lock.json')]).status === 0;
    if (same) return;
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(dirname(folder), { recursive: true });
    spawnSync('cp', ['-r', lock, folder]);
    const { status, stderr } = spawnSync(
      'npm',
      ['ci', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'],
      { cwd: folder, encoding: 'utf8' },
    );
    if (status !== 0) {
      rmSync(folder, { recursive: true, force: true });
      throw new Error(`the package managers and bundlers of the tests cannot be installed: ${stderr}`);
    }
  });
  return join(folder, 'node_modules', ...parts);
}

/** A folder with a `package.json` in it. */
export function project(folder: string, manifest: object = {}): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'app', version: '1.0.0', private: true, ...manifest }),
  );
  return folder;
}

/**
 * A folder with a project in which npm has installed the package from its tarballs. It does so once for each state of them; what it has
 * made is copied.
 */
export function installed(folder: string): void {
  const made = join(root, 'build', 'install', 'app');
  alone(join(root, 'build', 'install', '.app'), () => {
    const tarballs = [tarball(), tarball(platform)];
    const state = createHash('sha256');
    for (const file of tarballs) state.update(readFileSync(file));
    const hash = state.digest('hex');
    const mark = join(made, 'tarballs.sha256');
    if (existsSync(mark) && readFileSync(mark, 'utf8') === hash) return;
    rmSync(made, { recursive: true, force: true });
    project(made);
    const { status, stderr } = spawnSync('npm', ['install', '--prefer-offline', ...tarballs], {
      cwd: made,
      encoding: 'utf8',
      env: plainEnvironment(),
    });
    if (status !== 0) throw new Error(`npm install ended with ${status}:\n${stderr}`);
    writeFileSync(mark, hash);
  });
  cpSync(made, folder, { recursive: true, verbatimSymlinks: true });
}
