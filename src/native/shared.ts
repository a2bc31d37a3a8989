/** Work that is done once, however many wait for it. It is ended when nobody does any more, and begun anew by who comes after a failure. */
export class Shared<T> {
  readonly #begin: (signal: AbortSignal) => Promise<T>;
  #work: { readonly result: Promise<T>; readonly end: AbortController; waiting: number; settled: boolean } | undefined;

  constructor(begin: (signal: AbortSignal) => Promise<T>) {
    this.#begin = begin;
  }

  /** @throws what the work throws; the signal's reason if it is aborted first */
  async wait(signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    this.#work ??= this.#start();
    const work = this.#work;
    work.waiting++;
    try {
      return await (signal ? orAborted(work.result, signal) : work.result);
    } finally {
      work.waiting--;
      if (work.waiting === 0 && !work.settled) {
        if (this.#work === work) this.#work = undefined;
        work.end.abort();
      }
    }
  }

  #start() {
    const end = new AbortController();
    const work = { result: this.#begin(end.signal), end, waiting: 0, settled: false };
    work.result.then(
      () => {
        work.settled = true;
      },
      () => {
        work.settled = true;
        if (this.#work === work) this.#work = undefined;
      },
    );
    return work;
  }
}

function orAborted<T>(result: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    result.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
