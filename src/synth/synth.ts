import { rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { checkKeys, integer, oneOf, string } from '../check/options.js';
import { type Entry, entry, type Metadata } from '../gguf/metadata.js';
import { splitFileName } from '../gguf/split.js';
import { tensorBytes } from '../gguf/types.js';
import { ggufBytes, type TensorSource, type WriteOptions, writeGguf } from '../gguf/writer.js';
import { fileTypeOf, typeFor } from '../models/mixture.js';
import { type Plan, planTensors } from '../models/plan.js';
import { seedFor } from '../random/xorshift.js';
import { hyperEntries } from './hyper.js';
import { Pool } from './pool.js';
import type { Encodable } from './quantize.js';
import { quants, type Writable } from './quants.js';
import { type Shape, type ShapeName, shapeNames, shapes } from './shapes.js';
import { isSmall } from './small-vocabularies.js';
import { templateOf } from './template.js';
import { type AddedTypes, addedTypes, readVocabulary, type VocabularyName, vocabularyNames } from './vocabulary.js';

export interface SynthOptions extends WriteOptions {
  readonly shape: ShapeName;
  readonly quant: Writable;
  /** The file to write; with `split` the names are made from it: `x.gguf` becomes `x-00001-of-00003.gguf` and so on. */
  readonly out: string;
  /** 0 … 2^32 - 1; the same seed gives the same bytes. Default 0. */
  readonly seed?: number;
  /** Default: the shape's own. */
  readonly vocabulary?: VocabularyName;
  /** Default `converted`. */
  readonly added?: AddedTypes;
  /** Fewer or more layers than the shape has. */
  readonly layers?: number;
  /** Write this many parts. Default 1, a plain file. */
  readonly split?: number;
  /** Folder with llama.cpp's vocabulary files. Default: where a build puts them. */
  readonly vocabularyFolder?: string;
  /** Chat template, Jinja source. Default: the shape's own, as published; `''` for none. */
  readonly template?: string;
}

export interface Synthesized {
  /** The file, or the first part. */
  readonly path: string;
  readonly paths: readonly string[];
  /** Bytes of all parts. */
  readonly bytes: number;
  readonly tensors: number;
  readonly parameters: number;
  readonly vocabulary: { readonly name: VocabularyName; readonly size: number };
}

const known = [
  'shape',
  'quant',
  'out',
  'seed',
  'vocabulary',
  'added',
  'layers',
  'split',
  'vocabularyFolder',
  'template',
  'force',
  'signal',
  'onProgress',
] as const;

/**
 * Writes a model of a true or tiny shape with random but sane weights: activations stay finite and the next token
 * is neither certain nor uniform. Memory stays at some tens of megabytes whatever the size.
 *
 * @throws MeditronError ERR_OPTION, ERR_INPUT (no vocabulary file) or ERR_OUTPUT; the signal's reason when aborted
 */
export async function synthesize(options: SynthOptions): Promise<Synthesized> {
  checkKeys('synthesize()', options, known);
  const plan = await planModel(options);
  const out = string('out', options.out);
  const count = integer('split', options.split ?? 1, 1, Math.min(999, plan.tensors.length));
  const parts = count === 1 ? [{ path: out, ...plan }] : splitPlan(out, count, plan);

  const total = parts.reduce((sum, part) => sum + ggufBytes(part.metadata, part.tensors), 0);
  const pools = new Pools(plan.tensors, plan.seed);
  const written: string[] = [];
  let before = 0;
  try {
    for (const part of parts) {
      const sources = part.tensors.map(tensor => sourceOf(tensor, pools));
      const start = before;
      before += await writeGguf(part.path, part.metadata, sources, {
        ...options,
        onProgress: bytes => options.onProgress?.(start + bytes, total),
      });
      written.push(part.path);
    }
  } catch (error) {
    for (const path of written) await rm(path, { force: true });
    throw error;
  }
  const parameters = plan.tensors.reduce((sum, tensor) => sum + elements(tensor), 0);
  return {
    path: parts[0]!.path,
    paths: written,
    bytes: total,
    tensors: plan.tensors.length,
    parameters,
    vocabulary: plan.vocabulary,
  };
}

/** Everything about a model but its weights; `bytes` is the size of the plain file. */
export async function planModel(options: Omit<SynthOptions, 'out'>): Promise<ModelPlan> {
  const shapeName = oneOf('shape', options.shape, shapeNames);
  const quant = oneOf('quant', options.quant, quants);
  const seed = integer('seed', options.seed ?? 0, 0, 2 ** 32 - 1);
  const base: Shape = shapes[shapeName];
  const shape = { ...base, layers: integer('layers', options.layers ?? base.layers, 1, 512) };
  const name = oneOf('vocabulary', options.vocabulary ?? shape.vocabulary, vocabularyNames);
  const { size, metadata: tokenizer } = await readVocabulary(name, {
    added: oneOf('added', options.added ?? 'converted', addedTypes),
    ...(options.vocabularyFolder === undefined ? {} : { folder: options.vocabularyFolder }),
    size: name === base.vocabulary ? base.vocabularySize : undefined,
  });
  const tensors = planTensors(shape, size).map(plan => ({ ...plan, type: typeFor(plan, shape, quant) }));
  const metadata = new Map([...generalEntries(shape, name, quant), ...hyperEntries(shape, size), ...tokenizer]);
  const template = options.template === undefined ? await templateOf(base) : string('template', options.template);
  metadata.delete(templateKey);
  if (template !== '') metadata.set(templateKey, entry.string(template));
  return {
    metadata,
    tensors,
    bytes: ggufBytes(metadata, tensors),
    seed,
    vocabulary: { name, size },
  };
}

export interface ModelPlan {
  readonly metadata: Metadata;
  readonly tensors: readonly Planned[];
  readonly bytes: number;
  readonly seed: number;
  readonly vocabulary: { readonly name: VocabularyName; readonly size: number };
}

type Planned = Plan & Pick<TensorSource, 'type'>;

const templateKey = 'tokenizer.chat_template';

function generalEntries(shape: Shape, vocabulary: VocabularyName, quant: Writable): [string, Entry][] {
  const small = isSmall(vocabulary)
    ? `. Its vocabulary is small: special tokens of ${vocabulary}, bytes, a few words`
    : '';
  return [
    ['general.architecture', entry.string(shape.architecture)],
    ['general.type', entry.string('model')],
    ['general.name', entry.string(shape.title)],
    ['general.description', entry.string(`Random weights for tests and benchmarks: its output means nothing${small}`)],
    ['general.file_type', entry.u32(fileTypeOf[quant])],
    ['general.quantization_version', entry.u32(2)],
  ];
}

interface PartPlan {
  readonly path: string;
  readonly metadata: Metadata;
  readonly tensors: readonly Planned[];
}

/** As llama.cpp's gguf-split: the first part holds all metadata, the others only their place. */
function splitPlan(out: string, count: number, plan: ModelPlan): readonly PartPlan[] {
  const prefix = join(dirname(out), basename(out, '.gguf'));
  const perPart = Math.ceil(plan.tensors.length / count);
  return Array.from({ length: count }, (_, index) => {
    const place: [string, Entry][] = [
      ['split.no', entry.u16(index)],
      ['split.count', entry.u16(count)],
      ['split.tensors.count', entry.i32(plan.tensors.length)],
    ];
    return {
      path: splitFileName(prefix, index, count),
      metadata: new Map([...(index === 0 ? plan.metadata : []), ...place]),
      tensors: plan.tensors.slice(index * perPart, (index + 1) * perPart),
    };
  });
}

/** The pools of a model: one for each type and spread, made when first needed, as large as its tallest matrix asks for. */
class Pools {
  readonly #sizes = new Map<string, number>();
  readonly #made = new Map<string, Pool>();

  constructor(
    readonly tensors: readonly Planned[],
    readonly seed: number,
  ) {
    for (const tensor of tensors) {
      if (isVector(tensor)) continue;
      const kind = kindOf(tensor);
      this.#sizes.set(kind, Math.max(this.#sizes.get(kind) ?? 0, blocksFor(tensor)));
    }
  }

  get tied(): boolean {
    return this.tensors.every(({ name }) => name !== 'output.weight');
  }

  for(tensor: Planned): Pool {
    const kind = kindOf(tensor);
    const seed = seedFor(this.seed, kind);
    const pool =
      this.#made.get(kind) ?? new Pool(tensor.type.name as Encodable, this.#sizes.get(kind)!, spreadOf(tensor), seed);
    this.#made.set(kind, pool);
    return pool;
  }
}

function sourceOf(tensor: Planned, pools: Pools): TensorSource {
  const place = seedFor(pools.seed, tensor.name);
  const bytes = tensorBytes(tensor.type, tensor.dimensions);
  // A tied output matrix would give back the token that came in.
  const turned = pools.tied && tensor.name === 'output_norm.weight';
  const data = (): Iterable<Uint8Array> =>
    isVector(tensor)
      ? [nearly(tensor.role === 'norm' ? 1 : 0, tensor.dimensions[0]!, place, turned)]
      : pools.for(tensor).take(bytes, place);
  return { ...tensor, data };
}

function isVector({ role }: Planned): boolean {
  return role === 'norm' || role === 'bias';
}

function kindOf(tensor: Planned): string {
  return `${tensor.type.name} ${spreadOf(tensor)}`;
}

/** Enough that no two rows are alike, and at least a million weights; never more than the tensor has. */
function blocksFor(tensor: Planned): number {
  const rows = tensor.dimensions[1]!;
  const blocks = elements(tensor) / tensor.type.blockSize;
  return Math.min(blocks, Math.max(rows, Math.ceil((1 << 20) / tensor.type.blockSize)));
}

/**
 * Standard deviation of the weights. 1/sqrt(inputs) keeps activations near 1; the output matrix three times that, which
 * spreads logits with a standard deviation near 3: some 6 nats of entropy over 32,000 tokens.
 */
function spreadOf(tensor: Planned): number {
  if (tensor.role === 'embedding') return 1;
  return (tensor.role === 'output' ? 3 : 1) / Math.sqrt(tensor.dimensions[0]!);
}

/** Norm weights between 0.9 and 1.1, biases between -0.1 and 0.1; every other one negative if `turned`. */
function nearly(middle: number, count: number, seed: number, turned: boolean): Uint8Array {
  const floats = new Float32Array(count);
  for (let i = 0; i < count; i++) floats[i] = middle - 0.1 + 0.2 * ((seedFor(seed, String(i)) >>> 8) / 2 ** 24);
  if (turned) for (let i = 0; i < count; i += 2) floats[i] = -floats[i]!;
  return new Uint8Array(floats.buffer);
}

function elements(tensor: Planned): number {
  return tensor.dimensions.reduce((a, b) => a * b, 1);
}
