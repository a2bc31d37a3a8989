/** Divides the time that passes among the timers that run, so that their shares add up to the whole. */
export class SharedClock {
  #share = 0;
  #running = 0;
  #last = 0;

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Starts a timer. Call the result once, for its share of the time and the time that has passed, in milliseconds. */
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
