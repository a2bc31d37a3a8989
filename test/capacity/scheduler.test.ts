import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Need } from '../../src/engine/capacity/need.js';
import { letGo, type Pool, Scheduler, Share, type Stretch, type Waiter } from '../../src/engine/scheduler.js';

interface Job extends Waiter {
  readonly kind: 'job' | 'lease';
  readonly number: number;
  readonly promptCells: number;
  readonly branchCells: readonly number[];
  readonly from: Held | undefined;
  readonly pool: Pool<Job>;
}
interface Running {
  readonly job: Job;
  readonly share: Share;
  readonly branches: Set<number>;
}
interface Held {
  readonly stretch: Stretch;
  released: boolean;
}

const total: Need = { sequences: 5, cells: 40 };

/** What an engine does with a scheduler, without an engine: jobs end when a test says so. */
class World {
  readonly scheduler = new Scheduler<Job>(total);
  readonly running: Running[] = [];
  readonly held: Held[] = [];
  readonly leases: Pool<Job>[] = [];
  readonly started: number[] = [];
  readonly refused: number[] = [];
  #next = 0;

  enter(shape: { cells: number[]; prompt: number; holds: boolean; from: number; lease: number }): Job | undefined {
    const open = this.held.filter(held => !held.released);
    const from = shape.from < open.length ? open[shape.from] : undefined;
    const pool = this.leases[shape.lease] ?? this.scheduler.root;
    const need = {
      sequences: shape.cells.length,
      cells: shape.prompt + shape.cells.reduce((a, b) => a + b, 0),
    };
    const kept = from && from.stretch.pool === pool ? { sequences: 1, cells: from.stretch.cells(pool) } : none;
    if (need.sequences + kept.sequences > pool.total.sequences || need.cells + kept.cells > pool.total.cells)
      return undefined; // what an engine refuses at its door
    const job: Job = {
      kind: 'job',
      number: this.#next++,
      need,
      holds: shape.holds,
      continues: from !== undefined,
      promptCells: shape.prompt,
      branchCells: shape.cells,
      from,
      pool,
    };
    this.scheduler.enter(job, pool);
    return job;
  }

  enterLease(need: Need): void {
    const job = { ...lease, number: this.#next++, need, pool: this.scheduler.root };
    this.scheduler.enter(job, this.scheduler.root);
  }

  schedule(): void {
    this.scheduler.schedule({
      start: (job, pool) => {
        this.started.push(job.number);
        // While anything else runs in a pool, whoever starts was the first of all that waited in it.
        if (pool.running > 1) for (const other of pool.queue) expect(other.number).toBeGreaterThan(job.number);
        if (job.kind === 'lease') this.leases.push(this.scheduler.lease(job.need));
        else if (job.from?.released) {
          const share = new Share(pool, job.promptCells, job.branchCells, undefined);
          for (const branch of job.branchCells.keys()) share.end(branch);
        } else {
          const share = new Share(pool, job.promptCells, job.branchCells, job.from?.stretch);
          this.running.push({ job, share, branches: new Set(job.branchCells.keys()) });
        }
      },
      refuse: job => this.refused.push(job.number),
    });
    this.check();
  }

  /** One branch of a running job ends. */
  end(index: number, used: number): void {
    const at = this.running[index % this.running.length];
    if (!at) return;
    const [branch] = at.branches;
    at.branches.delete(branch!);
    if (at.branches.size === 0) this.running.splice(this.running.indexOf(at), 1);
    if (!at.job.holds) at.share.end(branch!);
    else
      this.held.push({
        stretch: at.share.hold(branch!, Math.min(used, at.job.branchCells[branch!]!)),
        released: false,
      });
  }

  release(index: number): void {
    const open = this.held.filter(held => !held.released);
    const held = open[index % open.length];
    if (!held) return;
    held.released = true;
    letGo(held.stretch);
  }

  endLease(index: number): void {
    const pool = this.leases[index % this.leases.length];
    if (!pool) return;
    for (const job of [...pool.queue]) this.scheduler.leave(job, pool);
    this.leases.splice(this.leases.indexOf(pool), 1);
    this.scheduler.endLease(pool);
  }

  abort(index: number): number | undefined {
    const waiting = this.scheduler.waiting();
    const job = waiting[index % waiting.length];
    if (!job) return undefined;
    expect(this.scheduler.leave(job, job.pool)).toBe(true);
    return job.number;
  }

  check(): void {
    const pools = [this.scheduler.root, ...this.leases];
    for (const { free, kept, total: all, running } of pools) {
      for (const key of ['sequences', 'cells'] as const) {
        expect(free[key]).toBeGreaterThanOrEqual(0);
        expect(kept[key]).toBeGreaterThanOrEqual(0);
        expect(free[key] + kept[key]).toBeLessThanOrEqual(all[key]);
      }
      expect(running).toBeGreaterThanOrEqual(0);
    }
    // Every sequence is free, held, running, or in a lease.
    const busy = this.running.reduce((sum, { branches }) => sum + branches.size, 0);
    const held = this.held.filter(each => !each.released).length;
    const free = pools.reduce((sum, pool) => sum + pool.free.sequences, 0);
    expect(free + held + busy).toBe(total.sequences);
  }
}

const none: Need = { sequences: 0, cells: 0 };
const lease = {
  kind: 'lease',
  holds: true,
  continues: false,
  promptCells: 0,
  branchCells: [],
  from: undefined,
} as const;

const job = fc.record({
  cells: fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 5 }),
  prompt: fc.integer({ min: 1, max: 15 }),
  holds: fc.boolean(),
  from: fc.integer({ min: 0, max: 8 }),
  lease: fc.integer({ min: 0, max: 4 }),
});
const command = fc.oneof(
  { weight: 6, arbitrary: job.map(shape => (world: World) => void world.enter(shape)) },
  {
    weight: 2,
    arbitrary: fc
      .record({ sequences: fc.integer({ min: 1, max: 5 }), cells: fc.integer({ min: 1, max: 40 }) })
      .map(need => (world: World) => world.enterLease(need)),
  },
  {
    weight: 6,
    arbitrary: fc.tuple(fc.nat(20), fc.nat(12)).map(
      ([i, used]) =>
        (world: World) =>
          world.end(i, used),
    ),
  },
  { weight: 4, arbitrary: fc.nat(20).map(i => (world: World) => world.release(i)) },
  { weight: 2, arbitrary: fc.nat(20).map(i => (world: World) => world.endLease(i)) },
  { weight: 1, arbitrary: fc.nat(20).map(i => (world: World) => void world.abort(i)) },
);

test('counts never go below nothing, and everybody who was let in is served once holders let go', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 80 }), commands => {
      const world = new World();
      for (const each of commands) {
        each(world);
        world.schedule();
      }
      // From here on jobs end, holders release, leases are given back; nobody new comes.
      for (let round = 0; round < 1000 && world.scheduler.waiting().length > 0; round++) {
        const before = world.started.length + world.refused.length;
        if (world.running.length > 0) world.end(0, 3);
        else if (world.held.some(held => !held.released)) world.release(0);
        else {
          // Nobody holds anything: whoever leads a lease's queue must start by itself.
          expect(world.leases.length).toBeGreaterThan(0);
          for (const pool of world.leases) expect(pool.queue).toEqual([]);
          world.endLease(0);
        }
        world.schedule();
        expect(world.started.length + world.refused.length).toBeGreaterThanOrEqual(before);
      }
      expect(world.scheduler.waiting()).toEqual([]);
      while (world.running.length > 0) world.end(0, 0);
      for (const held of world.held.filter(each => !each.released)) {
        held.released = true;
        letGo(held.stretch);
      }
      while (world.leases.length > 0) world.endLease(0);
      expect(world.scheduler.root.free).toEqual(total);
      expect(world.scheduler.root.kept).toEqual(none);
      expect(world.scheduler.root.running).toBe(0);
      expect(new Set(world.started).size).toBe(world.started.length);
    }),
    { numRuns: 600 },
  );
});

test('callers that take leases all finish, however many share the engine', () => {
  // Each holds a prefix, runs two samples beside it and continues from one: by turns of any order.
  fc.assert(
    fc.property(fc.array(fc.nat(100), { minLength: 200, maxLength: 200 }), turns => {
      const world = new World();
      const callers = 8;
      for (let i = 0; i < callers; i++) world.enterLease({ sequences: 4, cells: 25 });
      world.schedule();
      let served = 0;
      for (const turn of turns) {
        if (world.leases.length === 0) break;
        const at = turn % world.leases.length;
        world.enter({ cells: [0], prompt: 5, holds: true, from: 9, lease: at });
        world.schedule();
        world.end(0, 0);
        world.enter({ cells: [5, 5], prompt: 2, holds: true, from: 0, lease: at });
        world.schedule();
        world.end(0, 5);
        world.end(0, 5);
        world.enter({ cells: [2], prompt: 1, holds: false, from: 1, lease: at });
        world.schedule();
        world.end(0, 0);
        for (let i = 0; i < 3; i++) world.release(0);
        world.endLease(at);
        served++;
        world.schedule();
      }
      expect(served).toBe(callers);
      expect(world.refused).toEqual([]);
    }),
    { numRuns: 50 },
  );
});

test('who starts from a held sequence passes those whom held sequences keep out; a new holder does not', () => {
  const world = new World();
  world.enter({ cells: [0], prompt: 5, holds: true, from: 9, lease: 9 });
  world.schedule();
  world.end(0, 0); // one sequence is held
  world.enter({ cells: [1, 1, 1, 1, 1], prompt: 1, holds: false, from: 9, lease: 9 }); // needs all five
  world.enter({ cells: [1], prompt: 1, holds: true, from: 9, lease: 9 }); // would hold as well
  world.enter({ cells: [1], prompt: 1, holds: false, from: 0, lease: 9 }); // starts from what is held
  world.schedule();
  expect(world.started).toEqual([0, 3]);
  world.end(0, 0);
  world.release(0);
  world.schedule();
  expect(world.started).toEqual([0, 3, 1]);
});

test('of callers that hold and wait for each other, one that starts from its held sequence is to be refused', () => {
  const world = new World();
  for (let i = 0; i < 5; i++) world.enter({ cells: [0], prompt: 1, holds: true, from: 9, lease: 9 });
  world.schedule();
  for (let i = 0; i < 5; i++) world.end(0, 0);
  const innocent = world.enter({ cells: [1], prompt: 1, holds: false, from: 9, lease: 9 });
  const holder = world.enter({ cells: [1], prompt: 1, holds: false, from: 2, lease: 9 });
  world.schedule();
  expect(world.scheduler.stuck).toBe(holder);
  world.release(2);
  world.schedule();
  expect(world.started).toContain(innocent!.number);
});

test('a job in a lease that its own held sequences keep out is refused at once', () => {
  const world = new World();
  world.enterLease({ sequences: 2, cells: 20 });
  world.schedule();
  for (let i = 0; i < 2; i++) world.enter({ cells: [0], prompt: 5, holds: true, from: 9, lease: 0 });
  world.schedule();
  world.end(0, 0);
  world.end(0, 0);
  const late = world.enter({ cells: [1], prompt: 1, holds: false, from: 9, lease: 0 });
  world.schedule();
  expect(world.refused).toEqual([late!.number]);
});
