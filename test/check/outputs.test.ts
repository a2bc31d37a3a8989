import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import {
  isLeftover,
  leftoverName,
  makeFolder,
  makeOutput,
  tryFolder,
  tryOutput,
  writeOutput,
} from '../../src/check/outputs.js';

const folder = mkdtempSync(join(tmpdir(), 'meditron-outputs-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = join(folder, 'file');
writeFileSync(file, 'before');
for (const name of ['sub', 'work', 'shut']) mkdirSync(join(folder, name));
symlinkSync(file, join(folder, 'link'));
symlinkSync(join(folder, 'nowhere'), join(folder, 'dangling'));
symlinkSync(join(folder, 'sub'), join(folder, 'folder-link'));
chmodSync(join(folder, 'shut'), 0o500);
const before = readdirSync(folder);

const unprivileged = process.getuid?.() !== 0;
const refused: readonly (readonly [string, string, RegExp])[] = [
  ['a folder that is not there', join(folder, 'no', 'such', 'r.json'), /there is no folder .*such/],
  ['a folder', join(folder, 'sub'), /it is a folder/],
  ['a link to a folder', join(folder, 'folder-link'), /it is a folder/],
  ['a link to a file', join(folder, 'link'), /it is a symbolic link; name the file itself/],
  ['a link to nothing', join(folder, 'dangling'), /it is a symbolic link/],
  ['a file where a folder should be', join(file, 'r.json'), /ENOTDIR/],
  ['a name that is too long', join(folder, 'x'.repeat(300)), /ENAMETOOLONG/],
  ...(unprivileged ? [['a folder that is not ours to write', join(folder, 'shut', 'r'), /EACCES/] as const] : []),
  ...(existsSync('/proc/self/r')
    ? []
    : [['a file system that is read only', '/proc/self/r', /ENOENT|EROFS|no folder/] as const]),
];

describe.each(refused)('%s', (_, path, why) => {
  test('is refused before anything is computed, and when it is written', async () => {
    const refusal = { code: 'ERR_OUTPUT', message: expect.stringMatching(why) };
    await expect(tryOutput(path)).rejects.toMatchObject(refusal);
    await expect(writeOutput(path, 'after')).rejects.toMatchObject(refusal);
    expect(readdirSync(folder)).toEqual(before);
    expect(readFileSync(file, 'utf8')).toBe('before');
  });
});

test('what is made once stays, and of several at once one is made, whole', async () => {
  const path = join(folder, 'work', 'once');
  const texts = Array.from({ length: 8 }, (_, i) => String(i).repeat(5000));
  await Promise.all(texts.map(text => makeOutput(path, text)));
  const made = readFileSync(path, 'utf8');
  expect(texts).toContain(made);
  await makeOutput(path, 'later');
  expect(readFileSync(path, 'utf8')).toBe(made);
  expect(readdirSync(join(folder, 'work'))).toEqual(['once']);
  if (process.platform !== 'win32') expect(statSync(path).mode & 0o777).toBe(0o600);
  rmSync(path);
});

test('trying leaves nothing behind, and writing replaces the whole file for its owner alone', async () => {
  const fresh = join(folder, 'work', 'fresh');
  for (const path of [fresh, file]) await tryOutput(path);
  await tryFolder(join(folder, 'a', 'b', 'c'));
  expect([readdirSync(folder), readdirSync(join(folder, 'work'))]).toEqual([before, []]);
  expect(readFileSync(file, 'utf8')).toBe('before');
  await writeOutput(fresh, ['one ', Buffer.from('two')]);
  await writeOutput(file, 'after');
  expect([fresh, file].map(path => readFileSync(path, 'utf8'))).toEqual(['one two', 'after']);
  for (const path of [fresh, file]) expect(statSync(path).mode & 0o077).toBe(0);
  expect(readdirSync(join(folder, 'work'))).toEqual(['fresh']);
  writeFileSync(file, 'before');
});

test('a name may be as long as the file system allows', async () => {
  for (const name of ['x'.repeat(255), '薬'.repeat(85)]) {
    await writeOutput(join(folder, 'work', name), 'text');
    rmSync(join(folder, 'work', name));
  }
});

test('folders are made for their owner alone', async () => {
  await makeFolder(join(folder, 'work', 'new', 'below'));
  for (const path of ['new', 'new/below']) expect(statSync(join(folder, 'work', path)).mode & 0o077).toBe(0);
  await expect(makeFolder(join(file, 'below'))).rejects.toMatchObject({ code: 'ERR_OUTPUT' });
  await makeFolder(join(folder, 'work', 'new'));
  if (existsSync('/proc/self'))
    await expect(makeFolder('/proc/no/folder')).rejects.toMatchObject({ code: 'ERR_OUTPUT' });
  rmSync(join(folder, 'work', 'new'), { recursive: true });
});

test('what fails in the middle leaves the old file and nothing beside it', async () => {
  const path = join(folder, 'work', 'kept');
  await writeOutput(path, 'old');
  const broken = (function* () {
    yield 'new';
    throw new Error('it broke');
  })();
  await expect(writeOutput(path, broken)).rejects.toMatchObject({ code: 'ERR_OUTPUT' });
  expect(readFileSync(path, 'utf8')).toBe('old');
  expect(readdirSync(join(folder, 'work')).filter(name => name.startsWith('.'))).toEqual([]);
});

test('a fault of the program that makes the content is not called a file that cannot be written', async () => {
  const faulty = (function* () {
    yield (undefined as unknown as { text: string }).text;
  })();
  await expect(writeOutput(join(folder, 'work', 'faulty'), faulty)).rejects.toThrow(TypeError);
  expect(readdirSync(join(folder, 'work')).filter(name => name.startsWith('.'))).toEqual([]);
});

test('what a killed process left of the same file is removed by the next that writes it, once it is old', async () => {
  const at = (name: string) => join(folder, 'work', name);
  const [old, fresh, other] = [leftoverName('again'), leftoverName('again'), leftoverName('again2')];
  for (const name of [old, fresh, other]) writeFileSync(at(name), 'half');
  for (const name of [old, other]) utimesSync(at(name), 0, 0);
  await writeOutput(at('again'), 'whole');
  expect([old, fresh, other].map(name => existsSync(at(name)))).toEqual([false, true, true]);
  for (const name of [fresh, other]) rmSync(at(name));
});

test('a process that exits in the middle leaves the old file and nothing beside it', () => {
  const path = join(folder, 'work', 'left');
  writeFileSync(path, 'old');
  const outputs = new URL('../../src/check/outputs.ts', import.meta.url).href;
  const script = `
    const { readdirSync } = await import('node:fs');
    const { writeOutput } = await import(${JSON.stringify(outputs)});
    await writeOutput(${JSON.stringify(path)}, (function* () {
      yield 'new';
      console.log(readdirSync(${JSON.stringify(join(folder, 'work'))}).filter(name => name.endsWith('.part')).length);
      process.exit(5);
    })());`;
  const { stdout, status } = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    encoding: 'utf8',
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
  });
  expect([stdout.trim(), status]).toEqual(['1', 5]);
  expect(readFileSync(path, 'utf8')).toBe('old');
  expect(readdirSync(join(folder, 'work')).filter(name => name.startsWith('.'))).toEqual([]);
});

// A limit on the size of files makes writes fail half-way, as a full disk does.
test.runIf(process.platform === 'linux')(
  'a disk that is full half-way leaves the old file and nothing beside it',
  () => {
    const path = join(folder, 'work', 'full');
    writeFileSync(path, 'old');
    const outputs = new URL('../../src/check/outputs.ts', import.meta.url).href;
    const script = `
    const { writeOutput } = await import(${JSON.stringify(outputs)});
    await writeOutput(${JSON.stringify(path)}, Buffer.alloc(40_000)).catch(error => console.log(error.code));`;
    const limited = `trap '' XFSZ; ulimit -f 16; exec "$0" "$@"`;
    const { stdout, stderr } = spawnSync(
      'bash',
      ['-c', limited, process.execPath, '--import', 'tsx', '--input-type=module', '-e', script],
      {
        encoding: 'utf8',
        env: { ...process.env, TSX_DISABLE_CACHE: '1' },
        cwd: fileURLToPath(new URL('../..', import.meta.url)),
      },
    );
    expect(`${stdout}${stderr}`.trim()).toBe('ERR_OUTPUT');
    expect(readFileSync(path, 'utf8')).toBe('old');
    expect(readdirSync(join(folder, 'work')).filter(name => name.startsWith('.'))).toEqual([]);
  },
);

test.runIf(existsSync('/dev/full'))('a device is written to where it is, and a full one is ERR_OUTPUT', async () => {
  await tryOutput('/dev/null');
  await writeOutput('/dev/null', 'gone');
  await tryOutput('/dev/full');
  await expect(writeOutput('/dev/full', 'text')).rejects.toMatchObject({
    code: 'ERR_OUTPUT',
    message: expect.stringContaining('ENOSPC'),
  });
});

test('a leftover is known by its name', () => {
  for (const name of ['results.jsonl', 'x'.repeat(300)]) expect(isLeftover(leftoverName(name), name)).toBe(true);
  for (const other of ['results.jsonl', '.results.jsonl.part', '.results.jsonl.bak.part', leftoverName('results')])
    expect(isLeftover(other, 'results.jsonl')).toBe(false);
});
