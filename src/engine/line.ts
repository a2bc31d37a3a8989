import { whenAborted } from './signals.js';

/** Pieces of work one after the other, in the order they came. */
export class Line {
  #last: Promise<void> = Promise.resolve();

  /** @throws the signal's reason; what the work throws */
  async run<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    const before = this.#last;
    let done = () => {};
    const ended = new Promise<void>(resolve => {
      done = resolve;
    });
    this.#last = before.then(() => ended);
    let forget: (() => void) | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        if (signal) forget = whenAborted(signal, () => reject(signal.reason));
        void before.then(resolve);
      });
      return await work();
    } finally {
      forget?.();
      done();
    }
  }
}
