import { normalized } from '../../check/unicode.js';
import type { ExtractRule } from './answer.js';
import { matchesAt, skip } from './sticky.js';

export interface Hit {
  readonly letter: string;
  readonly rule: ExtractRule;
}

/**
 * Decides which option, if any, a place after a cue names. Built once for a text, so that a text with many cues is still
 * read in linear time: a cue looks at a bounded stretch of text, and brackets are found in one pass.
 */
export class LetterReader {
  readonly #brackets: Brackets;
  /** The options' texts, folded for comparison; a text that is itself only a letter is left out. */
  readonly #texts: readonly { readonly letter: string; readonly folded: string }[];
  readonly #firstWords: ReadonlyMap<string, string>;
  readonly #longest: number;

  constructor(
    readonly text: string,
    readonly letters: readonly string[],
    optionTexts: readonly string[],
  ) {
    this.#brackets = new Brackets(text, letters);
    const folded = letters.map((letter, i) => ({
      letter,
      folded: fold((optionTexts[i] ?? '').slice(0, longestName + 1)),
    }));
    this.#texts = folded.filter(
      (option, i) => option.folded.length > 1 && (optionTexts[i]?.length ?? 0) <= longestName,
    );
    this.#firstWords = new Map(folded.map(option => [option.letter, option.folded.split(' ', 1)[0]!]));
    this.#longest = Math.min(longestName, Math.max(0, ...optionTexts.map(t => t.length))) * 2 + 80;
  }

  /** `end` is just past the cue, `start` the first character that could be an answer. */
  afterCue(end: number, start: number): Hit | undefined {
    const { text } = this;
    if (/^not(?![\p{L}\p{N}\p{M}])/iu.test(text.slice(start, start + 8))) return undefined;
    const line = this.#line(start);
    // The whole line first: where an option is called "B cells", the line "B cells" names it and not option B.
    const named = line === undefined ? undefined : (this.#option(line) ?? this.#option(text.slice(end, start) + line));
    if (named) return { letter: named, rule: 'cue-text' };
    const read = this.#letter(start);
    if (read === 'several') return undefined;
    if (read) return { letter: read, rule: 'cue' };
    const bracketed = this.#brackets.only(start);
    return bracketed ? { letter: bracketed, rule: 'cue-bracket' } : undefined;
  }

  /** The rest of the line, if it is short enough to be an option's text. */
  #line(start: number): string | undefined {
    const reach = this.text.slice(start, start + this.#longest);
    const end = reach.indexOf('\n');
    if (end >= 0) return reach.slice(0, end);
    return reach.length < this.#longest ? reach : undefined;
  }

  #option(line: string): string | undefined {
    const folded = fold(line);
    const same = this.#texts.filter(option => option.folded === folded);
    return same.length === 1 ? same[0]!.letter : undefined;
  }

  /** The letter at `start`, `several` if it is joined to another one, undefined if it is not an answer. */
  #letter(start: number): string | 'several' | undefined {
    const { text } = this;
    const open = text[start] === '(' || text[start] === '[' ? text[start] : undefined;
    const at = open ? skip(inner, text, start + 1) : start;
    const raw = text[at] ?? '';
    const letter = raw.toUpperCase();
    if (!/^[A-Za-z]$/.test(raw) || !this.letters.includes(letter) || inWord(text, at + 1)) return undefined;
    let after = at + 1;
    const closed = open !== undefined && closes(open, text[skip(inner, text, after)]);
    if (closed) after = skip(inner, text, after) + 1;
    if (this.#joined(after)) return 'several';
    if (closed) return letter;
    if (open && !closesLater(open, text, after)) return undefined;
    if (partOfWord(text, after) || this.#abbreviation(letter, after) || this.#nameBegins(letter, start))
      return undefined;
    if (/^[AI]$/.test(letter) && matchesAt(lowerWord, text, after)) return undefined;
    if (raw !== letter && !matchesAt(closing, text, after)) return undefined;
    return letter;
  }

  /** `or`, `and`, `/`, `&` or `,` and a second letter that stands alone. */
  #joined(after: number): boolean {
    const { text } = this;
    joint.lastIndex = after;
    const match = joint.exec(text);
    if (!match) return false;
    const raw = match[1]!;
    const next = after + match[0].length;
    if (!this.letters.includes(raw.toUpperCase())) return false;
    // "C, a benign cyst": the second letter is an article.
    if (/[ai]/.test(raw) && /^[\t\p{Zs}]+\p{L}/u.test(text.slice(next, next + 8))) return false;
    return (
      !inWord(text, next) && !(matchesAt(compound, text, next) && text[next] !== '/') && !matchesAt(dotWord, text, next)
    );
  }

  /** `E. coli`: a dot and a lower-case word, unless the word begins that option's text. */
  #abbreviation(letter: string, after: number): boolean {
    dotWord.lastIndex = after;
    const word = dotWord.exec(this.text)?.[1];
    return word !== undefined && fold(word) !== this.#firstWords.get(letter);
  }

  /** "B cells because …" where another option is called "B cells". */
  #nameBegins(letter: string, start: number): boolean {
    const line = fold(this.text.slice(start, start + this.#longest).split('\n', 1)[0]!);
    const initial = `${letter.toLowerCase()} `;
    return this.#texts.some(
      o => o.letter !== letter && o.folded.startsWith(initial) && `${line} `.startsWith(`${o.folded} `),
    );
  }
}

/** The longest text of an option that names it; nobody repeats a longer one to the letter, and cues are read quickly. */
const longestName = 400;

/** The bracketed letters of a text, and for each whether it is the only one from there to the end of its line. */
class Brackets {
  readonly #found: { readonly at: number; readonly lineStart: number; readonly only: string | undefined }[] = [];
  #cursor = 0;

  constructor(text: string, letters: readonly string[]) {
    let lineStart = 0;
    for (const line of text.split('\n')) {
      for (const bracket of bracketsOf(line, lineStart, letters)) this.#found.push(bracket);
      lineStart += line.length + 1;
    }
  }

  /** The one letter that is bracketed between `start` and the end of its line. Calls must come in order of `start`. */
  only(start: number): string | undefined {
    while ((this.#found[this.#cursor]?.at ?? Infinity) < start) this.#cursor++;
    const next = this.#found[this.#cursor];
    return next && next.lineStart <= start ? next.only : undefined;
  }
}

function* bracketsOf(line: string, lineStart: number, letters: readonly string[]) {
  const hits: { at: number; letter: string }[] = [];
  for (const match of line.matchAll(bracketed)) {
    const letter = (match[1] ?? match[2])!.toUpperCase();
    if (!letters.includes(letter) || inWord(line, match.index, -1) || negated(line, match.index)) continue;
    hits.push({ at: match.index, letter });
  }
  const lastOther = hits.findLastIndex(hit => hit.letter !== hits.at(-1)!.letter);
  for (const [i, { at, letter }] of hits.entries()) {
    yield { at: lineStart + at, lineStart, only: i > lastOther ? letter : undefined };
  }
}

const bracketed = /\([ *_"']{0,4}([A-Za-z])[ *_"']{0,4}\)|\[[ *_"']{0,4}([A-Za-z])[ *_"']{0,4}\]/g;
const inner = /[ *_"'`“”‘’]{0,8}/uy;
const emphasis = String.raw`[*_"'\x60“”‘’]{0,8}`;
const blank = String.raw`[\t\p{Zs}]{0,8}`;
const joint = new RegExp(
  String.raw`${emphasis}[)\]]?${emphasis}${blank}(?:(?:,${blank})?(?:(?:[aA][nN][dD]\/[oO][rR]|[oO][rR]|[aA][nN][dD])(?!\p{L})|[\/&])|,)${blank}(?:(?:option|choice)[\t\p{Zs}]{1,8})?${emphasis}[(\[]?${emphasis}([A-Za-z])`,
  'uy',
);
const dotWord = new RegExp(String.raw`${emphasis}\.${emphasis}${blank}(\p{Ll}[\p{L}\p{N}]*)`, 'uy');
/** D-dimer, C/EBP, A's, B-12, C_max; K+ whatever follows. A dash (—) is punctuation and no hyphen. */
const compound = /[-‐‑‒–−/'’_](?=[\p{L}\p{N}\p{M}])|\+/uy;
const lowerWord = /[\t\p{Zs}]{1,8}\p{Ll}/uy;
const closing = /`|\p{P}|[\t\p{Zs}]*(?:\n|$)/uy;

function partOfWord(text: string, after: number): boolean {
  return matchesAt(compound, text, after);
}

function closes(open: string, character: string | undefined): boolean {
  return character === (open === '(' ? ')' : ']');
}

/** `(C: Cystic hygroma)`: a mark follows the letter and the bracket is closed on the line. */
function closesLater(open: string, text: string, after: number): boolean {
  if (!/^[ *_]{0,4}[:.,;—–-]/.test(text.slice(after, after + 6))) return false;
  const rest = text.slice(after, after + 400).split('\n', 1)[0]!;
  const close = rest.indexOf(open === '(' ? ')' : ']');
  const reopen = rest.indexOf(open);
  return close >= 0 && (reopen < 0 || close < reopen);
}

/** `not (C)`, `not option (C)`. */
function negated(text: string, at: number): boolean {
  return /(?<![\p{L}\p{N}])not[\t\p{Zs}*_]+(?:(?:the|option|choice|answer)[\t\p{Zs}*_]+){0,2}$/iu.test(
    text.slice(Math.max(0, at - 40), at),
  );
}

function inWord(text: string, at: number, step: 1 | -1 = 1): boolean {
  const near = step === 1 ? text.slice(at, at + 2) : text.slice(Math.max(0, at - 2), at);
  return step === 1 ? /^[\p{L}\p{N}\p{M}]/u.test(near) : /[\p{L}\p{N}\p{M}]$/u.test(near);
}

function fold(text: string): string {
  return normalized(text, 'NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M}]+/gu, ' ')
    .trim();
}
