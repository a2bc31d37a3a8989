import { execFileSync } from 'node:child_process';
import { readFile, symlink } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ErrorCode, MeditronError } from '../../src/check/errors.js';
import { booleanAt, numberAt, stringAt, stringsAt } from '../../src/gguf/metadata.js';
import { readGguf } from '../../src/gguf/reader.js';
import { findProblems } from '../../src/gguf/validate.js';
import { Forge, scratch, writeSample } from './sample.js';

const folder = scratch();
const stories = 'models/stories260K.gguf';

async function refusal(path: string): Promise<{ code: ErrorCode; message: string }> {
  const error = await readGguf(path).then(
    () => expect.unreachable('the file was accepted'),
    reason => reason,
  );
  expect(error).toBeInstanceOf(MeditronError);
  return error;
}

async function refused(bytes: Uint8Array, code: ErrorCode, message: RegExp): Promise<void> {
  const error = await refusal(await folder.put('bad.gguf', bytes));
  expect(error.code).toBe(code);
  expect(error.message).toMatch(message);
}

describe('a sound file', () => {
  test('the stories model is read as its publisher describes it', async () => {
    const file = await readGguf(stories);
    expect(file.version).toBe(3);
    expect(stringAt(file.metadata, 'general.architecture')).toBe('llama');
    expect(numberAt(file.metadata, 'llama.block_count')).toBe(5);
    expect(booleanAt(file.metadata, 'tokenizer.ggml.add_bos_token')).toBe(true);
    const tokens = stringsAt(file.metadata, 'tokenizer.ggml.tokens')!;
    expect([tokens.length, tokens.at(1), tokens.at(13), tokens.at(511)]).toEqual([512, '<s>', '<0x0A>', '\u200a']);
    expect(file.tensors).toHaveLength(48);
    expect(file.tensors[9]).toMatchObject({ name: 'blk.0.ffn_gate.weight', dimensions: [64, 172], offset: 312_064 });
    expect(file.parts).toHaveLength(1);
  });

  test('64-bit numbers are exact', async () => {
    const bytes = Forge.header(0, 2).text('a').u32(10).u64(0xffff_ffff_ffff_fffen).text('b').u32(11).u64(-3n).bytes();
    const { metadata } = await readGguf(await folder.put('big.gguf', bytes));
    expect([metadata.get('a')!.value, metadata.get('b')!.value]).toEqual([0xffff_ffff_ffff_fffen, -3n]);
  });

  test('version 2 and an alignment of 64 are read', async () => {
    const forge = Forge.header(1, 1, 2).key('general.alignment', 64).tensor('t', [4]);
    const size = forge.bytes().length;
    const bytes = forge.raw(Buffer.alloc(Math.ceil(size / 64) * 64 - size + 16)).bytes();
    const file = await readGguf(await folder.put('aligned.gguf', bytes));
    expect([file.version, file.parts[0]!.dataOffset % 64]).toEqual([2, 0]);
  });

  test('the file may be reached through a link', async () => {
    await writeSample(folder.path('target.gguf'));
    await symlink(folder.path('target.gguf'), folder.path('link.gguf'));
    expect((await readGguf(folder.path('link.gguf'))).tensors).toHaveLength(11);
  });

  test('a signal that has been aborted stops it with its own reason', async () => {
    const reason = new Error('enough');
    await expect(readGguf(stories, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

describe('what is not a file', () => {
  test('a missing file is named', async () => {
    const error = await refusal(folder.path('none.gguf'));
    expect(error.code).toBe('ERR_MODEL_FILE');
    expect(error.message).toMatch(/none\.gguf.*no such file/);
  });

  test('a directory is refused', async () => {
    const error = await refusal('models');
    expect([error.code, error.message]).toEqual(['ERR_MODEL_FILE', expect.stringContaining('directory')]);
  });

  test('an empty file is refused', () => refused(Buffer.alloc(0), 'ERR_MODEL_FILE', /empty file/));

  test('a path with NUL is refused', async () => {
    expect((await refusal('a\0b')).code).toBe('ERR_MODEL_FILE');
  });

  test.skipIf(process.platform === 'win32')('a pipe is refused without waiting for a writer', async () => {
    execFileSync('mkfifo', [folder.path('pipe')]);
    expect((await refusal(folder.path('pipe'))).code).toBe('ERR_MODEL_FILE');
  });
});

const wide = 2n ** 62n;

describe('malformed headers', () => {
  test.each<[what: string, forge: () => Forge, message: RegExp]>([
    ['another format', () => new Forge().raw('PK\x03\x04________________'), /zip archive/],
    ['a Git LFS pointer', () => new Forge().raw('version https://git-lfs.github.com/spec/v1\n'), /LFS pointer/],
    ['random bytes', () => new Forge().raw(Buffer.alloc(64, 0xab)), /starts with the bytes abababab/],
    ['version 1', () => Forge.header(0, 0, 1), /version 1/],
    ['version 0', () => Forge.header(0, 0, 0), /version 0/],
    ['a future version', () => Forge.header(0, 0, 4), /version 4; the file needs a newer release/],
    ['big-endian numbers', () => Forge.header(0, 0, 0x0300_0000), /big-endian/],
    ['too many keys', () => Forge.header(0, 10_001), /10,000 metadata keys/],
    ['a key count past 2^63', () => Forge.header(0, -1n), /metadata keys/],
    ['too many tensors', () => Forge.header(50_001, 0), /50,000 tensors/],
    ['more tensors than fit', () => Forge.header(1000, 0).raw(Buffer.alloc(100)), /too few/],
    ['more keys than fit', () => Forge.header(0, 1000).raw(Buffer.alloc(100)), /too few/],
    ['an empty key', () => Forge.header(0, 1).key('').weights(64), /metadata key 0 to be 1 to/],
    ['a key with NUL', () => Forge.header(0, 1).key('a\0b'), /printable/],
    ['a key with a newline', () => Forge.header(0, 1).key('a\nb'), /printable/],
    ['a key that is not UTF-8', () => Forge.header(0, 1).key(Buffer.from([0x61, 0xff])), /UTF-8/],
    [
      'an endless key',
      () =>
        Forge.header(0, 1)
          .u64(2n ** 63n)
          .raw(Buffer.alloc(64)),
      /metadata key 0/,
    ],
    ['a key twice', () => Forge.header(0, 2).key('twin').key('twin'), /twin twice/],
    ['an unknown value type', () => Forge.header(0, 1).text('a').u32(13).u64(0), /type 13/],
    ['an array of arrays', () => Forge.header(0, 1).text('a').u32(9).u32(9).u64(1).raw(Buffer.alloc(64)), /flat array/],
    ['an array of an unknown type', () => Forge.header(0, 1).text('a').u32(9).u32(77).u64(1), /type 77/],
    ['an array longer than the file', () => Forge.header(0, 1).text('a').u32(9).u32(4).u64(1e6), /4,000,000 bytes/],
    [
      'an array of 2^63 numbers',
      () =>
        Forge.header(0, 1)
          .text('a')
          .u32(9)
          .u32(12)
          .u64(2n ** 63n),
      /length of a/,
    ],
    [
      'a list of 2^61 strings',
      () =>
        Forge.header(0, 1)
          .text('a')
          .u32(9)
          .u32(8)
          .u64(2n ** 61n),
      /at most 2,000,000/,
    ],
    ['a list longer than the file', () => Forge.header(0, 1).text('a').u32(9).u32(8).u64(1000), /8,000 bytes/],
    ['an item longer than the file', () => Forge.header(0, 1).text('a').u32(9).u32(8).u64(1).u64(999), /a\[0\]/],
    ['a string longer than the file', () => Forge.header(0, 1).text('a').u32(8).u64(1e9), /at most 16,777,216/],
    ['alignment 0', () => Forge.header(0, 1).key('general.alignment', 0), /power of two/],
    [
      'alignment 16, which llama.cpp does not survive',
      () => Forge.header(0, 1).key('general.alignment', 16),
      /from 32 to 65,536/,
    ],
    ['alignment 48', () => Forge.header(0, 1).key('general.alignment', 48), /power of two/],
    ['alignment 2^31', () => Forge.header(0, 1).key('general.alignment', 2 ** 31), /power of two/],
    ['alignment as text', () => Forge.header(0, 1).text('general.alignment').u32(8).text('32'), /power of two/],
    ['a tensor name of 64 bytes', () => Forge.header(1, 0).tensor('n'.repeat(64), [4]).weights(16), /1 to 63 bytes/],
    ['a tensor name with NUL', () => Forge.header(1, 0).tensor('a\0', [4]).weights(16), /printable/],
    ['a tensor twice', () => Forge.header(2, 0).tensor('t', [8]).tensor('t', [8], 0, 32).weights(64), /t twice/],
    ['no dimensions', () => Forge.header(1, 0).tensor('t', []).weights(16), /1 to 4 dimensions/],
    ['five dimensions', () => Forge.header(1, 0).tensor('t', [1, 1, 1, 1, 1]).weights(16), /1 to 4 dimensions/],
    ['a dimension of 0', () => Forge.header(1, 0).tensor('t', [8, 0]).weights(16), /8 × 0/],
    ['2^62 elements', () => Forge.header(1, 0).tensor('t', [wide]).weights(16), /2\^62 elements/],
    [
      'a product past 64 bits',
      () =>
        Forge.header(1, 0)
          .tensor('t', [2n ** 32n, 2n ** 32n])
          .weights(16),
      /2\^62/,
    ],
    ['a negative dimension', () => Forge.header(1, 0).tensor('t', [-1n]).weights(16), /2\^62/],
    ['a removed type', () => Forge.header(1, 0).tensor('t', [32], 4).weights(64), /type 4/],
    ['a repacked type', () => Forge.header(1, 0).tensor('t', [32], 31).weights(64), /type 31/],
    ['an unknown type', () => Forge.header(1, 0).tensor('t', [32], 43).weights(64), /type 43/],
    ['a negative type', () => Forge.header(1, 0).tensor('t', [32], -1).weights(64), /type 4,294,967,295/],
    ['rows that blocks do not fit', () => Forge.header(1, 0).tensor('t', [48], 8).weights(64), /multiples of 32/],
    ['a wrong offset', () => Forge.header(1, 0).tensor('t', [8], 0, 32).weights(128), /offset 0, got 32/],
    [
      'overlapping tensors',
      () => Forge.header(2, 0).tensor('a', [16]).tensor('b', [16], 0, 32).weights(256),
      /offset 64/,
    ],
    ['an offset near 2^64', () => Forge.header(1, 0).tensor('t', [8], 0, -32n).weights(64), /offset 0/],
    ['missing weights', () => Forge.header(1, 0).tensor('t', [1000]).weights(16), /download is incomplete/],
    ['one missing byte', () => Forge.header(1, 0).tensor('t', [8]).weights(31), /download is incomplete/],
    [
      'terabytes of missing weights',
      () =>
        Forge.header(1, 0)
          .tensor('t', [2n ** 50n])
          .weights(16),
      /incomplete/,
    ],
  ])('%s is refused', async (_, forge, message) => {
    await refused(forge().bytes(), 'ERR_MODEL_FORMAT', message);
  });

  test('a header of more than 64 MB is not read', async () => {
    const item = Buffer.alloc((1 << 20) + 8);
    item.writeUInt32LE(1 << 20);
    const forge = Forge.header(0, 1).text('a').u32(9).u32(8).u64(70);
    await refused(Buffer.concat([forge.bytes(), ...Array(70).fill(item)]), 'ERR_MODEL_FORMAT', /header of at most/);
  });

  test('a file cut anywhere in its header is refused', async () => {
    const forge = Forge.header(1, 3)
      .key('a')
      .text('b')
      .u32(8)
      .text('word')
      .text('c')
      .u32(9)
      .u32(8)
      .u64(2)
      .text('x')
      .text('');
    const whole = forge.tensor('t', [4, 2]).bytes();
    for (let length = 1; length < whole.length; length++) {
      await refused(whole.subarray(0, length), 'ERR_MODEL_FORMAT', /expected .+, got .+; .+/);
    }
    expect(forge.ends.at(-1)).toBe(whole.length);
  });
});

test('random damage is read or refused, and nothing else happens', async () => {
  const sound = await readFile(await writeSample(folder.path('sound.gguf')));
  let refusals = 0;
  const damage = fc.record({
    at: fc.nat(6500),
    bytes: fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 8 }),
      fc.constantFrom([255, 255, 255, 255, 255, 255, 255, 255], [0, 0, 0, 0], [0, 0, 0, 128], [255, 255, 255, 127]),
    ),
    cut: fc.option(fc.nat(sound.length), { freq: 8 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 3 }), async hits => {
      let bytes = Buffer.from(sound);
      for (const { at, bytes: wrong, cut } of hits) {
        bytes.set(Uint8Array.from(wrong).subarray(0, Math.max(0, bytes.length - at)), Math.min(at, bytes.length));
        if (cut !== null) bytes = bytes.subarray(0, cut);
      }
      try {
        refusals += findProblems(await readGguf(await folder.put('fuzz.gguf', bytes))).length > 0 ? 1 : 0;
      } catch (error) {
        expect(error).toBeInstanceOf(MeditronError);
        refusals++;
      }
    }),
    { numRuns: 400, seed: 7 },
  );
  expect(refusals).toBeGreaterThan(200);
});

test.each([
  ['x.gguf-split-a', 'cat x.gguf-split-* > x.gguf'],
  ['x.Q8_0.gguf-split-b', 'cat x.Q8_0.gguf-split-* > x.Q8_0.gguf'],
  ['x.gguf.part1of2', 'cat x.gguf.part* > x.gguf'],
  ['x.gguf.001', 'cat x.gguf.* > x.gguf'],
  ['x.gguf.aa', 'cat x.gguf.* > x.gguf'],
])('a piece of a file that was cut into bytes, %s, is said to be one', async (name, command) => {
  const whole = await readFile(await writeSample(folder.path('whole.gguf')));
  for (const piece of [whole.subarray(0, whole.length - 1000), whole.subarray(whole.length - 1000)]) {
    await expect(readGguf(await folder.put(name, piece))).rejects.toThrow(command);
  }
});
