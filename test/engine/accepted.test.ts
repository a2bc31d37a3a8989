import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MeditronError } from '../../src/check/errors.js';
import type { Engine } from '../../src/engine/engine.js';
import type { Held } from '../../src/engine/held.js';
import type { Lease } from '../../src/engine/lease.js';
import type { Model } from '../../src/engine/model.js';
import { all, ends, exact, loadStories } from './stories.js';

let model: Model;
const engines = new Map<number, Engine>();
/** llama.cpp rounds a context up to a multiple of 256; jobs are made to fill one. */
const cells = 256;
const most = 5;

beforeAll(async () => {
  model = await loadStories();
  for (let maxSequences = 1; maxSequences <= most; maxSequences++)
    engines.set(maxSequences, await model.createEngine({ ...exact, contextSize: cells, maxSequences }));
});

afterAll(async () => {
  for (const engine of engines.values()) await engine.close();
  await model.close();
});

const tokens = (count: number) => Int32Array.from({ length: count }, (_, i) => 300 + (i % 150));
const samplers = (count: number) => Array.from({ length: count }, () => ({ temperature: 1 }));

/** What became of a job: done, or refused with the numbers. Anything else is a fault. */
async function outcome(work: Promise<unknown>): Promise<'done' | 'refused'> {
  try {
    await work;
    return 'done';
  } catch (error) {
    if (!(error instanceof MeditronError) || error.code !== 'ERR_CONTEXT_FULL') throw error;
    expect(error.message).toMatch(/\d/);
    return 'refused';
  }
}

const job = fc.record({
  sequences: fc.integer({ min: 1, max: most }),
  first: fc.record({ prompt: fc.integer({ min: 1, max: 60 }), maxTokens: fc.integer({ min: 1, max: 40 }) }),
  from: fc.constantFrom('nothing', 'whole', 'all but one', 'half', 'prefix'),
  kind: fc.constantFrom('generate', 'hold', 'score', 'prefix'),
  branches: fc.integer({ min: 1, max: most }),
  /** Cells more or less than there are. */
  over: fc.integer({ min: -3, max: 2 }),
  each: fc.integer({ min: 1, max: 20 }),
  lease: fc.boolean(),
});

test('what is accepted finishes: jobs that fill the context to the last cell, from nothing and from held sequences', async () => {
  const seen = { done: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(job, async ({ sequences, first, from, kind, branches, over, each, lease: leased }) => {
      const engine = engines.get(sequences)!;
      let lease: Lease | undefined;
      let held: Held | undefined;
      try {
        if (leased) lease = await engine.lease({ sequences, cells });
        if (from === 'prefix') held = await engine.prefix(tokens(first.prompt), { lease });
        else if (from !== 'nothing') {
          const { maxTokens } = first;
          const options = { prompt: tokens(first.prompt), maxTokens, ignoreEnd: true, hold: true, lease };
          held = (await ends(engine.generate(options)))[0]!.held!;
        }
        const start =
          from === 'all but one'
            ? held!.first(held!.tokenCount - 1)
            : from === 'half'
              ? held!.first(Math.ceil(held!.tokenCount / 2))
              : held;
        const own = kind === 'prefix' ? 0 : branches * (kind === 'score' ? each - 1 : each);
        const prompt = tokens(Math.max(1, cells - (held?.cells ?? 0) - (start?.pending ?? 0) - own + over));
        const shared = { prompt, from: start, lease };
        const work =
          kind === 'score'
            ? engine.score({ ...shared, continuations: Array.from({ length: branches }, () => tokens(each)) })
            : kind === 'prefix'
              ? engine.prefix(prompt, { from: start, lease }).then(made => made.release())
              : ends(
                  engine.generate({
                    ...shared,
                    samplers: samplers(branches),
                    maxTokens: each,
                    ignoreEnd: true,
                    hold: kind === 'hold',
                  }),
                ).then(made => {
                  for (const end of made) end.held?.release();
                });
        const what = await outcome(work);
        seen[what]++;
        const room = sequences - (held ? 1 : 0);
        if (over > 0 && kind !== 'score') expect(what).toBe('refused');
        if (over <= 0 && (kind === 'prefix' ? room >= 1 : branches <= room)) expect(what).toBe('done');
      } finally {
        held?.release();
        lease?.release();
      }
    }),
    { numRuns: 150 },
  );
  expect(seen.done).toBeGreaterThan(20);
  expect(seen.refused).toBeGreaterThan(20);
});

test('every kind of job runs on an engine of any number of sequences, and scores are the same on all of them', async () => {
  const continuations = [' a', ' the dog', ' girl named Lily', ' boy', ' and he', ' was', ' b'];
  const prompt = 'Once upon a time there was a little';
  const reference = await model.createEngine({ ...exact, maxSequences: 16 });
  const expected = await reference.score({ prompt, continuations });
  for (const [sequences, engine] of engines) {
    for (let count = 1; count <= continuations.length; count++) {
      const scores = await engine.score({ prompt, continuations: continuations.slice(0, count) });
      scores.forEach((score, i) => {
        expect(score.logprob).toBeCloseTo(expected[i]!.logprob, 3);
      });
    }
    const held = await engine.prefix('Once upon a time');
    if (sequences === 1) {
      expect(await outcome(engine.score({ from: held, prompt: ' there', continuations }))).toBe('refused');
      held.release();
      continue;
    }
    const rest = await model.tokenize(' there was a little', { bos: 'never', inside: true });
    const behind = await engine.score({ from: held, prompt: rest, continuations });
    behind.forEach((score, i) => {
      expect(score.logprob).toBeCloseTo(expected[i]!.logprob, 3);
    });
    held.release();
    const [end] = await ends(engine.generate({ prompt, maxTokens: 4 }));
    expect(end!.tokens.length).toBeGreaterThan(0);
  }
  await reference.close();
});

test('callers that lease what they need all finish on few sequences, each with what it gets alone', async () => {
  const engine = engines.get(3)!;
  const caller = async (seed: number): Promise<string[]> => {
    using lease = await engine.lease({ sequences: 3, cells: 120 });
    using trunk = await engine.prefix('Once upon a time, there was', { lease });
    const made = await ends(
      engine.generate({ from: trunk, prompt: ' a', samplers: samplers(2), seed, maxTokens: 12, hold: true, lease }),
    );
    const texts = made.map(end => end.text);
    made[1]!.held!.release();
    const from = made[0]!.held!;
    const scores = await engine.score({ from, prompt: ' The', continuations: [' dog', ' cat'], lease });
    from.release();
    return [...texts, ...scores.map(score => score.logprob.toFixed(2))];
  };
  const alone: string[][] = [];
  for (let seed = 0; seed < 10; seed++) alone.push(await caller(seed));
  const plain = ends(engine.generate({ prompt: 'The', samplers: samplers(3), maxTokens: 5 }));
  const together = await Promise.all(alone.map((_, seed) => caller(seed)));
  expect(together).toEqual(alone);
  expect(await plain).toHaveLength(3);
});

test('a lease that can never be had is refused at once; one that has been released takes no more jobs', async () => {
  const engine = engines.get(2)!;
  await expect(engine.lease({ sequences: 3, cells: 10 })).rejects.toMatchObject({ code: 'ERR_CONTEXT_FULL' });
  await expect(engine.lease({ sequences: 1, cells: 257 })).rejects.toThrow(/1 sequence and 257 cells.*256 cells/);
  const lease = await engine.lease({ sequences: 2, cells: 200 });
  await expect(all(engine.generate({ prompt: tokens(150), maxTokens: 51, lease }))).rejects.toMatchObject({
    code: 'ERR_CONTEXT_FULL',
  });
  const held = await engine.prefix('Once', { lease });
  await expect(all(engines.get(3)!.generate({ prompt: 'a', lease }))).rejects.toMatchObject({ code: 'ERR_OPTION' });
  lease.release();
  lease.release();
  await expect(all(engine.generate({ prompt: 'a', lease }))).rejects.toMatchObject({ code: 'ERR_CLOSED' });
  // What it held is still there, and comes back to the engine when it is released.
  expect(await ends(engine.generate({ from: held, prompt: ' a', maxTokens: 3 }))).toHaveLength(1);
  held.release();
  expect(await ends(engine.generate({ prompt: 'a', samplers: samplers(2), maxTokens: 120 }))).toHaveLength(2);
});

test('a lease waits in line with the jobs, and its wait can be aborted', async () => {
  const engine = engines.get(2)!;
  const order: string[] = [];
  const before = engine.counters.sampledTokens;
  const running = engine.generate({ prompt: 'Once', samplers: samplers(2), maxTokens: 40, ignoreEnd: true });
  await running.next();
  const first = ends(running);
  const controller = new AbortController();
  const aborted = engine.lease({ sequences: 2, cells: 10 }, { signal: controller.signal });
  const second = engine.lease({ sequences: 2, cells: 100 }).then(lease => {
    order.push(`lease after ${engine.counters.sampledTokens - before}`);
    lease.release();
  });
  const third = ends(engine.generate({ prompt: 'Once', maxTokens: 2 })).then(() => order.push('third'));
  controller.abort(new Error('enough'));
  await expect(aborted).rejects.toThrow('enough');
  await Promise.all([first, second, third]);
  expect(order).toEqual(['lease after 80', 'third']);
});

test('closing the engine ends those who wait for a lease, or in one', async () => {
  const engine = await model.createEngine({ ...exact, contextSize: cells, maxSequences: 2 });
  const lease = await engine.lease({ sequences: 2, cells });
  const waiting = engine.lease({ sequences: 1, cells: 1 });
  const running = all(engine.generate({ prompt: 'Once', samplers: samplers(2), maxTokens: 100, lease }));
  const behind = all(engine.generate({ prompt: 'Once', lease }));
  const closing = engine.close();
  for (const each of [waiting, running, behind]) await expect(each).rejects.toMatchObject({ code: 'ERR_CLOSED' });
  await closing;
  lease.release();
  await expect(engine.lease({ sequences: 1, cells: 1 })).rejects.toMatchObject({ code: 'ERR_CLOSED' });
});
