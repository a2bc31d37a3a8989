import { type Entry, entry } from '../gguf/metadata.js';
import { tokenTypes } from '../gguf/types.js';

/** The `tokenizer.*` metadata of a vocabulary, and its size. */
export interface SmallVocabulary {
  readonly size: number;
  readonly metadata: ReadonlyMap<string, Entry>;
}

/** What a small vocabulary has of a real one. */
export interface SmallOptions {
  /** `llama`: SentencePiece; `gpt2`: byte-level BPE. */
  readonly model: 'llama' | 'gpt2';
  /** How texts are split before BPE, by llama.cpp's name. */
  readonly pre?: string;
  /** Special tokens: the first ids of a SentencePiece vocabulary, the last of the other kind. */
  readonly special: readonly string[];
  /** User-defined tokens behind the special ones of a SentencePiece vocabulary. */
  readonly userDefined?: readonly string[];
  /** Letters of a SentencePiece vocabulary. Default: the small ones. */
  readonly letters?: string;
  /** Texts of special tokens by the key of their id, less `_token_id`. */
  readonly ids: Readonly<Record<string, string>>;
  readonly addBos?: boolean;
  readonly addSpacePrefix?: boolean;
  /** Pieces beside bytes (and letters, of SentencePiece), what they are put together of before them. `▁` is a space. */
  readonly pieces: readonly string[];
}

/** A vocabulary of special tokens, the 256 bytes and a few words: it spells every text. */
export function smallVocabulary(options: SmallOptions): SmallVocabulary {
  const { model, special, ids, addBos, addSpacePrefix } = options;
  const { tokens, types, rest } = model === 'llama' ? sentencePiece(options) : byteLevel(options);
  for (const text of Object.values(ids))
    if (!special.includes(text)) throw new RangeError(`${text} is no special token`);
  return {
    size: tokens.length,
    metadata: new Map<string, Entry>([
      ['tokenizer.ggml.model', entry.string(model)],
      ...(options.pre === undefined ? [] : [['tokenizer.ggml.pre', entry.string(options.pre)] as const]),
      ['tokenizer.ggml.tokens', entry.strings(tokens)],
      ...rest,
      ['tokenizer.ggml.token_type', entry.i32s(Int32Array.from(types))],
      ...Object.entries(ids).map(
        ([key, text]) => [`tokenizer.ggml.${key}_token_id`, entry.u32(tokens.indexOf(text))] as const,
      ),
      ...(addBos === undefined ? [] : [['tokenizer.ggml.add_bos_token', entry.bool(addBos)] as const]),
      ...(addSpacePrefix === undefined
        ? []
        : [['tokenizer.ggml.add_space_prefix', entry.bool(addSpacePrefix)] as const]),
    ]),
  };
}

interface Parts {
  readonly tokens: readonly string[];
  readonly types: readonly number[];
  /** What one kind of vocabulary has beside tokens and types. */
  readonly rest: readonly (readonly [string, Entry])[];
}

/** Special tokens, the bytes, letters and pieces. Of two pairs the one that comes first is merged first. */
function sentencePiece({ special, userDefined = [], letters = small, pieces: given }: SmallOptions): Parts {
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
  const pieces = ['▁', ...letters, ...given];
  const before = special.length + userDefined.length + bytes.length;
  const tokens = [...special, ...userDefined, ...bytes, ...pieces];
  return {
    tokens,
    types: [
      ...special.map(text => (text === '<unk>' ? tokenTypes.unknown : tokenTypes.control)),
      ...userDefined.map(() => tokenTypes.userDefined),
      ...bytes.map(() => tokenTypes.byte),
      ...pieces.map(() => tokenTypes.normal),
    ],
    rest: [
      ['tokenizer.ggml.scores', entry.f32s(Float32Array.from(tokens, (_, id) => (id < before ? 0 : before - id)))],
    ],
  };
}

/** The bytes in the spelling of GPT-2, pieces of one that is there and one more letter, special tokens. */
function byteLevel({ special, pieces: given }: SmallOptions): Parts {
  const printable = (byte: number): boolean => (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
  let next = 256;
  const bytes = Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(printable(byte) ? byte : next++));
  const pieces = given.map(piece => piece.replaceAll('▁', 'Ġ'));
  const merges = pieces.map(piece => `${piece.slice(0, -1)} ${piece.at(-1)}`);
  const plain = [...bytes, ...pieces];
  return {
    tokens: [...plain, ...special],
    types: [...plain.map(() => tokenTypes.normal), ...special.map(() => tokenTypes.control)],
    rest: [['tokenizer.ggml.merges', entry.strings(merges)]],
  };
}

/** Words and all that they begin with, from two letters on, each once and behind its own beginning. */
export function piecesOf(words: readonly string[]): readonly string[] {
  return [...new Set(words.flatMap(word => Array.from({ length: word.length - 1 }, (_, i) => word.slice(0, i + 2))))];
}

const small = 'abcdefghijklmnopqrstuvwxyz';
