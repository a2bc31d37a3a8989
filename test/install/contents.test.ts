import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { buildSync } from 'esbuild';
import { describe, expect, test } from 'vitest';
import { pinned } from '../../scripts/packages.js';
import { platforms } from '../../scripts/platforms.js';
import { gpuPackages } from '../../src/native/backends.js';
import { workFolder } from './shell.js';
import { dependencies, platform, root, tarball, version } from './tarballs.js';

const folder = workFolder('contents');

/** The folder of an unpacked tarball. */
function contents(name?: string): string {
  const place = join(folder, name ?? 'meditron');
  if (existsSync(place)) return join(place, 'package');
  mkdirSync(place);
  const { status, stderr } = spawnSync('tar', ['-xzf', tarball(name), '-C', place], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return join(place, 'package');
}

const filesOf = (place: string) => readdirSync(place, { recursive: true, encoding: 'utf8' });
const manifestOf = (place: string) => JSON.parse(readFileSync(join(place, 'package.json'), 'utf8'));

describe.each(['meditron', platform])('the package %s', name => {
  const packed = () => contents(name === 'meditron' ? undefined : name);

  test('is published as publint wants it', () => {
    const publint = join(root, 'node_modules', 'publint', 'src', 'cli.js');
    const { status, stdout, stderr } = spawnSync(process.execPath, [publint, packed(), '--strict', '--pack=false'], {
      encoding: 'utf8',
    });
    expect({ status, said: status === 0 ? '' : stdout + stderr }).toEqual({ status: 0, said: '' });
  });

  test('has no script, and nothing from which npm would build', () => {
    const { scripts, gypfile, devDependencies } = manifestOf(packed());
    expect([scripts, gypfile ?? false, devDependencies]).toEqual([undefined, false, undefined]);
    expect(
      filesOf(packed()).filter(file => /binding\.gyp|CMakeLists|\.(cpp|h|ts|map)$/.test(file.replace(/\.d\.ts$/, ''))),
    ).toEqual([]);
  });

  test('has its licence and a page', () => {
    const files = filesOf(packed());
    for (const file of ['LICENSE', 'README.md']) expect(files).toContain(file);
  });

  test('has what its pages point at', () => {
    for (const page of filesOf(packed()).filter(file => file.endsWith('.md'))) {
      const links = [...readFileSync(join(packed(), page), 'utf8').matchAll(/\]\(([^):#]+)[^):]*\)/g)].map(
        ([, to]) => to!,
      );
      expect(links.filter(to => !existsSync(resolve(packed(), dirname(page), to)))).toEqual([]);
    }
  });
});

test('the main package has the page as it was built', () => {
  const page = join(contents(), 'dist', 'page');
  const built = join(root, 'dist', 'page');
  expect(filesOf(page).sort()).toEqual(filesOf(built).sort());
  expect(filesOf(page)).toEqual(expect.arrayContaining(['index.html', 'page.css', 'page.js']));
  for (const name of filesOf(built)) expect(readFileSync(join(page, name))).toEqual(readFileSync(join(built, name)));
});

test('the main package depends on exactly what it imports, its own platforms and nothing else', () => {
  const packed = contents();
  const files = filesOf(packed).filter(file => /\.(js|d\.ts)$/.test(file));
  const { metafile } = buildSync({
    entryPoints: files
      .filter(file => file.endsWith('.js') && !file.startsWith('dist/page'))
      .map(file => join(packed, file)),
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    write: false,
    outdir: folder,
    metafile: true,
    logLevel: 'silent',
  });
  const specifiers = Object.values(metafile.inputs).flatMap(({ imports }) =>
    imports.filter(({ external }) => external).map(({ path }) => path),
  );
  for (const file of files.filter(name => name.endsWith('.d.ts'))) {
    const text = readFileSync(join(packed, file), 'utf8');
    for (const [, specifier] of text.matchAll(/^(?:import|export)\b[^;'"]*\bfrom '([^'.][^']*)'/gm))
      specifiers.push(specifier!);
  }
  const imported = new Set(
    specifiers.map(name =>
      name
        .split('/')
        .slice(0, name.startsWith('@') ? 2 : 1)
        .join('/'),
    ),
  );
  const packages = [...imported].filter(
    name => !name.startsWith('node:') && !builtinModules.includes(name) && name !== 'meditron',
  );
  const { dependencies: declared, optionalDependencies, peerDependencies, peerDependenciesMeta } = manifestOf(packed);
  expect(packages.sort()).toEqual(Object.keys(declared).sort());
  expect(declared).toEqual(dependencies);
  expect(optionalDependencies).toEqual(Object.fromEntries(platforms.map(({ name }) => [`@meditron/${name}`, version])));
  expect(peerDependencies).toEqual(Object.fromEntries(gpuPackages.map(name => [name, pinned[name]!.version])));
  expect(peerDependenciesMeta).toEqual(Object.fromEntries(gpuPackages.map(name => [name, { optional: true }])));
});

test('the platform’s package says which systems it is for and which files it has', () => {
  const packed = contents(platform);
  const { os, cpu, libc, version: its, preferUnplugged } = manifestOf(packed);
  const entry = platforms.find(({ name }) => name === platform)!;
  expect({ os, cpu, libc, version: its, preferUnplugged }).toEqual({
    os: [entry.os],
    cpu: [entry.cpu],
    libc: entry.libc && [entry.libc],
    version,
    preferUnplugged: true,
  });
  const { files } = JSON.parse(readFileSync(join(packed, 'addon.json'), 'utf8'));
  const libraries = filesOf(packed).filter(file => /\.(node|so|dll|dylib)$/.test(file));
  expect(Object.keys(files).sort()).toEqual(libraries.sort());
  for (const name of libraries) expect(readFileSync(join(packed, name)).length).toBe(files[name]);
});

test('licences are those of what is inside, and no others', () => {
  expect(readdirSync(join(contents(), 'licenses'))).toEqual(['llama.cpp.txt']); // the vocabulary of the model that ships
  const licences = readdirSync(join(contents(platform), 'licenses'));
  expect(licences.sort()).toEqual([
    'llama.cpp-parts.txt',
    'llama.cpp.txt',
    'node-addon-api.txt',
    'node-api-headers.txt',
    'node-llama-cpp.txt',
  ]);
  for (const file of licences)
    expect(readFileSync(join(contents(platform), 'licenses', file), 'utf8')).toMatch(
      /Copyright.*Permission is hereby/is,
    );
});

test.runIf(process.platform === 'linux')(
  'the C++ library is the system’s, so that its licence is not among them',
  () => {
    for (const file of filesOf(contents(platform)).filter(name => /\.(so|node)$/.test(name))) {
      const { status, stdout } = spawnSync('readelf', ['-d', join(contents(platform), file)], { encoding: 'utf8' });
      expect([status, stdout]).toEqual([0, expect.stringContaining('[libstdc++.so.6]')]);
    }
  },
);

test('every notice in llama.cpp’s sources of what is packed is among its licences', () => {
  const tree = join(root, 'build', 'llama.cpp');
  const folders = ['include', 'src', 'ggml/src', 'ggml/src/ggml-cpu', 'ggml/src/ggml-blas', 'ggml/src/ggml-metal'];
  // Built for other processors, or not built in the packages that the libraries come from.
  const others = /ggml-cpu[\\/](kleidiai|spacemit)[\\/]/;
  const files = folders.flatMap(folder =>
    readdirSync(join(tree, folder), { recursive: folder !== 'ggml/src', encoding: 'utf8' })
      .map(name => join(tree, folder, name))
      .filter(file => /\.(c|cpp|h|hpp|m|metal|S)$/.test(file) && !others.test(file)),
  );
  const holders = files.flatMap(file =>
    [...readFileSync(file, 'utf8').matchAll(/Copyright (?:\(c\) )?\d{4}[\d-]* (.*?)\.?$/gim)].map(([, name]) => name!),
  );
  expect(holders.length).toBeGreaterThan(1);
  const licences = ['llama.cpp.txt', 'llama.cpp-parts.txt']
    .map(file => readFileSync(join(contents(platform), 'licenses', file), 'utf8'))
    .join();
  expect([...new Set(holders)].filter(name => !licences.includes(name))).toEqual([]);
});
