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
    await writePrefix(file, prefix, belongs, key);
    expect(statSync(file).mode & 0o777).toBe(process.platform === 'win32' ? 0o666 : 0o600);
    expect(readdirSync(folder)).toEqual(['prefix']);
    const read = await readPrefix(file, belongs, key);
    expect(read.tokens).toEqual(prefix.tokens);
    expect(Buffer.from(read.state)).toEqual(prefix.state);
  });

  test('is read back whatever its sizes are', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.int32Array({ min: 0, max: 511, minLength: 1, maxLength: 40 }),
        fc.uint8Array({ maxLength: 3000, size: 'max' }),
        async (tokens, state) => {
          await writePrefix(file, { tokens, state }, belongs, key);
          const read = await readPrefix(file, belongs, key);
          expect([...read.tokens]).toEqual([...tokens]);
          expect(Buffer.from(read.state)).toEqual(Buffer.from(state));
        },
      ),
      { numRuns: 40 },
    );
  });

  test('is refused with any one bit of it changed, and cut or grown to any other length', async () => {
    await writePrefix(file, prefix, belongs, key);
    const whole = readFileSync(file);
    const tries: Buffer[] = [Buffer.concat([whole, Buffer.alloc(1)]), Buffer.concat([whole, whole])];
    for (let at = 0; at < whole.length; at++) {
      tries.push(whole.subarray(0, at));
      const changed = Buffer.from(whole);
      changed[at]! ^= 1 << (at % 8);
      tries.push(changed);
    }
    for (const bytes of tries) {
      writeFileSync(file, bytes);
      await expect(readPrefix(file, belongs, key)).rejects.toMatchObject({ code: 'ERR_INPUT' });
    }
  });

  test("is refused if another user's key, or none, is here", async () => {
    await writePrefix(file, prefix, belongs, key);
    await expect(readPrefix(file, belongs, Buffer.alloc(32, 8))).rejects.toThrow(
      /another user saved it, or it was changed/,
    );
    await expect(readPrefix(file, belongs, undefined)).rejects.toThrow(/this user has saved no prefix/);
  });

  test('is refused if anything that it belongs to differs, by its name', async () => {
    await writePrefix(file, prefix, belongs, key);
    for (const [name, value] of Object.entries(belongs)) {
      const other = { ...belongs, [name]: typeof value === 'number' ? value + 1 : `${value}!` };
      await expect(readPrefix(file, other, key)).rejects.toMatchObject({
        code: 'ERR_INPUT',
        message: expect.stringContaining(`\`${name}\` is ${value} there, ${other[name as keyof Belongs]} here`),
      });
    }
  });

  test('that is something else, or not there, is refused with the reason', async () => {
    for (const other of ['', 'MEDITRON-PREFIX\n', `MEDITRON-PREFIX\n${'\xff'.repeat(60)}`, 'x'.repeat(100)]) {
      writeFileSync(file, other, 'latin1');
      await expect(readPrefix(file, belongs, key)).rejects.toThrow(/expected a prefix that an engine saved/);
    }
    await expect(readPrefix(folder, belongs, key)).rejects.toMatchObject({ code: 'ERR_INPUT' });
    await expect(readPrefix(join(folder, 'none'), belongs, key)).rejects.toMatchObject({ code: 'ERR_INPUT' });
    await expect(readPrefix('a\0b', belongs, key)).rejects.toMatchObject({ code: 'ERR_INPUT' });
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
