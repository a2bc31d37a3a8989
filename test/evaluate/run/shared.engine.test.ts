import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Answerer } from '../../../src/answerer/answerer.js';
import { answererOf } from '../../../src/answerer/engine.js';
import { chooseFormat } from '../../../src/ask/choice.js';
import type { Model } from '../../../src/engine/model.js';
import { runItems } from '../../../src/evaluate/run/runner.js';
import { layoutFor } from '../../../src/evaluate/run/size.js';
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

test('the beginning that all prompts share is evaluated once, and the scores stay the same', async () => {
  const run = runOf('top-token', 1);
  const layout = await layoutFor(model, run, await chooseFormat(model, 'raw'), items, { engine: { threads: 1 } });
  expect(layout.shared.length).toBeGreaterThan(20);

  await using plain = await model.createEngine({ threads: 1, contextSize: 2048, maxSequences: 32 });
  const alone = await asked(run, answererOf(plain), 1);
  await using engine = await model.createEngine(layout.engine);
  using held = await engine.prefix(layout.shared);
  const together = await asked(run, answererOf(engine, { held, tokens: layout.shared }), layout.parallel);

  expect(layout.parallel).toBe(4);
  const spared = (items.length - 1) * layout.shared.length;
  expect(engine.counters.promptTokens).toBe(plain.counters.promptTokens - spared);
  for (const { id } of items) {
    for (const [answer, { logprob }] of Object.entries(alone.get(id)!.scores!))
      expect(together.get(id)!.scores![answer]!.logprob).toBeCloseTo(logprob, 2);
  }
});

test('an engine is sized so that every question in flight can have all it needs at once', async () => {
  const run = runOf('sc-cot', 5, { maxTokens: 40, reask: true });
  const layout = await layoutFor(model, run, await chooseFormat(model, 'raw'), items, {
    parallel: 3,
    engine: { threads: 1 },
  });
  expect(layout.parallel).toBe(3);
  expect(layout.engine.maxSequences).toBe(3 * (5 + 4 + 1) + 1);
  const opened = await layoutFor(model, run, await chooseFormat(model, 'raw'), items, {
    engine: { threads: 1, contextSize: 300 },
  });
  expect(opened.parallel).toBe(1);
  expect(opened.engine.contextSize).toBeLessThanOrEqual(300);
});

test('questions in flight with chains that are asked again are all answered', async () => {
  const run = runOf('sc-cot', 3, { maxTokens: 12, reask: true });
  const layout = await layoutFor(model, run, await chooseFormat(model, 'raw'), items, { engine: { threads: 1 } });
  await using engine = await model.createEngine(layout.engine);
  using held = await engine.prefix(layout.shared);
  const rows = await asked(run, answererOf(engine, { held, tokens: layout.shared }), layout.parallel);
  expect([...rows.values()].map(row => [row.error, row.parallel, row.samples.length])).toEqual(
    items.map(() => [undefined, 5, 3]),
  );
});
