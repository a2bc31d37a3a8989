import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Answerer } from '../../../src/answerer/answerer.js';
import { answererOf } from '../../../src/answerer/engine.js';
import { chooseFormat } from '../../../src/ask/choice.js';
import type { Model } from '../../../src/engine/model.js';
import { beginningOf, sizeFor } from '../../../src/evaluate/run/layout.js';
import { runItems } from '../../../src/evaluate/run/runner.js';
import type { ResultRow } from '../../../src/evaluate/storage/rows.js';
import { loadStories } from '../../engine/stories.js';
import { emptyStore, itemsOf, rowsOf, runOf } from './items.js';

let model: Model;
beforeAll(async () => {
  model = await loadStories();
});
afterAll(() => model.close());

const items = itemsOf(5);

async function asked(
  run: ReturnType<typeof runOf>,
  engine: Answerer,
  parallel: number,
): Promise<Map<string, ResultRow>> {
  const store = await emptyStore();
  await runItems(engine, run, items, store, { parallel });
  const rows = await rowsOf(store);
  await store.close();
  return new Map(rows.map(row => [row.item, row]));
}

/** An engine as a run over the items gets it. */
async function laidOut(run: ReturnType<typeof runOf>) {
  const chosen = await chooseFormat(model, 'raw');
  const layout = await sizeFor(model, run, chosen, items, { engine: { threads: 1 } });
  const { contextSize, maxSequences, sharedTokens } = layout;
  const beginning = await beginningOf(model, run, chosen, items, sharedTokens);
  const engine = await model.createEngine({ threads: 1, contextSize, maxSequences });
  return { layout, beginning, engine };
}

test('the beginning that all prompts share is evaluated once, and the scores stay the same', async () => {
  const run = runOf('top-token', 1);
  const { layout, beginning, engine } = await laidOut(run);
  expect(beginning.length).toBeGreaterThan(20);

  await using plain = await model.createEngine({ threads: 1, contextSize: 2048, maxSequences: 32 });
  const alone = await asked(run, answererOf(plain), 1);
  await using _ = engine;
  using held = await engine.prefix(beginning);
  const together = await asked(run, answererOf(engine, { held, tokens: beginning }), layout.parallel);

  expect(layout.parallel).toBe(4);
  const spared = (items.length - 1) * beginning.length;
  expect(engine.counters.promptTokens).toBe(plain.counters.promptTokens - spared);
  for (const { id } of items) {
    for (const [answer, { logprob }] of Object.entries(alone.get(id)!.scores!))
      expect(together.get(id)!.scores![answer]!.logprob).toBeCloseTo(logprob, 2);
  }
});

test('an engine is sized so that every question in flight can have all it needs at once', async () => {
  const run = runOf('sc-cot', 5, { maxTokens: 40, reask: true });
  const layout = await sizeFor(model, run, await chooseFormat(model, 'raw'), items, {
    parallel: 3,
    engine: { threads: 1 },
  });
  expect(layout.parallel).toBe(3);
  // Each: four samples at once, what they begin with, and four answers compared; and what all questions begin with.
  expect(layout.maxSequences).toBe(3 * (4 + 1 + 4) + 1);
  const within = async (contextSize: number) =>
    sizeFor(model, run, await chooseFormat(model, 'raw'), items, { engine: { threads: 1, contextSize } });
  const tight = await within(600);
  expect(tight.parallel).toBe(1);
  expect(tight.contextSize).toBeLessThanOrEqual(600);
  // Where no question of the set fits, none is begun.
  await expect(within(300)).rejects.toMatchObject({ code: 'ERR_CONTEXT_FULL' });
});

test('questions in flight with chains that are asked again are all answered', async () => {
  const run = runOf('sc-cot', 3, { maxTokens: 12, reask: true });
  const { layout, beginning, engine } = await laidOut(run);
  await using _ = engine;
  using held = await engine.prefix(beginning);
  const rows = await asked(run, answererOf(engine, { held, tokens: beginning }), layout.parallel);
  expect([...rows.values()].map(row => [row.error, row.parallel, row.samples.length])).toEqual(
    items.map(() => [undefined, 5, 3]),
  );
});
