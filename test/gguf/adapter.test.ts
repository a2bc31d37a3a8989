import { open } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { checkAdapter } from '../../src/gguf/adapter.js';
import { type Entry, entry } from '../../src/gguf/metadata.js';
import { readGguf } from '../../src/gguf/reader.js';
import { type TensorTypeName, tensorBytes, tensorType } from '../../src/gguf/types.js';
import { type TensorSource, writeGguf } from '../../src/gguf/writer.js';
import { scratch } from './sample.js';

const folder = scratch();

const base = {
  architecture: 'llama',
  tensors: new Map(
    Object.entries({
      'token_embd.weight': [32, 300],
      'output.weight': [32, 300],
      'blk.0.attn_q.weight': [32, 64],
      'blk.0.attn_norm.weight': [32],
    }).map(([name, dimensions]) => [name, { dimensions, type: tensorType('f16') }] as const),
  ),
};
const tied = { ...base, tensors: new Map([...base.tensors].filter(([name]) => name !== 'output.weight')) };

const keys: Readonly<Record<string, Entry>> = {
  'general.type': entry.string('adapter'),
  'general.architecture': entry.string('llama'),
  'adapter.type': entry.string('lora'),
  'adapter.lora.alpha': entry.f32(8),
};

function tensor(name: string, dimensions: number[], type: TensorTypeName = 'f32', bytes?: Uint8Array): TensorSource {
  const size = tensorBytes(tensorType(type), dimensions);
  return { name, dimensions, type: tensorType(type), data: () => [bytes ?? new Uint8Array(size)] };
}

const good = [tensor('blk.0.attn_q.weight.lora_a', [32, 4]), tensor('blk.0.attn_q.weight.lora_b', [4, 64])];

async function check(
  changes: Readonly<Record<string, Entry | undefined>> = {},
  tensors: readonly TensorSource[] = good,
  onto: typeof base = base,
): Promise<readonly string[]> {
  const path = folder.path('adapter.gguf');
  const metadata = new Map(
    Object.entries({ ...keys, ...changes }).filter((pair): pair is [string, Entry] => pair[1] !== undefined),
  );
  await writeGguf(path, metadata, tensors, { force: true });
  const file = await readGguf(path);
  await using handle = await open(path);
  return await checkAdapter(file, handle, onto);
}

describe('accepted', () => {
  test.each<[string, Parameters<typeof check>]>([
    ['a pair', []],
    ['no alpha, which llama.cpp takes as a scale of one', [{ 'adapter.lora.alpha': undefined }]],
    [
      'the embedding of a model with an output matrix of its own',
      [{}, [tensor('token_embd.weight.lora_a', [4, 300]), tensor('token_embd.weight.lora_b', [4, 32])]],
    ],
    [
      'halves of 16 bits and of q8_0',
      [{}, [tensor('output.weight.lora_a', [32, 4], 'q8_0'), tensor('output.weight.lora_b', [4, 300], 'bf16')]],
    ],
  ])('%s', async (_, given) => {
    expect(await check(...given)).toEqual([]);
  });

  test('norms are said to be without effect', async () => {
    const [warning] = await check({}, [...good, tensor('blk.0.attn_norm.weight', [32])]);
    expect(warning).toMatch(/1 norm tensors are not applied/);
  });
});

describe('refused', () => {
  const text = entry.string('x');
  const number = entry.u32(1);
  test.each<[string, Readonly<Record<string, Entry | undefined>>, RegExp]>([
    ...['general.type', 'general.architecture', 'adapter.type'].flatMap(
      (key): [string, Readonly<Record<string, Entry | undefined>>, RegExp][] => [
        [`${key} missing`, { [key]: undefined }, /no such key/],
        [`${key} as a number`, { [key]: number }, /got u32/],
        [`${key} as a list`, { [key]: entry.strings(['lora']) }, /got array of string/],
        [`${key} of another kind`, { [key]: text }, /got "x"/],
      ],
    ),
    ['alpha as text', { 'adapter.lora.alpha': text }, /alpha.*got string/],
    ['alpha as a whole number', { 'adapter.lora.alpha': number }, /alpha.*got u32/],
    ['alpha of NaN', { 'adapter.lora.alpha': entry.f32(Number.NaN) }, /got NaN/],
    ['one that tokens switch on', { 'adapter.alora.invocation_tokens': entry.i32s(Int32Array.of(1)) }, /aLoRA/],
  ])('%s', async (_, changes, message) => {
    const failure = expect(check(changes)).rejects;
    await failure.toMatchObject({ code: 'ERR_LORA', message: expect.stringMatching(message) });
  });

  const notANumber = new Uint8Array(Float32Array.from({ length: 128 }, (_, i) => (i === 77 ? Number.NaN : 1)).buffer);
  const badScale = new Uint8Array(tensorBytes(tensorType('q8_0'), [32, 4])).fill(0x7c, 34 + 1, 34 + 2);
  test.each<[string, readonly TensorSource[], RegExp, typeof base?]>([
    ['no tensors', [], /at least one pair/],
    ['only norms', [tensor('blk.0.attn_norm.weight', [32])], /at least one pair/],
    ['half a pair', [good[0]!], /both halves.*lora_a alone/],
    ['another name', [...good, tensor('blk.0.attn_q.weight', [32, 64])], /NAME\.lora_a/],
    [
      'a tensor the model lacks',
      [tensor('blk.9.attn_q.weight.lora_a', [32, 4]), tensor('blk.9.attn_q.weight.lora_b', [4, 64])],
      /that the model has, got blk\.9/,
    ],
    [
      'a norm',
      [tensor('blk.0.attn_norm.weight.lora_a', [32, 4]), tensor('blk.0.attn_norm.weight.lora_b', [4, 1])],
      /matrices to be adapted/,
    ],
    ['other inputs', [tensor('blk.0.attn_q.weight.lora_a', [16, 4]), good[1]!], /lora_a to be 32 × 4, got 16 × 4/],
    ['other outputs', [good[0]!, tensor('blk.0.attn_q.weight.lora_b', [4, 32])], /lora_b to be 4 × 64, got 4 × 32/],
    ['two ranks', [good[0]!, tensor('blk.0.attn_q.weight.lora_b', [8, 64])], /lora_b to be 4 × 64, got 8 × 64/],
    ['a third dimension', [tensor('blk.0.attn_q.weight.lora_a', [32, 4, 2]), good[1]!], /got 32 × 4 × 2/],
    [
      'whole numbers',
      [tensor('blk.0.attn_q.weight.lora_a', [32, 4], 'i32'), good[1]!],
      /hold f32, f16, bf16, q8_0, got i32/,
    ],
    ['NaN', [tensor('blk.0.attn_q.weight.lora_a', [32, 4], 'f32', notANumber), good[1]!], /finite weights in .*lora_a/],
    [
      'an infinite scale',
      [tensor('blk.0.attn_q.weight.lora_a', [32, 4], 'q8_0', badScale), good[1]!],
      /finite weights in .*lora_a/,
    ],
    [
      'the embedding where it is the output matrix as well',
      [tensor('token_embd.weight.lora_a', [4, 300]), tensor('token_embd.weight.lora_b', [4, 32])],
      /output matrix as well/,
      tied,
    ],
  ])('%s', async (_, tensors, message, onto) => {
    const failure = expect(check({}, tensors, onto)).rejects;
    await failure.toMatchObject({ code: 'ERR_LORA', message: expect.stringMatching(message) });
  });
});
