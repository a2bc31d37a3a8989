import type { Architecture } from './architecture.js';
import type { Checklist } from './checklist.js';
import { type Metadata, stringAt, typeText } from './metadata.js';

/** The numbers that decide the shapes of a model. */
export interface Hyper {
  readonly layers: number;
  readonly context: number;
  readonly embedding: number;
  readonly feedForward: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly keySize: number;
  readonly valueSize: number;
  /** Numbers of each head that are rotated. */
  readonly rotated: number;
  /** `rope.scaling.type`; `linear` unless given. */
  readonly ropeScaling: string;
}

/** LLAMA_MAX_LAYERS; a block count of 0 or past it ends the process (llama-model.cpp, load_hparams). */
const maxLayers = 512;
const maxWidth = 1 << 20;
const maxContext = 1 << 24;
const maxHeads = 1024;
const maxHeadSize = 4096;

/**
 * Checks the hyper-parameters that llama.cpp asserts instead of checking, or believes and fails with later. Undefined
 * if any is wrong.
 */
export function readHyper(
  list: Checklist,
  metadata: Metadata,
  name: string,
  architecture: Architecture,
): Hyper | undefined {
  const before = list.problems.length;
  const read = new Reader(list, metadata, name);
  const layers = read.whole('block_count', 1, maxLayers) ?? 0;
  const context = read.whole('context_length', 1, maxContext) ?? 0;
  const embedding = read.whole('embedding_length', 1, maxWidth) ?? 0;
  const feedForward = read.perLayer('feed_forward_length', 1, maxWidth, layers) ?? 0;
  const heads = read.perLayer('attention.head_count', 1, maxHeads, layers) ?? 0;
  if (list.problems.length > before) return undefined;

  const kvHeads = read.perLayer('attention.head_count_kv', 1, heads, layers, heads) ?? heads;
  if (heads % kvHeads !== 0) {
    list.damaged(`${read.key('attention.head_count_kv')} to divide the ${heads} heads`, `${kvHeads}`);
  }
  const { keySize, valueSize } = readHeadSizes(list, read, embedding, heads, architecture);
  const rotated = readRope(list, read, architecture, keySize);
  const ropeScaling = stringAt(metadata, read.key('rope.scaling.type')) ?? 'linear';
  checkExtras(list, read, layers, embedding);
  if (architecture.slidingWindow) checkWindow(read, name, layers);
  if (name === 'phi3') read.whole('attention.sliding_window', 0, maxContext, 0); // read and left unused
  if (name === 'apertus') checkActivation(read, layers);
  if (list.problems.length > before) return undefined;
  return { layers, context, embedding, feedForward, heads, kvHeads, keySize, valueSize, rotated, ropeScaling };
}

function readHeadSizes(
  list: Checklist,
  read: Reader,
  embedding: number,
  heads: number,
  architecture: Architecture,
): { readonly keySize: number; readonly valueSize: number } {
  const given = read.has('attention.key_length') && read.has('attention.value_length');
  if (embedding % heads !== 0 && !given) {
    list.damaged(`${read.key('attention.head_count')} to divide the embedding length ${embedding}`, `${heads}`);
  }
  const usual = Math.floor(embedding / heads);
  const keySize = read.whole('attention.key_length', 1, maxHeadSize, usual) ?? usual;
  const valueSize = read.whole('attention.value_length', 1, maxHeadSize, usual) ?? usual;
  if (heads > embedding) list.damaged(`at most ${embedding} heads, one for each number`, `${heads}`);
  if (!architecture.freeHeadSize && keySize !== usual) {
    list.damaged(`heads of ${embedding} ÷ ${heads} = ${usual} numbers`, `keys of ${keySize}`);
  }
  // Every graph here lays values out by the size of keys, or asserts that the two are equal.
  if (valueSize !== keySize) {
    list.damaged(`${read.key('attention.value_length')} to be ${keySize}, as long as keys`, `${valueSize}`);
  }
  for (const [suffix, size] of [
    ['attention.key_length_swa', keySize],
    ['attention.value_length_swa', valueSize],
  ] as const) {
    const swa = read.whole(suffix, 1, maxHeadSize, size) ?? size;
    if (swa !== size) {
      list.unsupported(`${read.key(suffix)} to be ${size}`, `${swa}`, 'models whose layers differ are not supported');
    }
  }
  return { keySize, valueSize };
}

/** ggml_rope asserts an even number of dimensions no larger than a head; most graphs, that it is the whole head. */
function readRope(list: Checklist, read: Reader, architecture: Architecture, keySize: number): number {
  const rotated = read.whole('rope.dimension_count', 2, maxHeadSize, keySize) ?? keySize;
  if (rotated % 2 !== 0 || rotated > keySize || (!architecture.partialRope && rotated !== keySize)) {
    const wanted = architecture.partialRope ? `even and at most ${keySize}` : `${keySize}, the head size, and even`;
    list.damaged(`${read.key('rope.dimension_count')} to be ${wanted}`, `${rotated}`);
  }
  const swa = read.whole('rope.dimension_count_swa', 2, maxHeadSize, rotated) ?? rotated;
  if (swa !== rotated) {
    list.unsupported(
      `${read.key('rope.dimension_count_swa')} to be ${rotated}`,
      `${swa}`,
      'such models are not supported',
    );
  }
  read.real('rope.freq_base', 1, 1e12, { required: !mayLeaveOutRopeBase(read) });
  read.real('rope.freq_base_swa', 1, 1e12);
  // Beyond these, positions or scores overflow and the logits are NaN. A factor of 0 means none.
  read.real('rope.scaling.factor', 1e-6, 1e6, { zero: true });
  read.real('rope.scale_linear', 1e-6, 1e6, { zero: true });
  read.real('rope.scaling.attn_factor', 1e-3, 1e3);
  for (const name of ['ext_factor', 'attn_factor', 'beta_fast', 'beta_slow', 'log_multiplier']) {
    read.real(`rope.scaling.yarn_${name}`, -1e6, 1e6);
  }
  read.whole('rope.scaling.original_context_length', 1, maxContext, 1);
  // An unknown name is an assertion in llama.cpp.
  read.oneOf('rope.scaling.type', ['none', 'linear', 'yarn', 'longrope']);
  return rotated;
}

/**
 * llama.cpp takes 10,000 where a file names none. That is right for Gemma 2 and for the Llama 2 of 2023, which were converted without it;
 * whatever else has another base, conversions write it.
 */
function mayLeaveOutRopeBase({ name, metadata }: Reader): boolean {
  return name === 'gemma2' || (name === 'llama' && stringAt(metadata, 'tokenizer.ggml.model') !== 'gpt2');
}

/** Layers of the one model with the graph of Gemma 3 and no window, Rnj-1. */
const layersWithoutWindow = 32;

/** Gemma, OLMo: layers with a window, and caps on scores and logits, which are divided by. A window of 0 means none. */
function checkWindow(read: Reader, name: string, layers: number): void {
  // Without one every layer of Gemma 3 would see everything, at the rotation of the few that do; Gemma 2's is llama.cpp's default.
  const needed = name === 'gemma3' && layers !== layersWithoutWindow;
  read.whole('attention.sliding_window', name === 'gemma2' || needed ? 1 : 0, maxContext, needed ? undefined : 0);
  // llama.cpp leaves a list of layers unread and takes the architecture's own period.
  if (!read.isList('attention.sliding_window_pattern')) read.whole('attention.sliding_window_pattern', 0, maxLayers, 1);
  read.real('attn_logit_softcapping', 1e-3, 1e6);
  read.real('final_logit_softcapping', 1e-3, 1e6, { zero: name === 'gemma3' });
}

/** The coefficients of xIELU, one for all layers or one for each. Their keys do not begin with the architecture. */
function checkActivation(read: Reader, layers: number): void {
  for (const name of ['alpha_n', 'alpha_p', 'beta', 'eps']) read.reals(`xielu.${name}`, layers);
}

function checkExtras(list: Checklist, read: Reader, layers: number, embedding: number): void {
  // The kernels assert epsilon >= 0 at the first decode; 0 and NaN give NaN.
  read.real('attention.layer_norm_rms_epsilon', 1e-30, 0.1, { required: true });
  checkExperts(list, read);

  const nextN = read.whole('nextn_predict_layers', 0, layers, 0) ?? 0;
  if (nextN > 0)
    list.unsupported(`${read.key('nextn_predict_layers')} 0`, `${nextN}`, 'use a file without such layers');
  const out = read.whole('embedding_length_out', 1, maxWidth, embedding) ?? embedding;
  if (out !== embedding)
    list.unsupported('a text model', `an embedding model with outputs of ${out}`, 'use a text model');
  if (read.value('attention.causal') === false) {
    list.unsupported(
      'a causal text model',
      `${read.key('attention.causal')} = false`,
      'use a model that generates text',
    );
  }
  const pooling = read.whole('pooling_type', 0, 4, 0) ?? 0;
  if (pooling !== 0) list.unsupported('a text model', 'an embedding model', 'use a model that generates text');
}

/** Inconsistent expert counts are assertions in llama.cpp; no model of the line has experts. */
function checkExperts(list: Checklist, read: Reader): void {
  const experts = read.whole('expert_count', 0, 2 ** 32 - 1, 0) ?? 0;
  if (experts > 0) {
    const advice = 'mixture-of-experts models are not supported: use a dense one';
    list.unsupported(`${read.key('expert_count')} 0 or absent`, `${experts}`, advice);
    return;
  }
  for (const suffix of ['expert_used_count', 'expert_group_count', 'expert_group_used_count']) {
    const count = read.value(suffix);
    if (count !== undefined && count !== 0) {
      list.damaged(`${read.key(suffix)} 0 or absent in a model without experts`, `${count}`);
    }
  }
}

/** Typed access to `<architecture>.<suffix>`. llama.cpp accepts counts as u32, arrays of u32 or i32, and reals as f32. */
class Reader {
  constructor(
    readonly list: Checklist,
    readonly metadata: Metadata,
    readonly name: string,
  ) {}

  key(suffix: string): string {
    return `${this.name}.${suffix}`;
  }

  has(suffix: string): boolean {
    return this.metadata.has(this.key(suffix));
  }

  value(suffix: string): unknown {
    return this.metadata.get(this.key(suffix))?.value;
  }

  /** A whole number; `fallback` is given if the key may be absent. */
  whole(suffix: string, min: number, max: number, fallback?: number): number | undefined {
    const found = this.metadata.get(this.key(suffix));
    if (found === undefined && fallback !== undefined) return fallback;
    if (found?.type === 'u32' && found.value >= min && found.value <= max) return found.value;
    const got = found === undefined ? 'no such key' : found.type === 'u32' ? `${found.value}` : typeText(found);
    this.list.damaged(`${this.key(suffix)} to be a whole number from ${min} to ${max} (u32)`, got);
    return undefined;
  }

  /** A whole number that may also be given once per layer, if all layers agree. */
  perLayer(suffix: string, min: number, max: number, layers: number, fallback?: number): number | undefined {
    const found = this.metadata.get(this.key(suffix));
    if (found?.type !== 'array') return this.whole(suffix, min, max, fallback);
    if (found.items !== 'u32' && found.items !== 'i32') {
      this.list.damaged(`${this.key(suffix)} to be whole numbers (u32 or i32)`, typeText(found));
      return undefined;
    }
    const values = [...found.value];
    const first = values[0] ?? 0;
    const outside = values.find(value => value < min || value > max);
    if (values.length !== layers) {
      this.list.damaged(`${this.key(suffix)} to have one entry for each of the ${layers} layers`, `${values.length}`);
    } else if (outside !== undefined) {
      this.list.damaged(`${this.key(suffix)} to be whole numbers from ${min} to ${max}`, `${outside}`);
    } else if (values.some(value => value !== first)) {
      const advice = 'models whose layers differ are not supported';
      this.list.unsupported(`${this.key(suffix)} to be the same in every layer`, 'different numbers', advice);
    } else {
      return first;
    }
    return undefined;
  }

  real(suffix: string, min: number, max: number, options: { zero?: boolean; required?: boolean } = {}): void {
    const found = this.metadata.get(this.key(suffix));
    if (found === undefined && !options.required) return;
    const value = found?.type === 'f32' ? found.value : Number.NaN;
    if ((value >= min && value <= max) || (value === 0 && options.zero)) return;
    const got = found === undefined ? 'no such key' : found.type === 'f32' ? `${found.value}` : typeText(found);
    this.list.damaged(`${this.key(suffix)} to be a number from ${min} to ${max} (f32)`, got);
  }

  isList(suffix: string): boolean {
    return this.metadata.get(this.key(suffix))?.type === 'array';
  }

  /** A finite number, or one for each layer, under a key as it is. */
  reals(key: string, layers: number): void {
    const found = this.metadata.get(key);
    const list = found?.type === 'array' && found.items === 'f32' && found.value.length === layers;
    const values = list ? [...found.value] : found?.type === 'f32' ? [found.value] : undefined;
    if (values?.every(Number.isFinite)) return;
    const got = values ? `${values.find(value => !Number.isFinite(value))}` : found ? typeText(found) : 'no such key';
    this.list.damaged(`${key} to be a finite number (f32), or one for each of the ${layers} layers`, got);
  }

  oneOf(suffix: string, known: readonly string[]): void {
    const found = this.metadata.get(this.key(suffix));
    if (found === undefined || (found.type === 'string' && known.includes(found.value))) return;
    const got = found.type === 'string' ? JSON.stringify(found.value) : typeText(found);
    this.list.damaged(`${this.key(suffix)} to be one of ${known.join(', ')}`, got);
  }
}
