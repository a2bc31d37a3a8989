import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { mainManifest, platformManifest } from '../../scripts/pack.js';
import { pinned } from '../../scripts/packages.js';
import { platforms } from '../../scripts/platforms.js';
import { gpuPackages } from '../../src/native/backends.js';
import { supported } from '../../src/native/packages.js';

const project = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));

test.each(platforms.map(platform => [platform.name, platform] as const))(
  'the package of %s is for that system, at the version of the project',
  (name, platform) => {
    expect(platformManifest(platform)).toMatchObject({
      name: `@meditron/${name}`,
      version: project.version,
      os: [platform.os],
      cpu: [platform.cpu],
      preferUnplugged: true,
    });
    expect(platformManifest(platform).libc).toEqual(platform.libc && [platform.libc]);
  },
);

test('the main package has the dependencies of the project and every platform at its own version', () => {
  const { dependencies, optionalDependencies, version } = mainManifest();
  expect(version).toBe(project.version);
  expect(dependencies).toEqual(project.dependencies);
  expect(optionalDependencies).toEqual(Object.fromEntries(platforms.map(({ name }) => [`@meditron/${name}`, version])));
});

test('an addon is looked for on the platforms that there is a package for', () => {
  expect(supported).toEqual(platforms.map(({ name }) => name));
});

test('every GPU package that is pinned is one that is looked for', () => {
  const others = platforms.map(({ libraries }) => `@node-llama-cpp/${libraries}`);
  const carriers = Object.keys(pinned).filter(name => name.startsWith('@node-llama-cpp/') && !others.includes(name));
  expect(carriers.sort()).toEqual([...gpuPackages].sort());
});

test('GPU packages are optional peers at an exact version', () => {
  const { peerDependencies, peerDependenciesMeta } = mainManifest();
  expect(Object.keys(peerDependencies as object)).toContain('@node-llama-cpp/linux-x64-vulkan');
  expect(Object.keys(peerDependenciesMeta as object)).toEqual(Object.keys(peerDependencies as object));
  for (const version of Object.values(peerDependencies as object)) expect(version).toMatch(/^\d+\.\d+\.\d+$/);
});

test('nothing that is published has anything to run at installation', () => {
  for (const manifest of [mainManifest(), ...platforms.map(platformManifest)]) {
    expect(manifest).not.toHaveProperty('scripts');
    expect(manifest).not.toHaveProperty('gypfile');
  }
});
