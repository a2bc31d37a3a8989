import type { Checklist } from './checklist.js';
import { booleanAt, type Metadata, numbersAt, stringAt, stringsAt, typeText } from './metadata.js';
import type { Strings } from './strings.js';
import { tokenTypes } from './types.js';

/** Keys of special tokens that llama.cpp reads (llama-arch.cpp). An id outside the vocabulary is silently replaced there. */
export const specialTokenKeys: ReadonlyMap<string, string> = new Map(
  Object.entries({
    bos: 'bos_token_id',
    eos: 'eos_token_id',
    eot: 'eot_token_id',
    eom: 'eom_token_id',
    unk: 'unknown_token_id',
    sep: 'seperator_token_id',
    pad: 'padding_token_id',
    cls: 'cls_token_id',
    mask: 'mask_token_id',
    fimPre: 'fim_pre_token_id',
    fimSuf: 'fim_suf_token_id',
    fimMid: 'fim_mid_token_id',
    fimPad: 'fim_pad_token_id',
    fimRep: 'fim_rep_token_id',
    fimSep: 'fim_sep_token_id',
    prefix: 'prefix_token_id',
    suffix: 'suffix_token_id',
    middle: 'middle_token_id',
  }).map(([name, key]) => [name, `tokenizer.ggml.${key}`]),
);

/** Pre-tokenizers of the models this engine is for and of their common fine-tunes; llama.cpp knows more. */
const preTokenizers: ReadonlySet<string> = new Set([
  'default',
  'llama3',
  'llama-v3',
  'llama-bpe',
  'qwen2',
  'deepseek-r1-qwen',
  'gpt-2',
  'gpt-4o',
  'phi-2',
  'dbrx',
  'olmo',
  'tekken',
  'pixtral',
  'smaug-bpe',
  'stablelm2',
  'starcoder',
  'smollm',
  'falcon3',
]);

/** Those of them that put a BOS first unless the file says no. */
const withBos: ReadonlySet<string> = new Set(['llama3', 'llama-v3', 'llama-bpe', 'tekken', 'pixtral', 'falcon3']);

/** Ids that llama.cpp takes when a file names none (llama-vocab.cpp): SentencePiece 1 and 2, byte-level BPE 11. */
const defaultIds = { llama: { bos: 1, eos: 2, unk: 0 }, gpt2: { bos: 11, eos: 11 } } as const;

/** What the two that decide where a text begins and ends are called in a SentencePiece vocabulary that may leave out their ids. */
const defaultNames: Readonly<Record<string, string>> = { bos: '<s>', eos: '</s>' };

/** Checks the vocabulary of a model of an architecture; its size, or undefined if it cannot be used. */
export function checkTokenizer(list: Checklist, metadata: Metadata, architecture: string): number | undefined {
  const before = list.problems.length;
  const model = stringAt(metadata, 'tokenizer.ggml.model');
  if (model !== 'llama' && model !== 'gpt2') {
    const got = model === undefined ? 'no such key' : JSON.stringify(model);
    const wanted = 'tokenizer.ggml.model to be "llama" (SentencePiece) or "gpt2" (byte-level BPE)';
    list.unsupported(wanted, got, 'other kinds of vocabulary are not supported');
    return undefined;
  }
  const tokens = stringsAt(metadata, 'tokenizer.ggml.tokens');
  if (tokens === undefined || tokens.length === 0) {
    list.damaged('tokenizer.ggml.tokens to be a list of strings', tokens === undefined ? 'none' : 'an empty one');
    return undefined;
  }

  const ids = checkUnique(list, tokens);
  checkLists(list, metadata, model, tokens.length);
  const pre = metadata.get('tokenizer.ggml.pre');
  if (pre !== undefined && pre.type !== 'string') list.damaged('tokenizer.ggml.pre to be a string', typeText(pre));
  else if (model === 'llama') checkBytes(list, ids);
  else checkByteLevel(list, metadata);
  checkSpecials(list, metadata, model, tokens);
  checkSwitches(list, metadata, model, architecture);
  return list.problems.length > before ? undefined : tokens.length;
}

/**
 * llama.cpp asserts that all tokens differ; empty ones it renames to `[EMPTY_id]`. It reads them as C strings, so one with a NUL
 * would be another token.
 */
function checkUnique(list: Checklist, tokens: Strings): ReadonlyMap<string, number> {
  const ids = new Map<string, number>();
  for (let i = 0; i < tokens.length; i++) {
    const key = tokens.key(i) || `[EMPTY_${i}]`;
    if (key.includes('\0')) {
      list.damaged('tokens without NUL, which llama.cpp cuts them at', `${JSON.stringify(tokens.at(i))} for id ${i}`);
      return ids;
    }
    const twin = ids.get(key);
    if (twin !== undefined) {
      list.damaged('all tokens to differ', `${JSON.stringify(tokens.at(i))} for both ids ${twin} and ${i}`);
      return ids;
    }
    ids.set(key, i);
  }
  return ids;
}

function checkLists(list: Checklist, metadata: Metadata, model: 'llama' | 'gpt2', size: number): void {
  const scores = checkList(list, metadata, 'scores', ['f32', 'i32'], size, model === 'llama');
  const bad = scores?.findIndex(score => !Number.isFinite(score)) ?? -1;
  if (bad >= 0) list.damaged('all token scores to be finite', `${scores?.[bad]} for token ${bad}`);

  // Without types no token is special: text would spell them, and prompts would not.
  const types = checkList(list, metadata, 'token_type', ['i32'], size, true);
  const odd = types?.findIndex(type => type < tokenTypes.normal || type > tokenTypes.byte) ?? -1;
  if (odd >= 0) list.damaged('token types from 1 to 6', `${types?.[odd]} for token ${odd}`);
}

function checkList(
  list: Checklist,
  metadata: Metadata,
  name: string,
  items: readonly string[],
  size: number,
  required: boolean,
): readonly number[] | Int32Array | Float32Array | undefined {
  const key = `tokenizer.ggml.${name}`;
  const found = metadata.get(key);
  if (found === undefined && !required) return undefined;
  const values = numbersAt(metadata, key);
  const fits = found?.type === 'array' && items.includes(found.items) && values?.length === size;
  if (fits) return values as Int32Array | Float32Array;
  const got = found === undefined ? 'no such key' : `${typeText(found)}${values ? ` of ${values.length}` : ''}`;
  list.damaged(`${key} to be an array of ${size} ${items.join(' or ')}, one for each token`, got);
  return undefined;
}

/** SentencePiece spells text outside its vocabulary in bytes; a byte without a token ends the process. */
function checkBytes(list: Checklist, ids: ReadonlyMap<string, number>): void {
  for (let byte = 0; byte < 256; byte++) {
    const name = `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
    if (ids.has(name) || ids.has(String.fromCharCode(byte))) continue;
    list.damaged('a token for each of the 256 bytes', `none for ${name}`);
    return;
  }
}

function checkByteLevel(list: Checklist, metadata: Metadata): void {
  const pre = metadata.get('tokenizer.ggml.pre');
  if (pre === undefined) {
    list.damaged(
      'tokenizer.ggml.pre to name how a "gpt2" vocabulary splits text',
      'no such key; without it llama.cpp guesses and the text is split wrongly',
      'convert the model again with a current convert_hf_to_gguf.py',
    );
  } else if (pre.type !== 'string' || !preTokenizers.has(pre.value)) {
    const got = pre.type === 'string' ? JSON.stringify(pre.value) : typeText(pre);
    list.unsupported(`tokenizer.ggml.pre to be one of ${[...preTokenizers].join(', ')}`, got, 'use another model');
  }
  const merges = metadata.get('tokenizer.ggml.merges');
  if (merges?.type === 'array' && merges.items === 'string') return;
  list.damaged('tokenizer.ggml.merges to be a list of strings', merges === undefined ? 'none' : typeText(merges));
}

function checkSpecials(list: Checklist, metadata: Metadata, model: 'llama' | 'gpt2', tokens: Strings): void {
  const size = tokens.length;
  for (const [name, key] of specialTokenKeys) {
    const found = metadata.get(key);
    if (found === undefined) checkDefault(list, metadata, model, tokens, name, key);
    else if (found.type !== 'u32' || found.value >= size) {
      const got = found.type === 'u32' ? `${found.value}` : typeText(found);
      list.damaged(`${key} to be the id of a token, from 0 to ${size - 1} (u32)`, got);
    }
  }
}

/** llama.cpp takes an id of its own where a file names none. It has to be the one that is meant. */
function checkDefault(
  list: Checklist,
  metadata: Metadata,
  model: 'llama' | 'gpt2',
  tokens: Strings,
  name: string,
  key: string,
): void {
  const id: number = (defaultIds[model] as Readonly<Record<string, number>>)[name] ?? 0;
  const named = defaultNames[name];
  if (id >= tokens.length) {
    list.damaged(`${key} to be given, as the vocabulary has only ${tokens.length} tokens`, 'no such key');
  } else if (model === 'llama' && named !== undefined && tokens.at(id) !== named) {
    list.damaged(`${key} to be given, as token ${id} is not ${named}`, 'no such key');
  } else if (model === 'gpt2' && (name === 'eos' || (name === 'bos' && beginsWithBos(metadata)))) {
    list.damaged(`${key} to be given, as a byte-level vocabulary has no usual one`, 'no such key');
  }
}

/** Whether texts begin with a BOS. Where the file does not say, llama.cpp goes by how text is split. */
function beginsWithBos(metadata: Metadata): boolean {
  const pre = stringAt(metadata, 'tokenizer.ggml.pre') ?? '';
  return booleanAt(metadata, 'tokenizer.ggml.add_bos_token') ?? withBos.has(pre);
}

function checkSwitches(list: Checklist, metadata: Metadata, model: 'llama' | 'gpt2', architecture: string): void {
  for (const name of ['add_bos_token', 'add_eos_token', 'add_space_prefix']) {
    const key = `tokenizer.ggml.${name}`;
    const found = metadata.get(key);
    if (found !== undefined && booleanAt(metadata, key) === undefined) {
      list.damaged(`${key} to be true or false (bool)`, typeText(found));
    } else if (
      found === undefined &&
      name === 'add_space_prefix' &&
      model === 'llama' &&
      architecture.startsWith('gemma')
    ) {
      list.damaged(`${key} to be given: without it llama.cpp puts a space before texts`, 'no such key');
    }
  }
}
