import { availableCores } from './capacity/cores.js';

/**
 * Lets engines of one process compute at the same time only while their threads fit on the cores; beyond that they take
 * turns, step by step, in the order they asked.
 */
export class Turn {
  #taken = 0;
  readonly #waiting: { threads: number; go: () => void }[] = [];

  async run<T>(threads: number, work: () => Promise<T>): Promise<T> {
    const taken = Math.min(threads, availableCores());
    if (this.#waiting.length > 0 || !this.#fits(taken)) {
      await new Promise<void>(go => {
        this.#waiting.push({ threads: taken, go });
      });
    } else {
      this.#taken += taken;
    }
    try {
      return await work();
    } finally {
      this.#taken -= taken;
      this.#next();
    }
  }

  #fits(threads: number): boolean {
    return this.#taken === 0 || this.#taken + threads <= availableCores();
  }

  #next(): void {
    for (let first = this.#waiting[0]; first && this.#fits(first.threads); first = this.#waiting[0]) {
      this.#waiting.shift();
      this.#taken += first.threads;
      first.go();
    }
  }
}

export const turn = new Turn();
