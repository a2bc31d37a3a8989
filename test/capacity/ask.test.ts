import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type AskLayout,
  type AskShape,
  againPositions,
  layoutOf,
  newTokensThatFit,
  questionsNeed,
  questionsThatFit,
  roomyLayout,
  usualWidth,
} from '../../src/engine/capacity/ask.js';
import { fits, jobNeed, largest, type Need, samplesNeed } from '../../src/engine/capacity/need.js';
import { leastScoringNeed, planScoring, wholeScoringNeed } from '../../src/engine/capacity/scoring.js';
import { letGo, type Pool, Scheduler, Share, type Stretch, type Waiter } from '../../src/engine/scheduler.js';

const lengths = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 6 });
const shapes: fc.Arbitrary<AskShape> = fc
  .record({
    samples: fc.integer({ min: 1, max: 9 }),
    groups: fc.integer({ min: 1, max: 4 }),
    common: fc.integer({ min: 0, max: 30 }),
    own: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 4, maxLength: 4 }),
    maxTokens: fc.integer({ min: 1, max: 25 }),
    again: fc.option(fc.record({ suffix: fc.integer({ min: 1, max: 5 }), continuations: lengths }), { nil: undefined }),
  })
  .map(({ samples, groups, common, own, maxTokens, again }) => ({
    prompts: Array.from({ length: Math.min(groups, samples) }, (_, group) => ({
      tokens: common + own[group]!,
      samples: Array.from({ length: samples }, (_, i) => i).filter(i => i % Math.min(groups, samples) === group),
    })),
    common,
    samples,
    maxTokens,
    again,
  }));
const rooms: fc.Arbitrary<Need> = fc.record({
  sequences: fc.integer({ min: 1, max: 12 }),
  cells: fc.integer({ min: 5, max: 400 }),
});

interface Job extends Waiter {
  readonly shares: Share[];
}

/** A lease on a scheduler in which jobs run one after the other; a job that is not admitted at once is a fault. */
class Caller {
  readonly scheduler: Scheduler<Job>;
  readonly pool: Pool<Job>;

  constructor(need: Need) {
    this.scheduler = new Scheduler<Job>(need);
    this.scheduler.root.take(need);
    this.scheduler.root.running++;
    this.pool = this.scheduler.lease(need);
  }

  run(promptCells: number, branchCells: number[], from?: Stretch): Share {
    const need = jobNeed({ promptTokens: promptCells, branchCells });
    let share: Share | undefined;
    this.scheduler.enter({ need, continues: from !== undefined, holds: true, shares: [] }, this.pool);
    this.scheduler.schedule({
      start: (_, pool) => {
        share = new Share(pool, promptCells, branchCells, from);
      },
      refuse: () => {},
    });
    if (!share) throw new Error(`no room for ${need.sequences} and ${need.cells} in ${JSON.stringify(this.pool.free)}`);
    return share;
  }

  score(promptCells: number, continuations: readonly number[], from?: Stretch): void {
    const plan = planScoring(promptCells, continuations, this.pool.room);
    const head = plan.way === 'shared' ? this.run(promptCells - 1, [0], from).hold(0, 0) : from;
    const rest = plan.way === 'shared' ? 1 : promptCells;
    for (let i = 0; i < continuations.length; i += plan.atOnce) {
      const part = continuations.slice(i, i + plan.atOnce);
      const share = this.run(
        rest,
        part.map(length => length - 1),
        head,
      );
      for (const branch of part.keys()) share.end(branch);
    }
    if (head && head !== from) letGo(head);
  }
}

/** Runs a question in its layout, every sample to its last token and without an answer. */
function play(shape: AskShape, { waves, shared, againOnCache, need }: AskLayout): void {
  const caller = new Caller(need);
  const trunk = shared > 0 ? caller.run(shared, [0]).hold(0, 0) : undefined;
  let next = 0;
  for (const count of waves) {
    const wave = Array.from({ length: count }, () => next++);
    const shares = shape.prompts.flatMap(prompt => {
      const own = prompt.samples.filter(sample => wave.includes(sample));
      if (own.length === 0) return [];
      const branches = own.map(() => shape.maxTokens);
      return [{ prompt, own, share: caller.run(prompt.tokens - shared, branches, trunk) }];
    });
    const open: { readonly held: Stretch | undefined; readonly tokens: number }[] = [];
    for (const { prompt, own, share } of shares) {
      for (const branch of own.keys()) {
        const keeps = shape.again !== undefined && againOnCache;
        const held = keeps ? share.hold(branch, shape.maxTokens - 1) : undefined;
        if (!held) share.end(branch);
        open.push({ held, tokens: prompt.tokens + shape.maxTokens });
      }
    }
    if (!shape.again) continue;
    const { suffix, continuations } = shape.again;
    for (const { held, tokens } of open) {
      // On the cache the sample's last token is evaluated first; anew everything is.
      if (held) caller.score(suffix + 1, continuations, held);
      else caller.score(tokens + suffix, continuations);
      if (held) letGo(held);
    }
  }
  if (trunk) letGo(trunk);
  expect(caller.pool.free).toEqual({ ...need });
}

test('a layout fits in the room it was made for, and every phase of the question runs in its lease', () => {
  let laid = 0;
  fc.assert(
    fc.property(shapes, rooms, fc.integer({ min: 1, max: 9 }), (shape, room, wanted) => {
      const layout = layoutOf(shape, wanted, room);
      if (!layout) return;
      laid++;
      expect(fits(layout.need, room)).toBe(true);
      expect(layout.width).toBeLessThanOrEqual(wanted);
      expect(layout.waves.reduce((a, b) => a + b, 0)).toBe(shape.samples);
      play(shape, layout);
    }),
    { numRuns: 500 },
  );
  expect(laid).toBeGreaterThan(100);
});

test('a layout is refused only where not even one sample after the other would fit', () => {
  fc.assert(
    fc.property(shapes, rooms, (shape, room) => {
      const longest = largest(shape.prompts.map(prompt => prompt.tokens));
      const again = shape.again
        ? leastScoringNeed(longest + shape.maxTokens + shape.again.suffix, shape.again.continuations)
        : { sequences: 1, cells: 0 };
      const one = fits(samplesNeed(longest, 1, shape.maxTokens), room) && fits(again, room);
      expect(layoutOf(shape, shape.samples, room) !== undefined).toBe(one);
    }),
    { numRuns: 500 },
  );
});

test('an engine made for a question runs it as wide as was wanted, all continuations at once', () => {
  fc.assert(
    fc.property(shapes, fc.integer({ min: 1, max: 9 }), (shape, wanted) => {
      const roomy = roomyLayout(shape, wanted);
      expect(roomy.width).toBe(Math.min(wanted, shape.samples));
      expect(layoutOf(shape, wanted, roomy.need)).toEqual(roomy);
      play(shape, roomy);
    }),
    { numRuns: 200 },
  );
});

test('a beginning that somebody else holds takes nothing', () => {
  const shape: AskShape = {
    prompts: [{ tokens: 100, samples: [0, 1] }],
    common: 99,
    samples: 2,
    maxTokens: 10,
  };
  expect(roomyLayout(shape, 2).need).toEqual({ sequences: 2, cells: 120 });
  expect(roomyLayout({ ...shape, heldAlready: 90 }, 2).need).toEqual({ sequences: 2, cells: 30 });
});

test('continuations are scored in whatever room holds one of them', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), lengths, rooms, (prompt, continuations, room) => {
      const plan = planScoring(prompt, continuations, room);
      expect(plan.atOnce).toBeGreaterThan(0);
      if (!fits(leastScoringNeed(prompt, continuations), room)) return;
      expect(fits(plan.need, room)).toBe(true);
      if (fits(wholeScoringNeed(prompt, continuations), room)) expect(plan.way).toBe('together');
      const caller = new Caller(room);
      caller.score(prompt, continuations);
      expect(caller.pool.free).toEqual({ ...room });
    }),
    { numRuns: 500 },
  );
});

test('new tokens are what a sequence has left, and no more than were wanted', () => {
  const limits = { sequenceSize: 100, contextSize: 256 };
  const again = { suffix: 5, continuations: [1, 3] };
  expect(newTokensThatFit(limits, 40, 20)).toBe(20);
  expect(newTokensThatFit(limits, 40, 1000)).toBe(60);
  expect(newTokensThatFit(limits, 40, 1000, again)).toBe(52);
  expect(newTokensThatFit(limits, 140, 10)).toBe(-40);
  expect(againPositions(undefined)).toBe(0);
});

test('samples at once: four on a CPU whose weights are in memory or that computes part of the layers, all elsewhere', () => {
  expect(usualWidth({ gpuLayers: 0, loadMode: 'read' }, 9)).toBe(4);
  expect(usualWidth({ gpuLayers: 0, loadMode: 'read' }, 3)).toBe(3);
  expect(usualWidth({ gpuLayers: 0, loadMode: 'mmap', keptBytes: 4e9 }, 9)).toBe(4);
  expect(usualWidth({ gpuLayers: 0, loadMode: 'mmap', keptBytes: 0 }, 9)).toBe(9);
  expect(usualWidth({ gpuLayers: 33, loadMode: 'mmap', layers: 32 }, 9)).toBe(9);
  expect(usualWidth({ gpuLayers: 10, loadMode: 'read', layers: 32 }, 9)).toBe(4);
});

test('questions at once are as many as sequences and cells allow, at least one', () => {
  const each = { sequences: 6, cells: 500 };
  const shared = { sequences: 1, cells: 2000 };
  expect(questionsThatFit(each, shared, 5000)).toBe(6);
  expect(questionsThatFit(each, shared, 1e6)).toBe(42);
  expect(questionsThatFit(each, shared, 100)).toBe(1);
  expect(questionsNeed(each, shared, 6)).toEqual({ sequences: 37, cells: 5000 });
});
