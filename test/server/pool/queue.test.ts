import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Queue } from '../../../src/server/pool/queue.js';

const never = new AbortController().signal;

test('one more than may wait is refused with the numbers', async () => {
  const queue = new Queue(1, 1);
  const leave = await queue.enter(never);
  const second = queue.enter(never);
  await expect(queue.enter(never)).rejects.toMatchObject({
    code: 'ERR_QUEUE_FULL',
    message: '1 requests are being answered and one request may wait for this model, which do already: try again later',
  });
  leave();
  (await second)();
  expect([queue.running, queue.waiting]).toEqual([0, 0]);
});

test('whoever leaves the line gives its place in it to the next', async () => {
  const queue = new Queue(1, 2);
  const leave = await queue.enter(never);
  const gone = new AbortController();
  const left = queue.enter(gone.signal);
  const second = queue.enter(never);
  gone.abort(new Error('gone'));
  await expect(left).rejects.toThrow('gone');
  expect(queue.waiting).toBe(1);
  leave();
  (await second)();
  await expect(queue.enter(gone.signal)).rejects.toThrow('gone');
  expect(queue.running).toBe(0);
});

test('whatever is done, nobody is forgotten, nobody overtakes, and never more than there are places for are in', async () => {
  const doing = fc.array(fc.record({ what: fc.constantFrom('enter', 'leave', 'abort'), whom: fc.nat(20) }), {
    maxLength: 60,
  });
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 4 }), fc.nat(5), doing, async (places, most, steps) => {
      const queue = new Queue(places, most);
      const inside: (() => void)[] = [];
      const line: { readonly number: number; readonly gone: AbortController }[] = [];
      const came: number[] = [];
      let number = 0;
      for (const { what, whom } of steps) {
        if (what === 'enter') {
          const gone = new AbortController();
          const mine = number++;
          line.push({ number: mine, gone });
          queue.enter(gone.signal).then(
            leave => {
              came.push(mine);
              inside.push(leave);
              line.splice(
                line.findIndex(each => each.number === mine),
                1,
              );
            },
            () => {
              const at = line.findIndex(each => each.number === mine);
              if (at >= 0) line.splice(at, 1);
            },
          );
        } else if (what === 'leave') inside.splice(whom % (inside.length || 1), 1)[0]?.();
        else line[whom % (line.length || 1)]?.gone.abort(new Error('gone'));
        await new Promise(resolve => setImmediate(resolve));
        expect(inside.length).toBeLessThanOrEqual(places);
        expect([queue.running, queue.waiting]).toEqual([inside.length, line.length]);
        expect(line.length === 0 || inside.length === places).toBe(true);
        expect(line.length).toBeLessThanOrEqual(most);
      }
      expect(came).toEqual([...came].sort((a, b) => a - b));
    }),
    { numRuns: 50 },
  );
});
