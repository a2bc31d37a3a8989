/**
 * Does the work of every item, at most `width` at a time, in order of their start. The first failure, or the signal, stops
 * new ones from starting; the promise settles when those under way have, with the failure or the signal's reason.
 */
export async function inFlight<T>(
  items: Iterable<T>,
  width: number,
  work: (item: T) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  const iterator = items[Symbol.iterator]();
  let failure: { readonly error: unknown } | undefined;
  const worker = async () => {
    while (!failure && !signal?.aborted) {
      const { done, value } = iterator.next();
      if (done) return;
      try {
        await work(value);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
  signal?.throwIfAborted();
  if (failure) throw failure.error;
}

/** Divides the time that passes among those who are in flight, so that their shares add up to the whole. */
export class SharedClock {
  #share = 0;
  #running = 0;
  #last = 0;

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Begins a piece of work. What is returned ends it, once, with the time it had to itself and the time it took. */
  start(): () => { readonly share: number; readonly elapsed: number } {
    this.#advance();
    this.#running++;
    const [share, began] = [this.#share, this.#last];
    return () => {
      this.#advance();
      this.#running--;
      return { share: this.#share - share, elapsed: this.#last - began };
    };
  }

  #advance(): void {
    const now = this.now();
    if (this.#running > 0) this.#share += (now - this.#last) / this.#running;
    this.#last = now;
  }
}
