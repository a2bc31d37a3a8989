import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Engine } from '../../../src/engine/engine.js';
import type { Model } from '../../../src/engine/model.js';
import { type EvaluateOptions, evaluate } from '../../../src/evaluate/evaluate.js';
import { localTarget } from '../../../src/evaluate/run/target.js';
import { loadStories } from '../../engine/stories.js';
import { emptyFolder, itemsOf, setOf, storedIn } from './items.js';

let model: Model;
beforeAll(async () => {
  model = await loadStories();
});
afterAll(() => model.close());

// Of very different lengths, so that what is left after a stop would be laid out otherwise than the whole.
const items = itemsOf(4).map((item, i) => ({
  ...item,
  question: `${'A long story. '.repeat(7 * (3 - i))}${item.question}`,
}));
const options: Omit<EvaluateOptions, 'out'> = {
  ...{ set: setOf(items), modes: ['top-token', 'sc-cot'], format: 'raw', samples: 3, maxTokens: 16, seed: 7 },
  parallel: 1,
};

async function rowsIn(out: string) {
  const { rows, config } = await storedIn(out);
  const timeless = rows.map(({ ms: _, latencyMs: __, ...row }) => row);
  return { config, rows: timeless.sort((a, b) => (a.id < b.id ? -1 : 1)) };
}

test('stopped after any question and resumed, an evaluation has the rows of one that was not, to the last bit', async () => {
  const whole = emptyFolder();
  await evaluate(localTarget(model, { threads: 1 }), { ...options, out: whole });
  const expected = await rowsIn(whole);
  expect(expected.config.runs.every(({ layout }) => layout!.sharedTokens >= 16)).toBe(true);
  for (let stop = 1; stop < items.length; stop++) {
    const out = emptyFolder();
    await evaluate(localTarget(model, { threads: 1 }), { ...options, out, limit: stop });
    await evaluate(localTarget(model, { threads: 1 }), { ...options, out, resume: true });
    expect(await rowsIn(out)).toEqual(expected);
  }
}, 120_000);

test('with a file for what all prompts begin with the rows are the same, and who goes on loads it instead of evaluating it', async () => {
  const opened = vi.spyOn(model, 'createEngine');
  const evaluated = async (given: Partial<EvaluateOptions> & { out: string }) => {
    opened.mockClear();
    await evaluate(localTarget(model, { threads: 1 }), { ...options, ...given });
    const engines = await Promise.all(opened.mock.results.map(({ value }) => value as Promise<Engine>));
    return engines.reduce((sum, { counters }) => sum + counters.promptTokens, 0);
  };
  const [without, out] = [emptyFolder(), emptyFolder()];
  const prefix = join(emptyFolder(), 'shared');
  await evaluated({ out: without, limit: 2 });
  await evaluated({ out, prefix, limit: 2 });
  expect(readdirSync(dirname(prefix)).sort()).toEqual(['shared.sc-cot', 'shared.top-token']);
  const all = await evaluated({ out: without, resume: true });
  const fewer = await evaluated({ out, prefix, resume: true });
  const { config, rows } = await rowsIn(out);
  expect(all - fewer).toBe(config.runs.reduce((sum, { layout }) => sum + layout!.sharedTokens, 0));
  expect({ config, rows }).toEqual(await rowsIn(without));

  // One run has the file itself; that of another is refused before anything is asked.
  await evaluated({ out: emptyFolder(), prefix, modes: ['sc-cot'], limit: 1 });
  expect(readdirSync(dirname(prefix))).toContain('shared');
  const other = { out: emptyFolder(), prefix, modes: ['top-token'] as const, format: 'one-shot' as const };
  await expect(evaluated(other)).rejects.toMatchObject({ code: 'ERR_INPUT' });
  expect((await rowsIn(other.out)).rows).toEqual([]);
  opened.mockRestore();
});

test('one question has nothing in common with others: that no prefix is kept is said, and none is written', async () => {
  const prefix = join(emptyFolder(), 'shared');
  const told: string[] = [];
  const onWarning = (message: string) => void told.push(message);
  const given = { ...options, set: setOf(items.slice(0, 1)), modes: ['sc-cot'] as const };
  await evaluate(localTarget(model, { threads: 1 }), { ...given, out: emptyFolder(), prefix, onWarning });
  expect(told).toEqual([expect.stringMatching(/fewer than 16 tokens/)]);
  expect(readdirSync(dirname(prefix))).toEqual([]);
});

test('a machine that cannot lay it out as it was begun is an error that says what differs', async () => {
  const out = emptyFolder();
  await evaluate(localTarget(model, { threads: 1 }), { ...options, out, limit: 1 });
  const target = localTarget(model, { threads: 1 });
  const moved = {
    ...target,
    open: (...[run, ...rest]: Parameters<typeof target.open>) =>
      target.open({ ...run, layout: { ...run.layout!, threads: 4096 } }, ...rest),
  };
  await expect(evaluate(moved, { ...options, out, resume: true })).rejects.toMatchObject({
    code: 'ERR_OPTION',
    message: expect.stringMatching(/cannot lay the run out as it was begun.*threads: 4096 planned, \d+ here/),
  });
});
