import { fileURLToPath } from 'node:url';
import { MeditronError } from '../check/errors.js';
import { type Entry, entry, type Metadata, numbersAt, stringsAt } from '../gguf/metadata.js';
import { readGguf } from '../gguf/reader.js';
import { tokenTypes } from '../gguf/types.js';

/**
 * `llama-2`: 32,000 pieces. `meditron-early`: with `<CLS>` to `<PAD>`, 32,005. `meditron`: with the document markers
 * too, 32,017. `meditron-chat`: with the two ChatML tokens of fine-tunes, 32,019. `llama-3`: 128,256.
 */
export const vocabularyNames = ['meditron', 'meditron-chat', 'meditron-early', 'llama-2', 'llama-3'] as const;

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
}

/** Where a build puts llama.cpp's own vocabulary files. */
const defaultFolder = fileURLToPath(new URL('../../build/llama.cpp/models/', import.meta.url));

/** Ids 32000 to 32004, in this order (epfLLM/Megatron-LLM, tokenizer.py; added_tokens.json of published fine-tunes). */
const specials = ['<CLS>', '<SEP>', '<EOD>', '<MASK>', '<PAD>'];

/** Ids 32005 to 32016 (epfLLM/meditron, gap-replay/tokenize.sh, --vocab_extra_ids_list). */
const markers = ['bib_ref', 'fig_ref', 'bib', 'fig', 'table', 'formula'].flatMap(name => [`[${name}]`, `[/${name}]`]);

/** Ids 32017 and 32018 of the fine-tuned checkpoints. */
const chat = ['<|im_start|>', '<|im_end|>'];

/** What convert_hf_to_gguf.py writes as score of added tokens. */
const addedScore = -1000;

/**
 * The `tokenizer.*` metadata of a vocabulary, and its size.
 *
 * @throws MeditronError ERR_INPUT if llama.cpp's vocabulary file is not there
 */
export async function readVocabulary(
  name: VocabularyName,
  options: VocabularyOptions = {},
): Promise<{ readonly size: number; readonly metadata: Metadata }> {
  const file = name === 'llama-3' ? 'ggml-vocab-llama-bpe.gguf' : 'ggml-vocab-llama-spm.gguf';
  const path = options.folder === undefined ? `${defaultFolder}${file}` : `${options.folder}/${file}`;
  const base = await readBase(path);
  const metadata = new Map([...base].filter(([key]) => key.startsWith('tokenizer.')));
  const tokens = stringsAt(metadata, 'tokenizer.ggml.tokens')!;
  const added = addedTokens(name, options.added ?? 'converted');
  if (added.length === 0) return { size: tokens.length, metadata };

  const texts: (string | Uint8Array)[] = Array.from({ length: tokens.length }, (_, id) => tokens.bytes(id));
  const scores = numbersAt(metadata, 'tokenizer.ggml.scores')!;
  const types = numbersAt(metadata, 'tokenizer.ggml.token_type')!;
  const replace = (key: string, value: Entry): void => void metadata.set(`tokenizer.ggml.${key}`, value);
  replace('tokens', entry.strings([...texts, ...added.map(token => token.text)]));
  replace('scores', entry.f32s(Float32Array.of(...scores, ...added.map(() => addedScore))));
  replace('token_type', entry.i32s(Int32Array.of(...types, ...added.map(token => token.type))));
  return { size: texts.length + added.length, metadata };
}

async function readBase(path: string): Promise<Metadata> {
  try {
    return (await readGguf(path)).metadata;
  } catch (cause) {
    const advice = 'it is part of llama.cpp’s source tree: build once with `npm run build`, or name its folder';
    throw new MeditronError('ERR_INPUT', `The vocabulary ${path} cannot be read; ${advice}`, { cause });
  }
}

function addedTokens(
  name: VocabularyName,
  added: AddedTypes,
): readonly { readonly text: string; readonly type: number }[] {
  if (name === 'llama-2' || name === 'llama-3') return [];
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
