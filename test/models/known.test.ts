import { describe, expect, test } from 'vitest';
import { knownFiles } from '../../src/models/hashes.js';
import { formatForModel, isDemonstration, type ModelIdentity } from '../../src/models/known.js';
import { registry } from '../../src/models/registry.js';
import { formatNames } from '../../src/prompt/format/format.js';

const chatTokens = { '<|im_start|>': 32017, '<|im_end|>': 32018, '<EOD>': 32002, '[bib_ref]': 32005 };
const baseTokens = { '<EOD>': 32002, '[bib_ref]': 32005 };
const imTokens = { '<|im_start|>': 4, '<|im_end|>': 5 };
const apertusTokens = { '<|user_start|>': 65, '<|user_end|>': 66, '<|assistant_start|>': 67, '<|assistant_end|>': 68 };
const llama3Tokens = { '<|start_header_id|>': 128006, '<|eot_id|>': 128009 };

describe('formatForModel', () => {
  test('by the hash of a published file, whatever it is called', () => {
    const sha256 = '4b51ef2491cef2baac3156dcb1226408edb03a85eff69b2b5255e20de150d3ab';
    expect(formatForModel({ sha256, file: 'renamed.gguf' })).toMatchObject({
      format: 'few-shot',
      shots: 3,
      by: 'hash',
      source: 'Hugging Face TheBloke/meditron-7B-GGUF meditron-7b.Q4_0.gguf',
    });
    const chat = 'A7F909BAEDA3B84F51DB7D2339DE805FA3AC5CCF7B1F4AB10136160C0F3B35E8';
    expect(formatForModel({ sha256: chat })).toMatchObject({ format: 'alpaca', shots: 0 });
    const large = '9695002f2bfad13f0635bec41b390decb8bf8220b8eebb4081c9d109eae24764';
    expect(formatForModel({ sha256: large })).toMatchObject({ format: 'few-shot', shots: 5 });
    expect(Object.keys(knownFiles).every(hash => /^[0-9a-f]{64}$/.test(hash))).toBe(true);
  });

  test.each<[string, ModelIdentity, object]>([
    ['base 7B', { file: '/models/meditron-7b.Q4_K_M.gguf', name: 'LLaMA v2' }, { format: 'few-shot', shots: 3 }],
    ['base 7B, metadata', { name: 'epfl-llm_meditron-7b', tokens: baseTokens }, { format: 'few-shot', shots: 3 }],
    ['base 70B', { file: 'meditron-70b-q4_0.gguf' }, { format: 'few-shot', shots: 5 }],
    ['7B chat', { file: 'meditron-7b-chat.Q4_K_S.gguf', name: 'malhajar_meditron-7b-chat' }, { format: 'alpaca' }],
    ['Meditron3', { name: 'Meditron3 8B', tokens: llama3Tokens }, { format: 'llama-3' }],
    ['Llama-3-Meditron', { file: 'llama-3-8b-meditron.Q8_0.gguf' }, { format: 'llama-3' }],
    [
      'a task fine-tune',
      { file: 'mine-medqa.gguf', architecture: 'llama', tokens: chatTokens },
      { format: 'chatml', task: 'medqa' },
    ],
    ['a task fine-tune without a name', { tokens: chatTokens }, { format: 'chatml', by: 'vocabulary' }],
    [
      'MeditronFO',
      { file: 'Apertus-8B-MeditronFO-Q4_K_M.gguf', architecture: 'apertus' },
      { format: 'apertus', shots: 0 },
    ],
    ['EuroLLM', { name: 'EuroLLM 9B MeditronFO', tokens: imTokens }, { format: 'eurollm' }],
    ['OLMo', { file: 'OLMo-2-32B-MeditronFO.i1-Q4_K_M.gguf', architecture: 'olmo2', tokens: {} }, { format: 'olmo' }],
    ['Gemma', { file: 'Gemma-3-27B-MeditronFO.gguf', architecture: 'gemma3' }, { format: 'gemma' }],
    ['Qwen', { name: 'Meditron3-Qwen2.5-7B', tokens: imTokens, architecture: 'qwen2' }, { format: 'qwen' }],
    ['Phi', { name: 'Meditron3 Phi4 14B', architecture: 'phi3' }, { format: 'phi-4' }],
    ['Llama 3.1 itself', { name: 'Llama 3.1 8B Instruct' }, { format: 'llama-3.1' }],
    ['PMC-LLaMA', { file: 'PMC_LLaMA_13B.Q4_K_M.gguf' }, { format: 'pmc-llama' }],
    [
      'a model on Apertus',
      { architecture: 'apertus', tokens: apertusTokens },
      { format: 'apertus', by: 'vocabulary', facts: null },
    ],
    ...(['gemma2', 'gemma3'] as const).map(
      architecture =>
        [
          `a model on ${architecture}`,
          { architecture, tokens: { '<start_of_turn>': 5, '<end_of_turn>': 6 } },
          { format: 'gemma', model: `a model on gemma-${architecture.slice(-1)}, which one is not known` },
        ] as [string, ModelIdentity, object],
    ),
    ['our own', { name: 'meditron-mini 3M', file: 'x.gguf', tokens: chatTokens }, { format: 'chatml', by: 'name' }],
  ])('%s', (_, model, expected) => {
    expect(formatForModel(model)).toMatchObject(expected);
    expect(formatForModel(model).source).not.toBe('');
  });

  test('what is no identity is refused as such, whatever it is', () => {
    const texts = ['sha256', 'file', 'name', 'architecture', 'chatTemplate', 'bosToken', 'eosToken'];
    const wrong = [
      ...texts.flatMap(key => [null, 5, {}, ['x']].map(value => ({ file: 'Meditron3-8B.gguf', [key]: value }))),
      ...[null, 'x', { a: 'b' }, { a: 1.5 }, { a: -1 }].map(tokens => ({ tokens })),
      ...[null, '32', NaN, -1].map(layers => ({ layers })),
    ];
    for (const model of [null, 'meditron-7b', ...wrong])
      expect(() => formatForModel(model as never), JSON.stringify(model)).toThrow(
        expect.objectContaining({ code: 'ERR_OPTION' }),
      );
  });

  test.each<[string, ModelIdentity, RegExp]>([
    ['nothing known', {}, /is not known/],
    ['another model', { name: 'mistral-7b', file: 'mistral.gguf' }, /"mistral-7b", "mistral.gguf".*is not known/],
    ['stories', { name: 'stories260K', file: 'stories260K.gguf' }, /children's stories/],
    ['a base name with chat tokens', { name: 'meditron-7b', tokens: chatTokens }, /has chat tokens/],
    ['a base name with a template', { name: 'meditron-7b', chatTemplate: '{{x}}' }, /has a chat template/],
    ['a base name on a fine-tune', { name: 'meditron-7b', file: 'meditron-7b-medqa-sft.gguf' }, /a fine-tune of it/],
    [
      'metadata against file name',
      { name: 'meditron-7b', file: 'meditron-70b.Q4_0.gguf' },
      /metadata says MEDITRON-7B.*70B/,
    ],
    ['chat tokens elsewhere', { tokens: { '<|im_start|>': 151644, '<|im_end|>': 151645 } }, /is not known/],
    ['chat tokens for other roles', { tokens: chatTokens, chatTemplate: '<|im_start|>user' }, /is not known/],
    ['our name without chat tokens', { name: 'meditron-mini', tokens: baseTokens }, /has no <\|im_start\|>/],
    [
      'an architecture of another model',
      { name: 'Meditron3-8B', architecture: 'qwen2' },
      /architecture is llama.*own is qwen2/,
    ],
    [
      'a fine-tune that kept one name',
      { name: 'Meditron3 8B Triage', file: 'Meditron3-8B.gguf' },
      /of a fine-tune of it/,
    ],
    [
      'a tune of another model that kept its name',
      { name: 'Qwen2.5 7B Instruct', file: 'meditron-triage.Q4_K_M.gguf', tokens: imTokens },
      /of a fine-tune of it/,
    ],
    ...(['<|eot_id|>', '<start_of_turn>', '<|user_start|>', '<|im_sep|>'] as const).map(
      mark =>
        [
          `a base name on a vocabulary with ${mark}`,
          { file: 'meditron-7b.gguf', architecture: 'llama', tokens: { [mark]: 9 } },
          /vocabulary has .*, as models on other bases have/,
        ] as [string, ModelIdentity, RegExp],
    ),
    [
      'a later name on the vocabulary of the first',
      { file: 'Meditron3-Qwen2.5-7B.gguf', tokens: { ...imTokens, '[bib_ref]': 32_005 } },
      /vocabulary has \[bib_ref\]/,
    ],
    ['a model without a format', { file: 'med42-70b.Q4_K_M.gguf' }, /<\|prompter\|>/],
    ['Apertus without its tokens', { name: 'Apertus-8B-MeditronFO', tokens: baseTokens }, /has no <\|user_start\|>/],
    [
      'Qwen by its vocabulary',
      { architecture: 'qwen2', tokens: { '<|im_start|>': 151644, '<|im_end|>': 151645 } },
      /is not known/,
    ],
    ['Meditron3 with a Llama-2 vocabulary', { name: 'Meditron3-8B', tokens: baseTokens }, /has no <\|eot_id\|>/],
    ['an unknown size', { name: 'meditron-13b' }, /is not known/],
  ])('%s is refused with the choices', (_, model, message) => {
    expect(() => formatForModel(model)).toThrow(
      expect.objectContaining({ code: 'ERR_PROMPT_FORMAT', message: expect.stringMatching(message) }),
    );
    expect(() => formatForModel(model)).toThrow(`Choose one: ${formatNames.join(', ')}`);
  });
});

describe('what is said of a choice', () => {
  test('a name alone is said to be one, and what agrees with it stands before', () => {
    const alone = formatForModel({ file: 'Apertus-8B-MeditronFO.gguf' });
    expect(alone.reasons).toEqual([
      expect.stringMatching(/^The name in its file .* by a name alone, which does not identify weights$/),
    ]);
    const agreed = formatForModel({
      file: 'Apertus-8B-MeditronFO.gguf',
      architecture: 'apertus',
      tokens: apertusTokens,
    });
    expect(agreed.reasons).toHaveLength(3);
    expect(agreed.reasons.join()).toMatch(
      /architecture is apertus.*vocabulary has <\|user_start\|>.*by itself does not identify/,
    );
    expect([...alone.warnings, ...agreed.warnings]).toEqual([]);
  });

  test('facts tell trained context, sampling with its source, licence, and what is unknown', () => {
    const { facts } = formatForModel({ file: 'Apertus-8B-MeditronFO.gguf' });
    expect(facts).toMatchObject({
      ...{ id: 'apertus-8b-meditronfo', line: 'meditron', base: 'apertus', licence: 'Apache 2.0' },
      trainedContext: { tokens: 4096, source: 'arXiv 2605.16215' },
      sampling: { temperature: 0.7, maxTokens: 2048 },
    });
    expect(facts!.unknown.join()).toMatch(/replaced on 2026-10-06/);
  });

  test('layers that the published weights do not have are a warning', () => {
    const { warnings } = formatForModel({ file: 'meditron-7b.gguf', layers: 2 });
    expect(warnings).toEqual([expect.stringMatching(/has 32 layers, and has 2/)]);
    expect(formatForModel({ file: 'meditron-7b.gguf', layers: 32 }).warnings).toEqual([]);
  });

  test('every model has a source, a licence and a prompt format, or a reason why not', () => {
    for (const known of registry) {
      expect(
        [known.source, known.licence, known.trainedFor].every(text => text.length > 2),
        known.id,
      ).toBe(true);
      expect(known.format === null, known.id).toBe(known.refusal !== undefined);
      if (known.format !== null) expect(formatNames).toContain(known.format);
      if (known.sampling) expect(known.sampling.source).not.toBe('');
      expect(registry.filter(({ pattern }) => pattern.test(known.id)).length, known.id).toBeLessThanOrEqual(1);
    }
  });
});

test('the model that ships is known by its name or that of its file, and no other model is taken for it', () => {
  expect(isDemonstration(['meditron-mini clinical scores', '/models/x.gguf'])).toBe(true);
  expect(isDemonstration([null, '/models/meditron-mini.gguf'])).toBe(true);
  expect(isDemonstration(['LLaMA v2', 'meditron-7b.gguf', null])).toBe(false);
});
