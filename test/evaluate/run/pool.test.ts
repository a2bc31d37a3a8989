import { expect, test } from 'vitest';
import { inFlight, SharedClock } from '../../../src/evaluate/run/pool.js';

const pause = () => new Promise<void>(resolve => setImmediate(resolve));

test('as many are in flight as were asked for, never more, and all are done', async () => {
  let running = 0;
  let most = 0;
  const done: number[] = [];
  await inFlight(
    Array.from({ length: 20 }, (_, i) => i),
    4,
    async item => {
      most = Math.max(most, ++running);
      for (let i = 0; i <= item % 3; i++) await pause();
      running--;
      done.push(item);
    },
  );
  expect(most).toBe(4);
  expect(done.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i));
});

test('the first failure starts nothing new, lets the others end, and is thrown', async () => {
  const ended: number[] = [];
  const work = async (item: number) => {
    if (item === 1) throw new Error('one');
    await pause();
    await pause();
    ended.push(item);
  };
  await expect(inFlight([0, 1, 2, 3, 4, 5], 3, work)).rejects.toThrow('one');
  expect(ended).toEqual([0, 2]);
});

test('a signal starts nothing new and its reason is thrown', async () => {
  const controller = new AbortController();
  const done: number[] = [];
  const work = async (item: number) => {
    await pause();
    done.push(item);
    if (item === 1) controller.abort(new Error('enough'));
  };
  await expect(inFlight([0, 1, 2, 3, 4, 5], 2, work, controller.signal)).rejects.toThrow('enough');
  expect(done.length).toBeLessThan(6);
});

test('the shares of those in flight add up to the time that passed', () => {
  let now = 0;
  const clock = new SharedClock(() => now);
  const first = clock.start();
  now = 10; // alone for 10
  const second = clock.start();
  now = 30; // together for 20
  const a = first();
  now = 35;
  const b = second();
  now = 100; // nobody
  const third = clock.start();
  now = 101;
  expect([a, b, third()]).toEqual([
    { share: 20, elapsed: 30 },
    { share: 15, elapsed: 25 },
    { share: 1, elapsed: 1 },
  ]);
});
