import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { packageVersion } from '../../src/check/project.js';
import { readBuild } from '../../src/native/build.js';
import type { Host } from '../../src/native/loading.js';
import { supported } from '../../src/native/packages.js';

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'meditron-packages-')));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const version = packageVersion();
const host: Host = { platform: 'linux', arch: 'x64', musl: false };

/** A folder for an app, with the main package where `main` says, and the platform package where `platform` says. */
function tree(main: string, platform?: string, name = '@meditron/linux-x64') {
  const app = mkdtempSync(join(folder, 'an app, ö# '));
  write(join(app, main), { name: 'meditron', version });
  if (platform !== undefined) platformPackage(join(app, platform), name);
  return { app, root: join(app, main), platform: join(app, platform ?? '') };
}

function write(place: string, manifest: object): void {
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, 'package.json'), JSON.stringify(manifest));
}

function platformPackage(place: string, name: string): void {
  write(place, { name, version, exports: { './package.json': './package.json' } });
  writeFileSync(join(place, 'meditron.node'), 'addon');
  writeFileSync(join(place, 'libllama.v0.4.0.so'), 'library');
  const files = { 'meditron.node': 5, 'libllama.v0.4.0.so': 7 };
  writeFileSync(
    join(place, 'addon.json'),
    JSON.stringify({ kind: 'prebuilt', release: 'v0.4.0', libraries: '3.21.1', files }),
  );
}

function refusal(root: string, machine: Partial<Host> = {}): string {
  try {
    readBuild(root, { ...host, ...machine });
  } catch (error) {
    expect(error).toMatchObject({ code: 'ERR_ADDON' });
    return (error as Error).message;
  }
  throw new Error('found');
}

describe('the platform package is found', () => {
  test.each([
    ['beside the main one', 'node_modules/meditron', 'node_modules/@meditron/linux-x64'],
    ['inside it', 'node_modules/meditron', 'node_modules/meditron/node_modules/@meditron/linux-x64'],
    ['above it', 'packages/a/node_modules/meditron', 'node_modules/@meditron/linux-x64'],
    [
      'outside an archive',
      'app.asar.unpacked/node_modules/meditron',
      'app.asar.unpacked/node_modules/@meditron/linux-x64',
    ],
  ])('%s', (_, main, platform) => {
    const { root, platform: place } = tree(main, platform);
    expect(readBuild(root, host)).toMatchObject({
      place: 'package',
      kind: 'prebuilt',
      addon: join(place, 'meditron.node'),
      libraries: place,
      release: 'v0.4.0',
      librariesVersion: '3.21.1',
    });
  });

  test('linked by pnpm', () => {
    const store = `node_modules/.pnpm/meditron@${version}/node_modules`;
    const { app, root } = tree(`${store}/meditron`);
    const place = join(app, `node_modules/.pnpm/@meditron+linux-x64@${version}/node_modules/@meditron/linux-x64`);
    platformPackage(place, '@meditron/linux-x64');
    mkdirSync(join(app, store, '@meditron'));
    symlinkSync(place, join(app, store, '@meditron', 'linux-x64'));
    expect(readBuild(root, host).addon).toBe(join(place, 'meditron.node'));
  });

  test('the nearest of two, for each of two versions', () => {
    const { app, root, platform } = tree('node_modules/meditron', 'node_modules/@meditron/linux-x64');
    const other = join(app, 'node_modules/other/node_modules');
    cpSync(root, join(other, 'meditron'), { recursive: true });
    cpSync(platform, join(other, '@meditron', 'linux-x64'), { recursive: true });
    expect(readBuild(root, host).libraries).toBe(platform);
    expect(readBuild(join(other, 'meditron'), host).libraries).toBe(join(other, '@meditron', 'linux-x64'));
  });
});

const beside = ['node_modules/meditron', 'node_modules/@meditron/linux-x64'] as const;
const install = `Run \`npm install --include=optional meditron@${version}\` in `;

describe('where there is none it is said why, and what to do', () => {
  test('not installed', () => {
    const { app, root } = tree(beside[0]);
    writeFileSync(join(app, 'package.json'), '{}');
    const said = refusal(root);
    expect(said).toContain('the package @meditron/linux-x64 is not installed; optional dependencies were left out');
    expect(said.endsWith(`${install}${app}.`)).toBe(true);
  });

  test('made on another system', () => {
    const { root } = tree(beside[0], 'node_modules/@meditron/win32-x64', '@meditron/win32-x64');
    expect(refusal(root)).toMatch(/is not installed; installed is @meditron\/win32-x64: .*made on another system/);
  });

  test.each<[string, Partial<Host>, RegExp]>([
    [
      'a 32-bit Node',
      { arch: 'ia32' },
      /no package for linux-ia32; there are linux-x64 \(glibc\), .*32-bit.*Install a 64-bit Node/,
    ],
    ['Windows on Arm', { platform: 'win32', arch: 'arm64' }, /no package for win32-arm64; .*Install the Node for x64/],
    ['FreeBSD', { platform: 'freebsd' }, /no package for freebsd-x64; .*Build it from source/],
    ['Alpine', { musl: true }, /is not installed; .*musl \(Alpine\), .*Use a system with glibc/],
  ])('%s', (_, machine, expected) => {
    const said = refusal(tree(beside[0]).root, machine);
    expect(said).toMatch(expected);
  });

  test('every supported system is named', () => {
    const said = refusal(tree(beside[0]).root, { platform: 'sunos' });
    for (const name of supported) expect(said).toContain(name);
  });

  test('another version', () => {
    const { root, platform } = tree(...beside);
    write(platform, { name: '@meditron/linux-x64', version: '0.0.1', exports: { './package.json': './package.json' } });
    expect(refusal(root)).toContain(
      `@meditron/linux-x64 0.0.1 is installed in ${platform}, and meditron is ${version}. Run `,
    );
  });

  test.each<[string, (platform: string) => void, RegExp]>([
    [
      'a file missing',
      place => rmSync(join(place, 'libllama.v0.4.0.so')),
      /: libllama\.v0\.4\.0\.so in .* is missing or not whole: .*virus scanner/,
    ],
    [
      'a file cut short',
      place => writeFileSync(join(place, 'meditron.node'), ''),
      /: meditron\.node in .* is missing or not whole/,
    ],
    [
      'a file too long',
      place => appendFileSync(join(place, 'meditron.node'), '.'),
      /: meditron\.node in .* is missing or not whole/,
    ],
    ['no description', place => rmSync(join(place, 'addon.json')), /addon\.json is missing\. Run/],
    ['half a description', place => writeFileSync(join(place, 'addon.json'), '{"kind":'), /addon\.json is damaged/],
    [
      'another description',
      place => writeFileSync(join(place, 'addon.json'), '{"kind":"source"}'),
      /addon\.json: expected `kind` to be .*damaged/,
    ],
    ['no manifest', place => rmSync(join(place, 'package.json')), /package\.json is missing\. Run/],
  ])('%s', (_, damage, expected) => {
    const { root, platform } = tree(...beside);
    damage(platform);
    expect(refusal(root)).toMatch(expected);
  });

  test('all reasons are collected', () => {
    const { root, platform } = tree(...beside);
    write(platform, { name: '@meditron/linux-x64', version: '0.0.1' });
    rmSync(join(platform, 'meditron.node'));
    rmSync(join(platform, 'libllama.v0.4.0.so'));
    expect(refusal(root)).toMatch(
      /0\.0\.1 is installed in .*; meditron\.node, libllama\.v0\.4\.0\.so in .* are missing/,
    );
  });
});

describe('in a checkout', () => {
  function checkout(record?: string) {
    const root = mkdtempSync(join(folder, 'checkout-'));
    for (const name of ['src', 'scripts', 'build']) mkdirSync(join(root, name));
    writeFileSync(join(root, 'scripts', 'build.js'), '');
    if (record !== undefined) writeFileSync(join(root, 'build', 'addon.json'), record);
    return root;
  }

  test.each<[string, string | undefined, RegExp]>([
    ['nothing was built', undefined, /it has not been built: .*Run `npm run build` in/],
    ['the record is damaged', '{', /addon\.json is damaged: it is not JSON\. Run `npm ci && npm run build` in/],
    ['the record is of something else', '{"kind":"prebuilt"}', /addon\.json: expected `addon` to be .*Run/],
    [
      'the addon is gone',
      '{"addon":"build/x.node","kind":"source","libraries":"","release":"v0.4.0"}',
      /x\.node of this build is missing\. Run/,
    ],
  ])('%s', (_, record, expected) => {
    expect(refusal(checkout(record))).toMatch(expected);
  });

  test('what was built is taken, and the version of its libraries', () => {
    const root = checkout(
      JSON.stringify({
        addon: 'build/x.node',
        kind: 'prebuilt',
        libraries: 'libraries/bins/linux-x64',
        release: 'v0.4.0',
        options: {},
      }),
    );
    writeFileSync(join(root, 'build', 'x.node'), '');
    mkdirSync(join(root, 'libraries', 'bins', 'linux-x64'), { recursive: true });
    write(join(root, 'libraries'), { version: '3.21.1' });
    expect(readBuild(root, host)).toMatchObject({ place: 'checkout', librariesVersion: '3.21.1', builtIn: [] });
  });
});
