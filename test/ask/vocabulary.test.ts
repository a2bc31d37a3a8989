import { expect, test } from 'vitest';
import { vocabularyWarnings } from '../../src/ask/prompts.js';
import { formats } from '../../src/prompt/format/formats.js';
import { jinjaFormat } from '../../src/prompt/format/jinja.js';
import { buildPrompt } from '../../src/prompt/prompt.js';
import { FakeEngine } from './fake.js';

/** The special tokens that each format is made of or ends in; the first model has them all, the second none. */
const made: Readonly<Record<string, readonly string[]>> = {
  chatml: ['<|im_start|>', '<|im_end|>', '</s>'],
  medical: ['<|im_start|>', '<|im_end|>', '</s>'],
  raw: ['</s>'],
  'few-shot': ['</s>'],
  'one-shot': ['</s>'],
  'zero-shot': ['</s>'],
  alpaca: ['</s>'],
  'llama-2': ['</s>'],
  'llama-3': ['<|start_header_id|>', '<|end_header_id|>', '<|eot_id|>'],
  'llama-3.1': ['<|start_header_id|>', '<|end_header_id|>', '<|eot_id|>'],
  apertus: [
    ...['system', 'developer', 'user'].flatMap(role => [`<|${role}_start|>`, `<|${role}_end|>`]),
    ...['<|assistant_start|>', '<|assistant_end|>'],
  ],
  eurollm: ['<|im_start|>', '<|im_end|>'],
  gemma: ['<start_of_turn>', '<end_of_turn>'],
  mistral: ['</s>'],
  olmo: ['<|endoftext|>'],
  'phi-4': ['<|im_start|>', '<|im_sep|>', '<|im_end|>'],
  'pmc-llama': ['</s>'],
  qwen: ['<|im_start|>', '<|im_end|>'],
  jinja: ['<start_of_turn>', '<end_of_turn>'],
};
const gemma = jinjaFormat(
  "{% for m in messages %}{{ '<start_of_turn>' + m['role'] + '\\n' + m['content'] + '<end_of_turn>\\n' }}{% endfor %}{{ '<start_of_turn>model\\n' }}",
  { timeout: 60_000, eosToken: '<end_of_turn>' },
);

test.each([...formats, gemma].map(format => [format.name, format] as const))(
  'a vocabulary without the tokens of %s is warned of, one with them is not',
  async (name, format) => {
    const prompt = buildPrompt(format, {
      question: { kind: 'choice', question: 'Q?', options: ['a [INST] <s>', 'b'] },
      mode: 'cot',
      protocol: 'strict',
    });
    const { model } = new FakeEngine([]);
    const tokens = made[name]!;
    const knowing = {
      info: { ...model.info, ends: tokens.map((_, i) => i) },
      special: async (text: string) => (tokens.includes(text) ? tokens.indexOf(text) : undefined),
    };
    expect(await vocabularyWarnings(knowing, prompt)).toEqual([]);
    const warnings = await vocabularyWarnings({ ...knowing, special: async () => undefined }, prompt);
    expect(warnings.length).toBeGreaterThan(0);
    for (const warning of warnings) expect(warning).toContain(`ormat ${name}`);
    for (const mark of tokens.filter(token => token !== '</s>')) expect(warnings.join()).toContain(mark);
  },
);
