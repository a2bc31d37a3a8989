/**
 * Cells of the KV cache set aside for a job when it is admitted, so that what has been admitted can always finish. What a
 * sequence did not need comes back when it ends; the rest when the job's last sequence has gone, and the last job that
 * started from one of them.
 */
export class Reservation {
  #cells: number;
  #uses: number;

  constructor(
    cells: number,
    uses: number,
    private readonly parent: Reservation | undefined,
    private readonly free: (cells: number) => void,
  ) {
    this.#cells = cells;
    this.#uses = uses;
    parent?.use();
  }

  use(): void {
    this.#uses++;
  }

  /** Gives back cells that will not be needed after all. */
  shrink(cells: number): void {
    this.#cells -= cells;
    this.free(cells);
  }

  drop(): void {
    if (--this.#uses > 0) return;
    this.free(this.#cells);
    this.parent?.drop();
  }
}
