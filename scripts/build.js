#!/usr/bin/env node
// Builds what is missing or out of date: llama.cpp's tree (unpacked), the native addon, the TypeScript, the page.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { def_paths } from 'node-api-headers';
import { areBuilt, buildLibraries } from './built.js';
import { take } from './lock.js';
import { obtain } from './packages.js';
import { librariesOf, platformNamed, thisPlatform } from './platforms.js';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const require = createRequire(import.meta.url);

const help = `Usage: npm run build -- [options]

Builds what is missing or out of date. Without options: the addon against the prebuilt llama.cpp libraries, the TypeScript, then the page.

  --prebuilt            link the prebuilt libraries (default until another kind has been built; then that kind stays)
  --source              build llama.cpp from the bundled source instead of linking the prebuilt libraries
  --cuda                source: CUDA backend (needs the CUDA Toolkit with cuBLAS)
  --cuda-arch LIST      source: CUDA architectures, as 86 or "80;90" (default: this machine's)
  --metal               source: Metal backend (macOS)
  --vulkan              source: Vulkan backend (needs libvulkan-dev, glslc, spirv-headers)
  --tune                source: tune for this processor (-march=native)
  --sanitize KIND       address (with undefined), undefined or thread: instrument the native code
  --tests               build the native tests too
  --kernels             build what bench/ measures beside too: llama.cpp's own benchmarks
  --debug               unoptimized, with debug information
  --platform NAME       build the addon alone for another system: win32-x64 (mingw-w64; llama.cpp's libraries too), linux-arm64
  --native-only         leave the TypeScript and the page out
  --clean               throw the addon's build folder away first
  --quiet               say nothing if there is nothing to do

MEDITRON_CPU_VARIANTS=x64,haswell builds these of llama.cpp's CPU variants for win32-x64 instead of all: quicker, for trying.

Example: npm run build -- --source --cuda --cuda-arch 86
`;

/** @param {string} message @returns {never} */
function fail(message) {
  process.stderr.write(`meditron: ${message}\n`);
  process.exit(1);
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        prebuilt: { type: 'boolean' },
        source: { type: 'boolean' },
        cuda: { type: 'boolean' },
        'cuda-arch': { type: 'string' },
        metal: { type: 'boolean' },
        vulkan: { type: 'boolean' },
        tune: { type: 'boolean' },
        sanitize: { type: 'string' },
        tests: { type: 'boolean' },
        kernels: { type: 'boolean' },
        platform: { type: 'string' },
        debug: { type: 'boolean' },
        'native-only': { type: 'boolean' },
        clean: { type: 'boolean' },
        quiet: { type: 'boolean' },
        stamp: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    return values;
  } catch (error) {
    return fail(`${/** @type {Error} */ (error).message}\n\n${help}`);
  }
}

const recordFile = join(root, 'build', 'addon.json');
const options = { ...readOptions() };
// Which kind of build it was is kept, so that a later `npm start` or `npm test` does not undo it.
const kinds = /** @type {const} */ (['prebuilt', 'source', 'cuda', 'cuda-arch', 'metal', 'vulkan', 'tune', 'debug']);
if (!kinds.some(name => options[name]) && !options.platform && existsSync(recordFile)) {
  Object.assign(options, JSON.parse(readFileSync(recordFile, 'utf8')).options);
}
if (options.help) {
  process.stdout.write(help);
  process.exit(0);
}
const sourceOnly = ['cuda', 'cuda-arch', 'metal', 'vulkan', 'tune'].filter(
  name => options[/** @type {'cuda'} */ (name)],
);
if (sourceOnly.length > 0 && !options.source) {
  fail(
    `--${sourceOnly[0]} is for a source build; add --source. The prebuilt libraries choose CPU variant and GPU at run time.`,
  );
}
if (options.sanitize && !['address', 'undefined', 'thread'].includes(options.sanitize)) {
  fail(`expected --sanitize to be address, undefined or thread, got "${options.sanitize}"`);
}

const target = builtFor(options.platform);
const isCross = target !== thisPlatform;
const toolchain = join(root, 'cmake', 'toolchains', `${target?.name}.cmake`);
if (isCross && !(process.platform === 'linux' && existsSync(toolchain)))
  fail(
    `the addon of ${options.platform} cannot be built on ${thisPlatform?.name ?? process.platform}: build it there.`,
  );
if (options.platform && (options.source || options.sanitize || options.tests || options.kernels || options.debug))
  fail('--platform is for the addon of a package, against prebuilt libraries: leave the other options out.');

/** What other systems' addons are built with, see cmake/toolchains. */
const crossCompilers = {
  'win32-x64': {
    command: 'x86_64-w64-mingw32-g++',
    linux: 'g++-mingw-w64-x86-64-posix',
    fedora: 'mingw64-gcc-c++',
  },
  'linux-arm64': {
    command: 'aarch64-linux-gnu-g++',
    linux: 'g++-aarch64-linux-gnu',
    fedora: 'gcc-c++-aarch64-linux-gnu',
  },
};

const kind = options.source ? 'source' : 'prebuilt';
const variant = [
  kind,
  isCross && target?.name,
  options.cuda && 'cuda',
  options.metal && 'metal',
  options.vulkan && 'vulkan',
  options.tune && 'tuned',
  options.sanitize,
  options.debug && 'debug',
]
  .filter(Boolean)
  .join('-');
const buildDir = join(root, 'build', variant);

checkInstalled();
aloneHere();
const llama = unpackLlama();
buildNative();
if (!options['native-only'] && !options.platform) {
  buildTypeScript();
  buildPage();
}
if (options.stamp) {
  mkdirSync(dirname(resolve(options.stamp)), { recursive: true });
  writeFileSync(options.stamp, '');
}

/** @param {string | undefined} name as given with --platform */
function builtFor(name) {
  try {
    return name === undefined ? thisPlatform : platformNamed(name);
  } catch (error) {
    return fail(/** @type {Error} */ (error).message);
  }
}

function checkInstalled() {
  if (existsSync(join(root, 'node_modules', 'node-llama-cpp'))) return;
  fail('the packages are not installed. Run `npm ci` in this folder first.');
}

/** Waits until no other build works in this folder: two commands may have been started at once. */
function aloneHere() {
  try {
    const release = take(join(root, 'build', '.lock'), () => note('Waiting for another build in this folder …'));
    process.on('exit', release);
  } catch {
    // Nobody can build in a folder that cannot be written.
  }
}

/** The tree that node-llama-cpp carries as a git bundle: headers, sources, vocabularies. */
function unpackLlama() {
  const carrier = join(root, 'node_modules', 'node-llama-cpp', 'llama');
  const release = JSON.parse(readFileSync(join(carrier, 'binariesGithubRelease.json'), 'utf8')).release;
  const tree = join(root, 'build', 'llama.cpp');
  const mark = join(tree, '.release');
  if (!existsSync(mark) || readFileSync(mark, 'utf8').trim() !== release) {
    const missing = lacks('git', 'git is needed to unpack llama.cpp', {
      linux: 'git',
      darwin: 'xcode-select --install',
      win32: 'Git for Windows',
    });
    if (missing) fail(missing);
    note(`Unpacking llama.cpp ${release} …`);
    rmSync(tree, { recursive: true, force: true });
    mkdirSync(dirname(tree), { recursive: true });
    const result = spawnSync(
      'git',
      ['clone', '--quiet', '--config', 'advice.detachedHead=false', join(carrier, 'gitRelease.bundle'), tree],
      { encoding: 'utf8' },
    );
    if (result.status !== 0 || !existsSync(join(tree, 'include', 'llama.h')))
      fail(`could not unpack llama.cpp: ${result.stderr}`);
    writeFileSync(mark, `${release}\n`);
  }
  return { release, tree };
}

function buildNative() {
  const libraries = kind === 'prebuilt' ? prebuiltLibraries() : undefined;
  const defines = {
    MEDITRON_LLAMA: kind,
    MEDITRON_LLAMA_SOURCE: llama.tree,
    MEDITRON_LLAMA_RELEASE: llama.release,
    MEDITRON_LIBRARY_DIR: libraries?.directory ?? '',
    MEDITRON_LIBRARY_RELEASE: libraries?.release ?? '',
    MEDITRON_SANITIZE: options.sanitize ?? '',
    MEDITRON_TESTS: options.tests ? 'ON' : 'OFF',
    MEDITRON_KERNELS: options.kernels ? 'ON' : 'OFF',
    ...(options.source && {
      GGML_CUDA: options.cuda ? 'ON' : 'OFF',
      GGML_METAL: options.metal ? 'ON' : 'OFF',
      GGML_METAL_EMBED_LIBRARY: options.metal ? 'ON' : 'OFF',
      GGML_VULKAN: options.vulkan ? 'ON' : 'OFF',
      GGML_NATIVE: options.tune ? 'ON' : 'OFF',
    }),
    ...(options['cuda-arch'] && { CMAKE_CUDA_ARCHITECTURES: options['cuda-arch'] }),
  };
  const isVisualStudio = process.platform === 'win32';
  const addon = join(buildDir, 'Release', isVisualStudio ? 'Release/meditron.node' : 'meditron.node');
  const stampFile = join(buildDir, 'inputs.sha256');
  const kernelsStamp = join(buildDir, 'kernels.sha256');
  const testsStamp = join(buildDir, 'tests.sha256');
  // Nothing that changes when the folder is moved or copied, and not Node's release: the addon's interface is the same in all.
  const inputs = hashOf(
    JSON.stringify({ ...defines, MEDITRON_TESTS: undefined, MEDITRON_KERNELS: undefined }, (_, value) =>
      typeof value === 'string' && isAbsolute(value) ? relative(root, value).replaceAll('\\', '/') : value,
    ),
    ...filesIn('native'),
    ...filesIn('cmake'),
    'scripts/exports.js',
    ...filesIn('test/native'),
    'bench/decode.cpp',
    'CMakeLists.txt',
  );
  if (options.clean) rmSync(buildDir, { recursive: true, force: true });

  const tests = join(dirname(addon), process.platform === 'win32' ? 'core-test.exe' : 'core-test');
  const current =
    existsSync(addon) &&
    (!options.tests || (existsSync(tests) && holds(testsStamp, inputs))) &&
    (!options.kernels || holds(kernelsStamp, inputs)) &&
    holds(stampFile, inputs);
  const missing = current ? undefined : missingTool();
  if (missing && !(isLoadable(addon) && !options.tests && !options.kernels)) fail(missing);
  if (missing) note(`meditron: warning: the addon is older than its sources, and is used as it is: ${missing}`);
  if (!current && !missing) {
    forgetOtherFolder();
    note(
      kind === 'source' ? 'Building llama.cpp and the addon from source (minutes) …' : 'Building the native addon …',
    );
    const cmakeJs = require.resolve('cmake-js/bin/cmake-js');
    const common = ['--out', buildDir, '--directory', root, '--log-level', 'error'];
    common.push('--parallel', String(availableParallelism()));
    if (options.debug) common.push('--debug');
    // Not what is built, but with what.
    common.push(`--CDMEDITRON_NODE=${process.execPath}`, `--CDMEDITRON_NODE_DEF=${def_paths.node_api_def}`);
    if (isCross) common.push(`--CDCMAKE_TOOLCHAIN_FILE=${toolchain}`);
    for (const [name, value] of Object.entries(defines)) common.push(`--CD${name}=${value}`);
    // `compile` alone would not configure again when a definition has changed.
    for (const step of ['configure', 'build']) {
      const result = spawnSync(process.execPath, [cmakeJs, step, ...common], {
        cwd: root,
        encoding: 'utf8',
        maxBuffer: 1 << 28,
      });
      if (result.status !== 0) {
        fail(`the native addon could not be built.\n${relevant(`${result.stdout}${result.stderr}`)}`);
      }
    }
    writeFileSync(stampFile, inputs);
    if (options.kernels) writeFileSync(kernelsStamp, inputs);
    if (options.tests) writeFileSync(testsStamp, inputs);
  }
  // What the loader reads: the addon that was built last, other than for tests.
  const chosen = Object.fromEntries(
    kinds.filter(name => name !== 'prebuilt' && options[name]).map(name => [name, options[name]]),
  );
  const record = {
    addon: relative(root, addon),
    libraries: libraries ? relative(root, libraries.directory) : '',
    kind,
    variant,
    release: llama.release,
    options: chosen,
  };
  if (!options.sanitize && !options.tests && !options.platform) {
    writeIfOther(recordFile, `${JSON.stringify(record, null, 2)}\n`);
    renew(recordFile);
  }
}

/** llama.cpp's libraries for the platform that is built for. `npm ci` installs them; those that it leaves out are fetched now. */
function prebuiltLibraries() {
  const source = 'Build it from source: `npm run build -- --source`.';
  if (!target) return fail(`there is no prebuilt llama.cpp for ${process.platform}-${process.arch}. ${source}`);
  try {
    if (areBuilt(target.name)) {
      const missing = missingTool();
      if (missing) fail(missing);
      buildLibraries({ root, ...llama, name: target.name, toolchain, note });
    } else if (librariesOf(root, target)?.release !== llama.release) {
      obtain(`@node-llama-cpp/${target.libraries}`, note);
    }
  } catch (error) {
    const otherwise = isCross ? '' : `. ${source}`;
    fail(`llama.cpp's libraries are missing: ${/** @type {Error} */ (error).message}${otherwise}`);
  }
  return librariesOf(root, target);
}

/** CMake's cache names the folders it was made in and refuses to work in others: what was moved or copied is configured afresh. */
function forgetOtherFolder() {
  const cache = join(buildDir, 'CMakeCache.txt');
  if (!existsSync(cache)) return;
  const made = /^CMAKE_CACHEFILE_DIR:INTERNAL=(.*)$/m.exec(readFileSync(cache, 'utf8'))?.[1];
  if (made && existsSync(made) && realpathSync(made) === realpathSync(buildDir)) return;
  // The addon stays: it works until there is another.
  for (const name of ['CMakeCache.txt', 'CMakeFiles']) rmSync(join(buildDir, name), { recursive: true, force: true });
}

/** Whether Node can load an addon, tried in another process. @param {string} addon */
function isLoadable(addon) {
  return existsSync(addon) && spawnSync(process.execPath, ['-e', `require(${JSON.stringify(addon)})`]).status === 0;
}

/** Leaves a file alone that is as it should be: the folder may belong to somebody else. @param {string} path @param {string} text */
function writeIfOther(path, text) {
  if (!holds(path, text)) writeFileSync(path, text);
}

/** @param {string} path @param {string} text */
function holds(path, text) {
  return existsSync(path) && readFileSync(path, 'utf8') === text;
}

/** Says that a mark was checked now: bin/meditron.js compares its time with the sources'. @param {string} mark */
function renew(mark) {
  try {
    const now = new Date();
    utimesSync(mark, now, now);
  } catch {
    // The folder is not ours: the next start compares contents again.
  }
}

/** The part of a build log that says what went wrong. @param {string} output */
function relevant(output) {
  const lines = output.split('\n');
  const at = lines.findIndex(line => /CMake Error|error:|fatal error|undefined reference|\bld(\.\w+)?: /.test(line));
  return lines.slice(Math.max(0, at), at < 0 ? lines.length : at + 30).join('\n');
}

/** What building the addon needs and this machine lacks, with what to install. */
function missingTool() {
  const cmake = lacks('cmake', 'CMake is needed to build the addon', {
    linux: 'cmake',
    darwin: 'brew install cmake',
    win32: 'CMake (cmake.org), or Visual Studio with C++',
  });
  if (cmake || process.platform === 'win32') return cmake; // cmake-js finds Visual Studio and says so if it is missing
  const cross = isCross && target ? crossCompilers[/** @type {'win32-x64'} */ (target.name)] : undefined;
  const compiler = cross
    ? lacks(cross.command, `a compiler for ${target?.name} is needed to build its addon`, cross)
    : lacks(process.env.CXX ?? 'c++', 'a C++ compiler is needed to build the addon', {
        linux: 'g++',
        fedora: 'gcc-c++',
        darwin: 'xcode-select --install',
        win32: '',
      });
  if (compiler) return compiler;
  if (['ninja', 'make'].some(tool => spawnSync(tool, ['--version']).status === 0)) return undefined;
  return 'make or ninja is needed to build the addon. Install it: package `make` (Debian, Ubuntu: apt-get install make).';
}

/**
 * Why a tool is needed and how to get it, if it is not there.
 * @param {string} tool @param {string} why @param {{linux: string, fedora?: string, darwin?: string, win32?: string}} packages
 */
function lacks(tool, why, packages) {
  if (spawnSync(tool, ['--version']).status === 0) return undefined;
  const hint =
    process.platform === 'linux'
      ? `install the package \`${packages.linux}\` (Debian, Ubuntu: apt-get install ${packages.linux}; Fedora: dnf install ${packages.fedora ?? packages.linux})`
      : process.platform === 'darwin'
        ? `run \`${packages.darwin}\``
        : `install ${packages.win32}`;
  return `${why}, and \`${tool}\` was not found: ${hint}, then try again.`;
}

function buildTypeScript() {
  const stampFile = join(root, 'dist', '.inputs.sha256');
  const inputs = hashOf(
    ...filesIn('src'),
    ...['tsconfig.json', 'tsconfig.build.json', 'package-lock.json', 'scripts/build.js'],
  );
  if (holds(stampFile, inputs)) return renew(stampFile);
  note('Compiling the TypeScript …');
  // Beside the old output, so that a failure leaves what worked, and the maps name the sources from there.
  const fresh = join(root, `dist-${process.pid}`);
  const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc');
  const result = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', fresh, '--noEmitOnError'], {
    cwd: root,
    encoding: 'utf8',
  });
  if (result.status !== 0) {
    rmSync(fresh, { recursive: true, force: true });
    fail(`the TypeScript could not be compiled.\n${result.stdout}${result.stderr}`);
  }
  const dist = join(root, 'dist');
  // The page is built of other files, and stays.
  for (const name of ['page', '.page.sha256'])
    if (existsSync(join(dist, name))) renameSync(join(dist, name), join(fresh, name));
  rmSync(dist, { recursive: true, force: true });
  renameSync(fresh, dist);
  writeFileSync(stampFile, inputs);
}

function buildPage() {
  const stampFile = join(root, 'dist', '.page.sha256');
  const place = join(root, 'dist', 'page');
  const inputs = hashOf(...filesIn('page'), 'package-lock.json', 'scripts/page.js');
  if (holds(stampFile, inputs) && existsSync(join(place, 'index.html'))) return renew(stampFile);
  note('Building the page …');
  const fresh = join(root, `dist-${process.pid}`);
  const result = spawnSync(process.execPath, [join(root, 'scripts', 'page.js'), fresh], {
    cwd: root,
    encoding: 'utf8',
  });
  if (result.status !== 0) {
    rmSync(fresh, { recursive: true, force: true });
    fail(`the page could not be built.\n${result.stdout}${result.stderr}`);
  }
  rmSync(place, { recursive: true, force: true });
  renameSync(fresh, place);
  writeFileSync(stampFile, inputs);
}

/** @param {string} folder @returns {string[]} */
function filesIn(folder) {
  const full = join(root, folder);
  if (!existsSync(full)) return [];
  return readdirSync(full, { recursive: true, encoding: 'utf8' })
    .map(name => join(folder, name))
    .filter(name => statSync(join(root, name)).isFile())
    .sort();
}

/** Hash of strings and of the contents of those that name files. @param {...string} parts */
function hashOf(...parts) {
  const hash = createHash('sha256');
  for (const part of parts) {
    const path = join(root, part);
    hash.update(part);
    if (part.length < 200 && existsSync(path) && statSync(path).isFile()) hash.update(readFileSync(path));
  }
  return hash.digest('hex');
}

/** @param {string} text */
function note(text) {
  process.stderr.write(`${text}\n`);
}
