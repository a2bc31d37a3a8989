import type { DirectEngine } from '../engine/direct/engine.js';
import type { EngineCounters } from '../engine/settings.js';
import type { Notice, StreamEvent } from './protocol.js';

/** Batches that may be on their way unread; beyond that events wait here, and those that can be one become one. */
const mostUnread = 32;
/** How often counters are told while nothing else is. */
const countersMs = 50;

/** What streams have to say, gathered into one message a step. */
export class Outbox {
  readonly #events = new Map<number, StreamEvent[]>();
  readonly #engines = new Map<number, { readonly engine: DirectEngine; told: number; taken: number }>();
  #unread = 0;
  #scheduled = false;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(private readonly send: (notice: Notice) => void) {}

  /** Engines whose counters are told with the events. */
  watch(id: number, engine: DirectEngine): void {
    this.#engines.set(id, { engine, told: 0, taken: 0 });
    this.#timer ??= setInterval(() => this.#flush(), countersMs).unref();
  }

  forget(id: number): void {
    this.#engines.delete(id);
    if (this.#engines.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  push(id: number, event: StreamEvent): void {
    const waiting = this.#events.get(id);
    if (waiting) add(waiting, event);
    else this.#events.set(id, [event]);
    if (this.#scheduled || this.#unread >= mostUnread) return;
    this.#scheduled = true;
    // After all events of the step, while the next one is being computed.
    setImmediate(() => this.#flush());
  }

  /** What has happened goes before what is said of the end of a request. */
  flush(): void {
    this.#flush(true);
  }

  read(batches: number): void {
    this.#unread -= batches;
    if (this.#events.size > 0) this.#flush();
  }

  #flush(now = false): void {
    this.#scheduled = false;
    if (this.#unread >= mostUnread && !now) return;
    const counters = this.#counters();
    if (this.#events.size === 0 && counters.length === 0) return;
    this.#unread++;
    const events = [...this.#events];
    this.#events.clear();
    this.send({ type: 'batch', events, counters });
  }

  #counters(): (readonly [number, EngineCounters, number])[] {
    const changed: (readonly [number, EngineCounters, number])[] = [];
    for (const [id, entry] of this.#engines) {
      const { counters, takenSequences } = entry.engine;
      if (counters.steps === entry.told && takenSequences === entry.taken) continue;
      entry.told = counters.steps;
      entry.taken = takenSequences;
      changed.push([id, { ...counters }, takenSequences]);
    }
    return changed;
  }
}

/** Adds an event to those that wait: text to text of the same sample, and of the prompt only the latest news. */
export function add(waiting: StreamEvent[], event: StreamEvent): void {
  if (event.type === 'prompt') {
    const at = waiting.findIndex(other => other.type === 'prompt');
    if (at >= 0) waiting[at] = event;
    else waiting.push(event);
    return;
  }
  if (event.type === 'text') {
    const at = waiting.findLastIndex(other => other.type === 'text' && other.sample === event.sample);
    const before = waiting[at];
    if (before?.type === 'text') {
      const tokens = event.tokens && [...(before.tokens ?? []), ...event.tokens];
      waiting[at] = { ...before, text: before.text + event.text, ...(tokens && { tokens }) };
      return;
    }
  }
  waiting.push(event);
}
