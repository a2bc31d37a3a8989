import llama from 'llama-tokenizer-js';
import { describe, expect, test } from 'vitest';
import type { PromptInput } from '../../src/prompt/format/format.js';
import { formatByName } from '../../src/prompt/format/formats.js';
import { buildPrompt } from '../../src/prompt/prompt.js';
import type { Question } from '../../src/prompt/question/question.js';
import { textOf } from '../../src/prompt/segment.js';

// llama-tokenizer-js is Llama-2's vocabulary, written independently; no BOS, with the space prefix.
const ids = (text: string) => llama.encode(text, false, true);

const choice: Question = { kind: 'choice', question: 'Which?', options: ['p', 'q', 'r', 's', 't'] };
const boolean: Question = { kind: 'boolean', question: 'Is it?', context: ['c'] };

function answers(format: string, question: Question, more: Partial<PromptInput> = {}): (number | undefined)[] {
  const asked = buildPrompt(formatByName(format), { question, mode: 'top-token', protocol: 'strict', ...more });
  const prompt = textOf(asked.segments);
  const before = ids(prompt);
  return asked.continuations.map(continuation => {
    const whole = ids(prompt + continuation);
    expect(whole.slice(0, -1)).toEqual(before);
    return whole.at(-1);
  });
}

describe('answer tokens on the Llama-2 vocabulary', () => {
  const spaced = [319, 350, 315, 360, 382];
  const bare = [29909, 29933, 29907, 29928, 29923];

  test.each(['few-shot', 'one-shot', 'alpaca', 'llama-2'])('after the colon of %s they carry the space', format => {
    expect(answers(format, choice)).toEqual(spaced);
    expect(answers(format, boolean)).toEqual([4874, 694, 5505]);
  });

  test.each(['raw', 'chatml', 'medical'])('after the newline of %s they do not', format => {
    expect(answers(format, choice)).toEqual(bare);
    expect(answers(format, boolean)).toEqual([3582, 1217, 26026]);
  });

  test('when a chain is asked again they carry the space', () => {
    const asked = buildPrompt(formatByName('chatml'), { question: choice, mode: 'cot', protocol: 'strict' });
    const { suffix, continuations } = asked.reask!;
    expect(continuations.map(continuation => ids(`So.${suffix}${continuation}`).at(-1))).toEqual(spaced);
  });
});

describe('literals on the Llama-2 vocabulary', () => {
  test.each([
    ['The answer is: A', [450, 1234, 338, 29901, 319]],
    ['answer\nA', [1234, 13, 29909]],
    ['\n', [29871, 13]],
    ['###', [835]],
    ['\n###', [29871, 13, 2277, 29937]],
    ['<|im_start|>', [529, 29989, 326, 29918, 2962, 29989, 29958]],
  ])('%j', (text, expected) => {
    expect(ids(text)).toEqual(expected);
  });
});

test('the instructions have the lengths that the Llama-2 tokenizer gives them', () => {
  const length = (task: PromptInput['task'], question: Question) => {
    const asked = buildPrompt(formatByName('raw'), {
      question,
      mode: 'top-token',
      protocol: 'authors-code',
      ...(task ? { task } : {}),
    });
    return ids(textOf(asked.segments).split('\n')[0]!).length;
  };
  expect(length('medqa', choice)).toBe(94);
  expect(length('medmcqa', choice)).toBe(77);
  expect(length('pubmedqa', boolean)).toBe(31);
  expect(length('truthfulqa', choice)).toBe(45);
});
