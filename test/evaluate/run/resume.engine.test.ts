import { afterAll, beforeAll, expect, test } from 'vitest';
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
