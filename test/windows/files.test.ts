import { execFileSync, spawnSync } from 'node:child_process';
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

test('every file needs the system and its neighbours, and no library of a compiler', () => {
  for (const file of dlls) {
    const others = imports(join(packed, file)).filter(name => !system.test(name));
    expect(dlls).toEqual(expect.arrayContaining(others));
  }
  // Node-API is bound to the program that runs, whatever it is called: node.exe is not among them.
  expect(imports(join(packed, 'meditron.node'))).toEqual(
    expect.arrayContaining(['ggml-base.dll', 'ggml.dll', 'llama.dll']),
  );
});

test('licences are those of what is inside: the compiler’s runtime is, because no file asks the system for it', () => {
  expect(readdirSync(join(packed, 'licenses')).sort()).toEqual([
    'gcc-runtime.txt',
    'llama.cpp-parts.txt',
    'llama.cpp.txt',
    'mingw-w64.txt',
    'node-addon-api.txt',
    'node-api-headers.txt',
  ]);
});

test.each(['ggml-cpu-haswell.dll', 'meditron.node'])(
  'no instruction of %s takes the stack to be aligned to the bytes of a vector, which Windows does not promise',
  file => {
    const command = 'x86_64-w64-mingw32-objdump -d "$1" | grep -E "%[yz]mm"';
    const code = execFileSync('sh', ['-c', command, 'sh', join(packed, file)], {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    });
    expect(code).toMatch(/vmov(ups|dqu)/);
    expect(code).not.toMatch(/vmov(aps|apd|dqa\d*)\s.*\(%r/);
  },
);

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
