import { availableCores } from './capacity/cores.js';

/**
 * Lets engines of one process compute at the same time only while their threads fit on the cores; beyond that they take
 * turns, step by step, in the order they asked.
 */
class Turn {
  #free = availableCores();
  readonly #waiting: { threads: number; go: () => void }[] = [];

  async run<T>(threads: number, work: () => Promise<T>): Promise<T> {
    const taken = Math.min(threads, availableCores());
    if (this.#waiting.length > 0 || taken > this.#free) {
      await new Promise<void>(go => {
        this.#waiting.push({ threads: taken, go });
      });
    } else {
      this.#free -= taken;
    }
    try {
      return await work();
    } finally {
      this.#free += taken;
      this.#next();
    }
  }

  #next(): void {
    for (let first = this.#waiting[0]; first && first.threads <= this.#free; first = this.#waiting[0]) {
      this.#waiting.shift();
      this.#free -= first.threads;
      first.go();
    }
  }
}

export const turn = new Turn();
