const mostCharacters = 16_384;
const mostLines = 8;
const mostOfALine = 300;

/** The last of what a process has printed, in memory alone. */
export class LastWords {
  #text = '';

  add(text: string): void {
    this.#text = (this.#text + text).slice(-mostCharacters);
  }

  /** The last lines that say something, oldest first, without control characters. */
  lines(): string[] {
    return this.#text
      .split(/[\r\n]+/)
      .map(line => line.replace(/\p{Cc}+/gu, ' ').trim())
      .filter(line => line !== '')
      .slice(-mostLines)
      .map(line => (line.length > mostOfALine ? `${line.slice(0, mostOfALine - 1)}…` : line));
  }
}
