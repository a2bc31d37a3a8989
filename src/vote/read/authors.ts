import type { Extraction } from './answer.js';

export interface AuthorsReading {
  readonly kind: 'mcq' | 'boolean';
  /** The prompt held demonstrations: only what precedes the first blank line is read. Never set for self-consistency. */
  readonly shots: boolean;
  /** Read the word after the last "answer is". The script sets it for CoT, for self-consistency and for MMLU-Medical. */
  readonly cot: boolean;
}

/**
 * Reads an answer as the authors' published script does (epfLLM/meditron, `evaluation/evaluate.py`, `eval`), faults
 * included: a text without an answer can be read as its first letter, and a text that cannot be read votes as itself.
 * Letters come back in upper case; everything outside a, b, c, d, e, yes, no is unparsed, whatever the options are.
 */
export function extractAuthors(text: string, reading: AuthorsReading): Extraction {
  const lowered = text.toLowerCase();
  const answer = read(lowered, reading);
  if (answer === undefined) return { answer: undefined, vote: lowered, conflict: false, rule: 'none' };
  const shown = reading.kind === 'mcq' ? answer.toUpperCase() : answer;
  return { answer: shown, vote: shown, conflict: false, rule: 'authors' };
}

const accepted: ReadonlySet<string> = new Set(['a', 'b', 'c', 'd', 'e', 'yes', 'no']);

function read(lowered: string, { kind, shots, cot }: AuthorsReading): string | undefined {
  let output = lowered;
  const heading = output.indexOf('\n##');
  if (heading >= 0) output = firstLine(output.slice(heading + 3));
  if (shots) output = output.split('\n\n', 1)[0]!.trim();
  output = output.replace(/[^a-zA-Z0-9]+/g, ' ').trim();
  if (cot) {
    const cue = output.lastIndexOf('answer is');
    const words = cue < 0 ? output : output.slice(cue + 'answer is'.length).trimStart();
    const end = words.indexOf(' ');
    output = end < 0 ? words : words.slice(0, end);
    if (output === '') return undefined;
  }
  output = kind === 'mcq' ? output.slice(0, 1) : single(output);
  return accepted.has(output) ? output : undefined;
}

/** The script splits at every heading mark, so the line also ends where the next one begins, which is a new line anyway. */
function firstLine(text: string): string {
  const end = text.indexOf('\n');
  return (end < 0 ? text : text.slice(0, end)).trim();
}

/** The script's repair of doubled answers: the first pair that occurs is replaced everywhere, the others stay. */
function single(output: string): string {
  const pairs = [
    ['yesyes', 'yes'],
    ['nono', 'no'],
    ['yesno', 'yes'],
    ['noyes', 'no'],
  ] as const;
  const found = pairs.find(([pair]) => output.includes(pair));
  return found ? output.replaceAll(found[0], found[1]) : output;
}
