import type { Composed } from './typing.js';

const fence = '"""';

/** What a person has typed of a message so far. A message of several lines is pasted, fenced, or has a `\` at the ends of lines. */
export class Draft implements Composed {
  #lines: string[] = [];
  #fenced = false;
  #pasted = false;

  get isEmpty(): boolean {
    return this.#lines.length === 0 && !this.#fenced;
  }

  /** What stands before the next line of it. */
  get prompt(): string {
    if (this.isEmpty) return '> ';
    if (this.#fenced) return `… (${fence} ends) `;
    return this.#pasted ? '… (Enter sends) ' : '… ';
  }

  /** Takes a line that was typed, and ended with Enter. Returns the message if it is complete with it. */
  typed(line: string): string | undefined {
    if (line.trim() === fence && (this.#fenced || this.isEmpty)) {
      if (this.#fenced) return this.take();
      this.#fenced = true;
      return undefined;
    }
    if (this.#fenced) this.#lines.push(line);
    else if (/(^|[^\\])(\\\\)*\\$/.test(line)) this.#lines.push(line.slice(0, -1));
    else {
      this.#lines.push(line);
      return this.take();
    }
    return undefined;
  }

  /** Takes a line that was pasted: it ends nothing but a fence. */
  pasted(line: string): string | undefined {
    if (this.#fenced) return this.typed(line);
    this.#pasted = true;
    this.#lines.push(line);
    return undefined;
  }

  /** What there is, as a message; nothing is left. */
  take(): string {
    const message = this.#lines.join('\n');
    this.#lines = [];
    this.#fenced = false;
    this.#pasted = false;
    return message;
  }
}
