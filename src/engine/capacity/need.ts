/** Sequences and cells of the KV cache: what work takes, or what there is. A cell holds one token of one or more sequences. */
export interface Need {
  readonly sequences: number;
  readonly cells: number;
}

/** Whether `need` fits in `room`. */
export function fits(need: Need, room: Need): boolean {
  return need.sequences <= room.sequences && need.cells <= room.cells;
}

/** What two things take that are there at the same time. */
export function together(a: Need, b: Need): Need {
  return { sequences: a.sequences + b.sequences, cells: a.cells + b.cells };
}

/** What two things take that come one after the other. */
export function larger(a: Need, b: Need): Need {
  return { sequences: Math.max(a.sequences, b.sequences), cells: Math.max(a.cells, b.cells) };
}

/** What `room` has left beside `taken`; never below 0. */
export function rest(room: Need, taken: Need): Need {
  return {
    sequences: Math.max(0, room.sequences - taken.sequences),
    cells: Math.max(0, room.cells - taken.cells),
  };
}

export interface JobShape {
  /** Tokens of the prompt; behind a held sequence only what comes after it. */
  readonly promptTokens: number;
  /** Cells of each branch beyond the prompt: `maxTokens` for a sample, one less than its tokens for a continuation that is scored. */
  readonly branchCells: readonly number[];
  /** `Held.pending` of the held sequence that the job starts from: tokens that have to be evaluated before the prompt. Default 0. */
  readonly pending?: number | undefined;
}

/** What one job takes while it runs: the prompt once, a sequence and its own cells for every branch. */
export function jobNeed({ promptTokens, branchCells, pending = 0 }: JobShape): Need {
  return { sequences: branchCells.length, cells: pending + promptTokens + sum(branchCells) };
}

/** What `samples` samples of one prompt take that may each have `maxTokens` new tokens. */
export function samplesNeed(promptTokens: number, samples: number, maxTokens: number): Need {
  return { sequences: samples, cells: promptTokens + samples * maxTokens };
}

export function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}

/** The largest of the numbers; 0 if there are none. Takes any count, where `Math.max(...)` overflows the stack. */
export function largest(numbers: Iterable<number>): number {
  let most = 0;
  for (const number of numbers) if (number > most) most = number;
  return most;
}
