import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MeditronError } from '../../src/check/errors.js';
import { formatSums, parseSums, sumsName, verifyFolder } from '../../src/check/sums.js';

const sha256 = (content: string) => createHash('sha256').update(content).digest('hex');
const onPosix = process.platform !== 'win32';

/** What a folder as `npm run bundle` lays it out has, in small. */
const files: Readonly<Record<string, string>> = {
  'Start Meditron.sh': '#!/bin/sh\n',
  'app/node_modules/meditron/dist/index.js': 'export {};\n',
  'app/node_modules/meditron/package.json': '{}\n',
  'models/meditron-7b.gguf': 'GGUF'.repeat(100),
  'node/node': 'binary',
};

let place: string;
let folder: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'meditron-sums-'));
  folder = join(place, 'Ärzte Stick');
  write(files);
});
afterEach(() => rmSync(place, { recursive: true }));

function write(content: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(content)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  writeFileSync(
    join(folder, sumsName),
    formatSums(Object.entries(content).map(([path, text]) => ({ path, sha256: sha256(text) }))),
  );
}

/** Whether `sha256sum -c` finds what is listed as it was. */
function oracle(): boolean {
  return spawnSync('sha256sum', ['-c', '--strict', '--status', sumsName], { cwd: folder }).status === 0;
}

/** Whether the folder passes; sums that cannot be used are a no. */
async function passes(): Promise<boolean> {
  try {
    return (await verifyFolder(folder)).ok;
  } catch (error) {
    expect(error).toBeInstanceOf(MeditronError);
    expect((error as MeditronError).code).toBe('ERR_INPUT');
    return false;
  }
}

const bytes = Object.values(files).reduce((sum, text) => sum + Buffer.byteLength(text), 0);
const none = { missing: [], changed: [], unreadable: [], extra: [], outside: [], added: [] };

test('a folder as it was made passes, and sha256sum agrees', async () => {
  expect(await verifyFolder(folder)).toEqual({ folder, ok: true, files: 5, bytes, ...none });
  if (onPosix) expect(oracle()).toBe(true);
});

test('what is missing, changed, cut short, too much or a way out is named', async () => {
  unlinkSync(join(folder, 'node/node'));
  writeFileSync(join(folder, 'Start Meditron.sh'), '#!/bin/sh\r');
  truncateSync(join(folder, 'models/meditron-7b.gguf'), 399);
  writeFileSync(join(folder, 'app/node_modules/meditron/dist/evil.node'), '');
  writeFileSync(join(folder, 'models/mine.gguf'), '');
  if (onPosix) symlinkSync(place, join(folder, 'app/way-out'));
  if (onPosix) symlinkSync('nowhere', join(folder, 'app/nowhere'));
  const found = await verifyFolder(folder);
  expect(found).toMatchObject({
    ok: false,
    missing: ['node/node'],
    changed: ['Start Meditron.sh', 'models/meditron-7b.gguf'],
    extra: ['app/node_modules/meditron/dist/evil.node'],
    outside: onPosix ? ['app/nowhere', 'app/way-out'] : [],
    added: ['models/mine.gguf'],
  });
  if (onPosix) expect(oracle()).toBe(false);
});

test('models, what is remembered, and what systems leave behind are no faults', async () => {
  const harmless = [
    'models/a.gguf',
    'models/b/c.gguf',
    'state/devices.json',
    'no state/x',
    '.DS_Store',
    'models/._a.gguf',
    'System Volume Information/IndexerVolumeGuid',
    '$RECYCLE.BIN/S-1/desktop.ini',
  ];
  for (const path of harmless) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), 'x');
  }
  expect(await verifyFolder(folder)).toMatchObject({
    ok: true,
    extra: [],
    added: ['models/a.gguf', 'models/b/c.gguf'],
  });
});

test.runIf(onPosix)('a folder that is a link out of the folder takes its files along', async () => {
  cpSync(join(folder, 'app'), join(place, 'app'), { recursive: true });
  rmSync(join(folder, 'app'), { recursive: true });
  symlinkSync(join(place, 'app'), join(folder, 'app'));
  expect(await verifyFolder(folder)).toMatchObject({
    ok: false,
    outside: ['app'],
    missing: Object.keys(files).filter(path => path.startsWith('app/')),
  });
});

test('a copy that was interrupted is found, whatever order it went in and wherever it stopped', async () => {
  const whole: readonly [string, Buffer][] = [...Object.keys(files), sumsName].map(path => [
    path,
    readFileSync(join(folder, path)),
  ]);
  const total = whole.reduce((sum, [, content]) => sum + content.length, 0);
  await fc.assert(
    fc.asyncProperty(
      fc.shuffledSubarray([...whole], { minLength: whole.length }),
      fc.nat(total - 1),
      fc.boolean(),
      async (order, stop, reserves) => {
        rmSync(folder, { recursive: true });
        mkdirSync(folder);
        let left = stop;
        for (const [path, content] of order) {
          if (left === 0) break;
          mkdirSync(dirname(join(folder, path)), { recursive: true });
          const part = content.subarray(0, left);
          // Some programs make a file in its full length first.
          writeFileSync(
            join(folder, path),
            reserves ? Buffer.concat([part, Buffer.alloc(content.length - part.length)]) : part,
          );
          left -= part.length;
        }
        expect(await passes()).toBe(false);
      },
    ),
    { numRuns: 150 },
  );
});

describe('the file of sums', () => {
  const name = fc
    .string({ unit: fc.constantFrom('a', 'Ä', ' ', '\\', '\n', '\r', '*', '"', '-', '.'), minLength: 1, maxLength: 8 })
    .filter(text => !['.', '..', '-'].includes(text)); // `-` is standard input for sha256sum

  test('what is written is read back', () => {
    fc.assert(
      fc.property(fc.uniqueArray(name), paths => {
        fc.pre(paths.length > 0);
        const sums = paths.map(path => ({ path, sha256: sha256(path) }));
        expect(parseSums(formatSums(sums))).toEqual(onPosix ? sums : expect.anything());
      }),
    );
  });

  test.runIf(onPosix)('is the one that sha256sum writes, names with backslashes and line breaks included', () => {
    fc.assert(
      fc.property(fc.uniqueArray(name, { minLength: 1, maxLength: 10 }), paths => {
        const at = mkdtempSync(join(place, 'names-'));
        for (const path of paths) writeFileSync(join(at, path), path);
        const written = spawnSync('sha256sum', ['--', ...paths], { cwd: at, encoding: 'utf8' }).stdout;
        expect(formatSums(paths.map(path => ({ path, sha256: sha256(path) })))).toBe(
          `${written}# files listed: ${paths.length}\n`,
        );
      }),
      { numRuns: 20 },
    );
  });

  const sum = sha256('');
  test.each([
    [[], 'lists no file'],
    [[''], 'line 1'],
    [[`${sum}  a`, sum.slice(0, 63)], 'line 2'],
    [[`${sum} a`], 'line 1'],
    [[`${sum}  a`, '', `${sum}  b`], 'line 2'],
    [[`${sum}  ../a`], 'inside the folder'],
    [[`${sum}  /etc/passwd`], 'inside the folder'],
    [[`${sum}  a/../../b`], 'inside the folder'],
    [[`${sum}  a//b`], 'inside the folder'],
    [[`\\${sum}  a\\x`], 'line 1'],
    [[`${sum}  a`, `${sum}  a`], 'twice'],
  ])('%j is refused', (lines, why) => {
    expect(() => parseSums([...lines, `# files listed: ${lines.length}`, ''].join('\n'))).toThrow(why);
  });

  test('cut anywhere, or with a line taken out, it is refused', () => {
    const whole = readFileSync(join(folder, sumsName), 'utf8');
    for (let end = 0; end < whole.length; end++)
      expect(() => parseSums(whole.slice(0, end))).toThrow(/cut short|last line/);
    const lines = whole.split('\n');
    for (const i of Object.keys(files).keys())
      expect(() => parseSums(lines.toSpliced(i, 1).join('\n'))).toThrow('last line');
  });

  test('line breaks of Windows and the mark of binary files are read as sha256sum reads them', async () => {
    const lines = readFileSync(join(folder, sumsName), 'utf8');
    writeFileSync(join(folder, sumsName), lines.replaceAll('\n', '\r\n').replaceAll('  ', ' *'));
    expect(await passes()).toBe(true);
    if (onPosix) expect(oracle()).toBe(true);
  });
});

test('a folder without sums, and what is no folder, are refused with what to do', async () => {
  unlinkSync(join(folder, sumsName));
  await expect(verifyFolder(folder)).rejects.toThrow(/not copied to its end.*Copy the whole folder again/);
  await expect(verifyFolder(join(folder, 'nothing'))).rejects.toThrow('no folder');
});

test('the check tells how far it is, and stops when it is told to', async () => {
  const told: number[] = [];
  await verifyFolder(folder, { onProgress: (read, total) => told.push(read / total) });
  expect(told.at(-1)).toBe(1);
  expect(told).toEqual([...told].sort((a, b) => a - b));
  const reason = new Error('enough');
  await expect(verifyFolder(folder, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
});
