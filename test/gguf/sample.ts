import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { type Entry, entry, type Metadata } from '../../src/gguf/metadata.js';
import { tensorType } from '../../src/gguf/types.js';
import type { TensorSource } from '../../src/gguf/writer.js';
import { writeGguf } from '../../src/gguf/writer.js';
import { floatTensor } from '../../src/synth/quantize.js';

/** A folder that exists while the tests of a file run. */
export function scratch(): { path(name: string): string; put(name: string, bytes: Uint8Array): Promise<string> } {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'meditron-test-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return {
    path: name => join(folder, name),
    async put(name, bytes) {
      await writeFile(join(folder, name), bytes);
      return join(folder, name);
    },
  };
}

/** `<unk>`, `<s>`, `</s>`, the 256 bytes and one word. */
export const pieces = [
  '<unk>',
  '<s>',
  '</s>',
  ...Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`),
  '▁a',
];

/** Metadata of a sound Llama model of one layer, 8 wide, two heads. */
export function sampleMetadata(changes: Readonly<Record<string, Entry | undefined>> = {}): Metadata {
  const metadata = new Map<string, Entry>([
    ['general.architecture', entry.string('llama')],
    ['general.name', entry.string('sample')],
    ['llama.block_count', entry.u32(1)],
    ['llama.context_length', entry.u32(64)],
    ['llama.embedding_length', entry.u32(8)],
    ['llama.feed_forward_length', entry.u32(12)],
    ['llama.attention.head_count', entry.u32(2)],
    ['llama.attention.head_count_kv', entry.u32(1)],
    ['llama.attention.layer_norm_rms_epsilon', entry.f32(1e-5)],
    ['tokenizer.ggml.model', entry.string('llama')],
    ['tokenizer.ggml.tokens', entry.strings(pieces)],
    ['tokenizer.ggml.scores', entry.f32s(new Float32Array(pieces.length))],
    [
      'tokenizer.ggml.token_type',
      entry.i32s(Int32Array.from(pieces, (_, i) => (i === 0 ? 2 : i < 3 ? 3 : i < 259 ? 6 : 1))),
    ],
  ]);
  for (const [key, value] of Object.entries(changes)) {
    if (value === undefined) metadata.delete(key);
    else metadata.set(key, value);
  }
  return metadata;
}

export function sampleTensors(): TensorSource[] {
  const tensor = (name: string, ...dimensions: number[]): TensorSource =>
    floatTensor(`${name}.weight`, dimensions, 'f32', new Float32Array(dimensions.reduce((a, b) => a * b, 1)).fill(0.5));
  return [
    tensor('token_embd', 8, pieces.length),
    tensor('output_norm', 8),
    tensor('blk.0.attn_norm', 8),
    tensor('blk.0.attn_q', 8, 8),
    tensor('blk.0.attn_k', 8, 4),
    tensor('blk.0.attn_v', 8, 4),
    tensor('blk.0.attn_output', 8, 8),
    tensor('blk.0.ffn_norm', 8),
    tensor('blk.0.ffn_gate', 8, 12),
    tensor('blk.0.ffn_up', 8, 12),
    tensor('blk.0.ffn_down', 12, 8),
  ];
}

export async function writeSample(
  path: string,
  changes: Readonly<Record<string, Entry | undefined>> = {},
): Promise<string> {
  await writeGguf(path, sampleMetadata(changes), sampleTensors(), { force: true });
  return path;
}

/** The bytes of a small GGUF made field by field, so that each can be wrong. */
export class Forge {
  readonly parts: Buffer[] = [];
  /** Where each field ends. */
  readonly ends: number[] = [];

  static header(tensors: number | bigint, keys: number | bigint, version = 3): Forge {
    return new Forge().raw('GGUF').u32(version).u64(tensors).u64(keys);
  }

  raw(bytes: string | Uint8Array): this {
    this.parts.push(Buffer.from(bytes as string));
    this.ends.push((this.ends.at(-1) ?? 0) + this.parts.at(-1)!.length);
    return this;
  }

  u32(value: number): this {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value >>> 0);
    return this.raw(bytes);
  }

  u64(value: number | bigint): this {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)));
    return this.raw(bytes);
  }

  text(value: string | Uint8Array): this {
    return this.u64(Buffer.byteLength(value as string)).raw(value);
  }

  /** A key with a u32 value. */
  key(name: string | Uint8Array, value = 7): this {
    return this.text(name).u32(4).u32(value);
  }

  tensor(name: string, dimensions: readonly (number | bigint)[], type = 0, offset: number | bigint = 0): this {
    this.text(name).u32(dimensions.length);
    for (const n of dimensions) this.u64(n);
    return this.u32(type).u64(offset);
  }

  /** Pads to the alignment and adds that many bytes of weights. */
  weights(bytes: number): this {
    const size = this.bytes().length;
    return this.raw(Buffer.alloc(Math.ceil(size / 32) * 32 - size + bytes));
  }

  bytes(): Buffer {
    return Buffer.concat(this.parts);
  }
}

export const f32 = tensorType('f32');
