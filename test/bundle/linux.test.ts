import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundled } from './folder.js';

const onLinux = process.platform === 'linux' && process.arch === 'x64';
const isRoot = process.getuid?.() === 0;
const place = mkdtempSync(join(tmpdir(), 'meditron-bundle-'));
afterAll(() => rmSync(place, { recursive: true, force: true, maxRetries: 5 }));

if (!onLinux) console.warn('The folder for linux-x64 is tried on Linux on x64 alone');

describe.runIf(onLinux)('the folder for linux-x64', () => {
  let folder: string;
  beforeAll(() => {
    folder = bundled('linux-x64', join(place, 'Ärzte Stick & (neu)'));
  });
  const start = () => join(folder, 'Start Meditron.sh');
  const run = (input: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}) =>
    spawnSync('/bin/sh', [start(), ...args], {
      input,
      encoding: 'utf8',
      cwd: '/',
      env: { HOME: place, PATH: '/nonexistent', NODE_OPTIONS: '--require=/nothing', ...env },
    });

  test('is below 160 MB, is what its sums say, and sha256sum agrees', () => {
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map(name => statSync(join(folder, name)));
    expect(files.reduce((sum, file) => sum + (file.isFile() ? file.size : 0), 0)).toBeLessThan(160e6);
    expect(spawnSync('sha256sum', ['-c', '--quiet', '--strict', 'SHA256SUMS'], { cwd: folder }).status).toBe(0);
    const { status, stdout } = run('', ['verify', '--json']);
    expect([status, JSON.parse(stdout)]).toEqual([
      0,
      expect.objectContaining({ folder, ok: true, extra: [], added: [] }),
    ]);
  });

  test('has the terms of everything inside, and of nothing else', () => {
    const manifests = readdirSync(join(folder, 'app'), { recursive: true, encoding: 'utf8' })
      .filter(name => /(^|\/)node_modules\/(@[^/]+\/)?[^/]+\/package\.json$/.test(name))
      .map(name => JSON.parse(readFileSync(join(folder, 'app', name), 'utf8')) as { name: string; version: string });
    const dependencies = manifests.filter(({ name }) => !/^(@meditron\/.*|meditron)$/.test(name));
    expect(dependencies.length).toBeGreaterThan(10);
    expect(readdirSync(join(folder, 'licenses')).sort()).toEqual(
      [
        ...dependencies.map(({ name, version }) => `${name.replace('/', ' ')} ${version}.txt`),
        'Meditron.txt',
        'Node.js.txt',
      ].sort(),
    );
    for (const name of readdirSync(join(folder, 'licenses')))
      expect(readFileSync(join(folder, 'licenses', name), 'utf8'), name).toMatch(
        /Permission is hereby granted|Licen[cs]e/i,
      );
    // Node's own lists what is compiled into it.
    expect(readFileSync(join(folder, 'licenses', 'Node.js.txt'), 'utf8')).toMatch(/^- OpenSSL, .*^- V8, /ms);
    for (const name of ['meditron', '@meditron/linux-x64'])
      expect(existsSync(join(folder, 'app', 'node_modules', name, 'licenses', 'llama.cpp.txt'))).toBe(true);
  });

  test('asks an example from its menu, without anything of the user on the path', () => {
    const { status, stdout, stderr } = run('2\n\n\n0\n');
    expect([status, stderr]).toEqual([0, expect.not.stringContaining('ERR_')]);
    expect(stdout).toMatch(/[3-5] of 5 chains have ended/); // as many as decide the vote
    expect(stdout).toMatch(/By the rules of the score/);
  });

  test('keeps what it remembers in `state` beside it, or nowhere, if such a folder is there', () => {
    for (const [name, told] of [
      ['state', `It is remembered in ${join(folder, 'state')}`],
      ['no state', 'nothing at all is remembered'],
    ] as const) {
      mkdirSync(join(folder, name));
      try {
        expect(run('6\n0\n').stdout).toContain(told);
        expect(run('', ['verify']).status).toBe(0);
      } finally {
        rmSync(join(folder, name), { recursive: true });
      }
    }
  });

  test('a copy that was interrupted is found, and one that cannot be started says so', () => {
    const copy = join(place, 'copy');
    cpSync(folder, copy, { recursive: true });
    const entry = join(copy, 'app/node_modules/meditron/dist/index.js');
    const whole = readFileSync(entry);
    writeFileSync(entry, whole.subarray(0, whole.length - 1));
    const verified = spawnSync('/bin/sh', [join(copy, 'Start Meditron.sh'), 'verify'], { encoding: 'utf8' });
    expect([verified.status, verified.stdout]).toEqual([3, expect.stringContaining('dist/index.js')]);
    rmSync(join(copy, 'node'), { recursive: true });
    const { status, stderr } = spawnSync('/bin/sh', [join(copy, 'Start Meditron.sh')], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([3, expect.stringContaining('not complete')]);
    rmSync(copy, { recursive: true });
  });

  test.runIf(isRoot)(
    'starts where there is nothing but a C library and a shell: no network, read-only, as nobody',
    () => {
      const jail = join(place, 'jail');
      const needed = neededBy([
        '/bin/sh',
        join(folder, 'node/node'),
        ...readdirSync(join(folder, 'app/node_modules/@meditron/linux-x64'))
          .filter(name => /\.(so|node)$/.test(name))
          .map(name => join(folder, 'app/node_modules/@meditron/linux-x64', name)),
      ]);
      for (const file of [...needed, '/bin/sh']) {
        mkdirSync(join(jail, dirname(file)), { recursive: true });
        cpSync(file, join(jail, file), { dereference: true });
      }
      for (const name of ['Ärzte Stick', 'proc', 'dev', 'tmp']) mkdirSync(join(jail, name));
      writeFileSync(join(jail, 'input'), '2\n\n\n7\n0\n');
      const script = `
        mount --bind "$2" "$1/Ärzte Stick" && mount -o remount,bind,ro "$1/Ärzte Stick" &&
        mount -t proc proc "$1/proc" && mount --bind /dev "$1/dev" &&
        exec chroot --userspec=65534:65534 "$1" /bin/sh '/Ärzte Stick/Start Meditron.sh' < "$1/input"`;
      const { status, stdout, stderr } = spawnSync(
        'unshare',
        ['--mount', '--net', '--pid', '--fork', '/bin/bash', '-c', script, 'sh', jail, folder],
        { encoding: 'utf8', env: { HOME: '/nowhere', PATH: process.env.PATH } },
      );
      expect({ status, stderr }).toEqual({ status: 0, stderr: expect.not.stringContaining('ERR_') });
      expect(stdout).toMatch(/[3-5] of 5 chains have ended/); // as many as decide the vote
      expect(stdout).toMatch(/All \d+ files .* are there and unchanged/);
      const libraries = needed.map(file => file.replace(/^.*\//, ''));
      for (const name of libraries) {
        expect(name).toMatch(/^(ld-linux-x86-64|lib(c|m|dl|pthread|stdc\+\+|gcc_s))\.so/);
      }
    },
  );
});

/** The libraries of the system that programs need, as the linker finds them. */
function neededBy(files: readonly string[]): readonly string[] {
  const found = new Set<string>();
  for (const file of files) {
    const { stdout } = spawnSync('ldd', [file], { encoding: 'utf8' });
    for (const [, path] of stdout.matchAll(/(\/[^()\n]*?) \(0x/g)) {
      const library = path!.replace(/^.*=> /, '');
      if (library.startsWith('/lib') && existsSync(library)) found.add(library);
    }
  }
  return [...found];
}
