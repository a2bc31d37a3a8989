import { MeditronError } from '../check/errors.js';
import { weightsFit } from '../engine/capacity/low.js';
import { availableMemory } from '../engine/capacity/memory.js';
import type { Model } from '../engine/model.js';
import { sum } from '../vote/count/arithmetic.js';

/** A model that waits for its turn. */
export interface Seat {
  /** Its place in the panel. */
  readonly index: number;
  readonly sizeBytes: number;
}

export interface Jobs<T> {
  load(seat: Seat): Promise<Model>;
  /** What is done with a model; `opened` is to be called once all memory that it needs is taken. The model is closed afterwards. */
  work(seat: Seat, model: Model, opened: () => void): Promise<T>;
  /** Told of a model that could not be loaded, or whose work failed, as soon as that is so. */
  failed(seat: Seat, error: unknown): void;
  /** Begins nothing more. */
  readonly stopped: AbortSignal;
  /** Bytes that can still be allocated. For tests. */
  readonly available?: () => number;
}

/** What became of a seat: a value or an error; neither if it was not begun. */
export interface Ended<T> {
  readonly value?: T;
  readonly error?: unknown;
}

/**
 * Loads models in their order and works with each. The next is loaded while others work where memory holds it too, else once one of them has
 * been closed; one that turns out not to fit beside others comes once more when they are gone. Never rejects: what failed is told for each.
 */
export async function sideBySide<T>(seats: readonly Seat[], jobs: Jobs<T>): Promise<Map<number, Ended<T>>> {
  const ended = new Map<number, Ended<T>>();
  const inside = new Map<Seat, { readonly model: Model; readonly done: Promise<void> }>();
  const crowded: Seat[] = [];
  const somebodyLeaves = () => Promise.race([...inside.values()].map(({ done }) => done));

  for (const seat of seats) {
    while (inside.size > 0 && !(await fits(seat))) await somebodyLeaves();
    await begin(seat);
  }
  while (inside.size > 0) await somebodyLeaves();
  for (const seat of crowded) {
    await begin(seat);
    while (inside.size > 0) await somebodyLeaves();
  }
  return ended;

  async function begin(seat: Seat): Promise<void> {
    const model = await loaded(seat);
    if (!model) return;
    let opened = () => {};
    const ready = new Promise<void>(resolve => {
      opened = resolve;
    });
    const done = worked(seat, model, opened).finally(() => inside.delete(seat));
    inside.set(seat, { model, done });
    await Promise.race([ready, done]);
  }

  async function loaded(seat: Seat): Promise<Model | undefined> {
    for (;;) {
      if (jobs.stopped.aborted) {
        ended.set(seat.index, {});
        return undefined;
      }
      try {
        return await jobs.load(seat);
      } catch (error) {
        if (isShort(error) && inside.size > 0) {
          await somebodyLeaves();
          continue;
        }
        fail(seat, error);
        return undefined;
      }
    }
  }

  async function worked(seat: Seat, model: Model, opened: () => void): Promise<void> {
    try {
      ended.set(seat.index, { value: await jobs.work(seat, model, opened) });
    } catch (error) {
      if (isShort(error) && inside.size > 1) crowded.push(seat);
      else fail(seat, error);
    } finally {
      await model.close();
    }
  }

  function fail(seat: Seat, error: unknown): void {
    const ofUs = error instanceof MeditronError;
    if (jobs.stopped.aborted && ofUs) return void ended.set(seat.index, {});
    ended.set(seat.index, { error });
    jobs.failed(seat, error);
  }

  /** Beside those that are in memory. A GPU that is in use has to hold the next one too. */
  async function fits({ sizeBytes }: Seat): Promise<boolean> {
    const kept = sum([...inside.values()].map(({ model }) => model.info.keptBytes));
    if (!weightsFit(sizeBytes, (jobs.available ?? availableMemory)() - kept)) return false;
    for (const { model } of inside.values()) {
      if (model.info.gpuLayers === 0) continue;
      const free = (await model.devices().catch(() => [])).filter(({ type }) => type !== 'cpu');
      return weightsFit(sizeBytes, Math.max(0, ...free.map(({ memoryFree }) => memoryFree)));
    }
    return true;
  }
}

function isShort(error: unknown): boolean {
  return error instanceof MeditronError && error.code === 'ERR_MEMORY';
}
