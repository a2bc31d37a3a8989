import { fileURLToPath } from 'node:url';
import { MeditronError } from '../check/errors.js';
import { type Entry, entry, type Metadata, numbersAt, stringsAt } from '../gguf/metadata.js';
import { readGguf } from '../gguf/reader.js';
import { tokenTypes } from '../gguf/types.js';
import { isSmall, smallNames, smallVocabularyOf } from './small-vocabularies.js';

/**
 * Real vocabularies. `llama-2`: 32,000 pieces. `meditron-early`: with `<CLS>` to `<PAD>`, 32,005. `meditron`: with the document markers
 * too, 32,017. `meditron-chat`: with the two ChatML tokens of fine-tunes, 32,019. `llama-3`: 128,256. `qwen2`: 151,936.
 */
const realNames = ['meditron', 'meditron-chat', 'meditron-early', 'llama-2', 'llama-3', 'qwen2'] as const;
type RealName = (typeof realNames)[number];

/** Those, and small ones of families whose own is not at hand. */
export const vocabularyNames = [...realNames, ...smallNames] as const;

export type VocabularyName = (typeof vocabularyNames)[number];

/**
 * Types of MEDITRON's added tokens. `converted`: as a conversion of the Hugging Face tokenizer gives them, special ones
 * CONTROL and document markers USER_DEFINED. The others make all of them one type: published files differ.
 */
export const addedTypes = ['converted', 'control', 'user-defined'] as const;

export type AddedTypes = (typeof addedTypes)[number];

export interface VocabularyOptions {
  readonly added?: AddedTypes;
  /** Folder with llama.cpp's `ggml-vocab-*.gguf` files. */
  readonly folder?: string;
  /** Tokens in all: unused ones follow. Default: as many as the vocabulary has. */
  readonly size?: number | undefined;
}

/** Where a build puts llama.cpp's own vocabulary files. */
const defaultFolder = fileURLToPath(new URL('../../build/llama.cpp/models/', import.meta.url));

/** Ids 32000 to 32004, in this order (epfLLM/Megatron-LLM, tokenizer.py; added_tokens.json of published fine-tunes). */
const specials = ['<CLS>', '<SEP>', '<EOD>', '<MASK>', '<PAD>'];

/** Ids 32005 to 32016 (epfLLM/meditron, gap-replay/tokenize.sh, --vocab_extra_ids_list). */
const markers = ['bib_ref', 'fig_ref', 'bib', 'fig', 'table', 'formula'].flatMap(name => [`[${name}]`, `[/${name}]`]);

/** Ids 32017 and 32018 of the fine-tuned checkpoints. */
const chat = ['<|im_start|>', '<|im_end|>'];

/** What convert_hf_to_gguf.py writes as score of added tokens, and of those that fill a vocabulary up. */
const addedScore = -1000;
const unusedScore = -10_000;

const llama2 = 'ggml-vocab-llama-spm.gguf';
const files: Partial<Readonly<Record<RealName, string>>> = {
  'llama-3': 'ggml-vocab-llama-bpe.gguf',
  qwen2: 'ggml-vocab-qwen2.gguf',
};

/** What the files of Qwen2.5-Instruct say beside the vocabulary of the base. */
const qwenInstruct: readonly (readonly [string, Entry])[] = [
  ['tokenizer.ggml.eos_token_id', entry.u32(151_645)], // <|im_end|>
  ['tokenizer.ggml.add_bos_token', entry.bool(false)],
];

/**
 * The `tokenizer.*` metadata of a vocabulary, and its size.
 *
 * @throws MeditronError ERR_INPUT if llama.cpp's vocabulary file is not there
 */
export async function readVocabulary(
  name: VocabularyName,
  options: VocabularyOptions = {},
): Promise<{ readonly size: number; readonly metadata: Metadata }> {
  if (isSmall(name)) return filled(smallVocabularyOf(name).metadata, [], options.size);
  const path = `${options.folder === undefined ? defaultFolder : `${options.folder}/`}${files[name] ?? llama2}`;
  const base = await readBase(path);
  const metadata = new Map([...base].filter(([key]) => key.startsWith('tokenizer.')));
  if (name === 'qwen2') for (const [key, value] of qwenInstruct) metadata.set(key, value);
  return filled(metadata, addedTokens(name, options.added ?? 'converted'), options.size);
}

/** With tokens added, and unused ones behind them until there are `size`. */
function filled(
  base: Metadata,
  added: readonly { readonly text: string; readonly type: number }[],
  wanted: number | undefined,
): { readonly size: number; readonly metadata: Metadata } {
  const tokens = stringsAt(base, 'tokenizer.ggml.tokens')!;
  const before = tokens.length + added.length;
  const size = Math.max(before, wanted ?? 0);
  if (size === tokens.length) return { size, metadata: base };

  const unused = Array.from({ length: size - before }, (_, i) => `[PAD${before + i}]`);
  const texts: (string | Uint8Array)[] = Array.from({ length: tokens.length }, (_, id) => tokens.bytes(id));
  const metadata = new Map(base);
  const extend = (key: string, value: Entry): void => void metadata.set(`tokenizer.ggml.${key}`, value);
  extend('tokens', entry.strings([...texts, ...added.map(token => token.text), ...unused]));
  const types = numbersAt(base, 'tokenizer.ggml.token_type')!;
  extend(
    'token_type',
    entry.i32s(Int32Array.of(...types, ...added.map(token => token.type), ...unused.map(() => tokenTypes.unused))),
  );
  const scores = numbersAt(base, 'tokenizer.ggml.scores');
  if (scores) {
    const more = [...added.map(() => addedScore), ...unused.map(() => unusedScore)];
    extend('scores', entry.f32s(Float32Array.of(...scores, ...more)));
  }
  return { size, metadata };
}

async function readBase(path: string): Promise<Metadata> {
  try {
    return (await readGguf(path)).metadata;
  } catch (cause) {
    const advice = 'it is part of llama.cpp’s source tree: build once with `npm run build`, or name its folder';
    throw new MeditronError('ERR_INPUT', `The vocabulary ${path} cannot be read; ${advice}`, { cause });
  }
}

function addedTokens(name: RealName, added: AddedTypes): readonly { readonly text: string; readonly type: number }[] {
  if (!name.startsWith('meditron')) return [];
  const typed = (texts: readonly string[], converted: number): { text: string; type: number }[] =>
    texts.map(text => ({
      text,
      type: { converted, control: tokenTypes.control, 'user-defined': tokenTypes.userDefined }[added],
    }));
  const list = typed(specials, tokenTypes.control);
  if (name !== 'meditron-early') list.push(...typed(markers, tokenTypes.userDefined));
  if (name === 'meditron-chat') list.push(...chat.map(text => ({ text, type: tokenTypes.control })));
  return list;
}
