import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { bundled } from './folder.js';

const wine = '/usr/lib/wine/wine64';
const place = mkdtempSync(join(tmpdir(), 'meditron-wine-'));
const env = {
  PATH: process.env.PATH,
  HOME: place,
  WINEPREFIX: join(place, 'prefix'),
  WINEDEBUG: '-all',
  LC_ALL: 'C.UTF-8', // how Wine reads the path's letters
  WINEARCH: 'win64',
  NODE_SKIP_PLATFORM_CHECK: '1',
};
afterAll(() => {
  if (existsSync(env.WINEPREFIX)) spawnSync('/usr/lib/wine/wineserver', ['-k'], { env });
  rmSync(place, { recursive: true, force: true, maxRetries: 5 });
});

describe.runIf(existsSync(wine) || process.env.CI)('the folder for win32-x64, under Wine', () => {
  // Not with a percent sign: Wine reads the value of a variable for variables again, which Windows does not.
  test('starts by its start file from a folder of any name, checks itself, and leaves', () => {
    spawnSync(wine, ['wineboot', '-i'], { env, stdio: 'ignore' });
    const folder = join(env.WINEPREFIX, 'drive_c', "Ärzte & Co (neu) !PATH! a^b d'été; =x");
    bundled('win32-x64', folder);
    // Node's output to a pipe fails under Wine: input and output are files.
    const [input, output] = [join(place, 'in.txt'), join(place, 'out.txt')];
    writeFileSync(input, '7\r\n0\r\n');
    const stdio = [openSync(input, 'r'), openSync(output, 'w')] as const;
    const { status } = spawnSync(wine, ['cmd', '/c', 'Start Meditron.cmd'], {
      env,
      cwd: folder,
      stdio: [stdio[0], stdio[1], 'ignore'],
    });
    for (const file of stdio) closeSync(file);
    expect(status).toBe(0);
    expect(readFileSync(output, 'utf8')).toMatch(/All \d+ files .* are there and unchanged\./);
  });
});
