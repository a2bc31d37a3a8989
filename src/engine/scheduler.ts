import { fits, type Need, rest } from './capacity/need.js';

/** Who waits in a queue: a job, or a request for a lease. */
export interface Waiter {
  readonly need: Need;
  /** Whether it starts from a held sequence: then its caller has what others may be waiting for. */
  readonly continues: boolean;
  /** Whether it keeps sequences when it ends. */
  readonly holds: boolean;
}

/**
 * Sequences and cells with a first-in, first-out queue of those who wait for them: all of an engine, or the part of it that a lease
 * has. What comes back to a closed pool goes to the pool it was taken from.
 */
export class Pool<W extends Waiter = Waiter> {
  readonly queue: W[] = [];
  /** Jobs that run, and leases that are out. */
  running = 0;
  /** What held sequences keep of this pool. */
  readonly kept = { sequences: 0, cells: 0 };
  readonly free: { sequences: number; cells: number };
  #closed = false;

  constructor(
    readonly total: Need,
    private readonly onChange: () => void,
    private readonly parent?: Pool<W>,
  ) {
    this.free = { ...total };
  }

  get closed(): boolean {
    return this.#closed;
  }

  get #open(): Pool<W> {
    return this.#closed ? this.parent! : this;
  }

  /** What a caller may count on: everything but what held sequences keep. */
  get room(): Need {
    return rest(this.total, this.kept);
  }

  take({ sequences, cells }: Need): void {
    this.free.sequences -= sequences;
    this.free.cells -= cells;
  }

  give(sequences: number, cells: number): void {
    const { free } = this.#open;
    free.sequences += sequences;
    free.cells += cells;
    this.onChange();
  }

  keep(sequences: number, cells: number): void {
    const { kept } = this.#open;
    kept.sequences += sequences;
    kept.cells += cells;
  }

  /** One job or lease of this pool has ended. */
  ended(): void {
    this.#open.running--;
    this.onChange();
  }

  /** Gives everything back to the pool it was taken from; what is in use follows when it ends. */
  close(): void {
    if (this.#closed || !this.parent) return;
    this.#closed = true;
    this.parent.keep(this.kept.sequences, this.kept.cells);
    this.parent.running += this.running;
    this.parent.give(this.free.sequences, this.free.cells);
    this.parent.ended();
  }
}

/** Cells of one stretch of tokens, given back when neither a sequence nor a later stretch uses them. */
export class Stretch {
  #uses: number;
  #cells: number;
  #kept = false;

  constructor(
    readonly pool: Pool,
    cells: number,
    uses: number,
    private readonly before: Stretch | undefined,
  ) {
    this.#cells = cells;
    this.#uses = uses;
    if (before) before.#uses++;
  }

  /** Cells from the first token of the text to the end of this stretch, of one pool or of all. */
  cells(pool?: Pool): number {
    const own = pool === undefined || pool === this.pool ? this.#cells : 0;
    return own + (this.before?.cells(pool) ?? 0);
  }

  get used(): boolean {
    return this.#uses > 0;
  }

  shrink(cells: number): void {
    this.pool.give(0, this.#cells - cells);
    this.#cells = cells;
  }

  /** From now on only held sequences use it. */
  keep(): void {
    if (this.#kept) return;
    this.#kept = true;
    this.pool.keep(0, this.#cells);
  }

  drop(): void {
    if (--this.#uses > 0) return;
    if (this.#kept) this.pool.keep(0, -this.#cells);
    this.pool.give(0, this.#cells);
    this.before?.drop();
  }
}

/**
 * What an admitted job has of its pool: the prompt's cells, and a sequence and cells for every branch. With all of it set aside
 * before the job starts, what has been accepted can finish.
 */
export class Share {
  readonly #pool: Pool;
  readonly #prompt: Stretch;
  readonly #branches: readonly Stretch[];
  #running: number;

  constructor(pool: Pool, promptCells: number, branchCells: readonly number[], from: Stretch | undefined) {
    this.#pool = pool;
    this.#prompt = new Stretch(pool, promptCells, 1, from);
    this.#branches = branchCells.map(cells => new Stretch(pool, cells, 1, this.#prompt));
    this.#running = branchCells.length;
    this.#prompt.drop(); // its branches use it from here on
  }

  /** A branch has ended; its sequence and its cells are free. */
  end(branch: number): void {
    this.#branches[branch]!.drop();
    this.#pool.give(1, 0);
    this.#oneLess();
  }

  /** A branch has ended, and keeps its sequence and `cells` of its cells until `letGo`. */
  hold(branch: number, cells: number): Stretch {
    const stretch = this.#branches[branch]!;
    stretch.shrink(cells);
    stretch.keep();
    this.#pool.keep(1, 0);
    this.#oneLess();
    return stretch;
  }

  #oneLess(): void {
    if (--this.#running > 0) return;
    if (this.#prompt.used) this.#prompt.keep();
    this.#pool.ended();
  }
}

/** A held sequence is given back. */
export function letGo(stretch: Stretch): void {
  stretch.pool.keep(-1, 0);
  stretch.drop();
  stretch.pool.give(1, 0);
}

/** What becomes of a waiter. */
export interface Outcomes<W extends Waiter> {
  /** Its need has been taken from the pool. */
  start(waiter: W, pool: Pool<W>): void;
  /** Nothing but its caller's own held sequences keeps it out of a lease. */
  refuse(waiter: W, pool: Pool<W>): void;
}

/**
 * Decides who may start: in every pool first in, first out. Knows numbers only, and nothing of jobs or of llama.cpp.
 *
 * While anything runs, the first in line waits for it, and everybody else behind the first. When nothing runs, only held sequences
 * can keep the first out; whoever holds them may be waiting behind it, so those that fit go first, unless they would become new
 * holders.
 */
export class Scheduler<W extends Waiter> {
  readonly root: Pool<W>;
  readonly #pools: Set<Pool<W>>;
  #changed = false;
  readonly #onChange = () => {
    this.#changed = true;
  };

  constructor(total: Need) {
    this.root = new Pool(total, this.#onChange);
    this.#pools = new Set([this.root]);
  }

  /** Queues a waiter. */
  enter(waiter: W, pool: Pool<W>): void {
    pool.queue.push(waiter);
    this.#changed = true;
  }

  /** Takes a waiter out of the queue; false if it was not in it. */
  leave(waiter: W, pool: Pool<W>): boolean {
    const at = pool.queue.indexOf(waiter);
    if (at < 0) return false;
    pool.queue.splice(at, 1);
    this.#changed = true;
    return true;
  }

  /** Everybody who waits, of all pools. */
  waiting(): W[] {
    return [...this.#pools].flatMap(pool => pool.queue);
  }

  /** Makes what was just taken from the engine's pool for a lease a pool of its own. */
  lease(need: Need): Pool<W> {
    const pool = new Pool<W>(need, this.#onChange, this.root);
    this.#pools.add(pool);
    return pool;
  }

  /** Ends a lease. Who waits in it has been taken out before. */
  endLease(pool: Pool<W>): void {
    this.#pools.delete(pool);
    pool.close();
  }

  /** Starts everybody who may start. Costs nothing if nothing has changed since it was last called. */
  schedule(outcomes: Outcomes<W>): void {
    while (this.#changed) {
      this.#changed = false;
      for (const pool of this.#pools) this.#scheduleIn(pool, outcomes);
    }
  }

  /**
   * The waiter to be refused if nothing is released: nothing runs, no lease is out, and held sequences keep everybody out. The
   * first that starts from a held sequence, because its caller holds what the others wait for; else the first in line.
   */
  get stuck(): W | undefined {
    const { queue, running, free } = this.root;
    if (running > 0 || queue.length === 0 || queue.some(waiter => mayOvertake(waiter) && fits(waiter.need, free)))
      return undefined;
    if (fits(queue[0]!.need, free)) return undefined;
    return queue.find(waiter => waiter.continues) ?? queue[0];
  }

  #scheduleIn(pool: Pool<W>, outcomes: Outcomes<W>): void {
    const { queue, free } = pool;
    for (let first = queue[0]; first && fits(first.need, free); first = queue[0]) this.#start(0, pool, outcomes);
    if (pool.running > 0 || queue.length === 0) return;
    const next = queue.findIndex(waiter => mayOvertake(waiter) && fits(waiter.need, free));
    if (next >= 0) this.#start(next, pool, outcomes);
    else if (pool !== this.root) outcomes.refuse(queue.shift()!, pool);
    else return;
    this.#changed = true;
  }

  #start(index: number, pool: Pool<W>, outcomes: Outcomes<W>): void {
    const [waiter] = pool.queue.splice(index, 1);
    pool.take(waiter!.need);
    pool.running++;
    outcomes.start(waiter!, pool);
  }
}

function mayOvertake(waiter: Waiter): boolean {
  return waiter.continues || !waiter.holds;
}
