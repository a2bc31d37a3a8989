import type { ReadingFinding } from '../reading.js';
import type { KeyLine } from './keys.js';
import type { Line } from './lines.js';
import { short } from './runs.js';

/** What a line of the text was read as. */
export interface ReadLine {
  /** Counted from 1. */
  readonly line: number;
  /** What part of the question it was taken for; all but `question` and `option` are taken off. */
  readonly as: 'question' | 'option' | 'key' | 'explanation' | 'footer' | 'field' | 'heading' | 'rule';
  /** The letters of the options on it, or that it continues. */
  readonly options?: readonly string[];
  /** The line without spaces at its ends. */
  readonly text: string;
}

/** A plain text as a question. */
export interface PlainReading {
  readonly question: string;
  readonly options?: readonly string[];
  /** The letter of the right option, where a key names one. */
  readonly answer?: string;
  /** The marks of the first and the last option as written: `a)`, `d)`. */
  readonly marks?: readonly [string, string];
  readonly lines: readonly ReadLine[];
  readonly findings: readonly ReadingFinding[];
}

/** How a text is being read: its lines, what each was read as so far, and what was found. */
export class Draft {
  readonly lines: readonly Line[];
  /** What each line was read as, by index. */
  readonly as: (Omit<ReadLine, 'line' | 'text'> | undefined)[];
  /** The keys that were taken off. */
  readonly keys: { readonly line: Line; readonly key: KeyLine }[] = [];
  /** How many lines before each ask something; one more than there are lines. */
  readonly asks: readonly number[];
  readonly #findings: ReadingFinding[] = [];

  constructor(lines: readonly Line[]) {
    this.lines = lines;
    this.as = lines.map(() => undefined);
    let count = 0;
    this.asks = [0, ...lines.map(line => (count += line.asks ? 1 : 0))];
  }

  find(kind: ReadingFinding['kind'], line: Line | undefined, text: string, message: string): void {
    this.#findings.push({ kind, ...(line && { line: line.number }), text: short(text.trim()), message });
  }

  takeOff(kind: 'explanation' | 'footer' | 'field', i: number, message: string): void {
    this.as[i] = { as: kind };
    this.find(kind, this.lines[i]!, this.lines[i]!.text, message);
  }

  /** Takes off a whole line that says what is right. */
  takeKey(i: number, key: KeyLine): void {
    this.as[i] = { as: 'key' };
    this.findKey(this.lines[i]!, key, this.lines[i]!.text);
  }

  /** Takes off a key, which is the `text` of its line. */
  findKey(line: Line, key: KeyLine, text: string): void {
    this.keys.push({ line, key });
    const isSlot = key.strength === 'slot';
    const what = isSlot
      ? 'a line for the answer was taken off'
      : 'the answer key was taken off; it is not sent to the model';
    this.find('key', line, text, what);
  }

  report(): Pick<PlainReading, 'lines' | 'findings'> {
    const lines = this.lines.flatMap(({ number, text, blank }, i) => {
      const as = this.as[i];
      return blank || !as ? [] : [{ line: number, ...as, text: text.trim() }];
    });
    return { lines, findings: [...this.#findings].sort((a, b) => (a.line ?? 0) - (b.line ?? 0)) };
  }
}
