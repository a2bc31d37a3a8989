import { createHash } from 'node:crypto';
import { chmodSync, linkSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, open, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeEach, expect, test, vi } from 'vitest';
import { recallHash, rememberHash } from '../../src/models/remembered.js';

// Beside the sources, not where temporary files go: that may be a file system whose files are not remembered.
const build = fileURLToPath(new URL('../../build', import.meta.url));
mkdirSync(build, { recursive: true });
const place = await mkdtemp(join(build, 'remembered-'));
const model = join(place, 'model');
const state = join(place, 'state');
const before = process.env.MEDITRON_STATE;

beforeEach(async () => {
  await rm(place, { recursive: true });
  mkdirSync(place);
  process.env.MEDITRON_STATE = state;
  await writeFile(model, Buffer.alloc(100_000, 1));
  await utimes(model, 1_700_000_000, 1_700_000_000);
});
afterAll(async () => {
  vi.restoreAllMocks();
  if (before === undefined) delete process.env.MEDITRON_STATE;
  else process.env.MEDITRON_STATE = before;
  await rm(place, { recursive: true });
});

const sha256 = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

/** What another start of the program says of the file, `seconds` after now. */
async function another(seconds = 60, path = model): Promise<{ identity: string; sha256: string }> {
  vi.resetModules();
  const now = Date.now();
  const clock = vi.spyOn(Date, 'now').mockImplementation(() => now + seconds * 1000);
  try {
    const { identityAt, identityText, modelHash } = await import('../../src/models/identity.js');
    const identity = identityText(identityAt(path));
    const [file] = await modelHash({ files: [{ path, sizeBytes: statSync(path).size, identity }] });
    return { identity, sha256: file!.sha256 };
  } finally {
    clock.mockRestore();
  }
}

/** The file's hash is remembered, and so that it shows: as another. */
async function planted(): Promise<string> {
  const first = await another();
  expect(first.sha256).toBe(sha256(model));
  expect(recallHash(first.identity)).toBe(first.sha256);
  const wrong = 'ab'.repeat(32);
  await rememberHash(first.identity, wrong);
  expect((await another()).sha256).toBe(wrong);
  return wrong;
}

const onLinux = process.platform === 'linux';

test.runIf(onLinux)(
  'a file that has not changed is not read again; nothing but the hash is kept, for its owner',
  async () => {
    await planted();
    expect(readdirSync(state)).toEqual(['hashes.json']);
    expect(statSync(join(state, 'hashes.json')).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(state, 'hashes.json'), 'utf8')).not.toContain('model');
  },
);

test.runIf(onLinux).each<[string, () => Promise<void>]>([
  [
    'replaced',
    async () => {
      await writeFile(`${model}.new`, Buffer.alloc(100_000, 2));
      await rename(`${model}.new`, model);
    },
  ],
  [
    'replaced, with its size and times',
    async () => {
      await writeFile(`${model}.new`, Buffer.alloc(100_000, 2));
      await utimes(`${model}.new`, 1_700_000_000, 1_700_000_000);
      await rename(`${model}.new`, model);
    },
  ],
  ['written again', () => writeFile(model, Buffer.alloc(100_000, 3))],
  [
    'changed in one byte, with its size and times',
    async () => {
      const handle = await open(model, 'r+');
      await handle.write(Buffer.of(7), 0, 1, 50_000);
      await handle.close();
      await utimes(model, 1_700_000_000, 1_700_000_000);
    },
  ],
  [
    'written to through another of its names',
    async () => {
      linkSync(model, `${model}.link`);
      const handle = await open(`${model}.link`, 'r+');
      await handle.write(Buffer.of(7), 0, 1, 0);
      await handle.close();
      await utimes(model, 1_700_000_000, 1_700_000_000);
    },
  ],
  ['cut short', () => writeFile(model, Buffer.alloc(50_000, 1))],
])('a file that was %s is not taken for the old one', async (_, change) => {
  const wrong = await planted();
  await change();
  const now = await another();
  expect(now.sha256).toBe(sha256(model));
  expect(now.sha256).not.toBe(wrong);
});

test.runIf(onLinux)('another name of the file has its hash', async () => {
  await planted();
  linkSync(model, `${model}.link`);
  expect((await another(60, `${model}.link`)).sha256).toBe(sha256(model));
});

test('a file that changed a moment ago is not remembered: the next change may have the same time', async () => {
  const { identity } = await another(0);
  expect(recallHash(identity)).toBeUndefined();
});

test.runIf(onLinux)('of a file that is changed while it is read nothing is remembered', async () => {
  vi.resetModules();
  const now = Date.now();
  vi.spyOn(Date, 'now').mockImplementation(() => now + 60_000);
  const { hashProgress, identityAt, identityText, modelHash } = await import('../../src/models/identity.js');
  await writeFile(model, Buffer.alloc(64 << 20, 1));
  const identity = identityText(identityAt(model));
  const info = { files: [{ path: model, sizeBytes: 64 << 20, identity }] };
  const hash = modelHash(info);
  while (hashProgress(info).fraction === 0) await new Promise(resolve => setImmediate(resolve));
  const handle = await open(model, 'r+');
  await handle.write(Buffer.of(7), 0, 1, 0);
  await handle.close();
  await expect(hash).rejects.toMatchObject({ code: 'ERR_MODEL_FILE' });
  expect(recallHash(identity)).toBeUndefined();
  vi.restoreAllMocks();
});

test.runIf(onLinux)('what is damaged, or can be written by others, is not believed', async () => {
  const wrong = await planted();
  const file = join(state, 'hashes.json');
  const text = readFileSync(file, 'utf8');
  for (const other of [text.replace(wrong, 'cd'.repeat(32)), text.slice(0, -20), '{}', '', text.replace('1', '2')]) {
    writeFileSync(file, other);
    expect((await another()).sha256).toBe(sha256(model));
  }
  await rm(file);
  await planted();
  chmodSync(file, 0o666);
  expect((await another()).sha256).toBe(sha256(model));
});

test('without a state folder, and where none can be made, files are hashed and nothing is written', async () => {
  process.env.MEDITRON_STATE = 'none';
  expect((await another()).sha256).toBe(sha256(model));
  process.env.MEDITRON_STATE = join(model, 'state');
  expect((await another()).sha256).toBe(sha256(model));
  expect(readdirSync(place)).toEqual(['model']);
});

test('many hashes are remembered, the oldest forgotten', async () => {
  for (let i = 0; i < 70; i++) await rememberHash(`${i}`, String(i % 10).repeat(64));
  expect(recallHash('0')).toBeUndefined();
  expect(recallHash('69')).toBe('9'.repeat(64));
});
