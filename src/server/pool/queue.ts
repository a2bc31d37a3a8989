import { MeditronError } from '../../check/errors.js';
import { whenAborted } from '../../engine/signals.js';

/** Places for requests on one model, and a line of those who wait for one, first in, first out. */
export class Queue {
  readonly #line: (() => void)[] = [];
  #taken = 0;

  constructor(
    private places: number,
    private readonly most: number,
  ) {}

  get running(): number {
    return this.#taken;
  }

  get waiting(): number {
    return this.#line.length;
  }

  /**
   * Waits for a place; call the result to give it back.
   *
   * @throws MeditronError `ERR_QUEUE_FULL`; the signal's reason
   */
  async enter(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#taken < this.places && this.#line.length === 0) this.#taken++;
    else if (this.#line.length >= this.most) throw this.#full();
    else await this.#wait(signal);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#taken--;
      this.#next();
    };
  }

  /** How many places there are is known when the model is loaded. */
  resize(places: number): void {
    this.places = places;
    this.#next();
  }

  #full(): MeditronError {
    const limit = this.most === 1 ? 'one request may wait' : `${this.most} requests may wait`;
    return new MeditronError(
      'ERR_QUEUE_FULL',
      `${this.#taken} requests are being answered and ${limit} for this model, which do already: try again later`,
    );
  }

  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const forget = whenAborted(signal, () => {
        this.#line.splice(this.#line.indexOf(admitted), 1);
        forget();
        reject(signal.reason);
      });
      const admitted = () => {
        forget();
        resolve();
      };
      this.#line.push(admitted);
    });
  }

  #next(): void {
    while (this.#taken < this.places && this.#line.length > 0) {
      this.#taken++;
      this.#line.shift()!();
    }
  }
}
