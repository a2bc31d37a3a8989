import { expect, test } from 'vitest';
import { SharedClock } from '../../../src/evaluate/run/clock.js';

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
