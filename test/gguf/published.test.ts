import { expect, test } from 'vitest';
import { type Entry, entry } from '../../src/gguf/metadata.js';
import type { GgufFile } from '../../src/gguf/reader.js';
import { type TensorTypeName, tensorType } from '../../src/gguf/types.js';
import { findProblems } from '../../src/gguf/validate.js';

/** A published model: its configuration, and its tensors as convert_hf_to_gguf.py and llama-quantize write them. */
interface Published {
  readonly architecture: string;
  readonly tokens: number;
  readonly vocabulary: 'llama' | string;
  readonly layers: number;
  readonly embedding: number;
  readonly feedForward: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly keys?: Readonly<Record<string, Entry>>;
  /** `name rows columns` of the tensors of a layer; vectors have one number. */
  readonly layer: readonly (readonly [name: string, ...shape: number[]])[];
  readonly others?: readonly (readonly [name: string, ...shape: number[]])[];
  /** The output matrix is the token embedding. */
  readonly tied?: boolean;
}

type Rows = Published['layer'];

const plain = (embedding: number, feedForward: number, q: number, kv: number): Rows => [
  ['attn_norm.weight', embedding],
  ['attn_q.weight', embedding, q],
  ['attn_k.weight', embedding, kv],
  ['attn_v.weight', embedding, kv],
  ['attn_output.weight', q, embedding],
  ['ffn_norm.weight', embedding],
  ['ffn_gate.weight', embedding, feedForward],
  ['ffn_up.weight', embedding, feedForward],
  ['ffn_down.weight', feedForward, embedding],
];
const postNorms = (embedding: number): Rows => [
  ['post_attention_norm.weight', embedding],
  ['post_ffw_norm.weight', embedding],
];
const headNorms = (size: number): Rows => [
  ['attn_q_norm.weight', size],
  ['attn_k_norm.weight', size],
];
const phi = (embedding: number, feedForward: number, qkv: number): Rows => [
  ['attn_norm.weight', embedding],
  ['attn_qkv.weight', embedding, qkv],
  ['attn_output.weight', embedding, embedding],
  ['ffn_norm.weight', embedding],
  ['ffn_up.weight', embedding, 2 * feedForward],
  ['ffn_down.weight', feedForward, embedding],
];
const without = (names: readonly string[], rows: Rows): Rows => rows.filter(([name]) => !names.includes(name));

const llama2 = {
  architecture: 'llama',
  vocabulary: 'llama',
  layers: 32,
  embedding: 4096,
  feedForward: 11_008,
  heads: 32,
  kvHeads: 32,
};
const heads256 = { 'attention.key_length': entry.u32(256), 'attention.value_length': entry.u32(256) };
const f32s = (length: number): Entry => entry.f32s(new Float32Array(length).fill(0.8));

const published: Readonly<Record<string, Published>> = {
  'MEDITRON 7B': { ...llama2, tokens: 32_017, layer: plain(4096, 11_008, 4096, 4096) },
  'MEDITRON 7B chat': { ...llama2, tokens: 32_019, layer: plain(4096, 11_008, 4096, 4096) },
  'MEDITRON 70B': {
    ...{ ...llama2, tokens: 32_017, layers: 80, embedding: 8192, feedForward: 28_672, heads: 64, kvHeads: 8 },
    layer: plain(8192, 28_672, 8192, 1024),
  },
  'Llama 3.1 8B (Meditron 3)': {
    ...{ ...llama2, tokens: 128_256, vocabulary: 'llama-bpe', feedForward: 14_336, kvHeads: 8 },
    layer: plain(4096, 14_336, 4096, 1024),
    others: [['rope_freqs.weight', 64]],
  },
  'Llama 3.2 1B': {
    ...{
      ...llama2,
      tokens: 128_256,
      vocabulary: 'llama-bpe',
      layers: 16,
      embedding: 2048,
      feedForward: 8192,
      kvHeads: 8,
    },
    layer: plain(2048, 8192, 2048, 512),
    others: [['rope_freqs.weight', 32]],
    tied: true,
  },
  'EuroLLM 9B': {
    ...{ ...llama2, tokens: 128_000, layers: 42, feedForward: 12_288, kvHeads: 8 },
    layer: plain(4096, 12_288, 4096, 1024),
  },
  'Qwen2.5 7B': {
    ...{
      architecture: 'qwen2',
      tokens: 152_064,
      vocabulary: 'qwen2',
      layers: 28,
      embedding: 3584,
      feedForward: 18_944,
      heads: 28,
      kvHeads: 4,
    },
    layer: [...plain(3584, 18_944, 3584, 512), ['attn_q.bias', 3584], ['attn_k.bias', 512], ['attn_v.bias', 512]],
  },
  'Qwen3 4B': {
    ...{
      architecture: 'qwen3',
      tokens: 151_936,
      vocabulary: 'qwen2',
      layers: 36,
      embedding: 2560,
      feedForward: 9728,
      heads: 32,
      kvHeads: 8,
    },
    keys: { 'attention.key_length': entry.u32(128), 'attention.value_length': entry.u32(128) },
    layer: [...plain(2560, 9728, 4096, 1024), ...headNorms(128)],
    tied: true,
  },
  'Gemma 2 9B': {
    ...{
      architecture: 'gemma2',
      tokens: 256_000,
      vocabulary: 'llama',
      layers: 42,
      embedding: 3584,
      feedForward: 14_336,
      heads: 16,
      kvHeads: 8,
    },
    keys: {
      ...heads256,
      'attention.sliding_window': entry.u32(4096),
      attn_logit_softcapping: entry.f32(50),
      final_logit_softcapping: entry.f32(30),
    },
    layer: [...plain(3584, 14_336, 4096, 2048), ...postNorms(3584)],
    tied: true,
  },
  'Gemma 3 4B (MedGemma)': {
    ...{
      architecture: 'gemma3',
      tokens: 262_208,
      vocabulary: 'llama',
      layers: 34,
      embedding: 2560,
      feedForward: 10_240,
      heads: 8,
      kvHeads: 4,
    },
    keys: {
      ...heads256,
      'attention.sliding_window': entry.u32(1024),
      'rope.scaling.type': entry.string('linear'),
      'rope.scaling.factor': entry.f32(8),
    },
    layer: [...plain(2560, 10_240, 2048, 1024), ...postNorms(2560), ...headNorms(256)],
    tied: true,
  },
  'Gemma 3 without a window, which 32 layers have (Rnj-1)': {
    ...{
      architecture: 'gemma3',
      tokens: 128_256,
      vocabulary: 'llama-bpe',
      layers: 32,
      embedding: 4096,
      feedForward: 16_384,
      heads: 32,
      kvHeads: 8,
    },
    layer: [...plain(4096, 16_384, 4096, 1024), ...postNorms(4096), ...headNorms(128)],
    tied: true,
  },
  'Phi 4': {
    ...{
      architecture: 'phi3',
      tokens: 100_352,
      vocabulary: 'dbrx',
      layers: 40,
      embedding: 5120,
      feedForward: 17_920,
      heads: 40,
      kvHeads: 10,
    },
    keys: { 'rope.dimension_count': entry.u32(128), 'attention.sliding_window': entry.u32(0) },
    layer: phi(5120, 17_920, 7680),
  },
  'Phi 3.5 mini': {
    ...{
      architecture: 'phi3',
      tokens: 32_064,
      vocabulary: 'llama',
      layers: 32,
      embedding: 3072,
      feedForward: 8192,
      heads: 32,
      kvHeads: 32,
    },
    keys: {
      'rope.dimension_count': entry.u32(96),
      'rope.scaling.original_context_length': entry.u32(4096),
      'rope.scaling.attn_factor': entry.f32(1.19),
      'attention.sliding_window': entry.u32(262_144),
    },
    layer: phi(3072, 8192, 9216),
    others: [
      ['rope_factors_long.weight', 48],
      ['rope_factors_short.weight', 48],
    ],
  },
  'OLMo 2 7B': {
    ...{
      architecture: 'olmo2',
      tokens: 100_352,
      vocabulary: 'dbrx',
      layers: 32,
      embedding: 4096,
      feedForward: 11_008,
      heads: 32,
      kvHeads: 32,
    },
    layer: [
      ...without(['attn_norm.weight', 'ffn_norm.weight'], plain(4096, 11_008, 4096, 4096)),
      ...postNorms(4096),
      ...headNorms(4096),
    ],
  },
  'Apertus 8B': {
    ...{
      architecture: 'apertus',
      tokens: 131_072,
      vocabulary: 'tekken',
      layers: 32,
      embedding: 4096,
      feedForward: 21_504,
      heads: 32,
      kvHeads: 8,
    },
    layer: [...without(['ffn_gate.weight'], plain(4096, 21_504, 4096, 1024)), ...headNorms(128)],
    others: [['rope_freqs.weight', 64]],
  },
};

/** Longer vocabularies are cut, for speed. */
const mostTokens = 32_019;

function fileOf(model: Published, matrices: TensorTypeName): GgufFile {
  const { architecture, embedding } = model;
  const tokens = Math.min(model.tokens, mostTokens);
  const rows = [
    ['token_embd.weight', embedding, tokens],
    ['output_norm.weight', embedding],
    ...(model.tied ? [] : [['output.weight', embedding, tokens]]),
    ...(model.others ?? []),
    ...Array.from({ length: model.layers }, (_, i) =>
      model.layer.map(([name, ...shape]) => [`blk.${i}.${name}`, ...shape]),
    ).flat(),
  ] as [string, ...number[]][];
  const tensors = rows.map(([name, ...dimensions]) => {
    const type = tensorType(dimensions.length === 1 ? 'f32' : matrices);
    return { name, dimensions, type, offset: 0, bytes: 0, part: 0 };
  });
  const numbers = Object.entries({
    block_count: model.layers,
    context_length: 8192,
    embedding_length: embedding,
    feed_forward_length: model.feedForward,
    'attention.head_count': model.heads,
    'attention.head_count_kv': model.kvHeads,
  }).map(([key, value]) => [`${architecture}.${key}`, entry.u32(value)] as const);
  const metadata = new Map<string, Entry>([
    ['general.architecture', entry.string(architecture)],
    ['general.type', entry.string('model')],
    ...numbers,
    [`${architecture}.attention.layer_norm_rms_epsilon`, entry.f32(1e-6)],
    [`${architecture}.rope.freq_base`, entry.f32(10_000)],
    ...Object.entries(model.keys ?? {}).map(([key, value]) => [`${architecture}.${key}`, value] as const),
    ...(architecture === 'apertus'
      ? ['alpha_n', 'alpha_p', 'beta', 'eps'].map(key => [`xielu.${key}`, f32s(model.layers)] as const)
      : []),
    ...tokenizerOf(model.vocabulary, tokens),
  ]);
  return { path: `${architecture}.gguf`, version: 3, metadata, tensors, parts: [] };
}

function tokenizerOf(vocabulary: string, tokens: number): [string, Entry][] {
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
  const list = [...bytes, ...Array.from({ length: tokens - 256 }, (_, i) => `token ${i}`)];
  const types = new Int32Array(tokens).fill(6, 0, 256).fill(1, 256);
  const common: [string, Entry][] = [
    ['tokenizer.ggml.tokens', entry.strings(list)],
    ['tokenizer.ggml.token_type', entry.i32s(vocabulary === 'llama' ? types : types.fill(1))],
    ['tokenizer.ggml.bos_token_id', entry.u32(1)],
    ['tokenizer.ggml.eos_token_id', entry.u32(2)],
  ];
  return vocabulary === 'llama'
    ? [
        ...common,
        ['tokenizer.ggml.model', entry.string('llama')],
        ['tokenizer.ggml.scores', entry.f32s(new Float32Array(tokens))],
        ['tokenizer.ggml.add_space_prefix', entry.bool(false)],
      ]
    : [
        ...common,
        ['tokenizer.ggml.model', entry.string('gpt2')],
        ['tokenizer.ggml.pre', entry.string(vocabulary)],
        ['tokenizer.ggml.merges', entry.strings(['a b'])],
      ];
}

test.each(Object.entries(published))('%s is accepted', (_, model) => {
  expect(findProblems(fileOf(model, 'q4_K'))).toEqual([]);
});
