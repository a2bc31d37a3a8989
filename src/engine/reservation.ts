/**
 * Cells of the KV cache set aside for a job when it is admitted, so that what has been admitted can always finish. They come
 * free when the job's last sequence has gone, and the last job that started from one of them.
 */
export class Reservation {
  #uses: number;

  constructor(
    readonly cells: number,
    uses: number,
    private readonly parent: Reservation | undefined,
    private readonly free: (cells: number) => void,
  ) {
    this.#uses = uses;
    parent?.use();
  }

  use(): void {
    this.#uses++;
  }

  drop(): void {
    if (--this.#uses > 0) return;
    this.free(this.cells);
    this.parent?.drop();
  }
}
