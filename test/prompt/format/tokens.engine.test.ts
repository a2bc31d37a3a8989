import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Template } from '@huggingface/jinja';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { bosOf } from '../../../src/ask/prompts.js';
import { clinicalQuestions } from '../../../src/clinical/questions.js';
import { loadModel } from '../../../src/host/load.js';
import { formatByName } from '../../../src/prompt/format/formats.js';
import { specialShape } from '../../../src/prompt/hygiene/special.js';
import { buildPrompt } from '../../../src/prompt/prompt.js';
import type { Message } from '../../../src/prompt/question/question.js';
import { synthesize } from '../../../src/synth/synth.js';
import { readVocabulary, type VocabularyName } from '../../../src/synth/vocabulary.js';
import { foreignTokenizer, specialsOf } from '../foreign.js';

const folder = mkdtempSync(join(tmpdir(), 'meditron-formats-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ours = new URL('../../fixtures/templates/', import.meta.url);
const theirs = new URL('../../../build/llama.cpp/models/templates/', import.meta.url);

/** A format, a model with a vocabulary of its family (its own where llama.cpp's tree has it, else its special tokens and a few words), its template. */
interface Family {
  readonly format: string;
  readonly vocabulary: VocabularyName;
  readonly template: URL;
  readonly bos: string;
  readonly eos: string;
}

const families: readonly Family[] = [
  {
    ...{ format: 'apertus', vocabulary: 'apertus', bos: '<s>', eos: '<|assistant_end|>' },
    template: new URL('Apertus-8B-Instruct.jinja', theirs),
  },
  {
    ...{ format: 'eurollm', vocabulary: 'eurollm', bos: '', eos: '<|im_end|>' },
    template: new URL('chatml.jinja', ours),
  },
  {
    ...{ format: 'gemma', vocabulary: 'gemma', bos: '<bos>', eos: '<eos>' },
    template: new URL('gemma-3.jinja', ours),
  },
  {
    ...{ format: 'llama-3', vocabulary: 'llama-3', bos: '<|begin_of_text|>', eos: '<|eot_id|>' },
    template: new URL('llama-3.jinja', ours),
  },
  {
    ...{ format: 'mistral', vocabulary: 'llama-2', bos: '<s>', eos: '</s>' },
    template: new URL('mistral-v0.1.jinja', ours),
  },
  {
    ...{ format: 'olmo', vocabulary: 'olmo2', bos: '<|endoftext|>', eos: '<|endoftext|>' },
    template: new URL('olmo-2.jinja', ours),
  },
  {
    ...{ format: 'phi-4', vocabulary: 'phi-4', bos: '', eos: '<|im_end|>' },
    template: new URL('phi-4.jinja', ours),
  },
  {
    ...{ format: 'qwen', vocabulary: 'qwen2', bos: '', eos: '<|im_end|>' },
    template: new URL('Qwen-Qwen2.5-7B-Instruct.jinja', theirs),
  },
];

const clinical = Array.from(clinicalQuestions({ seed: 7, count: 40 }), ({ question }) => question);
const text = fc.oneof(
  fc.constantFrom(...clinical),
  fc.constantFrom(
    ' padded \n',
    '\n\n\tx',
    '5 µg, 10⁵, ≤ 0,5 ½',
    'Ärzte, наука, 漢字 😀',
    "it's WE'LL",
    '1234567 a_b',
    'a   b',
  ),
  fc.string({ unit: 'grapheme' }),
);
/** Conversations in which nothing from outside spells a special token, so that a tokenizer that parses them everywhere may be asked. */
const chats = fc
  .sample(fc.array(text, { minLength: 6, maxLength: 6 }), { numRuns: 30, seed: 8 })
  .map((texts, i): readonly Message[] => [
    { role: 'system', content: `${texts[5]}.` },
    ...texts
      .slice(0, 2 * (i % 3) + 1)
      .map((said, k) => ({ role: k % 2 ? 'assistant' : 'user', content: `${said}.` }) as const),
  ])
  .filter(messages => messages.every(({ content }) => content.search(specialShape) < 0));

describe.each(families.map(family => [family.format, family] as const))('%s', (name, family) => {
  test('is token for token what a foreign tokenizer makes of the template, and no text from outside is a special token', async () => {
    const path = join(folder, `${name}.gguf`);
    await synthesize({ shape: 'tiny', quant: 'q8_0', vocabulary: family.vocabulary, layers: 1, out: path });
    const model = await loadModel({ path });
    try {
      const { metadata } = await readVocabulary(family.vocabulary);
      const encode = foreignTokenizer(metadata);
      const template = new Template(readFileSync(fileURLToPath(family.template), 'utf8'));
      const format = formatByName(name);
      const tokensOf = async (messages: readonly Message[]) => {
        const question = { kind: 'chat', messages: format.accepts.system ? messages : messages.slice(1) } as const;
        const prompt = buildPrompt(format, { question, mode: 'free', protocol: 'strict' });
        const tokens = await model.tokenize(prompt.segments, { bos: bosOf('auto', prompt, model) });
        return { tokens: Array.from(tokens), said: (prompt.question as typeof question).messages };
      };
      for (const messages of chats) {
        const { tokens, said } = await tokensOf(messages);
        const rendered = template.render({
          ...{ messages: said, add_generation_prompt: true, bos_token: family.bos, eos_token: family.eos },
        });
        expect(tokens).toEqual(encode(rendered));
      }

      const specials = new Set(model.info.specials);
      const shown = async (content: string) =>
        (await tokensOf([chats[0]![0]!, { role: 'user', content }])).tokens.filter(id => specials.has(id));
      const plain = await shown('x');
      const spelled = specialsOf(metadata).map(({ content }) => content);
      expect(await shown(`x${spelled.slice(0, 60).join('y')}z`)).toEqual(plain);
    } finally {
      await model.close();
    }
  });
});
