import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Schedule } from '../../../src/evaluate/run/schedule.js';

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);

/** Everything that may be asked now. */
function take(schedule: Schedule<number>): number[] {
  const taken: number[] = [];
  for (let item = schedule.next(); item !== undefined; item = schedule.next()) taken.push(item);
  return taken;
}

function answer(schedule: Schedule<number>, items: readonly number[]): readonly number[] {
  return items.flatMap(item => {
    schedule.answered(item);
    return schedule.giveUp();
  });
}

describe('a process that is ended from outside', () => {
  test('before anything is answered leaves half as many in flight, and soon one', () => {
    const schedule = new Schedule(numbers(200), 64);
    const widths = numbers(4).map(() => {
      const asked = take(schedule);
      schedule.died(asked, false);
      return [asked.length, schedule.width];
    });
    expect(widths).toEqual([
      [64, 32],
      [32, 4],
      [4, 1],
      [1, 1],
    ]);
  });

  test('now and then changes nothing, and the number in flight doubles after twenty answers', () => {
    const schedule = new Schedule(numbers(200), 8);
    answer(schedule, take(schedule).slice(0, 3));
    schedule.died(numbers(8).slice(3), false);
    expect(schedule.width).toBe(8);
    schedule.died(take(schedule), false);
    const widths = numbers(50).map(() => {
      answer(schedule, [schedule.next()!]);
      return schedule.width;
    });
    expect(widths.filter((width, i) => width !== widths[i - 1])).toEqual([4, 8]);
    expect(widths.indexOf(8)).toBe(19);
  });
});

describe('after a crash', () => {
  test('every question that was in flight is asked alone, and then half as many at once', () => {
    const schedule = new Schedule(numbers(100), 64);
    schedule.died(take(schedule), true);
    for (const item of numbers(64)) {
      expect(take(schedule)).toEqual([item]);
      answer(schedule, [item]);
    }
    expect(take(schedule)).toEqual(numbers(96).slice(64));
  });

  test('a number in flight that crashed is not tried again', () => {
    const schedule = new Schedule(numbers(500), 64);
    schedule.died(take(schedule), true);
    const widths = numbers(400).map(() => {
      const asked = take(schedule);
      answer(schedule, asked);
      return asked.length;
    });
    expect(Math.max(...widths)).toBe(32);
  });

  test('the question that crashes it again is found after three deaths in all, and the others go on as before', () => {
    const schedule = new Schedule(numbers(100), 16);
    let deaths = 0;
    const given: number[] = [];
    const answered: number[] = [];
    for (let asked = take(schedule); asked.length > 0; asked = take(schedule)) {
      if (asked.includes(7)) {
        deaths++;
        schedule.died(asked, true);
        continue;
      }
      given.push(...answer(schedule, asked));
      answered.push(...asked);
    }
    expect(deaths).toBe(3);
    expect(given).toEqual([7]);
    expect(answered.sort((a, b) => a - b)).toEqual(numbers(100).filter(i => i !== 7));
    expect(schedule.width).toBe(16);
  });

  test('an engine that answers nothing is not the fault of a question', () => {
    const schedule = new Schedule(numbers(3), 2);
    for (let i = 0; i < 20; i++) schedule.died(take(schedule), true);
    expect(schedule.stuck).toBe(true);
    expect(schedule.failures).toBe(20);
  });
});

test('a question that the engine refuses is asked once more, and alone, before it is believed to be at fault', () => {
  const schedule = new Schedule(numbers(4), 2);
  expect(take(schedule)).toEqual([0, 1]);
  schedule.refused(0);
  expect(take(schedule)).toEqual([2]);
  answer(schedule, [1, 2]);
  expect(take(schedule)).toEqual([3, 0]);
  schedule.refused(0);
  answer(schedule, [3]);
  expect(take(schedule)).toEqual([0]);
  schedule.refused(0);
  expect(schedule.giveUp()).toEqual([0]);
});

test('whatever happens, nothing is lost, asked twice at once or asked beside more than was planned', () => {
  const events = fc.array(
    fc.record({ what: fc.constantFrom('answer', 'kill', 'crash', 'drop', 'refuse'), share: fc.nat(8) }),
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 16 }), events, (count, width, happens) => {
      const schedule = new Schedule(numbers(count), width);
      const flying = new Set<number>();
      const done: number[] = [];
      const step = (what: string, share: number) => {
        for (const item of take(schedule)) {
          expect(flying.has(item)).toBe(false);
          flying.add(item);
        }
        expect(flying.size).toBeLessThanOrEqual(width);
        expect(schedule.width).toBeLessThanOrEqual(width);
        const under = [...flying].slice(0, 1 + share);
        if (under.length === 0) return;
        for (const item of under) flying.delete(item);
        if (what === 'kill' || what === 'crash') schedule.died(under, what === 'crash');
        else if (what === 'refuse') for (const item of under) schedule.refused(item);
        else {
          done.push(...under);
          for (const item of under) {
            if (what === 'drop') schedule.dropped(item);
            else done.push(...answer(schedule, [item]));
          }
        }
      };
      for (const { what, share } of happens) step(what, share);
      for (let i = 0; i < 2 * count + 2; i++) step('answer', 0);
      expect(done.sort((a, b) => a - b)).toEqual(numbers(count));
    }),
    { numRuns: 500 },
  );
});
