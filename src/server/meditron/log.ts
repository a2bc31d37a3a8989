/** An event with its number, counted from 1. */
export interface Numbered<T> {
  readonly id: number;
  readonly event: T;
}

/** Events in the order in which they came, for any number of watchers that come and go at any time, until it ends. */
export class Log<T> {
  #events: T[] = [];
  /** Events that are not kept any more. */
  #dropped = 0;
  #ended = false;
  #watchers = 0;
  readonly #waiting = new Set<() => void>();

  constructor(
    /** Told whenever a watcher has come or left. */
    private readonly onWatchers: (count: number) => void = () => {},
    /** How many events are kept at least. A watcher who is further behind misses those before. */
    private readonly keeps = Number.POSITIVE_INFINITY,
  ) {}

  get watchers(): number {
    return this.#watchers;
  }

  /** Number of the last event. */
  get length(): number {
    return this.#dropped + this.#events.length;
  }

  /** Undefined before the first. */
  get last(): T | undefined {
    return this.#events.at(-1);
  }

  /** What is added to a log that has ended is dropped. */
  add(event: T): void {
    if (this.#ended) return;
    this.#events.push(event);
    if (this.#events.length > 2 * this.keeps) {
      this.#dropped += this.#events.length - this.keeps;
      this.#events = this.#events.slice(-this.keeps);
    }
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** All events behind the one numbered `after`, those that will come included, until the log ends or the signal is aborted. */
  async *watch(after: number, signal: AbortSignal): AsyncGenerator<Numbered<T>, void, void> {
    this.#count(1);
    const wake = () => this.#wake();
    signal.addEventListener('abort', wake, { once: true });
    try {
      for (let at = after; !signal.aborted; at++) {
        while (at >= this.length && !this.#ended && !signal.aborted) await this.#next();
        at = Math.max(at, this.#dropped);
        if (at >= this.length) return;
        yield { id: at + 1, event: this.#events[at - this.#dropped]! };
      }
    } finally {
      signal.removeEventListener('abort', wake);
      this.#count(-1);
    }
  }

  #next(): Promise<void> {
    return new Promise(resolve => this.#waiting.add(resolve));
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }

  #count(change: 1 | -1): void {
    this.#watchers += change;
    this.onWatchers(this.#watchers);
  }
}
