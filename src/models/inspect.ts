import { object, string } from '../check/options.js';
import { architectures } from '../gguf/architecture.js';
import { booleanAt, type Metadata, numberAt, numbersAt, stringAt, stringsAt } from '../gguf/metadata.js';
import { type GgufFile, readGguf } from '../gguf/reader.js';
import { specialTokenKeys } from '../gguf/tokenizer.js';
import { fileTypes, tokenTypes } from '../gguf/types.js';
import { findProblems, type Problem } from '../gguf/validate.js';
import { hashFile } from './hash.js';
import { identityText } from './identity.js';

/** What a model file says about itself. Plain data: what a field needs and the file lacks is null. */
export interface Inspection {
  /** Path of the file as it was given; of a split model the first part. */
  readonly path: string;
  /** Of all parts together. */
  readonly sizeBytes: number;
  /** Version of the GGUF container: 2 or 3. */
  readonly ggufVersion: number;
  /** `general.architecture`, as `llama`; it decides which tensors there are. */
  readonly architecture: string | null;
  /** `general.name`, as whoever converted the model called it. */
  readonly name: string | null;
  /** Weights in all tensors. */
  readonly parameters: number;
  /** How weights are stored. */
  readonly quantization: Quantization;
  /** Transformer blocks (`block_count`). */
  readonly layers: number | null;
  /** Width of the hidden state. */
  readonly embedding: number | null;
  /** Attention heads of a layer. */
  readonly heads: number | null;
  /** Heads that keys and values have; fewer than `heads` in grouped-query attention. */
  readonly kvHeads: number | null;
  /** Width of a key. */
  readonly headSize: number | null;
  /** Width of the feed-forward layers. */
  readonly feedForward: number | null;
  /** Trained context in tokens. */
  readonly contextLength: number | null;
  /** Tokens that some of the layers see back at most; null where all of them see everything. */
  readonly slidingWindow: number | null;
  /** Base frequency of the rotary position embedding. */
  readonly ropeTheta: number | null;
  /** The tokenizer's kind, and its tokens. */
  readonly vocabulary: Vocabulary;
  /** By name (`bos`, `eos`, `pad`, …), those the file names. */
  readonly specialTokens: Readonly<Record<string, VocabularyToken>>;
  /** Whether the file has the token that begins a text put first; null leaves it to the tokenizer. */
  readonly addBos: boolean | null;
  /** The chat template in the file, Jinja source. */
  readonly chatTemplate: string | null;
  /** Bytes of key-value cache for one token of one sequence. */
  readonly kvBytesPerToken: KvBytes | null;
  /** The file, or the parts of a split model in order. */
  readonly files: readonly {
    /** Path of the file or part. */
    readonly path: string;
    /** Its size in bytes. */
    readonly sizeBytes: number;
    /** Lower-case hexadecimal; null unless it was asked for. */
    readonly sha256: string | null;
    /** Another text when the file is replaced or changed: device, inode, size and times. */
    readonly identity: string;
  }[];
  /** Why the model cannot be used; empty if it can. */
  readonly problems: readonly Problem[];
}

/** How a model's weights are stored. */
export interface Quantization {
  /** As in file names, `Q4_K_M`; from general.file_type, or else the type of most weights. */
  readonly name: string;
  /** How many tensors are of each type, by the type's name. */
  readonly tensors: Readonly<Record<string, number>>;
}

/** What a model file says of its tokenizer. */
export interface Vocabulary {
  /** Kind of tokenizer: `llama` (SentencePiece), `gpt2` (byte-level BPE), … */
  readonly model: string | null;
  /** How texts are split before BPE, by llama.cpp's name. */
  readonly pre: string | null;
  /** Number of tokens. */
  readonly size: number;
  /** Tokens of type CONTROL or USER_DEFINED, the first hundred. */
  readonly addedTokens: readonly (VocabularyToken & {
    /** What the file says it is; either kind is special: text from outside never becomes one. */
    readonly type: 'control' | 'user-defined';
  })[];
  /** How many there are, those that are not listed included. */
  readonly addedTokenCount: number;
}

/** A token of the vocabulary. */
export interface VocabularyToken {
  /** Its index in the vocabulary. */
  readonly id: number;
  /** How the vocabulary spells it; null if the id is outside the vocabulary. */
  readonly text: string | null;
}

/** Bytes of key-value cache for one token, by the type of its numbers. */
export interface KvBytes {
  /** Bytes with 32-bit floats. */
  readonly f32: number;
  /** Bytes with 16-bit floats, the default. */
  readonly f16: number;
  /** Bytes with 8-bit integers and a scale for every 32. */
  readonly q8_0: number;
}

/** What {@link inspectFile} may be told. */
export interface InspectOptions {
  /** Also compute the SHA-256 of every file, which reads all of it. Default false. */
  readonly hash?: boolean;
  /** Told bytes hashed and bytes in all. */
  readonly onProgress?: (read: number, total: number) => void;
  /** Stops the reading; its reason is thrown. */
  readonly signal?: AbortSignal;
}

const shownTokens = 100;

/** llama.cpp's where a file names none. */
const gemma2Window = 4096;

/**
 * Describes a model file, usable or not, without loading it.
 *
 * @throws MeditronError ERR_MODEL_FILE or ERR_MODEL_FORMAT if not even the header can be read; the signal's reason
 */
export async function inspectFile(path: string, options: InspectOptions = {}): Promise<Inspection> {
  string('path', path);
  object('options', options);
  const file = await readGguf(path, options.signal ? { signal: options.signal } : {});
  return describeFile(file, options.hash ? await hashParts(file, options) : []);
}

/** The same from a header that has been read. `hashes` are those of the parts, in order. */
export function describeFile(file: GgufFile, hashes: readonly string[] = []): Inspection {
  const { metadata } = file;
  const architecture = stringAt(metadata, 'general.architecture') ?? null;
  const hyper = (suffix: string): number | null => numberAt(metadata, `${architecture}.${suffix}`) ?? null;
  const embedding = hyper('embedding_length');
  const heads = hyper('attention.head_count');
  const kvHeads = hyper('attention.head_count_kv') ?? heads;
  const usualSize = embedding !== null && heads ? Math.floor(embedding / heads) : null;
  const headSize = hyper('attention.key_length') ?? usualSize;
  const valueSize = hyper('attention.value_length') ?? usualSize;
  const layers = hyper('block_count');
  return {
    path: file.path,
    sizeBytes: file.parts.reduce((sum, part) => sum + part.size, 0),
    ggufVersion: file.version,
    architecture,
    name: stringAt(metadata, 'general.name') ?? null,
    parameters: file.tensors.reduce((sum, tensor) => sum + tensor.dimensions.reduce((a, b) => a * b, 1), 0),
    quantization: quantizationOf(file),
    layers,
    embedding,
    heads,
    kvHeads,
    headSize,
    feedForward: hyper('feed_forward_length'),
    contextLength: hyper('context_length'),
    slidingWindow: architectures.get(architecture ?? '')?.slidingWindow
      ? (hyper('attention.sliding_window') ?? (architecture === 'gemma2' ? gemma2Window : 0)) || null
      : null,
    ropeTheta: hyper('rope.freq_base'),
    vocabulary: vocabularyOf(metadata),
    specialTokens: specialTokensOf(metadata),
    addBos: booleanAt(metadata, 'tokenizer.ggml.add_bos_token') ?? null,
    chatTemplate: stringAt(metadata, 'tokenizer.chat_template') ?? null,
    kvBytesPerToken:
      layers && kvHeads && headSize && valueSize ? kvBytes(layers * kvHeads * (headSize + valueSize)) : null,
    files: file.parts.map((part, i) => ({
      path: part.path,
      sizeBytes: part.size,
      sha256: hashes[i] ?? null,
      identity: identityText(part.identity),
    })),
    problems: findProblems(file),
  };
}

/** SHA-256 of all parts, which reads them. */
export async function hashParts(file: GgufFile, { onProgress, signal }: InspectOptions): Promise<readonly string[]> {
  const total = file.parts.reduce((sum, part) => sum + part.size, 0);
  const hashes: string[] = [];
  let before = 0;
  for (const { path, size } of file.parts) {
    const start = before;
    const progress = (read: number): void => onProgress?.(start + read, total);
    hashes.push(await hashFile(path, { onProgress: progress, ...(signal ? { signal } : {}) }));
    before += size;
  }
  return hashes;
}

function quantizationOf(file: GgufFile): Quantization {
  const tensors: Record<string, number> = {};
  const bytes = new Map<string, number>();
  for (const { type, bytes: size } of file.tensors) {
    tensors[type.name] = (tensors[type.name] ?? 0) + 1;
    bytes.set(type.name, (bytes.get(type.name) ?? 0) + size);
  }
  const [dominant] = [...bytes].sort((a, b) => b[1] - a[1]);
  const named = fileTypes.get(numberAt(file.metadata, 'general.file_type') ?? -1);
  return { name: named ?? dominant?.[0].toUpperCase() ?? 'none', tensors };
}

function vocabularyOf(metadata: Metadata): Vocabulary {
  const tokens = stringsAt(metadata, 'tokenizer.ggml.tokens');
  const types = numbersAt(metadata, 'tokenizer.ggml.token_type') ?? new Int32Array();
  const size = tokens?.length ?? 0;
  const added: (VocabularyToken & { type: 'control' | 'user-defined' })[] = [];
  let addedTokenCount = 0;
  for (let id = 0; id < Math.min(size, types.length); id++) {
    if (types[id] !== tokenTypes.control && types[id] !== tokenTypes.userDefined) continue;
    const type = types[id] === tokenTypes.control ? 'control' : 'user-defined';
    if (addedTokenCount++ < shownTokens) added.push({ id, text: tokens!.at(id), type });
  }
  return {
    model: stringAt(metadata, 'tokenizer.ggml.model') ?? null,
    pre: stringAt(metadata, 'tokenizer.ggml.pre') ?? null,
    size,
    addedTokens: added,
    addedTokenCount,
  };
}

function specialTokensOf(metadata: Metadata): Readonly<Record<string, VocabularyToken>> {
  const tokens = stringsAt(metadata, 'tokenizer.ggml.tokens');
  const found: Record<string, VocabularyToken> = {};
  for (const [name, key] of specialTokenKeys) {
    const id = numberAt(metadata, key);
    if (id === undefined) continue;
    const inside = Number.isInteger(id) && id >= 0 && id < (tokens?.length ?? 0);
    found[name] = { id, text: inside ? tokens!.at(id) : null };
  }
  return found;
}

/** `elements` numbers a token: 2 × layers × KV heads × head size. q8_0 packs 32 of them into 34 bytes. */
export function kvBytes(elements: number): KvBytes {
  return { f32: elements * 4, f16: elements * 2, q8_0: (elements / 32) * 34 };
}
