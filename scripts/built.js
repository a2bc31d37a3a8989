// llama.cpp's libraries that are built here for another system, see cmake/libraries.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

/** The platforms whose package has libraries that are built here when it is made on another system. */
const names = ['win32-x64'];

/** @param {string} name of a platform */
export const areBuilt = name => names.includes(name) && !name.startsWith(process.platform);

/** @param {string} root @param {string} name of a platform */
const folderOf = (root, name) => join(root, 'build', `libraries-${name}`);

/**
 * The CPU variants that are asked for, by ggml's names; empty: all. Fewer are quicker to build, for trying.
 * @throws Error if it is no list of names
 */
function variants() {
  const list = (process.env.MEDITRON_CPU_VARIANTS ?? '').split(',').filter(Boolean);
  const wrong = list.find(name => !/^[a-z0-9]+$/.test(name));
  if (wrong) throw new Error(`expected MEDITRON_CPU_VARIANTS to be names as x64,haswell, got "${wrong}"`);
  return list;
}

/**
 * Where they are, once they have been built.
 * @param {string} root @param {string} name of a platform
 * @returns {{ directory: string, release: string } | undefined}
 */
export function builtLibraries(root, name) {
  const folder = folderOf(root, name);
  const mark = join(folder, 'built.json');
  if (!existsSync(mark)) return undefined;
  return { directory: join(folder, 'bin'), release: JSON.parse(readFileSync(mark, 'utf8')).release };
}

/**
 * Builds what is missing or out of date.
 * @param {{ root: string, name: string, tree: string, release: string, toolchain: string, note: (text: string) => void }} options
 * @throws Error with the compiler's output
 */
export function buildLibraries({ root, name, tree, release, toolchain, note }) {
  const folder = folderOf(root, name);
  const mark = join(folder, 'built.json');
  const asked = variants();
  const hash = createHash('sha256').update(asked.join());
  const own = join(root, 'cmake', 'libraries');
  for (const file of [
    ...readdirSync(own).map(file => join(own, file)),
    join(root, 'cmake', 'llama.cmake'),
    toolchain,
  ].sort())
    hash.update(readFileSync(file));
  const inputs = hash.digest('hex');
  const built = existsSync(mark) ? JSON.parse(readFileSync(mark, 'utf8')) : undefined;
  if (built?.release === release && built.inputs === inputs) return;

  const which = asked.length > 0 ? `, with the CPU variants ${asked.join(', ')} alone` : '';
  note(`Building llama.cpp ${release} for ${name}${which} (minutes) …`);
  rmSync(folder, { recursive: true, force: true }); // its cache may be of a folder that has been moved, its DLLs of other variants
  mkdirSync(folder, { recursive: true });
  run('cmake', [
    ...['-S', own, '-B', folder, `-DCMAKE_TOOLCHAIN_FILE=${toolchain}`, `-DMEDITRON_LLAMA_SOURCE=${tree}`],
    `-DMEDITRON_CPU_VARIANTS=${asked.join(';')}`,
  ]);
  run('cmake', ['--build', folder, '--target', 'libraries', '--parallel', String(availableParallelism())]);
  writeFileSync(mark, JSON.stringify({ release, inputs }));
}

/** @param {string} command @param {readonly string[]} args */
function run(command, args) {
  const { status, error, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (status === 0) return;
  const lines = `${stdout}${stderr}`.split('\n');
  const at = lines.findIndex(line => /CMake Error|error:|undefined reference|Error \d/.test(line));
  throw new Error(error?.message ?? lines.slice(Math.max(0, at)).slice(0, 30).join('\n'));
}
