import { describe, expect, test } from 'vitest';
import { ownDemonstrations } from '../../../src/prompt/format/examples.js';
import type { Mode, PromptInput, Protocol } from '../../../src/prompt/format/format.js';
import { formatByName, formats } from '../../../src/prompt/format/formats.js';
import { instructions } from '../../../src/prompt/format/instructions.js';
import { exampleAnswer } from '../../../src/prompt/format/oneshot.js';
import { buildPrompt } from '../../../src/prompt/prompt.js';
import type { ChoiceQuestion, Question } from '../../../src/prompt/question/question.js';
import { textOf } from '../../../src/prompt/segment.js';

const choice: ChoiceQuestion = {
  kind: 'choice',
  question: 'Which finding has the highest association with aneuploidy:',
  options: ['Choroid plexus cyst', 'Nuchal translucency', 'Cystic hygroma', 'Single umbilical artery'],
};
const boolean: Question = { kind: 'boolean', question: 'Does it help?', context: ['First.', 'Second.'] };
const open: Question = { kind: 'open', question: 'What is croup?' };
const chat: Question = {
  kind: 'chat',
  messages: [
    { role: 'user', content: 'Hello' },
    { role: 'assistant', content: 'Yes?' },
    { role: 'user', content: 'Why?' },
  ],
};

const medmcqa = instructions.medmcqa.system;
const options = 'A. Choroid plexus cyst\nB. Nuchal translucency\nC. Cystic hygroma\nD. Single umbilical artery';
const body = `Question: Which finding has the highest association with aneuploidy:\n\nOptions:\n${options}`;
const quirky = body.replace('aneuploidy:', 'aneuploidy:?');

function built(format: string, question: Question, mode: Mode = 'top-token', more: Partial<PromptInput> = {}) {
  return buildPrompt(formatByName(format), { question, mode, protocol: 'strict', ...more });
}

function text(format: string, question: Question, mode: Mode = 'top-token', more: Partial<PromptInput> = {}): string {
  return textOf(built(format, question, mode, more).segments);
}

describe('instructions', () => {
  test('are those of instructions.json, with its apostrophes', () => {
    expect(instructions.medqa.system).toMatch(
      /^You are a medical doctor taking the US Medical .* from A to E\. Base .* guidelines\.$/,
    );
    expect(instructions.medmcqa.system).toContain('answering realworld medical entrance exam questions');
    expect(instructions.pubmedqa.system).toBe(
      'As an expert doctor in clinical science and medical knowledge, can you tell me if the following statement is correct? Answer yes, no, or maybe.',
    );
    expect(instructions.medqa_cot.user).toBe('Let\u0027s think step by step.');
    expect(instructions.pubmedqa_cot.user).toBe('Let\u2019s think step by step.');
    expect(instructions.medicationqa.user).toBe('Let\u2019s think step by step.');
    expect(instructions.medicationqa_cot.user).toBe('The answer is:');
    expect(instructions.mcq_cot.user).toBe(
      'Let\u2019s work this out in a step by step way to be sure that we have the right answer.',
    );
    expect(instructions.truthfulqa_cot.system).toBe('');
  });
});

describe('raw', () => {
  test('instruction, question and cue, each on a line', () => {
    expect(text('raw', choice)).toBe(`${medmcqa}\n${body}\nThe answer is:\n`);
    expect(text('raw', choice, 'cot')).toBe(`${medmcqa}\n${body}\nLet's think step by step.\n`);
    expect(built('raw', choice).continuations).toEqual(['A', 'B', 'C', 'D']);
  });

  test("the authors' code appends a question mark after a colon, and not after a full stop", () => {
    expect(text('raw', choice, 'top-token', { protocol: 'authors-code' })).toBe(
      `${medmcqa}\n${quirky}\nThe answer is:\n`,
    );
    const stopped: Question = { ...choice, question: 'Name it.' };
    expect(text('raw', stopped, 'top-token', { protocol: 'authors-code' })).toContain('Question: Name it.\n\nOptions:');
  });

  test("the authors' code keeps the empty instruction of truthfulqa_cot as an empty line", () => {
    const more = { task: 'truthfulqa', protocol: 'authors-code' } as const;
    expect(text('raw', choice, 'cot', more)).toBe(`\n${quirky}\nLet's think step by step.\n`);
    expect(text('raw', choice, 'cot', { task: 'truthfulqa' })).toMatch(/^Please truthfully/);
  });

  test('contexts stand unlabelled above a yes/no/maybe question', () => {
    expect(text('raw', boolean)).toBe(
      `${instructions.pubmedqa.system}\nFirst.\nSecond.\nDoes it help?\nThe answer is:\n`,
    );
    expect(built('raw', boolean).continuations).toEqual(['yes', 'no', 'maybe']);
    expect(text('raw', boolean, 'cot', { protocol: 'authors-code' })).toMatch(/\nLet’s think step by step\.\n$/);
    expect(text('raw', boolean, 'cot')).toMatch(/\nLet's think step by step\.\n$/);
  });

  test('the letters of the instruction are those of the question, except as published', () => {
    const said = (protocol: Protocol) => text('raw', choice, 'top-token', { task: 'medqa4', protocol });
    expect(said('strict')).toContain('select one correct answer from A to D.');
    expect(said('paper')).toContain('select one correct answer from A to E.');
    expect(said('authors-code')).toContain('select one correct answer from A to E.');
    expect(text('raw', { ...choice, options: ['x', 'y'] })).toContain('Select one correct answer from A to B.');
  });

  test("the paper's words", () => {
    const said = text('raw', choice, 'sc-cot', { protocol: 'paper' });
    expect(said).toContain('answering real-world medical entrance exam questions');
    expect(said).toMatch(/\nLet's think step-by-step\n$/);
  });

  test('an instruction of the caller takes the place of the benchmark instruction', () => {
    expect(text('raw', choice, 'top-token', { instruction: 'Choose.' })).toBe(`Choose.\n${body}\nThe answer is:\n`);
    expect(text('raw', choice, 'top-token', { instruction: '' })).toBe(`${body}\nThe answer is:\n`);
  });
});

describe('few-shot', () => {
  const demonstrations = [
    { question: { kind: 'choice', question: 'One?', options: ['p', 'q'] }, answer: 'B', explanation: 'Because.' },
    { question: { kind: 'choice', question: 'Two?', options: ['r', 's'] }, answer: 'A', explanation: 'So.' },
  ] as const;

  test('instruction once, demonstrations, question; ends in a colon', () => {
    expect(text('few-shot', choice, 'top-token', { demonstrations, protocol: 'authors-code' })).toBe(
      `${medmcqa}\nQuestion: One?\n\nOptions:\nA. p\nB. q\nThe answer is: B\n\nQuestion: Two?\n\nOptions:\nA. r\nB. s\nThe answer is: A\n\n${quirky}\nThe answer is:`,
    );
    expect(built('few-shot', choice, 'top-token', { demonstrations }).continuations).toEqual([' A', ' B', ' C', ' D']);
  });

  test('a chain of thought shows the explanations', () => {
    expect(text('few-shot', choice, 'cot', { demonstrations: demonstrations.slice(0, 1) })).toBe(
      `${medmcqa}\nQuestion: One?\n\nOptions:\nA. p\nB. q\nLet's think step by step.\nBecause.\nThe answer is: B\n\n${body}\nLet's think step by step.`,
    );
    const bare = [{ question: demonstrations[0].question, answer: 'B' }];
    expect(() => text('few-shot', choice, 'cot', { demonstrations: bare })).toThrow(/`explanation`/);
  });

  test('own examples serve under strict alone, three unless said otherwise', () => {
    const count = (more: Partial<PromptInput>, question: Question = choice) =>
      text('few-shot', question, 'top-token', more).match(/The answer is: /g)?.length;
    expect(count({})).toBe(3);
    expect(count({ shots: 5 })).toBe(5);
    expect(count({ shots: 5 }, boolean)).toBe(5);
    expect(() => count({ protocol: 'authors-code' })).toThrow(/training split/);
    expect(() => text('few-shot', choice, 'cot', { protocol: 'authors-code', demonstrations })).toThrow(
      /not published/,
    );
  });

  test('stops', () => {
    expect(built('few-shot', choice).stops).toEqual({
      tokens: ['</s>', '<EOD>', '<PAD>'],
      texts: ['###', '\n\n', '\nThe answer is:', '\nQuestion:'],
    });
    expect(built('few-shot', choice, 'top-token', { protocol: 'authors-code', demonstrations }).stops).toEqual({
      tokens: ['</s>', '<PAD>'],
      texts: ['###'],
    });
  });
});

describe('chatml', () => {
  test('as trained: no spaces, instruction in the question turn', () => {
    expect(text('chatml', choice)).toBe(
      `<|im_start|>question\n${medmcqa}\n${body}\nThe answer is:\n<|im_end|>\n<|im_start|>answer\n`,
    );
    expect(built('chatml', choice).continuations).toEqual(['A', 'B', 'C', 'D']);
    expect(built('chatml', choice).stops.tokens).toEqual(['</s>', '<EOD>', '<PAD>', '<|im_end|>']);
  });

  test('a system turn only if there is one', () => {
    expect(text('chatml', open, 'free', { system: 'S' })).toBe(
      '<|im_start|>system\nS<|im_end|>\n<|im_start|>question\nAnswer the following question.\nWhat is croup?\nThe answer is:\n<|im_end|>\n<|im_start|>answer\n',
    );
  });

  test('as the paper prints it', () => {
    const asPaper = (mode: Mode) => text('chatml', choice, mode, { protocol: 'paper' });
    const system = medmcqa.replace('realworld', 'real-world');
    const asked =
      'Question: Which finding has the highest association with aneuploidy:\nOptions:\n(A) Choroid plexus cyst\n(B) Nuchal translucency\n(C) Cystic hygroma\n(D) Single umbilical artery';
    expect(asPaper('top-token')).toBe(
      `<|im_start|>system\n${system}<|im_end|>\n<|im_start|>question\n${asked}<|im_end|>\n<|im_start|>answer\n`,
    );
    expect(asPaper('cot')).toContain(`${asked}\nLet's think step-by-step<|im_end|>`);
    expect(built('chatml', choice, 'top-token', { protocol: 'paper' }).continuations).toEqual([
      '(A)',
      '(B)',
      '(C)',
      '(D)',
    ]);
    expect(built('chatml', boolean, 'top-token', { protocol: 'paper' }).continuations).toEqual(['yes', 'no', 'maybe']);
  });

  test('a conversation', () => {
    expect(text('chatml', chat, 'free')).toBe(
      '<|im_start|>question\nHello<|im_end|>\n<|im_start|>answer\nYes?<|im_end|>\n<|im_start|>question\nWhy?<|im_end|>\n<|im_start|>answer\n',
    );
  });
});

describe('conversation formats', () => {
  test('medical: the spaced markers', () => {
    const said = text('medical', open, 'free');
    expect(said).toMatch(
      /^<\|im_start\|> system\nYou are a helpful, respectful and honest assistant\.Always answer as helpfully as possible, while being safe\.Your answers/,
    );
    expect(said).toMatch(
      /false information\.<\|im_end\|>\n <\|im_start\|> user\nAnswer the following question\.\nWhat is croup\?\nThe answer is:\n<\|im_end\|>\n <\|im_start\|> assistant\n$/,
    );
  });

  test('one-shot: the listeria turn, and no space at the end', () => {
    const said = text('one-shot', chat, 'free');
    expect(said).toMatch(
      /^You are a helpful, respectful, and honest assistant\. Always answer as helpfully as possible while being safe\. /,
    );
    expect(said).toContain(
      `share false information.\n### User: What happens if listeria is left untreated?\n### Assistant: If listeria infection, or listeriosis,`,
    );
    expect(said).toMatch(/is crucial\.\n### User: Hello\n### Assistant: Yes\?\n### User: Why\?\n### Assistant:$/);
    expect(exampleAnswer.match(/^\d\. /gm)).toEqual(['1. ', '2. ', '3. ', '4. ', '5. ']);
    expect(built('one-shot', chat, 'free').stops.texts).toEqual(['###', '\nUser:']);
  });

  test('zero-shot: the same without the example', () => {
    expect(text('zero-shot', chat, 'free')).toMatch(/false information\.\n### User: Hello\n### Assistant: Yes\?\n/);
  });

  test('alpaca', () => {
    expect(text('alpaca', open, 'free')).toBe(
      '### Instruction:\n\nAnswer the following question.\nWhat is croup?\n\n### Response:\n',
    );
    expect(text('alpaca', chat, 'free')).toBe(
      '### Instruction:\n\nHello\n\n### Response:\nYes?\n\n### Instruction:\n\nWhy?\n\n### Response:\n',
    );
  });

  test('llama-2', () => {
    expect(text('llama-2', chat, 'free', { system: 'S' })).toBe(
      '[INST] <<SYS>>\nS\n<</SYS>>\n\nHello [/INST] Yes? </s><s>[INST] Why? [/INST]',
    );
  });

  test('llama-3', () => {
    expect(text('llama-3', chat, 'free', { system: 'S' })).toBe(
      '<|start_header_id|>system<|end_header_id|>\n\nS<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHello<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\nYes?<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nWhy?<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n',
    );
  });

  const asked = `${medmcqa}\n${body}`;
  test.each<[string, string]>([
    [
      'apertus',
      `<|system_start|>You are Apertus, a helpful assistant created by the SwissAI initiative.\nKnowledge cutoff: 2024-04\nCurrent date: 2024-07-26<|system_end|><|developer_start|>Deliberation: disabled\nTool Capabilities: disabled<|developer_end|><|user_start|>${asked}<|user_end|><|assistant_start|>The answer is:`,
    ],
    ['eurollm', `<|im_start|>user\n${asked}<|im_end|>\n<|im_start|>assistant\nThe answer is:`],
    ['gemma', `<start_of_turn>user\n${asked}<end_of_turn>\n<start_of_turn>model\nThe answer is:`],
    ['mistral', `[INST] ${asked} [/INST] The answer is:`],
    ['olmo', `<|user|>\n${asked}\n<|assistant|>\nThe answer is:`],
    ['phi-4', `<|im_start|>user<|im_sep|>${asked}<|im_end|><|im_start|>assistant<|im_sep|>The answer is:`],
    [
      'pmc-llama',
      `Below is an instruction that describes a task, paired with an input that provides further context.Write a response that appropriately completes the request.\n\n### Instruction:\n${medmcqa}\n\n### Input:\n${body}\n\n### Response: The answer is:`,
    ],
    [
      'qwen',
      `<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\n<|im_start|>user\n${asked}<|im_end|>\n<|im_start|>assistant\nThe answer is:`,
    ],
  ])('%s', (name, expected) => {
    expect(text(name, choice)).toBe(expected);
    expect(built(name, choice).continuations).toEqual([' A', ' B', ' C', ' D']);
  });

  test('worked examples are questions asked and answered before, under strict', () => {
    const { question } = ownDemonstrations('choice', 'cot', 5)[0]!;
    const shown = text('qwen', choice, 'cot', { shots: 1 });
    expect(shown.match(/<\|im_start\|>user\n/g)).toHaveLength(2);
    expect(shown).toContain(question.question);
    expect(shown).toMatch(/does not lower ferritin\.\nThe answer is: C<\|im_end\|>\n<\|im_start\|>user\n/);
    expect(
      text('gemma', boolean, 'top-token', { shots: 2 }).match(/\nThe answer is: (yes|no)<end_of_turn>/g),
    ).toHaveLength(2);
    expect(() => text('olmo', choice, 'top-token', { shots: 1, protocol: 'authors-code' })).toThrow(
      /use few-shot, or strict/,
    );
    expect(() => text('olmo', choice, 'top-token', { shots: 1, protocol: 'paper' })).toThrow(
      expect.objectContaining({ code: 'ERR_PROMPT_FORMAT' }),
    );
    const bare = [{ question: { ...choice, question: 'One?' }, answer: 'B' }];
    expect(() => text('llama-3', choice, 'cot', { demonstrations: bare })).toThrow(/`explanation`/);
    for (const { name, accepts } of formats)
      if (!accepts.demonstrations) expect(text(name, choice, 'top-token', { shots: 2 })).toBe(text(name, choice));
  });

  test.each(formats.map(({ name }) => name).filter(name => !['chatml', 'medical', 'raw', 'few-shot'].includes(name)))(
    "%s puts the answer phrase into the model's mouth for one token, and says how a chain ends",
    name => {
      const asked = built(name, choice);
      expect(textOf(asked.segments)).toMatch(/The answer is:$/);
      expect(textOf(asked.segments).match(/The answer is:/g)).toHaveLength(1);
      expect(asked.continuations[2]).toBe(' C');
      expect(text(name, choice, 'cot')).toContain(
        'Let\'s think step by step.\nEnd with one line "The answer is: " followed by the letter of your choice.',
      );
      expect(text(name, choice, 'cot', { protocol: 'authors-code' })).not.toContain('End with one line');
    },
  );
});

describe('every format', () => {
  const names = formats.map(({ name }) => name);

  test.each(names)('%s asks a chain without an answer again', name => {
    const { reask } = built(name, choice, 'cot');
    expect(reask).toEqual({ suffix: '\nThe answer is:', continuations: [' A', ' B', ' C', ' D'] });
    expect(built(name, choice).reask).toBeUndefined();
  });

  test.each(names)('%s asks for a ranked list', name => {
    const asked = built(name, open, 'ranked', { items: 4 });
    expect(textOf(asked.segments)).toContain('List the 4 most likely diagnoses for the following case');
    expect(asked.grammar).toContain('(", " name){0,3}');
    expect(built(name, open, 'free').grammar).toBeUndefined();
  });

  test.each(names)('%s shows option 26 as Z', name => {
    const many: Question = { kind: 'choice', question: 'Q?', options: Array.from({ length: 26 }, (_, i) => `o${i}`) };
    expect(text(name, many)).toContain('\nZ. o25');
    expect(built(name, many).continuations).toHaveLength(26);
  });

  test.each(names)('%s never shows the known answer', name => {
    expect(text(name, { ...choice, answer: 'C' })).toBe(text(name, choice));
  });

  test('has a name that is found however it is spelt, and a misspelt one is refused with the names', () => {
    expect(formatByName('Llama2').name).toBe('llama-2');
    expect(formatByName('few_shot').name).toBe('few-shot');
    expect(() => formatByName('chatm')).toThrow(/did you mean chatml\? Formats: chatml, medical, raw/);
    expect(() => formatByName('jinja')).toThrow(/chat template/);
  });
});
