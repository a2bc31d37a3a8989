import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Belongs } from '../../src/engine/saved/belongs.js';
import { readPrefix, writePrefix } from '../../src/engine/saved/file.js';
import { knownKey, userKey } from '../../src/engine/saved/key.js';
import { belongs } from './belongs.js';

const prefix = { tokens: Int32Array.of(1, 403, 407, 261), state: Buffer.from('the state of four tokens') };
const key = Buffer.alloc(32, 7);
const saved = { belongs, files: [{ identity: '1:2:3:4:5', sha256: 'a'.repeat(64) }] };
const here = async () => belongs;

let folder: string;
let file: string;
const before = process.env.MEDITRON_STATE;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'meditron-test-'));
  file = join(folder, 'prefix');
  process.env.MEDITRON_STATE = join(folder, 'state');
});
afterEach(() => {
  if (before === undefined) delete process.env.MEDITRON_STATE;
  else process.env.MEDITRON_STATE = before;
  rmSync(folder, { recursive: true });
});

describe('a saved prefix', () => {
  test('is read back as it was written, by its owner alone', async () => {
    await writePrefix(file, prefix, saved, key);
    expect(statSync(file).mode & 0o777).toBe(process.platform === 'win32' ? 0o666 : 0o600);
    expect(readdirSync(folder)).toEqual(['prefix']);
    const read = await readPrefix(file, here, key);
    expect(read.tokens).toEqual(prefix.tokens);
    expect(Buffer.from(read.state)).toEqual(prefix.state);
  });

  test('is read back whatever its sizes are', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.int32Array({ min: 0, max: 511, minLength: 1, maxLength: 40 }),
        fc.uint8Array({ maxLength: 3000, size: 'max' }),
        async (tokens, state) => {
          await writePrefix(file, { tokens, state }, saved, key);
          const read = await readPrefix(file, here, key);
          expect([...read.tokens]).toEqual([...tokens]);
          expect(Buffer.from(read.state)).toEqual(Buffer.from(state));
        },
      ),
      { numRuns: 40 },
    );
  });

  test('is refused with any one bit of it changed, and cut or grown to any other length', async () => {
    await writePrefix(file, prefix, saved, key);
    const whole = readFileSync(file);
    const tries: Buffer[] = [Buffer.concat([whole, Buffer.alloc(1)]), Buffer.concat([whole, whole])];
    for (let at = 0; at < whole.length; at++) {
      if (at % 11 === 0 || whole.length - at < 70) tries.push(whole.subarray(0, at));
      const changed = Buffer.from(whole);
      changed[at]! ^= 1 << (at % 8);
      tries.push(changed);
    }
    for (const bytes of tries) {
      writeFileSync(file, bytes);
      await expect(readPrefix(file, here, key)).rejects.toMatchObject({ code: 'ERR_INPUT' });
    }
  });

  test('of many parts is read back whole, and refused with a bit of any part changed', async () => {
    const state = randomBytes(9_000_000);
    await writePrefix(file, { ...prefix, state }, saved, key);
    const whole = readFileSync(file);
    expect(state.equals((await readPrefix(file, here, key)).state)).toBe(true);
    for (const at of [0, 4_194_303, 4_194_304, 8_388_608, 8_999_999]) {
      const changed = Buffer.from(whole);
      changed[whole.length - state.length + at]! ^= 1;
      writeFileSync(file, changed);
      await expect(readPrefix(file, here, key)).rejects.toThrow(/it was changed/);
    }
  });

  test('is restored for the very tokens that are wanted, or refused with how many are the same', async () => {
    await writePrefix(file, prefix, saved, key);
    expect((await readPrefix(file, here, key, { tokens: prefix.tokens })).tokens).toEqual(prefix.tokens);
    for (const [tokens, same] of [
      [Int32Array.of(1, 403, 407), 3],
      [Int32Array.of(1, 403, 407, 261, 5), 4],
      [Int32Array.of(1, 403, 5, 261), 2],
      [new Int32Array(), 0],
    ] as const) {
      await expect(readPrefix(file, here, key, { tokens })).rejects.toMatchObject({
        code: 'ERR_INPUT',
        message: expect.stringContaining(`the first ${same} are the same`),
      });
    }
  });

  test('gives the hashes of files that it was saved with, so that they need not be read again', async () => {
    await writePrefix(file, prefix, saved, key);
    let known: unknown;
    await readPrefix(
      file,
      async (...about) => {
        known = about;
        return belongs;
      },
      key,
    );
    expect(known).toEqual([prefix.tokens.length, saved.files]);
  });

  test("is refused if another user's key, or none, is here", async () => {
    await writePrefix(file, prefix, saved, key);
    await expect(readPrefix(file, here, Buffer.alloc(32, 8))).rejects.toThrow(
      /another user or another version of meditron saved it, or it was changed/,
    );
    await expect(readPrefix(file, here, undefined)).rejects.toThrow(/this user has saved no prefix/);
  });

  test('is refused if anything that it belongs to differs, by its name', async () => {
    await writePrefix(file, prefix, saved, key);
    for (const [name, value] of Object.entries(belongs)) {
      const other = { ...belongs, [name]: typeof value === 'number' ? value + 1 : `${value}!` } as Belongs;
      await expect(readPrefix(file, async () => other, key)).rejects.toMatchObject({
        code: 'ERR_INPUT',
        message: expect.stringContaining(`\`${name}\` is ${value} there, ${other[name as keyof Belongs]} here`),
      });
    }
  });

  test('that is something else, or not there, is refused with the reason', async () => {
    for (const other of ['', 'MEDITRON-PREFIX\n', `MEDITRON-PREFIX\n${'\xff'.repeat(60)}`, 'x'.repeat(100)]) {
      writeFileSync(file, other, 'latin1');
      await expect(readPrefix(file, here, key)).rejects.toThrow(/expected a prefix that an engine saved/);
    }
    await expect(readPrefix(folder, here, key)).rejects.toMatchObject({ code: 'ERR_INPUT' });
    await expect(readPrefix(join(folder, 'none'), here, key)).rejects.toMatchObject({ code: 'ERR_INPUT' });
    await expect(readPrefix('a\0b', here, key)).rejects.toMatchObject({ code: 'ERR_INPUT' });
  });
});

describe("the user's key", () => {
  test('is made once, for the user alone, also when many ask for it first', async () => {
    expect(await knownKey()).toBeUndefined();
    const keys = await Promise.all(Array.from({ length: 8 }, () => userKey()));
    for (const each of [...keys, await knownKey()]) expect(each).toEqual(keys[0]);
    expect(readdirSync(join(folder, 'state'))).toEqual(['prefix.key']);
    if (process.platform !== 'win32') {
      expect(statSync(join(folder, 'state')).mode & 0o777).toBe(0o700);
      expect(statSync(join(folder, 'state', 'prefix.key')).mode & 0o777).toBe(0o600);
    }
  });

  test('has nowhere to be where nothing may be kept', async () => {
    process.env.MEDITRON_STATE = 'none';
    expect(await knownKey()).toBeUndefined();
    await expect(userKey()).rejects.toMatchObject({
      code: 'ERR_OUTPUT',
      message: expect.stringContaining('MEDITRON_STATE'),
    });
  });

  test.runIf(process.platform !== 'win32')('is refused where others could have seen or chosen it', async () => {
    const path = join(folder, 'state', 'prefix.key');
    mkdirSync(join(folder, 'state'));
    writeFileSync(path, key, { mode: 0o644 });
    await expect(userKey()).rejects.toThrow(/others can read or write it/);
    chmodSync(path, 0o600);
    expect(await userKey()).toEqual(key);
    writeFileSync(path, 'short');
    await expect(userKey()).rejects.toThrow(/expected a file of 32 bytes/);
    rmSync(path);
    writeFileSync(join(folder, 'elsewhere'), key, { mode: 0o600 });
    symlinkSync(join(folder, 'elsewhere'), path);
    await expect(userKey()).rejects.toMatchObject({ code: 'ERR_INPUT' });
  });
});
