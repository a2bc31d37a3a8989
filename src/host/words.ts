const mostCharacters = 16_384;
const mostLines = 8;
const mostOfALine = 300;
/** What was printed longer before the end has nothing to do with it: a warning when a context was made, say. */
const lastMs = 5000;

/** The last of what a process has printed, in memory alone. */
export class LastWords {
  #printed: { readonly at: number; readonly text: string }[] = [];

  /** `at`: milliseconds by `performance.now()`. */
  add(text: string, at = performance.now()): void {
    this.#printed.push({ at, text: text.slice(-mostCharacters) });
    let characters = this.#printed.reduce((sum, { text }) => sum + text.length, 0);
    while (characters > mostCharacters) characters -= this.#printed.shift()!.text.length;
  }

  /** The last lines that say something, oldest first, without control characters. `whole`: however long ago they were printed. */
  lines(whole: boolean, now = performance.now()): string[] {
    return this.#printed
      .filter(({ at }) => whole || now - at <= lastMs)
      .map(({ text }) => text)
      .join('')
      .split(/[\r\n]+/)
      .map(line => line.replace(/\p{Cc}+/gu, ' ').trim())
      .filter(line => line !== '')
      .slice(-mostLines)
      .map(line => (line.length > mostOfALine ? `${line.slice(0, mostOfALine - 1)}…` : line));
  }
}
