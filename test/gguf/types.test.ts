import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { tensorBytes, tensorType, tensorTypes } from '../../src/gguf/types.js';

const tree = fileURLToPath(new URL('../../build/llama.cpp/ggml/', import.meta.url));

// The tree is unpacked by the build; without it there is nothing to compare with.
test.skipIf(!existsSync(tree))('ids, block sizes and bytes are those of llama.cpp’s headers', () => {
  const header = readFileSync(`${tree}include/ggml.h`, 'utf8');
  const common = readFileSync(`${tree}src/ggml-common.h`, 'utf8');
  const source = readFileSync(`${tree}src/ggml.c`, 'utf8');

  const enumeration = /enum ggml_type \{(.*?)\};/s.exec(header)![1]!.replaceAll(/\/\/.*/g, '');
  const ids = new Map([...enumeration.matchAll(/GGML_TYPE_(\w+)\s*=\s*(\d+)/g)].map(m => [m[1]!, Number(m[2])]));
  ids.delete('COUNT');
  const constants = new Map([...common.matchAll(/#define (\w+) (\d+)\b/g)].map(m => [m[1]!, m[2]!]));
  constants.set('IQ3S_N_SCALE', String(Number(constants.get('QK_K')) / 64));
  const sizes = {
    ggml_half: 2,
    uint8_t: 1,
    int8_t: 1,
    uint16_t: 2,
    int16_t: 2,
    uint32_t: 4,
    int32_t: 4,
    float: 4,
    ggml_fp16_t: 2,
    ggml_bf16_t: 2,
    int64_t: 8,
    double: 8,
  };
  const evaluate = (expression: string): number => {
    const numbers = expression
      .replaceAll(/sizeof\((\w+)\)/g, (_, type: keyof typeof sizes) => String(sizes[type]))
      .replaceAll(/[A-Z]\w+/g, name => constants.get(name)!);
    expect(numbers).toMatch(/^[\d\s+\-*/()]+$/);
    return Function(`return ${numbers}`)() as number;
  };
  const blockSizes = new Map(
    [...common.matchAll(/static_assert\(sizeof\((block_\w+)\) == (.*?), "/g)].map(m => [m[1]!, evaluate(m[2]!)]),
  );
  const traits = /type_traits\[GGML_TYPE_COUNT\] = \{(.*?)\n\};/s.exec(source)![1]!;

  const upstream = [...traits.matchAll(/\[GGML_TYPE_(\w+)\] = \{(.*?)\n {4}\}/gs)].map(([, name, body]) => ({
    id: ids.get(name!),
    name: /type_name\s*= "(\w+)"/.exec(body!)![1],
    blockSize: evaluate(/blck_size\s*= (\w+)/.exec(body!)![1]!),
    blockBytes: typeBytes(/type_size\s*= sizeof\((\w+)\)/.exec(body!)![1]!),
  }));
  function typeBytes(name: string): number {
    return blockSizes.get(name) ?? sizes[name as keyof typeof sizes];
  }
  const byId = (a: { id: number | undefined }, b: { id: number | undefined }): number => a.id! - b.id!;
  expect(upstream.length).toBe(ids.size);
  expect([...tensorTypes.values()].sort(byId)).toEqual(upstream.sort(byId));
});

test('removed types are not known', () => {
  for (const id of [4, 5, 31, 32, 33, 36, 37, 38, 43]) expect(tensorTypes.has(id)).toBe(false);
});

test('a tensor takes its blocks times their bytes', () => {
  expect(tensorBytes(tensorType('q4_K'), [4096, 11_008])).toBe((4096 / 256) * 144 * 11_008);
});
