import { describe, expect, test } from 'vitest';
import { ask } from '../../src/ask/ask.js';
import type { AskOptions } from '../../src/ask/options.js';
import type { Protocol } from '../../src/prompt/format/format.js';
import type { Question } from '../../src/prompt/question/question.js';
import { textOf } from '../../src/prompt/segment.js';
import { FakeEngine, type FakeOptions, type Line, says } from './fake.js';

// Row by row what arXiv 2311.16079 prints (paper), what epfLLM/meditron evaluation/ does (authors-code), and what is ours.
const question: Question = { kind: 'choice', question: 'Which one', options: ['Alpha', 'Beta', 'Gamma', 'Delta'] };
const protocols = ['paper', 'authors-code', 'strict'] as const;

async function run(
  protocol: Protocol,
  lines: readonly Line[],
  options: AskOptions = {},
  about = question,
  fake: FakeOptions = {},
) {
  const engine = new FakeEngine(lines, fake);
  const answer = await ask(engine, about, { format: 'chatml', hash: false, protocol, ...options });
  const prompt = String.fromCodePoint(...answer.evidence.prompts[0]!.tokens!);
  return { answer, engine, prompt, sampler: engine.jobs[0]?.samplers?.[0] };
}
const each = <T>(rows: Readonly<Record<Protocol, T>>) => protocols.map(protocol => [protocol, rows[protocol]] as const);
const many = says('AAAAAAAAAA');

test.each(each({ paper: 5, 'authors-code': 10, strict: 5 }))(
  'branches, T: %s samples %i times at 0.8',
  async (protocol, samples) => {
    const { answer, sampler } = await run(protocol, many, { stop: 'none' });
    expect(answer.samples).toHaveLength(samples);
    expect(sampler!.temperature).toBe(0.8);
    expect((await run(protocol, many, { stop: 'none', samples: 3 })).answer.samples).toHaveLength(3);
  },
);

test.each(each({ paper: 0, 'authors-code': 1, strict: 0 }))(
  'top-p 1, top-k off, frequency penalty: %s %i',
  async (protocol, penalty) => {
    expect((await run(protocol, many)).sampler).toMatchObject({ topP: 1, topK: 0, frequencyPenalty: penalty });
    expect((await run(protocol, many, { mode: 'cot' })).sampler).toMatchObject({
      temperature: 0,
      frequencyPenalty: penalty,
    });
  },
);

test.each(protocols)('seeds: %s derives and records one for each branch', async protocol => {
  const { answer } = await run(protocol, many, { seed: 0 });
  expect(answer.evidence.seeds.slice(0, 2)).toEqual([991554539, 340853860]);
});

test.each(
  each({
    paper: /^<\|im_start\|>system\nYou are a medical doctor answering real-world medical/,
    'authors-code': /^<\|im_start\|>question\nYou are a medical doctor answering realworld medical/,
    strict: /^<\|im_start\|>question\nYou are a medical doctor answering realworld medical/,
  }),
)('instruction: %s', async (protocol, expected) => {
  expect((await run(protocol, many)).prompt).toMatch(expected);
});

test.each(
  each({
    paper: 'Question: Which one\nOptions:\n(A) Alpha\n',
    'authors-code': 'Question: Which one?\n\nOptions:\nA. Alpha\n',
    strict: 'Question: Which one\n\nOptions:\nA. Alpha\n',
  }),
)('option lines: %s', async (protocol, expected) => {
  expect((await run(protocol, many)).prompt).toContain(expected);
});

test.each(each({ paper: 'A to E', 'authors-code': 'A to E', strict: 'A to D' }))(
  'MedQA-4 instruction: %s says %s',
  async (protocol, expected) => {
    expect((await run(protocol, many, { task: 'medqa4' })).prompt).toContain(`from ${expected}.`);
  },
);

test.each(
  each({
    paper: "Let's think step-by-step",
    'authors-code': "Let's think step by step.",
    strict: "Let's think step by step.",
  }),
)('CoT suffix: %s', async (protocol, expected) => {
  expect((await run(protocol, many)).prompt).toContain(`\n${expected}`);
});

test('CoT suffix of PubMedQA: the authors’ curly apostrophe only under authors-code', async () => {
  const pubmed: Question = { kind: 'boolean', question: 'Is it?', context: ['c'] };
  expect((await run('authors-code', many, {}, pubmed)).prompt).toContain('Let’s think step by step.');
  expect((await run('strict', many, {}, pubmed)).prompt).toContain("Let's think step by step.");
});

test.each(protocols)('CoT new tokens: %s allows 1,024 or what fits, and says which', async protocol => {
  expect((await run(protocol, many)).engine.jobs[0]!.maxTokens).toBe(1024);
  const { answer } = await run(protocol, many, {}, question, { sequenceSize: 1200 });
  expect(answer.plan.maxTokens).toBeLessThan(1024);
  expect(answer.warnings.join()).toContain('instead of 1024');
});

test.each(protocols)('stop: %s ends a text at ###', async protocol => {
  const { stop } = (await run(protocol, many)).engine.jobs[0]!;
  // The turn marks stop a text where the vocabulary spells them as text; the authors stop at ### alone.
  expect(stop).toEqual(protocol === 'authors-code' ? ['###'] : ['###', '<|im_end|>', '<|im_start|>']);
});

test('stop: few-shot also ends where the next question begins, but not in the authors’ code', async () => {
  const demonstrations = [
    { question: { kind: 'choice', question: 'x', options: ['p', 'q'] }, answer: 'A', explanation: 'so' },
  ] as const;
  expect((await run('strict', many, { format: 'few-shot', demonstrations })).engine.jobs[0]!.stop).toEqual([
    '###',
    '\n\n',
    "\nLet's think step by step.",
    '\nQuestion:',
  ]);
  const { engine } = await run('authors-code', says('A'), { format: 'few-shot', demonstrations, mode: 'top-token' });
  expect(engine.jobs[0]!.stop).toEqual(['###']);
  expect(engine.jobs[0]!.maxTokens).toBe(9);
});

describe('top-token', () => {
  const likesB = { score: (continuation: string) => (continuation.includes('B') ? -0.5 : -2) };

  test('strict takes the most probable option, and says how probable', async () => {
    const { answer, engine } = await run('strict', [], { mode: 'top-token' }, question, likesB);
    expect(engine.jobs).toHaveLength(0);
    expect(answer).toMatchObject({
      answer: 'B',
      votes: { B: 1, unparsed: 0, notRun: 0 },
      scores: { B: { logprob: -0.5 } },
    });
    const shares = Object.values(answer.scores!).map(s => s.probability);
    expect(shares.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
    expect(answer.scores!.B!.probability).toBeCloseTo(Math.exp(1.5) / (Math.exp(1.5) + 3), 12);
    expect(engine.scored[0]!.continuations).toEqual(['A', 'B', 'C', 'D']);
  });

  test('paper takes the most probable text of the whole vocabulary, which may be no option', async () => {
    const named = await run('paper', [{ text: '(C)' }], { mode: 'top-token' }, question, likesB);
    expect(named.answer).toMatchObject({ answer: 'C', scores: { B: { logprob: -0.5 } } });
    expect(named.engine.scored[0]!.continuations).toEqual(['(A)', '(B)', '(C)', '(D)']);
    const other = await run('paper', [{ text: 'The' }], { mode: 'top-token' }, question, likesB);
    expect(other.answer).toMatchObject({
      answer: null,
      decision: 'abstain',
      reason: 'no_answer',
      votes: { unparsed: 1 },
    });
    expect(other.engine.held).toBe(0);
  });

  test('authors-code takes the first greedy token and parses it, faults included', async () => {
    const { answer, engine } = await run('authors-code', [{ text: 'Based', finish: 'length' }], { mode: 'top-token' });
    expect(engine.jobs[0]).toMatchObject({ maxTokens: 1, samplers: [{ temperature: 0, frequencyPenalty: 1 }] });
    expect(answer).toMatchObject({ answer: 'B', samples: [{ text: 'Based', rule: 'authors' }] });
  });
});

test.each(each({ paper: null, 'authors-code': 'A', strict: null }))(
  'parser: %s reads "A 49-year-old man" as %s',
  async (protocol, expected) => {
    const { answer } = await run(protocol, [{ text: 'A 49-year-old man' }], { mode: 'cot', reask: false });
    expect(answer.samples[0]!.answer).toBe(expected);
  },
);

test('unparsed: abstains, except in authors-code, where the text itself is the vote and can win', async () => {
  const lines = [...says('A'), ...Array.from({ length: 4 }, () => ({ text: 'I cannot say' }))];
  for (const protocol of ['paper', 'strict'] as const) {
    const { answer } = await run(protocol, lines, { samples: 5, stop: 'none', reask: false });
    expect(answer).toMatchObject({ answer: 'A', reason: 'too_few', votes: { A: 1, unparsed: 4 } });
    expect(answer.vote).toMatchObject({ cast: 1, abstained: 4 });
  }
  const { answer } = await run('authors-code', lines, { samples: 5, stop: 'none' });
  expect(answer).toMatchObject({ answer: null, decision: 'abstain', votes: { A: 1, unparsed: 4 } });
  expect(answer.vote!.votes[0]).toMatchObject({ answer: 'i cannot say', count: 4 });
});

test.each(protocols)('ties: %s takes the lowest branch, and flags it', async protocol => {
  const { answer } = await run(protocol, says('BAABC'), { samples: 5, stop: 'none' });
  expect(answer.answer).toBe('B');
  expect(answer.vote!.tie).toBe(true);
});

test.each(each({ paper: 'maybe', 'authors-code': null, strict: 'maybe' }))(
  'maybe: %s reads it as %s',
  async (protocol, expected) => {
    const pubmed: Question = { kind: 'boolean', question: 'Is it?', context: ['c'] };
    const { answer } = await run(protocol, [{ text: 'The answer is: maybe' }], { mode: 'cot' }, pubmed);
    expect(answer.samples[0]!.answer).toBe(expected);
  },
);

test.each(each({ paper: 'auto', 'authors-code': 'always', strict: 'auto' }))(
  'BOS: %s %s',
  async (protocol, expected) => {
    expect((await run(protocol, many)).answer.evidence.asked.bos).toBe(expected);
  },
);

test('what goes to the model is what the prompt module builds', async () => {
  const { answer, prompt } = await run('strict', many);
  const { buildPrompt } = await import('../../src/prompt/prompt.js');
  const { formatByName } = await import('../../src/prompt/format/formats.js');
  expect(prompt).toBe(
    textOf(buildPrompt(formatByName('chatml'), { question, mode: 'sc-cot', protocol: 'strict' }).segments),
  );
  expect(answer.evidence.format).toMatchObject({ name: 'chatml', by: 'caller' });
});

test('generation: the authors’ chains end at </s> alone, as their runs did, others at every token that ends a text', async () => {
  for (const [protocol, ends] of [
    ['authors-code', [2]],
    ['strict', undefined],
    ['paper', undefined],
  ] as const) {
    const engine = new FakeEngine(says('AAAAAAAAAA'));
    const { answer } = await ask(engine, question, { format: 'raw', hash: false, protocol });
    expect(answer).toBe('A');
    expect(engine.jobs.map(job => job.ends)).toEqual(engine.jobs.map(() => ends));
  }
});
