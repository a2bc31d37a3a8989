import { describe, expect, test } from 'vitest';
import { knownFiles } from '../../src/models/hashes.js';
import { formatForModel, isDemonstration, type ModelIdentity } from '../../src/models/known.js';
import { formatNames } from '../../src/prompt/format/format.js';

const chatTokens = { '<|im_start|>': 32017, '<|im_end|>': 32018, '<EOD>': 32002, '[bib_ref]': 32005 };
const baseTokens = { '<EOD>': 32002, '[bib_ref]': 32005 };
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
    ['our own', { name: 'meditron-mini 3M', file: 'x.gguf', tokens: chatTokens }, { format: 'chatml', by: 'name' }],
  ])('%s', (_, model, expected) => {
    expect(formatForModel(model)).toMatchObject(expected);
    expect(formatForModel(model).source).not.toBe('');
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
    ['Meditron3 on Qwen', { name: 'Meditron3-Qwen2.5-7B' }, /format jinja/],
    ['Meditron3 with a Llama-2 vocabulary', { name: 'Meditron3-8B', tokens: baseTokens }, /has no <\|eot_id\|>/],
    ['an unknown size', { name: 'meditron-13b' }, /is not known/],
  ])('%s is refused with the choices', (_, model, message) => {
    expect(() => formatForModel(model)).toThrow(
      expect.objectContaining({ code: 'ERR_PROMPT_FORMAT', message: expect.stringMatching(message) }),
    );
    expect(() => formatForModel(model)).toThrow(`Choose one: ${formatNames.join(', ')}`);
  });
});

test('the model that ships is known by its name or that of its file, and no other model is taken for it', () => {
  expect(isDemonstration(['meditron-mini clinical scores', '/models/x.gguf'])).toBe(true);
  expect(isDemonstration([null, '/models/meditron-mini.gguf'])).toBe(true);
  expect(isDemonstration(['LLaMA v2', 'meditron-7b.gguf', null])).toBe(false);
});
