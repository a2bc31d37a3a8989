import type { Answerer } from '../../answerer/answerer.js';
import type { AskEngine } from '../../answerer/engine.js';
import { ask } from '../../ask/ask.js';
import { type Death, EngineDied } from '../../check/died.js';
import { MeditronError } from '../../check/errors.js';
import type { Journal } from '../storage/journal.js';
import { answeredRow, failedRow, type ResultRow, rowId, type Spent, type StandIn } from '../storage/rows.js';
import { questionOf } from '../tasks/question.js';
import type { Item } from '../tasks/task.js';
import { engineDown, mostFailures, untilDone } from './again.js';
import { SharedClock } from './clock.js';
import type { Run } from './runs.js';
import { Schedule } from './schedule.js';

export interface RunnerOptions {
  /** Questions in flight at once. After deaths of the engine's process there may be fewer, never more. */
  readonly parallel: number;
  readonly signal?: AbortSignal | undefined;
  /** Told of every row once it is on the disk. */
  readonly onRow?: ((row: ResultRow) => void) | undefined;
  /** Told of every death of the engine's process under questions; they are asked again once it resolves. */
  readonly onDeath?: ((fall: Fall) => Promise<void>) | undefined;
  /** Has the engine compute something that is no question. Done after a death from outside: it works, and nothing that was in flight is suspect. */
  readonly probe?: (() => Promise<void>) | undefined;
  /** Where this engine stands in for one that is down. */
  readonly standIn?: StandIn | undefined;
  /** Whether another engine can be asked if this one goes down. Default false. */
  readonly replaceable?: boolean | undefined;
}

/** The engine's process died under questions. */
export interface Fall {
  readonly death: Death;
  /** How many are asked again. */
  readonly under: number;
  /** Questions in flight at once before and after. */
  readonly width: { readonly before: number; readonly after: number };
}

/**
 * Asks all items of a run that have no row yet, many at once, and appends each row as soon as its answer is there. Seeds
 * come from the items' ids, so the order does not matter. A question that needs more room than is free waits for it; one
 * that cannot be asked at all (`ERR_CONTEXT_FULL`, `ERR_INPUT`) gets a row that says so. Questions under which the engine's
 * process died are asked again from their beginning, as {@link Schedule} says, and one that crashes it gets a row that says
 * so. After the first failure, or the signal, no more is asked, and what is in flight is waited for.
 *
 * @throws MeditronError what `ask()` throws otherwise; `ERR_ENGINE_DOWN` if the engine dies again and again and answers
 *   nothing; `ERR_OUTPUT` if rows cannot be written; the signal's reason
 */
export async function runItems(
  engine: AskEngine | Answerer,
  run: Run,
  items: readonly Item[],
  results: Journal<ResultRow>,
  options: RunnerOptions,
): Promise<void> {
  const todo = items.filter(item => !results.done.has(rowId(run.key, item)));
  await new Runner(engine, run, todo, results, options).run();
}

/** A question that has no row because of the engine. */
interface Ended {
  readonly item: Item;
  readonly error: MeditronError;
  readonly spent: Spent;
}

class Runner {
  readonly #schedule: Schedule<Item>;
  readonly #clock = new SharedClock();
  readonly #flights = new Set<Promise<void>>();
  /** Nothing more is asked until these are scheduled anew, once all in flight have ended. */
  #ended: Ended[] = [];
  readonly #latest = new Map<Item, Ended>();
  #failure: { readonly error: unknown } | undefined;

  constructor(
    private readonly engine: AskEngine | Answerer,
    private readonly of: Run,
    todo: readonly Item[],
    private readonly results: Journal<ResultRow>,
    private readonly options: RunnerOptions,
  ) {
    this.#schedule = new Schedule(todo, options.parallel);
  }

  async run(): Promise<void> {
    for (;;) {
      if (this.#goesOn && this.#ended.length === 0) this.#askMore();
      if (this.#flights.size > 0) await Promise.race(this.#flights);
      else if (this.#goesOn && this.#ended.length > 0) await this.#scheduleAnew();
      else break;
    }
    this.options.signal?.throwIfAborted();
    if (this.#failure) throw this.#failure.error;
  }

  get #goesOn(): boolean {
    return !this.#failure && !this.options.signal?.aborted;
  }

  #askMore(): void {
    for (let item = this.#schedule.next(); item !== undefined; item = this.#schedule.next()) {
      const flight: Promise<void> = this.#ask(item).finally(() => this.#flights.delete(flight));
      this.#flights.add(flight);
    }
  }

  async #ask(item: Item): Promise<void> {
    const { of, engine, options } = this;
    const stop = this.#clock.start();
    const asking = ask(engine, questionOf(item), {
      ...of.options,
      item: item.id.replace(/\s+/g, ' '),
      signal: options.signal,
    });
    const outcome = await asking.then(
      answer => ({ answer }),
      (error: unknown) => ({ error }),
    );
    const { share, elapsed } = stop();
    const spent = { ms: rounded(share), latencyMs: rounded(elapsed), parallel: this.#schedule.beside(item) };
    try {
      if ('answer' in outcome) {
        await this.#keep(answeredRow(of.key, item, outcome.answer, spent));
        this.#schedule.answered(item);
        await this.#giveUp();
      } else {
        await this.#unanswered({ item, error: outcome.error, spent });
      }
    } catch (error) {
      this.#failure ??= { error };
    }
  }

  async #unanswered({ item, error, spent }: Omit<Ended, 'error'> & { readonly error: unknown }): Promise<void> {
    if (this.options.signal?.aborted || !(error instanceof MeditronError)) throw error;
    if (isOfQuestion(error)) {
      await this.#keep(failedRow(this.of.key, item, this.of.ask.samples, error, spent));
      this.#schedule.dropped(item);
    } else if (isOfEngine(error)) {
      this.#ended.push({ item, error, spent });
    } else {
      throw error;
    }
  }

  /** Takes into account how the engine failed those in flight: they are asked again. */
  async #scheduleAnew(): Promise<void> {
    try {
      const ended = this.#ended.splice(0);
      for (const each of ended) this.#latest.set(each.item, each);
      for (const { death, items } of deathsOf(ended)) {
        const before = this.#schedule.width;
        this.#schedule.died(items, isCrash(death));
        await this.#told(death, items.length, before);
      }
      for (const { item, error } of ended) if (!(error instanceof EngineDied)) this.#schedule.refused(item);
      const only = this.#schedule.stuck && !this.options.replaceable && this.results.done.size > 0;
      if (only) await this.#giveUp();
      else if (this.#schedule.failures >= mostFailures) throw engineDown(ended.at(-1)!.error);
      else if (this.options.probe && !ended.some(({ error }) => error instanceof EngineDied && isCrash(error.death)))
        await untilDone(this.options.probe, death => this.#told(death, 0, this.#schedule.width));
    } catch (error) {
      this.#failure ??= { error };
    }
  }

  async #told(death: Death, under: number, before: number): Promise<void> {
    await this.options.onDeath?.({ death, under, width: { before, after: this.#schedule.width } });
  }

  /** The rows of those that crash the engine. */
  async #giveUp(): Promise<void> {
    for (const item of this.#schedule.giveUp()) {
      const { error, spent } = this.#latest.get(item)!;
      const message = `The engine's process crashed twice while this question alone was asked. ${error.message}`;
      await this.#keep(failedRow(this.of.key, item, this.of.ask.samples, { code: error.code, message }, spent));
    }
  }

  async #keep(row: ResultRow): Promise<void> {
    const { standIn, onRow } = this.options;
    const kept = standIn === undefined ? row : { ...row, standIn };
    await this.results.append(kept);
    onRow?.(kept);
  }
}

/** The question is at fault, and others may be asked. */
function isOfQuestion({ code }: MeditronError): boolean {
  return code === 'ERR_CONTEXT_FULL' || code === 'ERR_INPUT';
}

/** The engine failed the question, which may be asked again. */
function isOfEngine({ code }: MeditronError): boolean {
  return code === 'ERR_ENGINE_DIED' || code === 'ERR_QUARANTINED';
}

/** Each death once, with the items whose work it ended: all were told of it with the same list of last lines. */
function deathsOf(ended: readonly Ended[]): { readonly death: Death; readonly items: readonly Item[] }[] {
  const deaths = new Map<Death['lastLines'], { readonly death: Death; readonly items: Item[] }>();
  for (const { item, error } of ended) {
    if (!(error instanceof EngineDied)) continue;
    const { death } = error;
    const known = deaths.get(death.lastLines);
    if (known) known.items.push(item);
    else deaths.set(death.lastLines, { death, items: [item] });
  }
  return [...deaths.values()];
}

/** Whether it died of what it computed: one that was ended, stood still or never came up says nothing of the questions. */
function isCrash({ external, unresponsive, phase }: Death): boolean {
  const computed = phase === 'tokenize' || phase === 'prompt' || phase === 'decode';
  return computed && !external && !unresponsive;
}

function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}
