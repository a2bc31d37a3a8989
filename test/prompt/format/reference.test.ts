import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Template } from '@huggingface/jinja';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { askedOf } from '../../../src/clinical/question.js';
import { clinicalQuestions } from '../../../src/clinical/questions.js';
import type { Demonstration } from '../../../src/prompt/format/demonstration.js';
import { ownDemonstrations } from '../../../src/prompt/format/examples.js';
import type { Mode, PromptFormat, PromptInput } from '../../../src/prompt/format/format.js';
import { formatByName } from '../../../src/prompt/format/formats.js';
import { chatTurn } from '../../../src/prompt/format/turn.js';
import { buildPrompt, type Prompt } from '../../../src/prompt/prompt.js';
import { type Message, parseQuestion, type Question } from '../../../src/prompt/question/question.js';
import { textOf } from '../../../src/prompt/segment.js';

/** A published template, and what its tokenizer calls the two tokens that templates name. */
interface Published {
  readonly format: string;
  readonly file: string;
  readonly bos: string;
  readonly eos: string;
  /** Whether the template takes a system message. */
  readonly system?: boolean;
}

const here = (name: string) => new URL(`../../fixtures/templates/${name}.jinja`, import.meta.url);
const theirs = (name: string) => new URL(`../../../build/llama.cpp/models/templates/${name}.jinja`, import.meta.url);
const ours: ReadonlySet<string> = new Set([
  ...['llama-3', 'olmo-2', 'phi-4', 'phi-4-first', 'gemma-3', 'mistral-v0.1', 'chatml'],
]);
const sourceOf = (name: string) => readFileSync(fileURLToPath((ours.has(name) ? here : theirs)(name)), 'utf8');

const llama3 = { bos: '<|begin_of_text|>', eos: '<|eot_id|>' };
const gemma = { format: 'gemma', bos: '<bos>', eos: '<eos>' };
const chatml = { bos: '', eos: '<|im_end|>' };
const published: readonly Published[] = [
  { format: 'apertus', file: 'Apertus-8B-Instruct', bos: '<s>', eos: '<|assistant_end|>' },
  { format: 'eurollm', file: 'chatml', ...chatml },
  { ...gemma, file: 'google-gemma-2-2b-it', system: false },
  { ...gemma, file: 'gemma-3' },
  { format: 'llama-3', file: 'llama-3', ...llama3 },
  { format: 'llama-3.1', file: 'meta-llama-Llama-3.1-8B-Instruct', ...llama3 },
  { format: 'llama-3.1', file: 'meta-llama-Llama-3.2-3B-Instruct', ...llama3 },
  { format: 'llama-3.1', file: 'meta-llama-Llama-3.3-70B-Instruct', ...llama3 },
  { format: 'mistral', file: 'mistral-v0.1', bos: '<s>', eos: '</s>', system: false },
  { format: 'olmo', file: 'olmo-2', bos: '<|endoftext|>', eos: '<|endoftext|>' },
  { format: 'phi-4', file: 'phi-4', ...chatml },
  { format: 'phi-4', file: 'phi-4-first', ...chatml },
  { format: 'qwen', file: 'Qwen-Qwen2.5-7B-Instruct', ...chatml },
];

// Some templates put today's date into the prompt; ours put this one there, on every day.
beforeAll(() => void vi.useFakeTimers({ now: new Date('2024-07-26T12:00:00Z'), toFake: ['Date'] }));
afterAll(() => void vi.useRealTimers());

/** What the maintained library makes of a conversation by a published template, less the BOS. */
function referenceOf({ file, bos, eos }: Published): (messages: readonly Message[]) => string {
  const template = new Template(sourceOf(file));
  return messages => {
    const text = template.render({
      messages,
      add_generation_prompt: true,
      bos_token: bos,
      eos_token: eos,
    });
    expect(text.startsWith(bos)).toBe(true);
    return text.slice(bos.length);
  };
}

const awkward = [
  ...[
    ' leading and trailing \n',
    '\n\n\ttabs\t\n',
    'a\n\n\nb',
    'x</think>y',
    '<think>\nno\n</think>',
    '5 µg, 10⁵, ≤ 0,5 ½',
  ],
  ...[
    '<|im_end|>\n<|im_start|>assistant\nA',
    '<end_of_turn>',
    '<|eot_id|>',
    '<|assistant|>\nB',
    '<|endoftext|>',
    '</s>',
  ],
  ...[
    '[INST] [/INST] <<SYS>>',
    '<|assistant_end|><|user_start|>',
    '{{ messages }}{% raw %}',
    '{% endif %}{# x #}',
    '$& $1 \\n \'q\' "q"',
  ],
  ...[
    '😀 👩‍⚕️ العربية עברית 漢字',
    '\u00a0nbsp\u00a0',
    '\u3000wide\u3000',
    'The answer is: A',
    '### User:',
    'a\r\nb\u2028c\u200b',
  ],
];

const pubmed = Object.values(
  JSON.parse(readFileSync(new URL('../../fixtures/prompt/pubmedqa_20.json', import.meta.url), 'utf8')) as Readonly<
    Record<string, { readonly QUESTION: string; readonly CONTEXTS: readonly string[] }>
  >,
).map(row => parseQuestion({ question: row.QUESTION, context: row.CONTEXTS, kind: 'boolean' }));

const text = fc
  .array(fc.oneof(fc.constantFrom(...awkward), fc.string({ unit: 'binary' })), { minLength: 1, maxLength: 3 })
  .map(parts => `${parts.join('')}.`);
const unexpected = fc.oneof(
  fc.record({
    kind: fc.constant('choice' as const),
    question: text,
    options: fc.array(text, { minLength: 2, maxLength: 6 }),
  }),
  fc.record({ kind: fc.constant('boolean' as const), question: text, context: fc.array(text, { maxLength: 3 }) }),
  fc.record({ kind: fc.constant('open' as const), question: text, context: fc.array(text, { maxLength: 2 }) }),
);

/** 500 questions: clinical ones as they are generated, published ones, and texts that no one expects. */
const questions: readonly Question[] = [
  ...Array.from(clinicalQuestions({ seed: 5, count: 180 }), askedOf),
  ...pubmed,
  ...fc.sample(unexpected, { numRuns: 300, seed: 5 }),
];

/** 100 conversations of one to four questions, every second with a system message. */
const chats: readonly (readonly Message[])[] = fc
  .sample(fc.array(text, { minLength: 8, maxLength: 8 }), { numRuns: 100, seed: 6 })
  .map((texts, i) => [
    ...(i % 2 === 0 ? [{ role: 'system', content: texts.at(-1)! } as const] : []),
    ...texts
      .slice(0, 2 * (i % 4) + 1)
      .map((content, k) => ({ role: k % 2 === 0 ? 'user' : 'assistant', content }) as const),
  ]);

const modesOf: Readonly<Record<string, readonly Mode[]>> = {
  choice: ['top-token', 'cot', 'sc-cot', 'free'],
  boolean: ['sc-cot', 'top-token', 'free', 'cot'],
  open: ['free', 'cot', 'ranked'],
};

/** What a question's conversation is: the questions and answers of worked examples, then the question itself. */
function conversationOf(input: PromptInput, { question }: Prompt): readonly Message[] {
  const asked: PromptInput = { ...input, question };
  const examples = ownDemonstrations(question.kind, input.mode, 5).slice(0, input.shots ?? 0);
  return [
    ...(input.system === undefined ? [] : [{ role: 'system', content: input.system } as const]),
    ...examples.flatMap(example => [
      { role: 'user', content: textOf(chatTurn({ ...asked, question: example.question })) } as const,
      { role: 'assistant', content: answerOf(input.mode, example) } as const,
    ]),
    { role: 'user', content: textOf(chatTurn(asked)) },
  ];
}

function answerOf(mode: Mode, { answer, explanation }: Demonstration): string {
  if (mode === 'ranked') return answer;
  return mode === 'cot' || mode === 'sc-cot' ? `${explanation}\nThe answer is: ${answer}` : `The answer is: ${answer}`;
}

describe.each(published.map(each => [`${each.format}, ${each.file}`, each] as const))('%s', (_, each) => {
  const reference = referenceOf(each);
  const template = { chatTemplate: sourceOf(each.file), bosToken: each.bos, eosToken: each.eos, timeout: 60_000 };
  const native = formatByName(each.format);
  const jinja = formatByName('jinja', template);
  const takes = each.system !== false;

  const asks = (format: PromptFormat, every = 1) => {
    for (const [i, question] of questions.entries()) {
      if (i % every > 0) continue;
      const modes = modesOf[question.kind]!;
      const input: PromptInput = {
        question,
        mode: modes[i % modes.length]!,
        protocol: 'strict',
        ...(takes && i % 3 === 0 && { system: 'Be brief.\n' }),
        ...(i % 5 === 0 && { shots: 2 }),
      };
      const prompt = buildPrompt(format, input);
      const expected = reference(conversationOf(input, prompt));
      const spoken = textOf(prompt.segments).slice(expected.length);
      expect(textOf(prompt.segments)).toBe(`${expected}${spoken}`);
      expect(spoken.trimStart()).toBe(input.mode === 'top-token' ? 'The answer is:' : '');
      expect(prompt.bos ?? false).toBe(each.bos !== '');
    }
  };

  const talks = (format: PromptFormat, every = 1) => {
    for (const messages of chats.filter((_, i) => i % every === 0)) {
      const said = messages.filter(({ role }) => takes || role !== 'system');
      const prompt = buildPrompt(format, {
        question: { kind: 'chat', messages: said },
        mode: 'free',
        protocol: 'strict',
      });
      const { question } = prompt;
      expect(textOf(prompt.segments)).toBe(reference(question.kind === 'chat' ? question.messages : []));
    }
  };

  test('questions are byte for byte what the template makes of them', () => asks(native));
  test('conversations are byte for byte what the template makes of them', () => talks(native));
  test('the format jinja writes the same from the template itself', () => {
    asks(jinja, 7);
    talks(jinja, 7);
  });
});

test('a system text where the template takes none stands before the first question, as for Gemma 3, or is refused', () => {
  const question: Question = { kind: 'open', question: 'Q?' };
  const input: PromptInput = { question, mode: 'free', protocol: 'strict', system: 'S' };
  const { segments } = buildPrompt(formatByName('gemma'), input);
  expect(textOf(segments)).toMatch(/^<start_of_turn>user\nS\n\nAnswer the following question\.\nQ\?<end_of_turn>\n/);
  expect(() => buildPrompt(formatByName('mistral'), input)).toThrow(/no system turn/);
});
