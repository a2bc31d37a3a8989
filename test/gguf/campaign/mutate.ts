import { architectures } from '../../../src/gguf/architecture.js';
import { type Entry, entry, numbersAt, stringsAt } from '../../../src/gguf/metadata.js';
import { specialTokenKeys } from '../../../src/gguf/tokenizer.js';
import { type TensorType, tensorBytes, tensorTypes, type ValueType } from '../../../src/gguf/types.js';
import { type TinyModel, type TinyTensor, tinyHyper, tinyModel } from '../../../src/synth/tiny.js';

/** Numbers from 0 to 1. */
export class Dice {
  constructor(readonly next: () => number) {}

  below(n: number): number {
    return Math.floor(this.next() * n);
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  chance(p: number): boolean {
    return this.next() < p;
  }
}

/** What is changed: a model, and perhaps an adapter for it. */
export interface Subject {
  readonly architecture: string;
  readonly metadata: Map<string, Entry>;
  tensors: TinyTensor[];
  readonly adapter: { readonly metadata: Map<string, Entry>; tensors: TinyTensor[] } | undefined;
}

export type Mutation = (subject: Subject, dice: Dice) => string;

/** Kinds of change by name. Each returns what it did, in a few words. */
export const mutations: Readonly<Record<string, Mutation>> = {
  'key value': ({ metadata, architecture }, dice) => changeKey(metadata, dice.of(keysOf(metadata, architecture)), dice),
  'key value (known)': ({ metadata }, dice) => changeKey(metadata, dice.of([...metadata.keys()]), dice),
  'key removed': ({ metadata }, dice) => {
    const key = dice.of([...metadata.keys()]);
    metadata.delete(key);
    return key;
  },
  'key nearby': ({ metadata }, dice) => {
    const numbers = [...metadata].filter(([, value]) => value.type === 'u32' || value.type === 'f32');
    const [key, found] = dice.of(numbers);
    const old = (found as { value: number }).value;
    const value = dice.of([old + 1, old - 1, old * 2, Math.floor(old / 2), old + 2, old * 16, 1, 0]);
    metadata.set(key, found.type === 'u32' ? entry.u32(Math.max(0, value) >>> 0) : entry.f32(value));
    return `${key} ${old} -> ${value}`;
  },
  'tensor type': (subject, dice) => {
    const tensor = dice.of(subject.tensors);
    const fits = [...tensorTypes.values()].filter(type => tensor.dimensions[0]! % type.blockSize === 0);
    replace(subject, tensor, retyped(tensor, tensor.dimensions, dice.of(fits), dice));
    return `${tensor.name} ${subject.tensors.find(other => other.name === tensor.name)?.type.name}`;
  },
  'vector type': (subject, dice) => {
    const tensor = dice.of(subject.tensors.filter(({ dimensions }) => dimensions.length === 1));
    const fits = [...tensorTypes.values()].filter(type => tensor.dimensions[0]! % type.blockSize === 0);
    const type = dice.of(fits);
    replace(subject, tensor, retyped(tensor, tensor.dimensions, type, dice));
    return `${tensor.name} ${type.name}`;
  },
  'all matrices of a type': (subject, dice) => {
    const type = dice.of([...tensorTypes.values()]);
    for (const tensor of subject.tensors) {
      if (tensor.dimensions.length < 2 || tensor.dimensions[0]! % type.blockSize !== 0) continue;
      replace(subject, tensor, retyped(tensor, tensor.dimensions, type, dice));
    }
    return type.name;
  },
  'tensor shape': (subject, dice) => {
    const tensor = dice.of(subject.tensors);
    const dimensions = [...tensor.dimensions];
    const at = dice.below(dimensions.length);
    const kind = dice.below(6);
    if (kind === 0) dimensions[at]! += tensor.type.blockSize;
    else if (kind === 1) dimensions[at] = Math.max(tensor.type.blockSize, dimensions[at]! - tensor.type.blockSize);
    else if (kind === 2) dimensions.push(dice.of([1, 2]));
    else if (kind === 3) dimensions.reverse();
    else if (kind === 4)
      dimensions.splice(
        0,
        dimensions.length,
        dimensions.reduce((a, b) => a * b, 1),
      );
    else dimensions[at] = tensor.type.blockSize;
    if (dimensions[0]! % tensor.type.blockSize !== 0) return 'none';
    replace(subject, tensor, retyped(tensor, dimensions, tensor.type, dice));
    return `${tensor.name} ${tensor.dimensions.join('×')} -> ${dimensions.join('×')}`;
  },
  'tensor removed': (subject, dice) => {
    const { name } = dice.of(subject.tensors);
    subject.tensors = subject.tensors.filter(tensor => tensor.name !== name);
    return name;
  },
  'tensor renamed': (subject, dice) => {
    const tensor = dice.of(subject.tensors);
    const name = strangeName(tensor.name, dice);
    replace(subject, tensor, { ...tensor, name });
    return `${tensor.name} -> ${name}`;
  },
  'tensor added': (subject, dice) => {
    const like = dice.of(subject.tensors);
    const name = strangeName(like.name, dice);
    const dimensions = dice.of([like.dimensions, like.dimensions.slice(-1), like.dimensions.slice(0, 1), [1], [8]]);
    const types = [...tensorTypes.values()].filter(type => dimensions[0]! % type.blockSize === 0);
    const type = dice.chance(0.6) ? tensorTypes.get(0)! : dice.of(types);
    if (subject.tensors.some(tensor => tensor.name === name)) return 'none';
    subject.tensors.push(retyped({ name } as TinyTensor, dimensions, type, dice));
    return `${name} ${type.name} ${dimensions.join('×')}`;
  },
  'tensors in another order': (subject, dice) => {
    subject.tensors = subject.tensors
      .map(tensor => ({ tensor, at: dice.next() }))
      .sort((a, b) => a.at - b.at)
      .map(({ tensor }) => tensor);
    return 'shuffled';
  },
  weights: (subject, dice) => {
    const tensor = dice.of(subject.tensors);
    replace(subject, tensor, { ...tensor, bytes: strangeBytes(tensor, dice) });
    return tensor.name;
  },
  'all weights': (subject, dice) => {
    const share = dice.next();
    for (const tensor of subject.tensors) {
      if (dice.chance(share)) replace(subject, tensor, { ...tensor, bytes: strangeBytes(tensor, dice) });
    }
    return `${Math.round(share * 100)} %`;
  },
  token: ({ metadata }, dice) => {
    const tokens = stringsAt(metadata, 'tokenizer.ggml.tokens');
    if (tokens === undefined || tokens.length === 0) return 'none';
    const list = Array.from({ length: tokens.length }, (_, i) => tokens.bytes(i));
    const id = dice.below(list.length);
    const other = list[dice.below(list.length)]!;
    list[id] = dice.of<() => Uint8Array>([
      () => other,
      () => Buffer.concat([other, Buffer.from('\0x')]),
      () => Buffer.from('\0'),
      () => Buffer.alloc(0),
      () => Buffer.from([0xff, 0xfe, 0x80]),
      () => Buffer.from([0xf4, 0x90, 0x80, 0x80]),
      () => Buffer.from('[EMPTY_0]'),
      () => Buffer.from('<0x4'),
      () => Buffer.from('▁'.repeat(200)),
      () => Buffer.alloc(70_000, 'a'),
      () => Buffer.from(dice.of(['<|im_end|>', '<|eot_id|>', '</s>', '<EOT>', '<|fim_pad|>', '\n', ' ', '\u{10ffff}'])),
    ])();
    metadata.set('tokenizer.ggml.tokens', entry.strings(list));
    return `${id} ${JSON.stringify(Buffer.from(list[id]!).toString('latin1').slice(0, 20))}`;
  },
  'token list': ({ metadata }, dice) => {
    const tokens = stringsAt(metadata, 'tokenizer.ggml.tokens');
    if (tokens === undefined) return 'none';
    const list = Array.from({ length: tokens.length }, (_, i) => tokens.bytes(i));
    const kind = dice.below(4);
    if (kind === 0) list.pop();
    else if (kind === 1) list.push(Buffer.from('more'));
    else if (kind === 2) list.splice(0, list.length, ...list.slice(0, dice.below(list.length)));
    else list.reverse();
    metadata.set('tokenizer.ggml.tokens', entry.strings(list));
    return ['shorter', 'longer', 'cut', 'reversed'][kind]!;
  },
  'token types': ({ metadata }, dice) => {
    const types = numbersAt(metadata, 'tokenizer.ggml.token_type');
    if (types === undefined) return 'none';
    const changed = Int32Array.from(types);
    const value = dice.of([0, 1, 2, 3, 4, 5, 6, 7, -1, 2 ** 31 - 1]);
    const many = dice.chance(0.3);
    for (let i = 0; i < changed.length; i++)
      if (many ? dice.chance(0.5) : i === dice.below(changed.length)) changed[i] = value;
    changed[dice.below(changed.length)] = value;
    metadata.set('tokenizer.ggml.token_type', entry.i32s(changed));
    return `${value}`;
  },
  'token scores': ({ metadata }, dice) => {
    const size = stringsAt(metadata, 'tokenizer.ggml.tokens')?.length ?? 0;
    const value = dice.of([Number.NaN, Infinity, -Infinity, 1e38, -1e38, 0]);
    const scores = new Float32Array(Math.max(0, size + dice.of([0, 0, 0, 1, -1]))).fill(value, 0, dice.of([1, size]));
    metadata.set('tokenizer.ggml.scores', entry.f32s(scores));
    return `${value}`;
  },
  'special token': ({ metadata }, dice) => {
    const size = stringsAt(metadata, 'tokenizer.ggml.tokens')?.length ?? 0;
    const key = dice.of([...specialTokenKeys.values()]);
    const value = dice.of([0, 1, 2, 5, size - 1, size, 2 ** 31, 2 ** 32 - 1]);
    metadata.set(key, entry.u32(value >>> 0));
    return `${key} ${value}`;
  },
  merges: ({ metadata }, dice) => {
    const merges = dice.of([
      [],
      [''],
      [' '],
      ['a'],
      ['a b c'],
      ['\0 a'],
      [' '.repeat(1000)],
      ['Ġ a', 'Ġ a'],
      ['a\0b c'],
    ]);
    metadata.set('tokenizer.ggml.merges', entry.strings(merges));
    return JSON.stringify(merges).slice(0, 30);
  },
  'pre-tokenizer': ({ metadata }, dice) => {
    const pre = dice.of([
      'default',
      'llama-bpe',
      'qwen2',
      'gpt-2',
      'dbrx',
      'tekken',
      'smaug-bpe',
      'starcoder',
      'deepseek-llm',
      'falcon',
      '',
      'x',
      'kimi-k2',
      'gemma4',
      'viking',
      'chameleon',
    ]);
    metadata.set('tokenizer.ggml.pre', entry.string(pre));
    if (dice.chance(0.3))
      metadata.set(
        'tokenizer.ggml.model',
        entry.string(
          dice.of(['llama', 'gpt2', 'bert', 't5', 'rwkv', 'none', 'no_vocab', 'plamo2', 'gemma4', 'hybriddna', '']),
        ),
      );
    return pre;
  },
  name: ({ metadata }, dice) => {
    const name = dice.of([
      'phi-3',
      'Phi3 mini',
      'modern-bert',
      'jina-v2-de',
      '\0',
      'x'.repeat(100_000),
      '%s%n',
      '\u001b[2J',
    ]);
    metadata.set('general.name', entry.string(name));
    return JSON.stringify(name.slice(0, 10));
  },
  'other architecture': ({ metadata }, dice) => {
    const from = dice.of([...architectures.keys()]);
    const to = dice.of([...architectures.keys(), 'bert', 't5', 'mamba', 'clip', 'rwkv6', 'gemma', '']);
    for (const [key, value] of [...metadata]) {
      if (!key.startsWith(`${from}.`)) continue;
      metadata.set(key.replace(from, to || 'x'), value);
    }
    metadata.set('general.architecture', entry.string(to));
    return to;
  },
  'adapter key': ({ adapter }, dice) =>
    adapter ? changeKey(adapter.metadata, dice.of([...adapterKeys, ...adapter.metadata.keys()]), dice) : 'none',
  'adapter key removed': ({ adapter }, dice) => {
    if (!adapter || adapter.metadata.size === 0) return 'none';
    const key = dice.of([...adapter.metadata.keys()]);
    adapter.metadata.delete(key);
    return key;
  },
  'adapter tensor': ({ adapter, tensors }, dice) => {
    if (!adapter || adapter.tensors.length === 0) return 'none';
    const tensor = dice.of(adapter.tensors);
    const kind = dice.below(7);
    const dimensions = [...tensor.dimensions];
    let { type, name, bytes } = tensor;
    if (kind === 0) dimensions[dice.below(2)] = dice.of([1, 2, 4, 16, 32, 64, 96, 128]);
    else if (kind === 1) dimensions.push(dice.of([1, 2]));
    else if (kind === 2) dimensions.reverse();
    else if (kind === 3)
      type = dice.of([...tensorTypes.values()].filter(({ blockSize }) => dimensions[0]! % blockSize === 0));
    else if (kind === 4)
      name = dice.of([
        `${name}.x`,
        name.replace('lora_a', 'lora_b'),
        name.replace('.lora', ''),
        `x${name}`,
        name + name.slice(-7),
        `${dice.of(tensors).name}.lora_a`,
      ]);
    else if (kind === 5) bytes = strangeBytes(tensor, dice);
    else {
      adapter.tensors = adapter.tensors.filter(other => other !== tensor);
      return `${name} removed`;
    }
    if (adapter.tensors.some(other => other !== tensor && other.name === name)) return 'none';
    if (dimensions[0]! % type.blockSize !== 0) return 'none';
    const changed =
      kind === 5 || kind === 4 ? { ...tensor, name, bytes } : retyped({ ...tensor, name }, dimensions, type, dice);
    adapter.tensors = adapter.tensors.map(other => (other === tensor ? changed : other));
    return `${name} ${type.name} ${dimensions.join('×')}`;
  },
  'adapter of another tensor': ({ adapter, tensors }, dice) => {
    if (!adapter) return 'none';
    const target = dice.of(tensors);
    const [inputs, outputs = 1] = target.dimensions as [number, number?];
    const rank = dice.of([1, 2, 4, 8]);
    const flipped = target.name === 'token_embd.weight' && dice.chance(0.7);
    const shapes = flipped
      ? [
          [rank, outputs],
          [rank, inputs],
        ]
      : [
          [inputs, rank],
          [rank, outputs],
        ];
    adapter.tensors = ['a', 'b'].map((half, i) =>
      retyped({ name: `${target.name}.lora_${half}` } as TinyTensor, shapes[i]!, tensorTypes.get(0)!, dice),
    );
    return target.name;
  },
  'adapter without tensors': ({ adapter }) => {
    if (!adapter) return 'none';
    adapter.tensors = [];
    return '';
  },
};

const adapterKeys = [
  'general.type',
  'general.architecture',
  'adapter.type',
  'adapter.lora.alpha',
  'adapter.alora.invocation_tokens',
  'general.alignment',
  'split.count',
  'general.name',
];

/** Keys that llama.cpp reads of any model here (LLM_KV in llama-arch.cpp), whether the file has them or not. */
function keysOf(metadata: ReadonlyMap<string, Entry>, architecture: string): readonly string[] {
  const ours = hyperKeys.map(key => `${architecture}.${key}`);
  return [...metadata.keys(), ...ours, ...otherKeys, ...specialTokenKeys.values()];
}

const hyperKeys = [
  ...['context_length', 'embedding_length', 'embedding_length_out', 'block_count', 'feed_forward_length', 'vocab_size'],
  ...['nextn_predict_layers', 'expert_count', 'expert_used_count', 'expert_group_count', 'expert_group_used_count'],
  ...['attention.head_count', 'attention.head_count_kv', 'attention.key_length', 'attention.value_length'],
  ...[
    'attention.key_length_swa',
    'attention.value_length_swa',
    'attention.sliding_window',
    'attention.sliding_window_pattern',
  ],
  ...[
    'attention.layer_norm_rms_epsilon',
    'attention.layer_norm_epsilon',
    'attention.causal',
    'attention.scale',
    'pooling_type',
  ],
  ...[
    'attention.clamp_kqv',
    'attention.max_alibi_bias',
    'attn_logit_softcapping',
    'final_logit_softcapping',
    'logit_scale',
  ],
  ...['rope.dimension_count', 'rope.dimension_count_swa', 'rope.freq_base', 'rope.freq_base_swa', 'rope.scale_linear'],
  ...['rope.scaling.type', 'rope.scaling.factor', 'rope.scaling.attn_factor', 'rope.scaling.original_context_length'],
  ...[
    'rope.scaling.finetuned',
    'rope.scaling.alpha',
    'rope.scaling.yarn_log_multiplier',
    'rope.scaling.yarn_ext_factor',
  ],
  ...[
    'rope.scaling.yarn_attn_factor',
    'rope.scaling.yarn_beta_fast',
    'rope.scaling.yarn_beta_slow',
    'rope.dimension_sections',
  ],
  ...['classifier.output_labels', 'use_parallel_residual', 'tensor_data_layout', 'embedding_scale', 'residual_scale'],
  ...['swiglu_clamp_exp', 'swiglu_clamp_shexp', 'dense_2_feat_out', 'dense_3_feat_in', 'leading_dense_block_count'],
];

const otherKeys = [
  ...[
    'general.architecture',
    'general.type',
    'general.name',
    'general.file_type',
    'general.quantization_version',
    'general.alignment',
  ],
  ...['split.no', 'split.count', 'split.tensors.count', 'xielu.alpha_n', 'xielu.alpha_p', 'xielu.beta', 'xielu.eps'],
  ...[
    'tokenizer.ggml.model',
    'tokenizer.ggml.pre',
    'tokenizer.ggml.tokens',
    'tokenizer.ggml.token_type',
    'tokenizer.ggml.scores',
  ],
  ...[
    'tokenizer.ggml.merges',
    'tokenizer.ggml.token_type_count',
    'tokenizer.ggml.add_bos_token',
    'tokenizer.ggml.add_eos_token',
  ],
  ...['tokenizer.ggml.add_sep_token', 'tokenizer.ggml.add_space_prefix', 'tokenizer.ggml.remove_extra_whitespaces'],
  ...[
    'tokenizer.ggml.precompiled_charsmap',
    'tokenizer.ggml.suppress_tokens',
    'tokenizer.chat_template',
    'tokenizer.huggingface.json',
  ],
  ...[
    'adapter.type',
    'adapter.lora.alpha',
    'general.sampling.temp',
    'general.sampling.sequence',
    'tokenizer.ggml.normalizer.lowercase',
  ],
];

function changeKey(metadata: Map<string, Entry>, key: string, dice: Dice): string {
  const value = strangeEntry(dice);
  metadata.set(key, value);
  const shown =
    value.type === 'array'
      ? `${value.items}[${value.value.length}]`
      : `${value.type} ${String(value.value).slice(0, 20)}`;
  return `${key} = ${shown}`;
}

function strangeEntry(dice: Dice): Entry {
  const type = dice.of<ValueType>([
    'u8',
    'i8',
    'u16',
    'i16',
    'u32',
    'u32',
    'u32',
    'i32',
    'f32',
    'f32',
    'bool',
    'string',
    'array',
    'array',
    'u64',
    'i64',
    'f64',
  ]);
  const whole = dice.of([0, 1, 2, 3, 4, 7, 8, 16, 17, 32, 64, 100, 255]);
  if (type === 'string')
    return entry.string(
      dice.of([
        '',
        'x',
        'llama',
        'model',
        'adapter',
        'lora',
        'yarn',
        'longrope',
        'none',
        'a\0b',
        'é',
        'x'.repeat(5000),
      ]),
    );
  if (type === 'bool') return entry.bool(dice.chance(0.5));
  if (type === 'f32' || type === 'f64')
    return {
      type,
      value: dice.of([0, -0, 1, -1, 0.5, 1e-5, 1e-30, 1e-45, 1e30, 3e38, Infinity, -Infinity, Number.NaN, 2, 100]),
    };
  if (type === 'u32')
    return entry.u32(dice.of([whole, whole, whole, 2 ** 16, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 513, 1000]));
  if (type === 'i32') return entry.i32(dice.of([whole, -1, -(2 ** 31), 2 ** 31 - 1]));
  if (type === 'u64') return { type, value: dice.of([BigInt(whole), 2n ** 63n, 2n ** 64n - 1n]) };
  if (type === 'i64') return { type, value: dice.of([BigInt(whole), -1n, -(2n ** 63n)]) };
  if (type !== 'array') return { type, value: type.startsWith('i') ? whole % 128 : whole };
  const length = dice.of([0, 1, 2, 3, 4, 512, 513, 300]);
  const items = dice.of(['u32', 'i32', 'f32', 'string', 'bool', 'u8', 'i64'] as const);
  if (items === 'string') return entry.strings(Array.from({ length }, (_, i) => `label ${i % 7}`));
  if (items === 'f32') return entry.f32s(new Float32Array(length).fill(dice.of([0, 1, Number.NaN, 4])));
  if (items === 'i64') return { type: 'array', items, value: new BigInt64Array(length).fill(BigInt(whole)) };
  if (items === 'i32') return entry.i32s(new Int32Array(length).fill(dice.of([whole, -1])));
  if (items === 'u32') return { type: 'array', items, value: new Uint32Array(length).fill(whole) };
  return { type: 'array', items, value: new Uint8Array(length).fill(items === 'bool' ? whole % 2 : whole) };
}

function strangeName(name: string, dice: Dice): string {
  const layer = dice.of([0, 1, 2, 7]);
  const inside = dice.of([
    'attn_q',
    'attn_k',
    'attn_v',
    'attn_qkv',
    'attn_output',
    'attn_norm',
    'attn_norm_2',
    'attn_q_norm',
    'attn_k_norm',
    'post_attention_norm',
    'post_ffw_norm',
    'ffn_norm',
    'ffn_gate',
    'ffn_up',
    'ffn_down',
    'ffn_gate_inp',
    'ffn_gate_exps',
    'ffn_up_exps',
    'ffn_down_exps',
    'ffn_gate_shexp',
    'ffn_up_shexp',
    'attn_rot_embd',
    'attn_sinks',
    'ffn_act',
    'layer_output_norm',
    'attn_sub_norm',
    'ffn_sub_norm',
    'rope_freqs',
    'cls',
  ]);
  const suffix = dice.of(['weight', 'bias', 'scale', 'input_scale', 'lora_a', 'x']);
  return dice.of([
    `blk.${layer}.${inside}.${suffix}`,
    `blk.${layer}.${inside}.${suffix}`,
    name.replace('.weight', `.${suffix}`),
    dice.of([
      'output.bias',
      'output.weight',
      'output.scale',
      'output.input_scale',
      'output_norm.bias',
      'rope_freqs.weight',
      'rope_factors_long.weight',
      'rope_factors_short.weight',
      'token_embd_norm.weight',
      'token_types.weight',
      'position_embd.weight',
      'cls.weight',
      'cls.output.weight',
      'dense_2.weight',
      'per_layer_token_embd.weight',
      'rope_freqs.weight',
    ]),
    'x',
  ]);
}

/** Bytes for another shape or type: random ones, in which scales may be anything. */
function retyped(tensor: TinyTensor, dimensions: readonly number[], type: TensorType, dice: Dice): TinyTensor {
  const bytes = new Uint8Array(tensorBytes(type, dimensions));
  if (type.name === 'f32') new Float32Array(bytes.buffer).fill(0.1);
  else for (let i = 0; i < bytes.length; i++) bytes[i] = i % 16 === 1 ? dice.below(0x3c) : dice.below(256);
  return { ...tensor, dimensions, type, bytes };
}

function strangeBytes({ bytes, type }: TinyTensor, dice: Dice): Uint8Array {
  const changed = bytes.slice();
  const floats = type.name === 'f32' ? new Float32Array(changed.buffer, 0, changed.length / 4) : undefined;
  const value = dice.of([Number.NaN, Infinity, -Infinity, 3e38, -3e38, 1e20, 0, 1e-45, -1]);
  const kind = dice.below(4);
  if (floats && kind === 0) floats.fill(value);
  else if (floats && kind === 1) floats[dice.below(floats.length)] = value;
  else if (kind === 2) changed.fill(dice.of([0, 0xff, 0x7f, 0x80]));
  else for (let n = 1 + dice.below(64); n > 0; n--) changed[dice.below(changed.length)] = dice.below(256);
  return changed;
}

function replace(subject: Subject, tensor: TinyTensor, by: TinyTensor): void {
  if (by.name !== tensor.name && subject.tensors.some(other => other.name === by.name)) return;
  subject.tensors = subject.tensors.map(other => (other.name === tensor.name ? by : other));
}

/** A sound model to begin with: any architecture, either vocabulary, several types, shapes and optional tensors. */
export function soundSubject(dice: Dice): Subject {
  const architecture = dice.of([...architectures.keys()]);
  const model = tinyModel({
    architecture,
    seed: dice.below(1000),
    vocabulary: dice.of(['llama', 'gpt2']),
    type: dice.of(['f32', 'f32', 'f16', 'q8_0', 'q4_0', 'q4_K', 'q6_K']),
    fused: dice.chance(0.2),
    optional: optionalTensors(dice),
    hyper: soundHyper(architecture, dice),
  });
  return {
    architecture,
    metadata: model.metadata,
    tensors: model.tensors,
    adapter: dice.chance(0.25) ? soundAdapter(architecture, model, dice) : undefined,
  };
}

function optionalTensors(dice: Dice): (name: string) => boolean {
  const share = dice.of([0, 0, 0.3, 1]);
  const seen = new Map<string, boolean>();
  return name => {
    // The same in every layer, as converters write them.
    const kind = name.replace(/\d+/, '');
    const there = seen.get(kind) ?? dice.chance(share);
    seen.set(kind, there);
    return there;
  };
}

/** Numbers that go together, most of them unusual. */
function soundHyper(architecture: string, dice: Dice): Partial<TinyModel['hyper']> {
  if (dice.chance(0.4)) return {};
  const free = architectures.get(architecture)!;
  const kvHeads = dice.of([1, 1, 2, 3, 4]);
  const heads = kvHeads * dice.of([1, 1, 2, 3]);
  const size = dice.of([2, 4, 6, 8, 16, 32, 40, 64, 128]);
  const embedding = free.freeHeadSize ? dice.of([heads, 8, 24, 32, 64, 96, 256, heads * size]) : heads * size;
  if (heads > embedding) return {};
  const rotated = free.partialRope && dice.chance(0.5) ? 2 * (1 + dice.below(size / 2)) : size;
  const layers = dice.of([1, 1, 2, 3, 6, 7, 46]);
  const feedForward = dice.of([1, 2, 8, 31, 32, 96, 256]);
  const ropeScaling = dice.of(['linear', 'linear', 'none', 'yarn', 'longrope']);
  return {
    layers,
    embedding,
    heads,
    kvHeads,
    keySize: size,
    valueSize: size,
    rotated,
    feedForward,
    ropeScaling,
    context: dice.of([8, 256, tinyHyper.context, 4096, 131_072]),
  };
}

function soundAdapter(architecture: string, model: TinyModel, dice: Dice): NonNullable<Subject['adapter']> {
  const rank = dice.of([1, 4, 32]);
  const targets = model.tensors.filter(({ name, dimensions }) => dimensions.length === 2 && name.startsWith('blk.'));
  const tensors = [dice.of(targets), dice.of(targets)].flatMap(({ name, dimensions: [inputs, outputs] }, i, all) =>
    i > 0 && all[0]!.name === name
      ? []
      : [
          retyped({ name: `${name}.lora_a` } as TinyTensor, [inputs!, rank], tensorTypes.get(0)!, dice),
          retyped({ name: `${name}.lora_b` } as TinyTensor, [rank, outputs!], tensorTypes.get(0)!, dice),
        ],
  );
  const metadata = new Map<string, Entry>([
    ['general.type', entry.string('adapter')],
    ['general.architecture', entry.string(architecture)],
    ['adapter.type', entry.string('lora')],
    ['adapter.lora.alpha', entry.f32(8)],
  ]);
  return { metadata, tensors };
}
