import type { Composed } from './typing.js';

/** One line, as a choice from a menu. A paste of several is one text, which Enter ends. */
export class Line implements Composed {
  #lines: string[] = [];

  constructor(private readonly question: string) {}

  get isEmpty(): boolean {
    return this.#lines.length === 0;
  }

  get prompt(): string {
    return this.isEmpty ? this.question : '';
  }

  typed(line: string): string {
    this.#lines.push(line);
    return this.take();
  }

  pasted(line: string): undefined {
    this.#lines.push(line);
  }

  take(): string {
    return this.#lines.splice(0).join('\n');
  }
}

/**
 * A text of many lines, which two empty lines end that were typed one after the other: a pasted text may have such inside. The name of a
 * file ends it at once, if it stands alone in the first line.
 */
export class Passage implements Composed {
  #lines: string[] = [];
  #empty = 0;

  constructor(private readonly isFile: (line: string) => boolean) {}

  get isEmpty(): boolean {
    return this.#lines.every(line => line.trim() === '');
  }

  get prompt(): string {
    return this.#lines.length === 0 ? '> ' : '';
  }

  typed(line: string): string | undefined {
    const alone = this.#lines.length === 0 && this.isFile(line);
    this.#empty = line.trim() === '' ? this.#empty + 1 : 0;
    this.#lines.push(line);
    return alone || this.#empty === 2 ? this.take() : undefined;
  }

  pasted(line: string): undefined {
    this.#empty = 0;
    this.#lines.push(line);
  }

  take(): string {
    const text = this.#lines.splice(0).join('\n').trimEnd();
    this.#empty = 0;
    return text;
  }
}
