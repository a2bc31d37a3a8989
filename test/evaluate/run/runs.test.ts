import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { promptFor } from '../../../src/ask/prompts.js';
import { type RunOptions, runsFor } from '../../../src/evaluate/run/runs.js';
import { loadTask } from '../../../src/evaluate/tasks/load.js';
import { questionOf } from '../../../src/evaluate/tasks/question.js';
import { textOf } from '../../../src/prompt/segment.js';
import { FakeEngine } from '../../ask/fake.js';
import { itemsOf, setOf } from './items.js';

const { model } = new FakeEngine([]);
const fixtures = resolve(import.meta.dirname, '..', '..', 'fixtures', 'evaluate');
const mmlu = (partition: 'test' | 'dev') => loadTask('mmlu-medical', resolve(fixtures, 'mmlu'), { partition });
const runs = async (options: RunOptions) => runsFor(model, await mmlu('test'), options, () => mmlu('dev'));
const names = async (options: RunOptions) => (await runs(options)).runs.map(run => run.name);

async function firstPrompt(options: RunOptions): Promise<string> {
  const set = await mmlu('test');
  const { runs: list, chosen } = await runs(options);
  return textOf(promptFor(chosen.format, questionOf(set.items[0]!), list[0]!.ask, null, chosen.choice).segments);
}

test('every mode is a run of its own, and only votes are sampled', async () => {
  const { runs: list } = await runs({
    modes: ['top-token', 'cot', 'sc-cot'],
    format: 'raw',
    samples: 7,
    temperature: 0.6,
  });
  expect(list.map(({ key, ask }) => [key, ask.samples, ask.temperature, ask.stop.rule])).toEqual([
    ['top-token', 1, 0, 'none'],
    ['cot', 1, 0, 'none'],
    ['sc-cot', 7, 0.6, 'none'],
  ]);
  expect(list.flatMap(run => run.ask.warnings)).toEqual([]);
  expect(await names({ modes: ['sc-cot'], format: 'raw', protocol: 'authors-code' })).toEqual(['SC-CoT, 10 samples']);
});

test('demonstrations are drawn from the training part, one run for every seed', async () => {
  const { runs: list } = await runs({
    modes: ['top-token'],
    format: 'few-shot',
    shots: 3,
    demoSeeds: [1234, 432],
    protocol: 'authors-code',
  });
  expect(list.map(run => run.key)).toEqual(['top-token@1234', 'top-token@432']);
  const dev = await mmlu('dev');
  for (const { demonstrations, options } of list) {
    expect(demonstrations!.items).toHaveLength(3);
    expect(options.demonstrations!.map(d => d.question.question)).toEqual(
      demonstrations!.items.map(item => item.question),
    );
    expect(dev.items).toEqual(expect.arrayContaining([...demonstrations!.items]));
  }
  const prompt = await firstPrompt({ modes: ['top-token'], format: 'few-shot', shots: 3, protocol: 'authors-code' });
  expect(prompt.match(/The answer is: [A-D]\n/g)).toHaveLength(3);
  expect(prompt.endsWith('The answer is:')).toBe(true);
});

test('base weights without demonstrations are asked in the raw format, as the authors do', async () => {
  const { chosen, runs: list } = await runs({ modes: ['top-token'], format: 'few-shot', shots: 0 });
  expect([chosen.format.name, list[0]!.options.format]).toEqual(['raw', 'raw']);
});

test("without a training part strict shows this package's own examples and says so; authors-code refuses", async () => {
  const none = async () => loadTask('mmlu-medical', resolve(fixtures, 'pubmedqa'));
  const set = await mmlu('test');
  const { notes, runs: list } = await runsFor(model, set, { modes: ['top-token'], format: 'few-shot' }, none);
  expect(notes).toEqual([expect.stringMatching(/this package's own/)]);
  expect(list[0]!.ask.prompt.shots).toBe(3);
  const authors = runsFor(model, set, { modes: ['top-token'], format: 'few-shot', protocol: 'authors-code' }, none);
  await expect(authors).rejects.toMatchObject({ code: 'ERR_INPUT' });
  const seeds = runsFor(model, set, { modes: ['top-token'], format: 'few-shot', demoSeeds: [32] }, none);
  await expect(seeds).rejects.toMatchObject({ code: 'ERR_INPUT' });
});

test('benchmarks have their own instruction, other questions that of plain multiple choice', async () => {
  expect((await runs({ format: 'raw' })).runs[0]!.options.task).toBe('mmlu_medical');
  const own = await runsFor(model, setOf(itemsOf(2)), { format: 'raw' }, () => mmlu('dev'));
  expect(own.runs[0]!.options.task).toBe('mcq');
});

test.each([
  [{ modes: ['free'] as const, format: 'raw' as const }, /mode free is for open questions/],
  [{ modes: ['cot'] as const, format: 'chatml' as const, shots: 3 }, /chatml format shows no demonstrations/],
  [
    { modes: ['cot'] as const, format: 'few-shot' as const, protocol: 'authors-code' as const },
    /Few-shot chains of thought/,
  ],
  [{ modes: [] as const, format: 'raw' as const }, /one or more of top-token, cot, sc-cot, free/],
  [{ format: 'raw' as const, samples: 0 }, /samples/],
])('what cannot be asked is refused before anything is run: %j', async (options, message) => {
  await expect(runs(options)).rejects.toThrow(message);
});

test('open questions are answered freely', async () => {
  const open = setOf([{ id: 'a', question: 'How is it taken?' }]);
  const { runs: list } = await runsFor(model, open, { format: 'raw' }, () => mmlu('dev'));
  expect(list[0]!.mode).toBe('free');
  const choice = runsFor(model, open, { format: 'raw', modes: ['sc-cot'] }, () => mmlu('dev'));
  await expect(choice).rejects.toThrow(/open questions are answered in mode free/);
});
