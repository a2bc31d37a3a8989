import { describe, expect, test } from 'vitest';
import { type Entry, entry } from '../../src/gguf/metadata.js';
import type { GgufFile } from '../../src/gguf/reader.js';
import { findProblems } from '../../src/gguf/validate.js';
import type { ShapeName } from '../../src/synth/shapes.js';
import { planModel } from '../../src/synth/synth.js';

// Of a model in small of every architecture of the family: what may be missing, and what that means.
const families = [
  ...(['tiny-apertus', 'tiny-eurollm', 'tiny-gemma2', 'tiny-gemma3', 'tiny-olmo2', 'tiny-phi3', 'tiny-qwen2'] as const),
] satisfies ShapeName[];

/** Keys that say what a file is and decide nothing that is computed. */
const told =
  /^general\.(type|name|description|file_type|quantization_version)$|\.vocab_size$|^tokenizer\.chat_template$/;
/** Keys for which llama.cpp takes what the model has when they are missing. */
const usual = new Set([
  'rope.dimension_count', // the head size
  'rope.scaling.original_context_length', // the trained context
  'attention.sliding_window_pattern', // the architecture's period
  'attn_logit_softcapping', // Gemma 2's
  'final_logit_softcapping',
]);
const usualTokens = new Set(['tokenizer.ggml.padding_token_id', 'tokenizer.ggml.unknown_token_id']);

function mayBeMissing(key: string, metadata: ReadonlyMap<string, Entry>): boolean {
  const architecture = String(metadata.get('general.architecture')!.value);
  const sentencePiece = metadata.get('tokenizer.ggml.model')!.value === 'llama';
  if (told.test(key) || usualTokens.has(key)) return true;
  if (key.startsWith(`${architecture}.`) && usual.has(key.slice(architecture.length + 1))) return true;
  switch (key) {
    case 'gemma2.attention.sliding_window': // llama.cpp's default
    case 'phi3.attention.sliding_window': // not used
      return true;
    case 'llama.rope.freq_base': // 10,000 of Llama 2
    case 'tokenizer.ggml.pre': // of byte-level vocabularies
      return sentencePiece;
    case 'tokenizer.ggml.add_space_prefix':
      return architecture === 'llama';
    case 'tokenizer.ggml.add_bos_token': // each vocabulary's own default
      return true;
    case 'tokenizer.ggml.bos_token_id':
      return (
        metadata.get('tokenizer.ggml.add_bos_token')?.value === false || (sentencePiece && architecture === 'llama')
      );
    case 'tokenizer.ggml.eos_token_id': // </s>, which ends a text beside <|im_end|>
      return sentencePiece && architecture === 'llama';
    default:
      return false;
  }
}

/** A model without an output matrix has the token embedding for one, in some architectures. */
const mayBeTied = (name: string): boolean => name === 'output.weight';

/** A key's own value, spoiled: another type, and what of its type cannot be. */
function spoiled(value: Entry): Entry[] {
  if (value.type === 'string') return [entry.u32(1)];
  if (value.type === 'bool') return [entry.string('yes'), entry.u32(1)];
  if (value.type === 'f32') return [entry.string('1'), entry.f32(Number.NaN), entry.f32(-1), entry.f32(Infinity)];
  if (value.type === 'u32') return [entry.string('1'), entry.f32(1.5), entry.u32(2 ** 32 - 1)];
  const other = entry.strings(['x']);
  return value.type === 'array' && value.items === 'string' ? [entry.u32(1)] : [other, entry.f32s(new Float32Array(1))];
}

describe.each(families)('%s', async shape => {
  const { metadata, tensors } = await planModel({
    ...{ shape, quant: 'f16' },
    ...(shape === 'tiny-qwen2' && { vocabulary: 'phi-4' as const }), // its own takes long to check
  });
  const infos = tensors.map(tensor => ({ ...tensor, offset: 0, bytes: 0, part: 0 }));
  const problems = (change: Partial<GgufFile>) =>
    findProblems({ path: 'tiny.gguf', version: 3, metadata, tensors: infos, parts: [], ...change });
  const typed = /^ERR_MODEL_(FORMAT|UNSUPPORTED)$/;

  test('is sound', () => {
    expect(problems({})).toEqual([]);
  });

  test('every tensor is needed, in its shape; the first that is wrong is named', () => {
    for (const { name, dimensions } of infos) {
      for (const tensors of [
        ...(mayBeTied(name) ? [] : [infos.filter(tensor => tensor.name !== name)]),
        infos.map(tensor => (tensor.name === name ? { ...tensor, dimensions: [...dimensions, 3] } : tensor)),
        infos.map(tensor => (tensor.name === name ? { ...tensor, dimensions: dimensions.with(0, 3) } : tensor)),
      ]) {
        const [first] = problems({ tensors });
        expect([name, first?.code]).toEqual([name, 'ERR_MODEL_FORMAT']);
        // Without the fused matrix of queries, keys and values the three are looked for.
        expect(first!.message).toContain(
          name.replace('attn_qkv', tensors.length < infos.length ? 'attn_q' : 'attn_qkv'),
        );
      }
    }
  });

  test('every key is needed, but for those whose default is what the model has', () => {
    for (const key of metadata.keys()) {
      const without = new Map([...metadata].filter(([name]) => name !== key));
      const found = problems({ metadata: without });
      expect([key, found.length === 0]).toEqual([key, mayBeMissing(key, metadata)]);
      for (const { code } of found) expect(code).toMatch(typed);
    }
  });

  test('a key that says something else is refused, unless nothing is computed from it', () => {
    for (const [key, value] of metadata) {
      if (told.test(key)) continue;
      for (const wrong of spoiled(value)) {
        const [first] = problems({ metadata: new Map([...metadata, [key, wrong]]) });
        expect([key, wrong.value, first?.code]).toEqual([key, wrong.value, expect.stringMatching(typed)]);
      }
    }
  });
});

test('a cap of scores or logits, which they are divided by, is never 0, but for the logits of Gemma 3, where that means none', async () => {
  for (const [shape, key, sound] of [
    ['tiny-gemma2', 'gemma2.attn_logit_softcapping', false],
    ['tiny-gemma2', 'gemma2.final_logit_softcapping', false],
    ['tiny-gemma3', 'gemma3.attn_logit_softcapping', false],
    ['tiny-gemma3', 'gemma3.final_logit_softcapping', true],
  ] as const) {
    const { metadata, tensors } = await planModel({ shape, quant: 'f16' });
    const infos = tensors.map(tensor => ({ ...tensor, offset: 0, bytes: 0, part: 0 }));
    const capped = new Map([...metadata, [key, entry.f32(0)]]);
    const found = findProblems({ path: 'x.gguf', version: 3, metadata: capped, tensors: infos, parts: [] });
    expect([key, found.length === 0]).toEqual([key, sound]);
  }
});
