import { architectures } from '../gguf/architecture.js';
import type { Hyper } from '../gguf/hyper.js';
import { layoutOf, type TensorRule } from '../gguf/layout.js';
import { type Entry, entry } from '../gguf/metadata.js';
import type { TensorInfo } from '../gguf/tensors.js';
import { type TensorType, tensorType } from '../gguf/types.js';
import type { TensorSource } from '../gguf/writer.js';
import { nearlyNormal, seedFor } from '../random/xorshift.js';
import { type Encodable, encode } from './quantize.js';
import { smallVocabulary } from './small.js';

export interface TinyOptions {
  /** One of the architectures that models may have. */
  readonly architecture: string;
  /** Default 0. */
  readonly seed?: number;
  /** SentencePiece or byte-level BPE. Default `llama`. */
  readonly vocabulary?: 'llama' | 'gpt2';
  /** Type of the matrices, where their rows fit; f32 where not. Default `f32`. */
  readonly type?: Encodable | ((name: string) => Encodable);
  /** What the weights of a matrix are multiplied by. Default 1. */
  readonly scale?: (name: string) => number;
  /** Numbers that differ from {@link tinyHyper}. */
  readonly hyper?: Partial<Hyper>;
  /** Which of the tensors that may be absent are there, by name. Default: none. */
  readonly optional?: (name: string) => boolean;
  /** Queries, keys and values in one tensor, where the architecture knows that. Default false. */
  readonly fused?: boolean;
}

/** A complete model in memory, some tens of kilobytes. */
export interface TinyModel {
  readonly hyper: Hyper;
  readonly metadata: Map<string, Entry>;
  readonly tensors: TinyTensor[];
}

export interface TinyTensor {
  readonly name: string;
  readonly dimensions: readonly number[];
  readonly type: TensorType;
  readonly bytes: Uint8Array;
}

export const tinyHyper: Hyper = {
  layers: 2,
  context: 256,
  embedding: 64,
  feedForward: 96,
  heads: 4,
  kvHeads: 2,
  keySize: 16,
  valueSize: 16,
  rotated: 16,
  ropeScaling: 'linear',
};

/** A model of any architecture with a vocabulary of some three hundred tokens and random weights: it loads and computes. */
export function tinyModel(options: TinyOptions): TinyModel {
  const {
    architecture: name,
    seed = 0,
    type = 'f32',
    scale = () => 1,
    optional = () => false,
    fused = false,
  } = options;
  const architecture = architectures.get(name);
  if (architecture === undefined) throw new RangeError(`No architecture ${name}`);
  const hyper = { ...tinyHyper, ...options.hyper };
  const vocabulary = options.vocabulary === 'gpt2' ? byteLevel : sentencePiece;
  const present = new Map<string, TensorInfo>();
  if (fused && architecture.plainAttention) {
    for (let i = 0; i < hyper.layers; i++) present.set(`blk.${i}.attn_qkv.weight`, {} as TensorInfo);
  }
  const rules = layoutOf(hyper, architecture, vocabulary.size, present);
  const tensors = [...rules]
    .filter(([tensor, rule]) => rule.required || optional(tensor))
    .map(([tensor, rule]) =>
      randomTensor(tensor, rule, typeof type === 'string' ? type : type(tensor), scale(tensor), seed),
    );
  return {
    hyper,
    metadata: new Map([...hyperEntries(name, hyper), ...vocabulary.metadata, ...prefixEntries(name)]),
    tensors,
  };
}

/** The same to write. */
export function sourcesOf(tensors: readonly TinyTensor[]): TensorSource[] {
  return tensors.map(tensor => ({ ...tensor, data: () => [tensor.bytes] }));
}

function randomTensor(name: string, rule: TensorRule, wanted: Encodable, scale: number, seed: number): TinyTensor {
  const dimensions = rule.shape.length === 0 ? [1] : rule.shape;
  const count = dimensions.reduce((a, b) => a * b, 1);
  const next = nearlyNormal(seedFor(seed, name));
  const floats =
    rule.role === 'matrix'
      ? Float32Array.from(
          { length: count },
          () => (scale * next()) / Math.sqrt(name === 'token_embd.weight' ? 1 : dimensions[0]!),
        )
      : Float32Array.from({ length: count }, () => (name.endsWith('.bias') ? 0 : 1) + next() / 10);
  const fits = rule.role === 'matrix' && dimensions[0]! % tensorType(wanted).blockSize === 0;
  const type = fits ? wanted : 'f32';
  return { name, dimensions, type: tensorType(type), bytes: encode(type, floats) };
}

function hyperEntries(name: string, hyper: Hyper): [string, Entry][] {
  const numbers: Readonly<Record<string, number>> = {
    block_count: hyper.layers,
    context_length: hyper.context,
    embedding_length: hyper.embedding,
    feed_forward_length: hyper.feedForward,
    'attention.head_count': hyper.heads,
    'attention.head_count_kv': hyper.kvHeads,
    'attention.key_length': hyper.keySize,
    'attention.value_length': hyper.valueSize,
    'rope.dimension_count': hyper.rotated,
    ...(architectures.get(name)?.slidingWindow ? { 'attention.sliding_window': 32 } : {}),
  };
  const activation: [string, Entry][] =
    name === 'apertus'
      ? ['alpha_n', 'alpha_p', 'beta', 'eps'].map(key => [
          `xielu.${key}`,
          entry.f32s(new Float32Array(hyper.layers).fill(key === 'eps' ? -1e-6 : 0.8)),
        ])
      : [];
  return [
    ['general.architecture', entry.string(name)],
    ['general.type', entry.string('model')],
    ['general.name', entry.string('Tiny, random weights')],
    ...Object.entries(numbers).map(([key, value]): [string, Entry] => [`${name}.${key}`, entry.u32(value)]),
    [`${name}.attention.layer_norm_rms_epsilon`, entry.f32(1e-5)],
    [`${name}.rope.freq_base`, entry.f32(10_000)],
    ...(hyper.ropeScaling === 'linear'
      ? []
      : [[`${name}.rope.scaling.type`, entry.string(hyper.ropeScaling)] as [string, Entry]]),
    ...activation,
  ];
}

/** Gemma's conversion says that no space comes before texts. */
function prefixEntries(name: string): [string, Entry][] {
  return name.startsWith('gemma') ? [['tokenizer.ggml.add_space_prefix', entry.bool(false)]] : [];
}

const sentencePiece = smallVocabulary({
  model: 'llama',
  special: ['<unk>', '<s>', '</s>'],
  ids: { bos: '<s>', eos: '</s>', unknown: '<unk>' },
  addBos: true,
  pieces: ['▁a', '▁the', '▁is'],
});

const byteLevel = smallVocabulary({
  model: 'gpt2',
  pre: 'llama-bpe',
  special: ['<|begin|>', '<|end|>'],
  ids: { bos: '<|begin|>', eos: '<|end|>' },
  pieces: ['▁a', 'is', 'th', 'the'],
});
