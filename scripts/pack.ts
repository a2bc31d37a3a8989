// Packs what is published: the library and command, and one package a platform with the addon and llama.cpp's libraries beside it.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import prettyBytes from 'pretty-bytes';
import { gpuPackages } from '../src/native/backends.js';
import { alone } from './lock.js';
import { npm } from './npm.js';
import { pinned } from './packages.js';
import { librariesOf, type Platform, platformNamed, platforms, thisPlatform } from './platforms.js';

const root = resolve(import.meta.dirname, '..');

const help = `Usage: npm run pack:all -- --out DIR [--platform NAME]... [--json]

Writes the tarballs of meditron and of platform packages, and says which cannot be made on this machine and why.

  --out DIR         where the tarballs go
  --platform NAME   ${platforms.map(({ name }) => name).join(', ')} (default: linux-x64, linux-arm64, win32-x64)
  --json            print one JSON object

Exit code 0 if all that was asked for was made, 1 if not, 2 for a wrong option.
`;

/** A tarball that was made, with its sizes in bytes, or why it was not. */
export interface Packed {
  readonly name: string;
  readonly tarball?: string;
  readonly packed?: number;
  readonly unpacked?: number;
  readonly reason?: string;
}

type Manifest = Record<string, unknown> & { readonly name: string; readonly version: string };
const readJson = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
const project = readJson(join(root, 'package.json'));

/** The `package.json` of a platform's package. */
export function platformManifest({ name }: Platform): Manifest {
  return { version: project.version, ...readJson(join(root, 'npm', name, 'package.json')) } as Manifest;
}

/** The `package.json` of the main package: what users of the project's own need, and the platforms' packages. */
export function mainManifest(): Manifest {
  const { name, version, description, license, type, engines, main, types, exports, bin, dependencies } = project;
  return {
    ...{ name, version, description, license, type, engines, main, types },
    exports,
    bin,
    dependencies,
    optionalDependencies: Object.fromEntries(platforms.map(({ name }) => [`@meditron/${name}`, version])),
    // Installed by who has such a card: named here so that pnpm and Yarn let Meditron see them.
    peerDependencies: Object.fromEntries(gpuPackages.map(name => [name, pinned[name]!.version])),
    peerDependenciesMeta: Object.fromEntries(gpuPackages.map(name => [name, { optional: true }])),
    ...readJson(join(root, 'npm', 'meditron', 'package.json')),
  } as Manifest;
}

/** Builds and packs. Nothing is thrown for a package that cannot be made: its reason is in the result. */
export function pack(out: string, names: readonly string[]): Packed[] {
  mkdirSync(out, { recursive: true });
  // Packages are laid out in build/npm, whoever packs.
  return alone(join(root, 'build', '.packing'), () => {
    const main = attempt('meditron', () => tar(layMain(), mainManifest(), out));
    const others = platforms
      .filter(({ name }) => names.includes(name))
      .map(platform => attempt(platform.name, () => tar(layPlatform(platform), platformManifest(platform), out)));
    return [main, ...others];
  });
}

function attempt(name: string, make: () => Omit<Packed, 'name'>): Packed {
  try {
    return { name, ...make() };
  } catch (error) {
    return { name, reason: (error as Error).message };
  }
}

function layMain(): string {
  const folder = emptied('meditron');
  cpSync(join(root, 'bin'), join(folder, 'bin'), { recursive: true });
  const dist = join(root, 'dist');
  for (const name of readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter(
    name => /\.(js|d\.ts)$/.test(name) && !/^page[\\/]/.test(name),
  )) {
    // Maps lead to sources, which are not in the package.
    write(
      join(folder, 'dist', name),
      readFileSync(join(dist, name), 'utf8').replace(/^\/\/# sourceMappingURL=.*\n?/m, ''),
    );
  }
  // The page is as it is served, whatever kind of file.
  cpSync(join(dist, 'page'), join(folder, 'dist', 'page'), { recursive: true });
  for (const name of ['meditron-mini.gguf', 'meditron-mini.md', 'probe.gguf', 'README.md']) {
    mkdirSync(join(folder, 'models'), { recursive: true });
    copyFileSync(join(root, 'models', name), join(folder, 'models', name));
  }
  layPages(folder);
  licences(folder, { 'llama.cpp.txt': join(root, 'build', 'llama.cpp', 'LICENSE') });
  return folder;
}

/** A page for who installs it, and the guides for who has. A link to what is not in the package becomes its words. */
function layPages(folder: string): void {
  copyFileSync(join(root, 'npm', 'meditron', 'README.md'), join(folder, 'README.md'));
  copyFileSync(join(root, 'SECURITY.md'), join(folder, 'SECURITY.md'));
  mkdirSync(join(folder, 'docs'));
  for (const name of [
    'abstaining',
    'asking',
    'asking-over-http',
    'electron',
    'embedding',
    'evaluating',
    'serving',
    'second-opinion',
    'models',
    'small-machines',
    'troubleshooting',
  ])
    copyFileSync(join(root, 'docs', `${name}.md`), join(folder, 'docs', `${name}.md`));
  for (const page of readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.md'))) {
    const path = join(folder, page);
    const linked = readFileSync(path, 'utf8').replace(/\[([^\]]*)\]\(([^):#]+)[^):]*\)/g, (link, words, to) =>
      existsSync(resolve(dirname(path), to)) ? link : words,
    );
    write(path, linked);
  }
}

function layPlatform(platform: Platform): string {
  const { name, os } = platform;
  run(process.execPath, [join(root, 'scripts', 'build.js'), '--platform', name]);
  const installed = librariesOf(root, platform)!;
  const folder = emptied(name);
  copyFileSync(join(root, 'npm', name, 'README.md'), join(folder, 'README.md'));
  const built = join(root, 'build', platform === thisPlatform ? 'prebuilt' : `prebuilt-${name}`);
  // mingw-w64's addon is stripped when it is linked: `strip` would write the time into it.
  const strip = os === 'win32' ? [] : ['--strip'];
  run('cmake', ['--install', built, '--config', 'Release', '--prefix', folder, ...strip]);
  for (const file of readdirSync(installed.directory).filter(isEngine))
    copyFileSync(join(installed.directory, file), join(folder, file));
  if (os === 'linux') checkFloor(folder);
  const { version } = pinned[`@node-llama-cpp/${platform.libraries}`]!;
  // Sizes tell an interrupted copy, and what a virus scanner took away, when the addon is looked for.
  const files = Object.fromEntries(
    readdirSync(folder)
      .filter(file => isEngine(file) || file === 'meditron.node')
      .map(file => [file, statSync(join(folder, file)).size]),
  );
  write(join(folder, 'addon.json'), json({ kind: 'prebuilt', release: installed.release, libraries: version, files }));
  licences(folder, {
    'llama.cpp.txt': join(root, 'build', 'llama.cpp', 'LICENSE'),
    'llama.cpp-parts.txt': join(root, 'npm', 'licenses', 'llama.cpp-parts.txt'),
    ...(installed.licence && { 'node-llama-cpp.txt': installed.licence }),
    'node-addon-api.txt': join(root, 'node_modules', 'node-addon-api', 'LICENSE.md'),
    'node-api-headers.txt': join(root, 'node_modules', 'node-api-headers', 'LICENSE'),
    // Linked into what mingw-w64 builds.
    ...(os === 'win32' && {
      'mingw-w64.txt': join(root, 'npm', 'licenses', 'mingw-w64.txt'),
      'gcc-runtime.txt': join(root, 'npm', 'licenses', 'gcc-runtime.txt'),
    }),
  });
  return folder;
}

/** llama.cpp's engine and its CPU variants; on macOS Metal too. */
function isEngine(file: string): boolean {
  return (
    /^(lib)?(llama\.|ggml\.|ggml-base\.|ggml-cpu|ggml-blas|ggml-metal)/.test(file) &&
    /\.(so|dll|dylib|metal)$/.test(file)
  );
}

/** @throws Error if the addon needs a newer system than llama.cpp's libraries do */
function checkFloor(folder: string): void {
  const libraries = readdirSync(folder).filter(file => file.endsWith('.so'));
  for (const symbols of ['GLIBC', 'GLIBCXX', 'CXXABI']) {
    const [ours, theirs] = [['meditron.node'], libraries].map(files => newest(folder, files, symbols));
    if (compare(ours!, theirs!) > 0)
      throw new Error(
        `the addon needs ${symbols}_${ours!.join('.')}, its libraries ${theirs!.join('.')}: build it on an older system`,
      );
  }
}

/** The newest version of the C or C++ library's symbols that files need. */
export function newest(folder: string, files: readonly string[], symbols: string): number[] {
  const pattern = new RegExp(`\\0${symbols}_(\\d+(?:\\.\\d+)+)(?=\\0)`, 'g');
  const versions = files.flatMap(file =>
    [...readFileSync(join(folder, file), 'latin1').matchAll(pattern)].map(([, version]) =>
      version!.split('.').map(Number),
    ),
  );
  return versions.sort(compare).at(-1) ?? [0];
}

function compare(a: readonly number[], b: readonly number[]): number {
  const i = a.findIndex((part, i) => part !== (b[i] ?? 0));
  return i < 0 ? a.length - b.length : a[i]! - (b[i] ?? 0);
}

function licences(folder: string, files: Record<string, string>): void {
  copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
  mkdirSync(join(folder, 'licenses'));
  for (const [name, from] of Object.entries(files)) copyFileSync(from, join(folder, 'licenses', name));
}

function tar(folder: string, manifest: Manifest, out: string): Omit<Packed, 'name'> {
  write(join(folder, 'package.json'), json(manifest));
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map(name => join(folder, name))
    .filter(path => statSync(path).isFile());
  // Modes go into the tarball: the same whatever the umask.
  for (const file of files) chmodSync(file, dirname(file) === join(folder, 'bin') ? 0o755 : 0o644);
  const [command, args] = npm(['pack', '--silent', '--ignore-scripts', '--pack-destination', out]);
  run(command, args, folder);
  const tarball = join(out, `${manifest.name.replace('@', '').replace('/', '-')}-${manifest.version}.tgz`);
  return {
    tarball,
    packed: statSync(tarball).size,
    unpacked: files.reduce((sum, file) => sum + statSync(file).size, 0),
  };
}

function emptied(name: string): string {
  const folder = join(root, 'build', 'npm', name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return folder;
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;

function run(command: string, args: readonly string[], cwd = root): void {
  const { status, error, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(error?.message ?? `${stderr}${stdout}`.trim().replace(/^meditron: /gm, ''));
}

function main(): number {
  const options = readOptions();
  if (typeof options === 'number') return options;
  const made = pack(options.out, options.platforms);
  if (options.json) process.stdout.write(json({ packages: made }));
  else for (const one of made) process.stdout.write(`${row(one)}\n`);
  return made.every(({ tarball }) => tarball) ? 0 : 1;
}

/** The options, or the exit code where there is nothing to do. */
function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        out: { type: 'string' },
        platform: { type: 'string', multiple: true, default: ['linux-x64', 'linux-arm64', 'win32-x64'] },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help) {
      process.stdout.write(help);
      return 0;
    }
    for (const name of values.platform) platformNamed(name);
    if (values.out === undefined) throw new Error('expected --out DIR');
    return { out: resolve(values.out), platforms: values.platform, json: values.json };
  } catch (error) {
    process.stderr.write(`meditron: ${(error as Error).message}\n\n${help}`);
    return 2;
  }
}

function row({ name, tarball, packed, unpacked, reason }: Packed): string {
  if (!tarball) return `${name.padEnd(14)} not made: ${reason}`;
  return `${name.padEnd(14)} ${prettyBytes(packed!).padStart(8)} packed ${prettyBytes(unpacked!).padStart(8)} unpacked  ${tarball}`;
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) process.exitCode = main();
