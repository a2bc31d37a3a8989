import { spawn, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'meditron-build-'));
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }), 60_000);

function configure(name: string, definitions: Record<string, string>) {
  const args = [
    '-S',
    root,
    '-B',
    join(folder, name),
    ...Object.entries(definitions).map(([key, value]) => `-D${key}=${value}`),
  ];
  const { status, stderr } = spawnSync('cmake', args, { encoding: 'utf8' });
  return { status, message: stderr.replace(/\s+/g, ' ') };
}

const tree = join(root, 'build', 'llama.cpp');

test('headers and libraries of different releases are refused when configuring', () => {
  const { status, message } = configure('mixed', {
    MEDITRON_LLAMA_SOURCE: tree,
    MEDITRON_LLAMA_RELEASE: 'v0.4.0',
    MEDITRON_LIBRARY_DIR: folder,
    MEDITRON_LIBRARY_RELEASE: 'v0.5.0',
  });
  expect(status).not.toBe(0);
  expect(message).toMatch(/one llama\.cpp release: the headers are of v0\.4\.0, the libraries in .* of v0\.5\.0/);
});

const hasCublas = spawnSync('/sbin/ldconfig', ['-p'], { encoding: 'utf8' }).stdout?.includes('libcublas.so') ?? false;
test.skipIf(hasCublas)('a CUDA build without cuBLAS ends in a sentence that says so', () => {
  const { status, message } = configure('cuda', {
    MEDITRON_LLAMA: 'source',
    MEDITRON_LLAMA_SOURCE: tree,
    MEDITRON_LLAMA_RELEASE: 'v0.4.0',
    GGML_CUDA: 'ON',
  });
  expect(status).not.toBe(0);
  expect(message).toMatch(/CUDA Toolkit with cuBLAS, and cuBLAS was not found\. Install NVIDIA's toolkit/);
});

/** A PATH on which everything is found except what is named. */
function pathWithout(...missing: string[]): string {
  const bin = join(folder, `without-${missing.join('-')}`);
  mkdirSync(bin);
  for (const tool of ['cmake', 'git', 'c++', 'make', 'ninja'].filter(tool => !missing.includes(tool))) {
    const found = spawnSync('which', [tool], { encoding: 'utf8' }).stdout.trim();
    if (found) symlinkSync(found, join(bin, tool));
  }
  return bin;
}

test.each([
  ['cmake', ['cmake'], /CMake is needed to build the addon.*install the package `cmake`/],
  ['a compiler', ['c++'], /C\+\+ compiler is needed.*install the package `g\+\+`/],
  ['make and ninja', ['make', 'ninja'], /make or ninja is needed.*package `make`/],
])('without %s the build names the package to install', (_, missing, expected) => {
  // --debug: a kind of build that nobody else uses, so that it has to be made.
  const { status, stderr } = spawnSync(
    process.execPath,
    [join(root, 'scripts', 'build.js'), '--native-only', '--debug', '--tests'],
    {
      encoding: 'utf8',
      env: { ...process.env, PATH: pathWithout(...missing), CXX: undefined },
    },
  );
  expect(status).toBe(1);
  expect(stderr).toMatch(expected);
});

test.each([
  [['--cud'], /--cud/],
  [['--cuda'], /--cuda is for a source build; add --source/],
  [['--sanitize', 'memory'], /address, undefined or thread, got "memory"/],
])('build options %j are refused with a reason', (options, expected) => {
  const { status, stderr } = spawnSync(process.execPath, [join(root, 'scripts', 'build.js'), ...options], {
    encoding: 'utf8',
  });
  expect(status).toBe(1);
  expect(stderr).toMatch(expected);
});

test('what is compiled is mapped to its sources', () => {
  const dist = join(root, 'dist');
  const maps = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.js.map'));
  expect(maps.length).toBeGreaterThan(100);
  const sources = maps.flatMap(name => {
    const { sources } = JSON.parse(readFileSync(join(dist, name), 'utf8')) as { sources: string[] };
    return sources.map(source => join(dist, dirname(name), source));
  });
  expect(sources.filter(source => !existsSync(source))).toEqual([]);
});

/** A copy of this checkout and of what has been built in it, without its history; what is large is linked. */
function copied(name: string): string {
  const place = join(folder, name);
  const parts = [
    'bin',
    'dist',
    'src',
    'page',
    'native',
    'cmake',
    'npm',
    'scripts',
    'models',
    'test/native',
    'build/prebuilt',
    'build/addon.json',
  ];
  const files = [
    'bench/decode.cpp',
    'CMakeLists.txt',
    'package.json',
    'package-lock.json',
    'tsconfig.json',
    'tsconfig.build.json',
  ];
  for (const part of [...parts, ...files]) cpSync(join(root, part), join(place, part), { recursive: true });
  for (const part of ['node_modules', 'build/llama.cpp']) symlinkSync(join(root, part), join(place, part));
  return place;
}

function meditron(place: string, path?: string) {
  const args = [join(place, 'bin', 'meditron.js'), 'run', '-p', 'The patient', '--max-tokens', '2', '--threads', '1'];
  const env = path === undefined ? process.env : { ...process.env, PATH: path, CXX: undefined };
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', env });
  return { status, stderr, said: stdout.length > 0 };
}

/** The same, without waiting for its end. */
function started(place: string, CXX: string): Promise<{ status: number | null; stderr: string }> {
  const args = [join(place, 'bin', 'meditron.js'), 'run', '-p', 'The', '--max-tokens', '2'];
  const child = spawn(process.execPath, args, { env: { ...process.env, CXX } });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', text => {
    stderr += text;
  });
  child.stdout.resume();
  return new Promise(done => child.on('close', status => done({ status, stderr })));
}

test('a checkout that was copied or moved works, also where nothing can be built', () => {
  const bare = pathWithout('cmake', 'c++', 'make', 'ninja', 'git');
  const place = copied('a copy');
  expect(meditron(place, bare)).toEqual({ status: 0, stderr: '', said: true });
  renameSync(place, `${place}, moved`);
  expect(meditron(`${place}, moved`, bare)).toEqual({ status: 0, stderr: '', said: true });
});

test('an addon that is older than its sources and cannot be built anew is used, with a warning', () => {
  const place = copied('changed');
  appendFileSync(join(place, 'native', 'core', 'core.h'), '\n');
  expect(meditron(place, pathWithout('cmake', 'git', 'make'))).toEqual({
    status: 0,
    stderr: expect.stringMatching(/^meditron: warning: the addon is older than its sources, .* CMake is needed/),
    said: true,
  });
});

test('what was moved is built afresh when its sources change, and once when two commands start at once', async () => {
  const place = copied('rebuilt');
  appendFileSync(join(place, 'native', 'core', 'core.h'), '\n');
  // Without optimization, which takes most of the time.
  const compiler = join(folder, 'c++');
  writeFileSync(compiler, '#!/bin/sh\nexec c++ "$@" -O0\n', { mode: 0o755 });
  const both = await Promise.all([started(place, compiler), started(place, compiler)]);
  expect(both.map(({ status }) => status)).toEqual([0, 0]);
  const told = both.map(({ stderr }) => stderr).join('');
  expect(told.match(/Building the native addon …/g)).toHaveLength(1);
  expect(meditron(place)).toEqual({ status: 0, stderr: '', said: true });
}, 600_000);
