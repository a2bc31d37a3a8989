import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { entry } from '../../src/gguf/metadata.js';
import { readGguf } from '../../src/gguf/reader.js';
import { tokenTypes } from '../../src/gguf/types.js';
import { bases } from '../../src/models/bases.js';
import { registry } from '../../src/models/registry.js';
import { type FamilyIdentity, familyOf, identityOf } from '../../src/panel/family.js';

const root = resolve(import.meta.dirname, '..', '..');
const identity = (names: readonly string[], rest: Partial<FamilyIdentity> = {}): FamilyIdentity => ({
  names,
  bases: [],
  architecture: 'llama',
  vocabularySha256: 'ab'.repeat(32),
  ...rest,
});

test.each([
  ['meditron-7b.Q4_K_M.gguf', 'llama-2'],
  ['epfl-llm_Meditron-70B.Q2_K.gguf', 'llama-2'],
  ['meditron-7b-chat.Q8_0.gguf', 'llama-2'],
  ['Meditron3-8B.i1-Q4_K_M.gguf', 'llama-3'],
  ['QuantFactory_Meditron3-8B-GGUF_Meditron3-8B.Q4_K_M.gguf', 'llama-3'],
  ['Llama-3-8B-Meditron-V1.0.Q4_K_M.gguf', 'llama-3'],
  ['Meta-Llama-3.1-8B-Instruct-Q4_K_M.gguf', 'llama-3'],
  ['Llama3-Med42-8B.Q4_K_M.gguf', 'llama-3'],
  ['Llama3-OpenBioLLM-70B.gguf', 'llama-3'],
  ['Meditron3-Qwen2.5-7B.Q4_K_M.gguf', 'qwen-2.5'],
  ['Qwen2.5-14B-Instruct-Q4_K_M.gguf', 'qwen-2.5'],
  ['Meditron3-Gemma2-9B.gguf', 'gemma-2'],
  ['Meditron3-Phi4-14B.Q4_K_M.gguf', 'phi-4'],
  ['Apertus-8B-MeditronFO.gguf', 'apertus'],
  ['EuroLLM-22B-MeditronFO.gguf', 'eurollm'],
  ['OLMo-2-32B-MeditronFO.gguf', 'olmo-2'],
  ['Gemma-3-27B-MeditronFO.gguf', 'gemma-3'],
  ['medgemma-4b-it-Q4_K_M.gguf', 'gemma-3'],
  ['BioMistral-7B.Q4_K_M.gguf', 'mistral'],
  ['PMC_LLaMA-13B.gguf', 'llama'],
  ['meditron-mini.gguf', 'meditron-mini'],
  ['meditron-mini-seed-2.gguf', 'meditron-mini'],
  ['our-meditron-mini-ward.gguf', 'meditron-mini'],
  ['QwQ-32B-Q4_K_M.gguf', 'qwen-2.5'],
  ['DeepSeek-R1-Distill-Qwen-7B-Q4_K_M.gguf', 'qwen-2.5'],
  ['DeepSeek-R1-Distill-Llama-8B.gguf', 'llama-3'],
  ['HuatuoGPT-o1-7B.Q4_K_M.gguf', 'qwen-2.5'],
  ['Qwen3-8B-Q4_K_M.gguf', 'qwen-3'],
  ['OLMo-3-7B-Instruct.gguf', 'olmo-3'],
  ['gemma-2-9b-ward.gguf', 'gemma-2'],
  ['Phi-3-mini-4k-instruct.gguf', 'phi-3'],
  ['Mixtral-8x7B-v0.1.gguf', 'mistral'],
  ['medalpaca-13b.gguf', 'llama'],
  ['stories15M.gguf', 'llama2.c-stories'],
])('%s is of the family %s', (file, family) => {
  expect(familyOf(identity([`/models/${file}`]))).toEqual({ name: family, by: 'name' });
});

test('a known model is of its base by the words of the base too, so that its fine-tunes are', () => {
  for (const { title, repository, base } of registry) {
    const name = `${repository?.split('/')[1] ?? title} tuned by somebody`;
    expect({ name, family: familyOf(identity([name])).name }).toEqual({ name, family: base });
  }
});

test('no two bases have a vocabulary in common, and one is assumed of an architecture', () => {
  const unique = (values: readonly unknown[]) => expect(values).toHaveLength(new Set(values).size);
  const all = Object.values(bases);
  unique(all.flatMap(({ vocabulary }) => vocabulary ?? []));
  unique(all.filter(({ assumed }) => assumed).map(({ architecture }) => architecture));
});

test('without a known name it is told by the base that the file names, by an architecture that one family has, or by a known vocabulary', () => {
  expect(familyOf(identity(['tuned'], { bases: ['https://huggingface.co/meta-llama/Llama-3.1-8B'] }))).toEqual({
    name: 'llama-3',
    by: 'base',
  });
  expect(familyOf(identity(['tuned'], { architecture: 'apertus' }))).toEqual({ name: 'apertus', by: 'architecture' });
});

test.each([
  ['models/meditron-mini.gguf', 'llama-2'],
  ['build/llama.cpp/models/ggml-vocab-llama-spm.gguf', 'llama-2'],
  ['build/llama.cpp/models/ggml-vocab-llama-bpe.gguf', 'llama-3'],
])('under another name, %s has the vocabulary of %s', async (path, family) => {
  const { names: _, ...found } = identityOf(await readGguf(resolve(root, path)));
  expect(familyOf({ names: ['x'], ...found })).toEqual({ name: family, by: 'vocabulary' });
});

test('a base that is not known counts once with all of the same architecture and vocabulary, unless its caller says otherwise', () => {
  const one = familyOf(identity(['x']));
  expect(one).toEqual({ name: 'llama-abababab', by: 'fingerprint' });
  expect(familyOf(identity(['y']))).toEqual(one);
  expect(familyOf(identity(['y'], { vocabularySha256: 'cd'.repeat(32) }))).not.toEqual(one);
  expect(familyOf(identity(['y'], { architecture: 'phi3' }))).not.toEqual(one);
  expect(familyOf(identity(['meditron-7b']), 'mine')).toEqual({ name: 'mine', by: 'caller' });
});

test('tokens that were added for chats change no vocabulary, other tokens do', () => {
  const file = (tokens: readonly string[], types: readonly number[]) => ({
    path: 'x',
    metadata: new Map([
      ['general.architecture', entry.string('llama')],
      ['tokenizer.ggml.tokens', entry.strings(tokens)],
      ['tokenizer.ggml.token_type', entry.i32s(Int32Array.from(types))],
    ]),
  });
  const { normal, control, userDefined } = tokenTypes;
  const base = identityOf(file(['a', 'b'], [normal, normal]));
  expect(identityOf(file(['a', 'b', '<x>', '<y>'], [normal, normal, control, userDefined]))).toEqual(base);
  expect(identityOf(file(['a', 'c'], [normal, normal]))).not.toEqual(base);
  expect(identityOf(file(['ab'], [normal]))).not.toEqual(base);
});

test('the guide lists the families', () => {
  const guide = readFileSync(resolve(root, 'docs', 'second-opinion.md'), 'utf8');
  for (const family of [
    'llama-2',
    'llama-3',
    'qwen-2.5',
    'gemma-2',
    'gemma-3',
    'phi-4',
    'apertus',
    'eurollm',
    'olmo-2',
    'mistral',
  ])
    expect(guide).toContain(`\`${family}\``);
});
