/**
 * Several streams of events as one, in the order they come. Events are taken from the streams at once, so that none that
 * has happened is lost when the rest is cancelled: whoever cancels takes what is here first.
 */
export class Feed<T> {
  readonly #queue: T[] = [];
  readonly #readers: readonly Promise<void>[];
  #running: number;
  #failure: { readonly error: unknown } | undefined;
  #stopped = false;
  #wake: (() => void) | undefined;

  constructor(sources: readonly AsyncIterable<T>[]) {
    this.#running = sources.length;
    this.#readers = sources.map(source => this.#read(source));
  }

  /** The next event; undefined when the streams are over, or stopped and what had happened by then has been taken. */
  async next(): Promise<T | undefined> {
    for (;;) {
      if (this.#stopped && this.#queue.length === 0) await this.#flush();
      const event = this.#queue.shift();
      if (event !== undefined) return event;
      if (this.#failure) throw this.#failure.error;
      if (this.#stopped || this.#running === 0) return undefined;
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
    }
  }

  /** Nothing more is waited for. */
  stop(): void {
    this.#stopped = true;
    this.#wake?.();
  }

  /** Cancels the streams by the caller's means and waits until they are gone. Returns the events nobody has taken. */
  async close(cancel: () => void): Promise<readonly T[]> {
    this.#stopped = true;
    await this.#flush();
    cancel();
    await Promise.all(this.#readers);
    return this.#queue.splice(0);
  }

  async #read(source: AsyncIterable<T>): Promise<void> {
    try {
      for await (const event of source) {
        this.#queue.push(event);
        this.#wake?.();
      }
    } catch (error) {
      this.#failure ??= { error };
    }
    this.#running--;
    this.#wake?.();
  }

  /** Lets what has already happened travel through the streams, a few microtasks an event; no step of the engine fits in between. */
  async #flush(): Promise<void> {
    for (let quiet = 0; quiet < 16; quiet++) {
      const before = this.#queue.length;
      await null;
      if (this.#queue.length !== before) quiet = 0;
    }
  }
}
