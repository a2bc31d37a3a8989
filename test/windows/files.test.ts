import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { exportedNames } from '../../scripts/exports.js';
import { workFolder } from '../install/shell.js';
import { tarball } from '../install/tarballs.js';

// What the package's files ask of Windows, as binutils reads them. objdump comes with the compiler that builds them.

const folder = workFolder('dlls');
const packed = join(folder, 'package');
let dlls: readonly string[] = [];

beforeAll(() => {
  expect(spawnSync('tar', ['-xzf', tarball('win32-x64'), '-C', folder]).status).toBe(0);
  dlls = readdirSync(packed).filter(name => /\.(dll|node)$/.test(name));
});

function objdump(file: string): string {
  const { status, stdout, stderr } = spawnSync('x86_64-w64-mingw32-objdump', ['-p', file], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(`objdump -p ${file}: ${stderr}`);
  return stdout;
}

const imports = (file: string) => [...objdump(file).matchAll(/^\tDLL Name: (.*)$/gm)].map(([, name]) => name!);

/** What every Windows 10 brings: the kernel, the registry, and the C library, by its old or its new names. */
const system = /^(kernel32|advapi32|msvcrt|ucrtbase|api-ms-win-crt-[a-z]+-l1-1-0)\.dll$/i;

test('the addon needs the system, llama.cpp’s libraries beside it, and no library of a compiler', () => {
  const needed = imports(join(packed, 'meditron.node'));
  const others = needed.filter(name => !system.test(name));
  // Node-API is bound to the program that runs, whatever it is called: node.exe is not among them.
  expect(others.map(name => name.replace(/\.v[\d.]+(?=\.dll$)/, '')).sort()).toEqual([
    'ggml-base.dll',
    'ggml.dll',
    'llama.dll',
  ]);
  for (const name of others) expect(dlls).toContain(name);
});

/** Some of Wine's, which read as others' do: among them are libraries without exports, without names for them, and with thousands. */
const wines = '/usr/lib/x86_64-linux-gnu/wine/x86_64-windows';
const foreign = existsSync(wines) ? readdirSync(wines).filter(name => /^[mv].*\.dll$/.test(name)) : [];

test('export tables are read as binutils reads them', () => {
  const files = [...dlls.map(name => join(packed, name)), ...foreign.map(name => join(wines, name))];
  expect(files.length).toBeGreaterThan(3);
  for (const file of files) {
    const [, table = ''] = objdump(file).split('[Ordinal/Name Pointer] Table');
    const [entries] = /^(\n\t\[ *\d+\].*)*/.exec(table)!;
    const names = [...entries.matchAll(/^\t\[ *\d+\] (.*)$/gm)].map(([, name]) => name);
    expect([basename(file), exportedNames(readFileSync(file))]).toEqual([basename(file), names]);
  }
});
