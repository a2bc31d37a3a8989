import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { lacking, nodeOfArm64 } from '../arm64/qemu.js';
import { workFolder } from '../install/shell.js';
import { bundled } from './folder.js';

test.runIf(lacking && process.env.CI)('what runs arm64 programs is there', () => expect(lacking).toBeUndefined());

// There is no shell for arm64 here: what the start file's last line starts, the folder's Node with its program, is started by qemu. The
// lines before it are those of the folder for linux-x64, which are run.
describe.skipIf(lacking)('the folder for linux-arm64, under qemu', () => {
  const place = workFolder('stick');
  let folder: string;
  let node: string;
  beforeAll(() => {
    folder = bundled('linux-arm64', join(place, 'Ärzte Stick'));
    const beside = join(place, 'qemu');
    mkdirSync(beside);
    node = nodeOfArm64(join(folder, 'node', 'node'), beside);
  });
  const meditron = (...args: string[]) =>
    spawnSync(node, [join(folder, 'app/node_modules/meditron/bin/meditron.js'), ...args], {
      cwd: '/',
      encoding: 'utf8',
      env: { ...process.env, NO_COLOR: '1', MEDITRON_STATE: 'none' },
    });

  test('its model goes on with a text, with its own addon, in a process of its own', () => {
    const { status, stdout, stderr } = meditron('run', '-p', 'The patient', '--max-tokens', '8', '--threads', '1');
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/\w/);
  });

  test('it is what its sums say, and is left so', () => {
    const { status, stdout, stderr } = meditron('verify', '--json');
    expect(status, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ folder, ok: true, extra: [], added: [] });
  });

  test.skipIf(process.arch === 'arm64' || existsSync('/proc/sys/fs/binfmt_misc/qemu-aarch64'))(
    'its start file says on another kind of computer that it is for another one (skipped where this one starts arm64 programs)',
    () => {
      const { status, stderr } = spawnSync('/bin/sh', [join(folder, 'Start Meditron.sh')], { encoding: 'utf8' });
      expect([status, stderr]).toEqual([7, expect.stringContaining('is for another kind of computer')]);
    },
  );
});
