import { expect, test } from 'vitest';
import { Shared } from '../../src/native/shared.js';

/** Work that is begun and ended by hand. */
function work() {
  const begun: { signal: AbortSignal; resolve: (value: number) => void; reject: (error: unknown) => void }[] = [];
  const shared = new Shared<number>(
    signal => new Promise((resolve, reject) => void begun.push({ signal, resolve, reject })),
  );
  return { shared, begun };
}

test('many who wait have one work', async () => {
  const { shared, begun } = work();
  const both = Promise.all([shared.wait(), shared.wait()]);
  begun[0]!.resolve(7);
  expect(await both).toEqual([7, 7]);
  expect(await shared.wait()).toBe(7);
  expect(begun).toHaveLength(1);
});

test('one who leaves does not end it, the last one does, and who comes next begins anew', async () => {
  const { shared, begun } = work();
  const [first, second] = [new AbortController(), new AbortController()];
  const left = shared.wait(first.signal);
  const last = shared.wait(second.signal);
  first.abort(new Error('first'));
  await expect(left).rejects.toThrow('first');
  expect(begun[0]!.signal.aborted).toBe(false);
  second.abort(new Error('second'));
  await expect(last).rejects.toThrow('second');
  expect(begun[0]!.signal.aborted).toBe(true);
  const again = shared.wait();
  begun[1]!.resolve(8);
  expect(await again).toBe(8);
});

test('a failure is told to all who wait and is not kept', async () => {
  const { shared, begun } = work();
  const waiting = [shared.wait(), shared.wait()];
  begun[0]!.reject(new Error('no'));
  for (const each of waiting) await expect(each).rejects.toThrow('no');
  const again = shared.wait();
  begun[1]!.resolve(9);
  expect(await again).toBe(9);
});

test('who comes with an aborted signal begins nothing', async () => {
  const { shared, begun } = work();
  await expect(shared.wait(AbortSignal.abort(new Error('late')))).rejects.toThrow('late');
  expect(begun).toEqual([]);
});
