import { createRequire } from 'node:module';
import { booleanAt, type Metadata, numbersAt, stringAt, stringsAt } from '../../src/gguf/metadata.js';
import { tokenTypes } from '../../src/gguf/types.js';

/** How texts are split before BPE, as the families' tokenizer.json have it, by llama.cpp's name. */
const gpt4 = String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;
const upper = String.raw`\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}`;
const lower = String.raw`\p{Ll}\p{Lm}\p{Lo}\p{M}`;
const splits: Readonly<Record<string, string>> = {
  'llama-bpe': gpt4,
  dbrx: gpt4,
  qwen2: gpt4.replace('{1,3}', ''),
  tekken: String.raw`[^\r\n\p{L}\p{N}]?[${upper}]*[${lower}]+|[^\r\n\p{L}\p{N}]?[${upper}]+[${lower}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
};

interface Foreign {
  encode(text: string, options: { readonly add_special_tokens: boolean }): { readonly ids: number[] };
}

/** The vocabulary of a model file, read by Hugging Face's tokenizers: every spelling of a special token is one, wherever it stands. */
export function foreignTokenizer(metadata: Metadata): (text: string) => number[] {
  const { Tokenizer } = createRequire(import.meta.url)('@huggingface/tokenizers') as {
    readonly Tokenizer: new (json: object, config: object) => Foreign;
  };
  const tokens = textsAt(metadata, 'tokenizer.ggml.tokens');
  const bpe = stringAt(metadata, 'tokenizer.ggml.model') === 'gpt2';
  const json = {
    ...(bpe ? byteLevel(metadata, tokens) : sentencePiece(metadata, tokens)),
    added_tokens: specialsOf(metadata).map(token => ({
      ...token,
      ...{ special: true, normalized: false, lstrip: false, rstrip: false, single_word: false },
    })),
    post_processor: null,
  };
  const tokenizer = new Tokenizer(json, {});
  return text => tokenizer.encode(text, { add_special_tokens: false }).ids;
}

/** Special tokens of a vocabulary. */
export function specialsOf(metadata: Metadata): { readonly id: number; readonly content: string }[] {
  const types = numbersAt(metadata, 'tokenizer.ggml.token_type')!;
  const special: readonly number[] = [tokenTypes.control, tokenTypes.userDefined, tokenTypes.unknown];
  return textsAt(metadata, 'tokenizer.ggml.tokens').flatMap((content, id) =>
    special.includes(types[id]!) ? [{ id, content }] : [],
  );
}

function textsAt(metadata: Metadata, key: string): string[] {
  const texts = stringsAt(metadata, key)!;
  return Array.from({ length: texts.length }, (_, i) => texts.at(i));
}

function idsOf(tokens: readonly string[]): Record<string, number> {
  return Object.fromEntries(tokens.map((token, id) => [token, id]));
}

function byteLevel(metadata: Metadata, tokens: readonly string[]): object {
  const pre = stringAt(metadata, 'tokenizer.ggml.pre')!;
  const split = { type: 'Split', pattern: { Regex: splits[pre]! }, behavior: 'Isolated', invert: false };
  return {
    normalizer: null,
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [split, { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false }],
    },
    model: {
      type: 'BPE',
      vocab: idsOf(tokens),
      merges: textsAt(metadata, 'tokenizer.ggml.merges').map(pair => pair.split(' ')),
      ignore_merges: pre === 'llama-bpe',
    },
    decoder: { type: 'ByteLevel' },
  };
}

/** Hugging Face's own conversion of SentencePiece: of each piece every pair that makes it up, the best piece first. */
function sentencePiece(metadata: Metadata, tokens: readonly string[]): object {
  const scores = numbersAt(metadata, 'tokenizer.ggml.scores')!;
  const types = numbersAt(metadata, 'tokenizer.ggml.token_type')!;
  const vocab = idsOf(tokens);
  const normal = (text: string) => vocab[text] !== undefined && types[vocab[text]] === tokenTypes.normal;
  const merges = tokens
    .map((piece, id) => ({ piece, id }))
    .filter(({ piece }) => normal(piece))
    .sort((a, b) => scores[b.id]! - scores[a.id]! || a.id - b.id)
    .flatMap(({ piece }) => {
      const letters = Array.from(piece);
      const cuts = letters.slice(1).map((_, i) => [letters.slice(0, i + 1).join(''), letters.slice(i + 1).join('')]);
      return cuts.filter(([left, right]) => normal(left!) && normal(right!));
    });
  const spaces = { type: 'Replace', pattern: { String: ' ' }, content: '▁' };
  const prefixed = booleanAt(metadata, 'tokenizer.ggml.add_space_prefix') ?? true;
  return {
    normalizer: {
      type: 'Sequence',
      normalizers: prefixed ? [{ type: 'Prepend', prepend: '▁' }, spaces] : [spaces],
    },
    pre_tokenizer: null,
    model: { type: 'BPE', vocab, merges, byte_fallback: true, fuse_unk: true, unk_token: '<unk>' },
    decoder: null,
  };
}
