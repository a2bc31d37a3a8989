/**
 * Looks for stop strings in text that arrives in pieces. Text that may be the beginning of a stop string is held back
 * until it is decided; what has been released is never part of one.
 */
export class StopFinder {
  #held = '';

  constructor(private readonly stops: readonly string[]) {}

  /** The text that can be shown now, and the stop string if one has been completed: nothing after it is ever shown. */
  push(piece: string): { text: string; stop: string | undefined } {
    this.#held += piece;
    const found = first(this.#held, this.stops);
    if (found) {
      const text = this.#held.slice(0, found.at);
      this.#held = '';
      return { text, stop: found.stop };
    }
    const keep = longestBeginning(this.#held, this.stops);
    const text = this.#held.slice(0, this.#held.length - keep);
    this.#held = this.#held.slice(this.#held.length - keep);
    return { text, stop: undefined };
  }

  /** The text held back, once no more will come. */
  flush(): string {
    const text = this.#held;
    this.#held = '';
    return text;
  }
}

/** The stop string that begins earliest; of two at the same place, the one listed first. */
function first(text: string, stops: readonly string[]): { at: number; stop: string } | undefined {
  let best: { at: number; stop: string } | undefined;
  for (const stop of stops) {
    const at = text.indexOf(stop);
    if (at >= 0 && (!best || at < best.at)) best = { at, stop };
  }
  return best;
}

/** Length of the longest end of `text` with which some stop string begins. */
function longestBeginning(text: string, stops: readonly string[]): number {
  let longest = 0;
  for (const stop of stops) {
    for (let n = Math.min(stop.length - 1, text.length); n > longest; n--) {
      if (stop.startsWith(text.slice(text.length - n))) {
        longest = n;
        break;
      }
    }
  }
  return longest;
}
