import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Death } from '../../../src/check/died.js';
import { MeditronError } from '../../../src/check/errors.js';
import { type Fall, type RunnerOptions, runItems } from '../../../src/evaluate/run/runner.js';
import type { ResultRow } from '../../../src/evaluate/storage/rows.js';
import { emptyFolder, emptyStore, itemsOf, rowsOf, runOf } from './items.js';
import { deathBy, MortalEngine } from './mortal.js';

/** Answers that belong to their question and take steps that differ. */
const says = (sample: number, prompt: string) => {
  const number = Number(/number (\d+)/.exec(prompt)![1]);
  return { text: `Because of ${number}.\nThe answer is: ${'ABCD'[(number + sample) % 4]}`, steps: 1 + (number % 5) };
};
const run = runOf('sc-cot', 3);

interface Evaluated {
  readonly engine: MortalEngine;
  readonly rows: readonly ResultRow[];
  readonly falls: readonly Fall[];
  readonly error: unknown;
}

async function evaluated(
  count: number,
  parallel: number,
  fate: (engine: MortalEngine) => Death | undefined,
  { dir = emptyFolder(), ...more }: Partial<RunnerOptions> & { readonly dir?: string } = {},
): Promise<Evaluated> {
  const engine = new MortalEngine(says);
  engine.fate = () => fate(engine);
  const falls: Fall[] = [];
  const store = await emptyStore(dir);
  const error = await runItems(engine, run, itemsOf(count), store, {
    ...{ parallel, onDeath: async fall => void falls.push(fall) },
    ...more,
  }).catch((error: unknown) => error);
  const rows = await rowsOf(store);
  await store.close();
  return { engine, rows, falls, error };
}

/** What does not depend on the clock or on what else was asked, by id. */
const timeless = (rows: readonly ResultRow[]) =>
  Object.fromEntries(rows.map(({ ms: _, latencyMs: __, parallel: ___, ...row }) => [row.id, row]));
const whole = async (count: number) => timeless((await evaluated(count, 1, () => undefined)).rows);
const failed = (rows: readonly ResultRow[]) => rows.filter(row => row.error);

test('whenever and however often the engine is ended from outside, the rows are those of a run without deaths', async () => {
  const gaps = fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 30 });
  const signals = fc.constantFrom('SIGKILL', 'SIGTERM');
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 6 }),
      gaps,
      signals,
      async (count, parallel, plan, signal) => {
        const left = [...plan];
        const dir = emptyFolder();
        const fate = () => {
          if (left.length === 0 || left[0]!-- > 0) return undefined;
          left.shift();
          return deathBy(signal);
        };
        let { engine, rows, error } = await evaluated(count, parallel, fate, { dir });
        expect(engine.most).toBeLessThanOrEqual(parallel);
        expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length);
        // Sixteen deaths without an answer between them end it; what is there stays, and the rest is gone on with.
        if (error !== undefined) {
          expect(error).toMatchObject({ code: 'ERR_ENGINE_DOWN' });
          left.length = 0;
          ({ rows, error } = await evaluated(count, parallel, () => undefined, { dir }));
          expect(error).toBeUndefined();
        }
        expect(rows).toHaveLength(count);
        expect(timeless(rows)).toEqual(await whole(count));
      },
    ),
    { numRuns: 60 },
  );
});

test('an engine that dies of many in flight goes on with half as many', async () => {
  const { engine, rows, falls, error } = await evaluated(100, 16, ({ running }) =>
    running.length > 8 ? deathBy('SIGABRT') : undefined,
  );
  expect(error).toBeUndefined();
  expect(timeless(rows)).toEqual(await whole(100));
  expect(falls.map(({ width }) => width)).toEqual([{ before: 16, after: 8 }]);
  expect(engine.running).toEqual([]);
  expect(Math.max(...rows.map(({ parallel }) => parallel))).toBe(8);
});

describe('a question that kills the engine', () => {
  const killsWith =
    (...numbers: number[]) =>
    ({ running }: MortalEngine) =>
      numbers.some(number => running.some(text => text.includes(`number ${number}?`))) ? deathBy('SIGSEGV') : undefined;

  test('gets a row that says so, after three deaths, and no other is lost', async () => {
    const { rows, falls, error } = await evaluated(40, 8, killsWith(5));
    expect(error).toBeUndefined();
    const { 'sc-cot/item-5': killer, ...others } = timeless(rows);
    expect(killer).toMatchObject({ samples: [], error: { code: 'ERR_ENGINE_DIED' } });
    expect(killer!.error!.message).toMatch(
      /^The engine's process crashed twice while this question alone was asked.*SIGSEGV/,
    );
    expect(killer!.error!.message).not.toContain('Which option');
    const { 'sc-cot/item-5': _, ...expected } = await whole(40);
    expect(others).toEqual(expected);
    expect(falls).toHaveLength(3);
    const later = rows.slice(rows.findIndex(row => row.error));
    expect(Math.max(...later.map(({ parallel }) => parallel))).toBe(8);
  });

  test('that is the last one is given up too, unless another engine can be asked', async () => {
    const { rows, error } = await evaluated(4, 1, killsWith(3));
    expect(error).toBeUndefined();
    expect(failed(rows).map(({ item }) => item)).toEqual(['item-3']);
    const other = await evaluated(4, 1, killsWith(3), { replaceable: true });
    expect(other.error).toMatchObject({ code: 'ERR_ENGINE_DOWN' });
    expect(other.rows).toHaveLength(3);
  });

  test('is one that the engine refuses even when it is asked alone', async () => {
    const engine = new MortalEngine(says);
    const refused: number[] = [];
    engine.fate = () => {
      if (!engine.running.some(text => text.includes('number 2?'))) return undefined;
      refused.push(new Set(engine.running).size);
      throw new MeditronError('ERR_QUARANTINED', 'two engines in a row crashed under it');
    };
    const store = await emptyStore();
    await runItems(engine, run, itemsOf(6), store, { parallel: 3 });
    const rows = await rowsOf(store);
    await store.close();
    expect(failed(rows)).toMatchObject([{ item: 'item-2', error: { code: 'ERR_QUARANTINED' } }]);
    expect(rows).toHaveLength(6);
  });
});

test('after a death from outside the engine is probed before it is asked again, after a crash it is not', async () => {
  for (const [signal, times] of [
    ['SIGKILL', 3],
    ['SIGSEGV', 0],
  ] as const) {
    let steps = 0;
    let probed = 0;
    const fate = () => (++steps % 12 === 0 && steps < 40 ? deathBy(signal) : undefined);
    const probe = async () => void probed++;
    const { rows, error } = await evaluated(8, 1, fate, { probe });
    expect(error).toBeUndefined();
    expect(rows).toHaveLength(8);
    expect(probed).toBe(times);
  }
});

test('an engine that answers nothing is not the fault of its questions', async () => {
  const { rows, falls, error } = await evaluated(5, 2, () => deathBy('SIGSEGV'));
  expect(rows).toEqual([]);
  expect(error).toMatchObject({ code: 'ERR_ENGINE_DOWN', message: expect.stringContaining('SIGSEGV') });
  expect(falls).toHaveLength(16);
});

test('a death while it loads or has nothing to do is not the fault of the question that waits', async () => {
  for (const phase of ['start', 'load', 'idle'] as const) {
    let deaths = 0;
    const { rows, error } = await evaluated(3, 1, () => (deaths++ < 5 ? deathBy('SIGSEGV', { phase }) : undefined));
    expect(error).toBeUndefined();
    expect(failed(rows)).toEqual([]);
  }
});
