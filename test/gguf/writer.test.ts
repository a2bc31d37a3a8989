import { readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Entry, entry } from '../../src/gguf/metadata.js';
import { readGguf } from '../../src/gguf/reader.js';
import { Strings } from '../../src/gguf/strings.js';
import { tensorType } from '../../src/gguf/types.js';
import { ggufBytes, type TensorSource, writeGguf } from '../../src/gguf/writer.js';
import { f32, sampleMetadata, sampleTensors, scratch } from './sample.js';

const folder = scratch();

const large: TensorSource = {
  name: 'large',
  dimensions: [1 << 20, 3],
  type: f32,
  *data() {
    for (let i = 0; i < 12; i++) yield new Uint8Array(1 << 20).fill(i);
  },
};

async function names(): Promise<string[]> {
  return (await readdir(dirname(folder.path('x')))).sort();
}

test('what is written is read back', async () => {
  const metadata = new Map<string, Entry>([
    ['u8', { type: 'u8', value: 200 }],
    ['i8', { type: 'i8', value: -100 }],
    ['u16', entry.u16(60_000)],
    ['i16', { type: 'i16', value: -30_000 }],
    ['u32', entry.u32(4_000_000_000)],
    ['i32', entry.i32(-2_000_000_000)],
    ['f32', entry.f32(0.25)],
    ['f64', { type: 'f64', value: 0.1 }],
    ['bool', entry.bool(true)],
    ['u64', { type: 'u64', value: 2n ** 64n - 1n }],
    ['i64', { type: 'i64', value: -(2n ** 63n) }],
    ['text', entry.string('naïve ▁ 🩺')],
    ['empty', entry.string('')],
    ['f32s', entry.f32s(Float32Array.of(1, -0.5))],
    ['i32s', entry.i32s(Int32Array.of(1, -5))],
    ['bools', { type: 'array', items: 'bool', value: Uint8Array.of(1, 0) }],
    ['u64s', { type: 'array', items: 'u64', value: BigUint64Array.of(7n) }],
    ['none', entry.i32s(new Int32Array())],
  ]);
  const path = folder.path('round.gguf');
  const words = ['', 'a', '▁the', '<s>'];
  const bytes = await writeGguf(path, new Map([...metadata, ['words', entry.strings(words)]]), [
    large,
    ...sampleTensors(),
  ]);

  const file = await readGguf(path);
  for (const [key, value] of metadata) expect(file.metadata.get(key), key).toEqual(value);
  expect([...(file.metadata.get('words')!.value as Strings)]).toEqual(words);
  expect(file.tensors.map(t => [t.name, t.dimensions, t.type.name])).toEqual(
    [large, ...sampleTensors()].map(t => [t.name, t.dimensions, t.type.name]),
  );
  const raw = await readFile(path);
  expect(raw.length).toBe(bytes);
  const start = file.parts[0]!.dataOffset;
  expect([raw[start], raw[start + (11 << 20)]]).toEqual([0, 11]);
  expect(raw.readFloatLE(start + file.tensors.at(-1)!.offset)).toBe(0.5);
});

test('tokens that are not UTF-8 keep their bytes', async () => {
  const odd = [Uint8Array.of(0xff), Uint8Array.of(0xfe), Uint8Array.of(0x61, 0)];
  await writeGguf(folder.path('odd.gguf'), new Map([['odd', entry.strings(odd)]]), []);
  const list = (await readGguf(folder.path('odd.gguf'))).metadata.get('odd')!.value as Strings;
  expect([0, 1, 2].map(i => [...list.bytes(i)])).toEqual([[255], [254], [97, 0]]);
  expect(list.key(0)).not.toBe(list.key(1));
  expect(() => list.at(3)).toThrow(RangeError);
  expect(Strings.from(['x']).at(0)).toBe('x');
});

test('the size is known before anything is written', async () => {
  const bytes = await writeGguf(folder.path('size.gguf'), sampleMetadata(), sampleTensors());
  expect(ggufBytes(sampleMetadata(), sampleTensors())).toBe(bytes);
});

test('progress ends at the whole size', async () => {
  let last = [0, 1];
  await writeGguf(folder.path('progress.gguf'), new Map(), [large], { onProgress: (...told) => (last = told) });
  expect(last[0]).toBe(last[1]);
});

test('a slow producer is waited for', async () => {
  const slow: TensorSource = {
    ...large,
    async *data() {
      for (const piece of large.data() as Iterable<Uint8Array>) {
        await new Promise(setImmediate);
        yield piece;
      }
    },
  };
  expect(await writeGguf(folder.path('slow.gguf'), new Map(), [slow])).toBeGreaterThan(12 << 20);
});

describe('nothing is left behind and nothing is lost', () => {
  test('an existing file is not replaced unless that is asked for', async () => {
    const path = await folder.put('mine.gguf', Buffer.from('mine'));
    await expect(writeGguf(path, new Map(), [])).rejects.toMatchObject({
      code: 'ERR_OUTPUT',
      message: /exists already/,
    });
    expect(await readFile(path, 'utf8')).toBe('mine');
    await writeGguf(path, new Map(), [], { force: true });
    expect(await readFile(path, 'latin1')).toMatch(/^GGUF/);
  });

  test('a producer that throws', async () => {
    const before = await names();
    const failing: TensorSource = {
      ...large,
      *data() {
        yield new Uint8Array(2 << 20);
        throw new Error('no more');
      },
    };
    await expect(writeGguf(folder.path('thrown.gguf'), new Map(), [failing])).rejects.toThrow('no more');
    expect(await names()).toEqual(before);
  });

  test.each([
    ['too few', 3],
    ['too many', 13],
  ])('a producer of %s bytes', async (_, pieces) => {
    const before = await names();
    const wrong: TensorSource = { ...large, data: () => Array(pieces).fill(new Uint8Array(1 << 20)) };
    await expect(writeGguf(folder.path('count.gguf'), new Map(), [wrong])).rejects.toMatchObject({
      code: 'ERR_OUTPUT',
    });
    expect(await names()).toEqual(before);
  });

  test('an abort in the middle rejects with its reason and keeps the old file', async () => {
    const path = await folder.put('old.gguf', Buffer.from('old'));
    const before = await names();
    const abort = new AbortController();
    const reason = new Error('enough');
    const options = { force: true, signal: abort.signal, onProgress: () => abort.abort(reason) };
    await expect(writeGguf(path, new Map(), [large], options)).rejects.toBe(reason);
    expect(await names()).toEqual(before);
    expect(await readFile(path, 'utf8')).toBe('old');
  });

  test('a signal that was aborted before', async () => {
    const before = await names();
    await expect(
      writeGguf(folder.path('never.gguf'), new Map(), [large], { signal: AbortSignal.abort() }),
    ).rejects.toThrow();
    expect(await names()).toEqual(before);
  });

  test('more bytes than the disk has', async () => {
    const before = await names();
    const huge: TensorSource = { ...large, type: tensorType('f32'), dimensions: [1 << 25, 1 << 25] };
    await expect(writeGguf(folder.path('huge.gguf'), new Map(), [huge])).rejects.toMatchObject({
      code: 'ERR_OUTPUT',
      message: expect.stringMatching(/bytes free on the disk/),
    });
    expect(await names()).toEqual(before);
  });

  test('a folder that does not exist, or is a file', async () => {
    await writeFile(folder.path('flat'), '');
    for (const path of [folder.path('no/where.gguf'), folder.path('flat/x.gguf')]) {
      await expect(writeGguf(path, new Map(), [])).rejects.toMatchObject({ code: 'ERR_OUTPUT', message: /folder/ });
    }
  });

  test('a directory in the place of the file', async () => {
    await expect(writeGguf(dirname(folder.path('x')), new Map(), [], { force: true })).rejects.toMatchObject({
      code: 'ERR_OUTPUT',
    });
  });
});
