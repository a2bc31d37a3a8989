import pMap, { pMapSkip } from 'p-map';
import type { Answerer } from '../../answerer/answerer.js';
import type { AskEngine } from '../../answerer/engine.js';
import { ask } from '../../ask/ask.js';
import { MeditronError } from '../../check/errors.js';
import type { Journal } from '../storage/journal.js';
import { answeredRow, failedRow, type ResultRow, rowId } from '../storage/rows.js';
import { questionOf } from '../tasks/question.js';
import type { Item } from '../tasks/task.js';
import { SharedClock } from './clock.js';
import type { Run } from './runs.js';

export interface RunnerOptions {
  /** Questions in flight at once. */
  readonly parallel: number;
  readonly signal?: AbortSignal | undefined;
  /** Told of every row once it is on the disk. */
  readonly onRow?: ((row: ResultRow) => void) | undefined;
}

/**
 * Asks all items of a run that have no row yet, many at once, and appends each row as soon as its answer is there. Seeds
 * come from the items' ids, so the order does not matter. A question that needs more room than is free waits for it; one
 * that cannot be asked at all (`ERR_CONTEXT_FULL`, `ERR_INPUT`) gets a row that says so. After the first failure, or the
 * signal, no more is asked, and what is in flight is waited for.
 *
 * @throws MeditronError what `ask()` throws otherwise; `ERR_OUTPUT` if rows cannot be written; the signal's reason
 */
export async function runItems(
  engine: AskEngine | Answerer,
  run: Run,
  items: readonly Item[],
  results: Journal<ResultRow>,
  { parallel, signal, onRow }: RunnerOptions,
): Promise<void> {
  const clock = new SharedClock();
  let failure: { readonly error: unknown } | undefined;
  const each = async (item: Item) => {
    if (failure || signal?.aborted) return pMapSkip;
    try {
      const row = await rowFor(engine, run, item, { parallel, stop: clock.start(), signal });
      await results.append(row);
      onRow?.(row);
    } catch (error) {
      failure ??= { error };
    }
    return pMapSkip;
  };
  const todo = items.filter(item => !results.done.has(rowId(run.key, item)));
  await pMap(todo, each, { concurrency: parallel });
  signal?.throwIfAborted();
  if (failure) throw failure.error;
}

interface Circumstances extends Pick<RunnerOptions, 'parallel' | 'signal'> {
  readonly stop: () => { readonly share: number; readonly elapsed: number };
}

async function rowFor(
  engine: AskEngine | Answerer,
  run: Run,
  item: Item,
  { parallel, stop, signal }: Circumstances,
): Promise<ResultRow> {
  const spent = () => {
    const { share, elapsed } = stop();
    return { ms: rounded(share), latencyMs: rounded(elapsed), parallel };
  };
  const options = { ...run.options, item: item.id.replace(/\s+/g, ' '), signal };
  try {
    const answer = await ask(engine, questionOf(item), options);
    return answeredRow(run.key, item, answer, spent());
  } catch (error) {
    const time = spent();
    signal?.throwIfAborted();
    if (!(error instanceof MeditronError) || !isOfQuestion(error)) throw error;
    return failedRow(run.key, item, run.ask.samples, error, time);
  }
}

/** The question is at fault, and others may be asked. */
function isOfQuestion({ code }: MeditronError): boolean {
  return code === 'ERR_CONTEXT_FULL' || code === 'ERR_INPUT';
}

function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}
