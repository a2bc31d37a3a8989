import { expect, test } from 'vitest';
import type { AskEngine } from '../../../src/answerer/engine.js';
import { MeditronError } from '../../../src/check/errors.js';
import type { GenerateOptions } from '../../../src/engine/jobs/options.js';
import { runItems } from '../../../src/evaluate/run/runner.js';
import { sampleSeeds } from '../../../src/random/seeds.js';
import { FakeEngine, says, texts } from '../../ask/fake.js';
import { emptyFolder, emptyStore, itemsOf, rowsOf, runOf } from './items.js';

/** An engine that can be made to fail before a job runs. */
class Watched extends FakeEngine {
  running = 0;
  most = 0;
  before: (job: GenerateOptions, running: number) => void = () => {};

  override async *generate(job: GenerateOptions): ReturnType<FakeEngine['generate']> {
    this.most = Math.max(this.most, ++this.running);
    try {
      this.before(job, this.running);
      yield* super.generate(job);
    } finally {
      this.running--;
    }
  }
}

const watched = (answer: string, steps = 2) => new Watched(() => says(answer, { steps })[0]!);

test('questions are asked so many at once, and every row holds what is needed to count it again', async () => {
  const engine = watched('A');
  const store = await emptyStore();
  const run = runOf('sc-cot', 5, { seed: 42 });
  const items = itemsOf(6);
  await runItems(engine, run, items, store, { parallel: 3 });
  const rows = await rowsOf(store);
  await store.close();
  expect(engine.most).toBe(3);
  expect(rows.map(row => row.item).sort()).toEqual(items.map(item => item.id));
  const row = rows.find(({ item }) => item === 'item-1')!;
  expect(row).toMatchObject({ id: 'sc-cot/item-1', run: 'sc-cot', gold: 'B', planned: 5, parallel: 3, kind: 'choice' });
  expect(row.samples.map(sample => sample.seed)).toEqual(sampleSeeds(42, 5, 'item-1'));
  expect(row.samples[0]).toEqual({
    index: 0,
    seed: sampleSeeds(42, 1, 'item-1')[0],
    text: 'because of this.\nThe answer is: A',
    finish: 'end',
    tokens: 33,
    logprob: -16.5,
    answer: 'A',
    rule: 'cue',
    forced: false,
  });
});

test('rows that are there are not asked for again', async () => {
  const dir = emptyFolder();
  const run = runOf('cot', 1);
  const first = await emptyStore(dir);
  await runItems(watched('A'), run, itemsOf(3), first, { parallel: 1 });
  await first.close();
  const engine = watched('B');
  const second = await emptyStore(dir);
  await runItems(engine, run, itemsOf(5), second, { parallel: 1 });
  const rows = await rowsOf(second);
  await second.close();
  expect(engine.jobs).toHaveLength(2);
  expect(rows.map(({ item, samples }) => [item, samples[0]!.answer])).toEqual([
    ...['item-0', 'item-1', 'item-2'].map(item => [item, 'A']),
    ...['item-3', 'item-4'].map(item => [item, 'B']),
  ]);
});

test('a question that cannot be asked at all gets a row that says why, and the others are asked', async () => {
  const items = [...itemsOf(2), { id: 'long', question: 'x'.repeat(5000), options: ['a', 'b'], gold: 0 }];
  const engine = new Watched(() => says('A')[0]!, { sequenceSize: 2000 });
  const store = await emptyStore();
  await runItems(engine, runOf('cot', 1, { maxTokens: 100 }), items, store, { parallel: 2 });
  const rows = await rowsOf(store);
  await store.close();
  const row = rows.find(({ item }) => item === 'long')!;
  expect(rows).toHaveLength(3);
  expect(row).toMatchObject({ samples: [], planned: 1, error: { code: 'ERR_CONTEXT_FULL' } });
  expect(row.error!.message).toMatch(/prompt has \d+ tokens/);
});

test('any other failure stops the run, and what was finished is kept', async () => {
  const engine = watched('A');
  engine.before = job => {
    if (texts(job.prompt as Int32Array).includes('number 3')) throw new MeditronError('ERR_DECODE', 'broken');
  };
  const store = await emptyStore();
  await expect(runItems(engine, runOf('cot', 1), itemsOf(6), store, { parallel: 2 })).rejects.toThrow('broken');
  expect([...store.done].sort()).toEqual(['cot/item-0', 'cot/item-1', 'cot/item-2']);
  await store.close();
});

test('an interruption cancels what is in flight, writes no row for it, and keeps the rest', async () => {
  const engine = watched('A', 50);
  engine.before = job => {
    if (texts(job.prompt as Int32Array).includes('number 4'))
      queueMicrotask(() => controller.abort(new Error('Ctrl-C')));
  };
  const controller = new AbortController();
  const store = await emptyStore();
  const going = runItems(engine, runOf('cot', 1), itemsOf(9), store, { parallel: 2, signal: controller.signal });
  await expect(going).rejects.toThrow('Ctrl-C');
  // Two are in flight at the moment of the interruption: number 4, and number 3 unless it has just finished.
  const finished = ['cot/item-0', 'cot/item-1', 'cot/item-2', 'cot/item-3'];
  expect([[...finished], finished.slice(0, 3)]).toContainEqual([...store.done].sort());
  expect(engine.running).toBe(0);
  await store.close();
});

test('mode top-token stores the probability of every answer', async () => {
  const engine: AskEngine = new FakeEngine([], { score: answer => (answer.trim() === 'C' ? -0.1 : -3) });
  const store = await emptyStore();
  await runItems(engine, runOf('top-token', 1), itemsOf(1), store, { parallel: 1 });
  const [row] = await rowsOf(store);
  await store.close();
  const rest = Math.exp(-3) / (Math.exp(-0.1) + 3 * Math.exp(-3));
  expect(row!.scores!.C).toEqual({ logprob: -0.1, probability: expect.closeTo(1 - 3 * rest, 9) });
  expect(row!.scores!.A!.probability).toBeCloseTo(rest, 9);
  expect(row!.samples[0]!.answer).toBe('C');
});
