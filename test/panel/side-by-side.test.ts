import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MeditronError } from '../../src/check/errors.js';
import type { Model } from '../../src/engine/model.js';
import { type Seat, sideBySide } from '../../src/panel/side-by-side.js';

const GB = 1e9;
const never = new AbortController().signal;
const short = () => new MeditronError('ERR_MEMORY', 'It does not fit');

/**
 * A machine of so many bytes on which models of given sizes are loaded, worked with for some turns and closed. It tells how much is left;
 * or it lies, and loads are refused; or weights are mapped, which it counts as available, and nothing is refused.
 */
function machine(
  memory: number,
  sizes: readonly number[],
  turns: readonly number[],
  tells: 'truth' | 'lies' | 'mapped' = 'truth',
) {
  let used = 0;
  let inside = 0;
  const seen = { most: 0, mostUsed: 0, order: [] as number[], closed: 0 };
  const seats = sizes.map((sizeBytes, index): Seat => ({ index, sizeBytes }));
  const run = (stopped = never, failing: ReadonlySet<number> = new Set()) =>
    sideBySide<number>(seats, {
      async load({ index, sizeBytes }) {
        await turn();
        if (failing.has(index)) throw new MeditronError('ERR_MODEL_LOAD', 'It is damaged');
        if (used + sizeBytes > memory && inside > 0 && tells !== 'mapped') throw short();
        used += sizeBytes;
        seen.most = Math.max(seen.most, ++inside);
        seen.mostUsed = Math.max(seen.mostUsed, used);
        seen.order.push(index);
        const close = async () => {
          used -= sizeBytes;
          inside--;
          seen.closed++;
        };
        const keptBytes = tells === 'mapped' ? sizeBytes : 0;
        return { info: { gpuLayers: 0, keptBytes }, close } as unknown as Model;
      },
      async work({ index }, _, opened) {
        opened();
        for (let i = 0; i < turns[index % turns.length]!; i++) await turn();
        return index;
      },
      failed() {},
      stopped,
      available: () => (tells === 'lies' ? Number.MAX_SAFE_INTEGER : tells === 'mapped' ? memory : memory - used),
    });
  return {
    run,
    seen,
    get left() {
      return used;
    },
  };
}

test('where memory holds one, models come one after the other, in their order', async () => {
  const { run, seen } = machine(6 * GB, [4 * GB, 4 * GB, 4 * GB], [3]);
  const ended = await run();
  expect(seen).toMatchObject({ most: 1, order: [0, 1, 2], closed: 3 });
  expect([...ended.values()]).toEqual([{ value: 0 }, { value: 1 }, { value: 2 }]);
});

test('where it holds two, the next is loaded while the first works', async () => {
  const { run, seen } = machine(10 * GB, [4 * GB, 4 * GB, 4 * GB], [5]);
  await run();
  expect(seen).toMatchObject({ most: 2, order: [0, 1, 2], closed: 3 });
});

test('one that turns out not to fit beside others comes when they are gone', async () => {
  const { run, seen } = machine(6 * GB, [4 * GB, 4 * GB], [3], 'lies');
  expect([...(await run()).values()]).toEqual([{ value: 0 }, { value: 1 }]);
  expect(seen).toMatchObject({ most: 1, closed: 2 });
});

test('whatever the sizes, every model has its turn or its error, memory is never exceeded, and all is closed', async () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 8 });
  const turns = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 8 });
  const tellings = fc.constantFrom('truth' as const, 'lies' as const, 'mapped' as const);
  await fc.assert(
    fc.asyncProperty(sizes, turns, tellings, fc.array(fc.nat(7)), async (given, worked, tells, damaged) => {
      const failing = new Set(damaged);
      const place = machine(
        10 * GB,
        given.map(size => size * GB),
        worked,
        tells,
      );
      const ended = await place.run(never, failing);
      expect([...ended.keys()].sort()).toEqual([...given.keys()]);
      for (const [i, end] of ended) expect('value' in end ? end.value : 'error').toBe(failing.has(i) ? 'error' : i);
      expect(place.seen.mostUsed).toBeLessThanOrEqual(10 * GB);
      expect(place.left).toBe(0);
    }),
    { numRuns: 60 },
  );
});

test('after a stop nothing more is begun', async () => {
  const stopping = new AbortController();
  stopping.abort();
  const { run, seen } = machine(10 * GB, [GB, GB], [1]);
  expect([...(await run(stopping.signal)).values()]).toEqual([{}, {}]);
  expect(seen.order).toEqual([]);
});

test('a model that is short of memory with the machine to itself has failed, and is not tried for ever', async () => {
  let tries = 0;
  const failed: number[] = [];
  const ended = await sideBySide<number>([{ index: 0, sizeBytes: GB }], {
    load: async () => ({ info: { gpuLayers: 0, keptBytes: 0 }, close: async () => {} }) as unknown as Model,
    async work() {
      tries++;
      throw short();
    },
    failed: ({ index }) => void failed.push(index),
    stopped: never,
    available: () => 10 * GB,
  });
  expect({ tries, failed, error: ended.get(0)!.error }).toMatchObject({
    tries: 1,
    failed: [0],
    error: { code: 'ERR_MEMORY' },
  });
});

test.each([
  ['free', 9 * GB, 2],
  ['full', GB, 1],
])(
  'where a GPU is in use and %s, %d bytes of it decide how many models are loaded',
  async (_, memoryFree, together) => {
    let inside = 0;
    let most = 0;
    await sideBySide<void>(
      [0, 1].map(index => ({ index, sizeBytes: 4 * GB })),
      {
        async load() {
          most = Math.max(most, ++inside);
          const devices = async () => [
            { type: 'cpu', memoryFree: 100 * GB },
            { type: 'gpu', memoryFree },
          ];
          const close = async () => void inside--;
          return { info: { gpuLayers: 10, keptBytes: 0 }, devices, close } as unknown as Model;
        },
        async work(_seat, _model, opened) {
          opened();
          for (let i = 0; i < 9; i++) await turn();
        },
        failed() {},
        stopped: never,
        available: () => 100 * GB,
      },
    );
    expect(most).toBe(together);
  },
);
