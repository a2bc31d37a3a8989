import { escaped, inOrder } from './rules.js';

/** A character within quotes as JSON spells it, one for one: no half of a surrogate pair, no control characters. */
export const character =
  '[^"\\\\\\x01-\\x1f\\x7f] | "\\\\" (["\\\\/bfnrt] | "u" ([0-9abcefABCEF] [0-9a-fA-F]{3} | [dD] [0-7] [0-9a-fA-F]{2}))';

const month31 = '("0" [13578] | "1" [02])';
const date = [
  `[0-9]{4} "-" ${month31} "-" ("0" [1-9] | [12] [0-9] | "3" [01])`,
  '[0-9]{4} "-" ("0" [469] | "11") "-" ("0" [1-9] | [12] [0-9] | "30")',
  '[0-9]{4} "-02-" ("0" [1-9] | "1" [0-9] | "2" [0-8])',
  '([0-9]{2} ("0" [48] | [2468] [048] | [13579] [26]) | ([02468] [048] | [13579] [26]) "00") "-02-29"',
].join(' | ');
const hour = '([01] [0-9] | "2" [0-3]) ":" [0-5] [0-9]';
const time = `${hour} ":" [0-5] [0-9] ("." [0-9]{1,6})? ("Z" | [+\\-] ${hour})`;
const hexDigit = '[0-9a-f]';
const byte = '("25" [0-5] | "2" [0-4] [0-9] | "1" [0-9]{2} | [1-9] [0-9] | [0-9])';
const label = '[a-zA-Z0-9]{1,20} ("-" [a-zA-Z0-9]{1,20}){0,2}';

/** Values of `format`, between the quotes. */
export const stringFormats: Readonly<Record<string, string>> = {
  date,
  time,
  'date-time': `(${date}) "T" ${time}`,
  uuid: `${hexDigit}{8} "-" ${hexDigit}{4} "-" [1-8] ${hexDigit}{3} "-" [89ab] ${hexDigit}{3} "-" ${hexDigit}{12}`,
  email: `[a-zA-Z0-9_+\\-]{1,20} ("." [a-zA-Z0-9_+\\-]{1,20}){0,3} "@" (${label} "."){1,4} [a-zA-Z]{2,10}`,
  ipv4: `${byte} "." ${byte} "." ${byte} "." ${byte}`,
};

/** Why a pattern cannot be a grammar. */
export class PatternRefused extends Error {}

/**
 * A regular expression as a grammar of what it matches, between the quotes: alternatives, groups, classes, repetitions, escapes. What
 * is free before or after it, where it has no `^` or `$`, is any text.
 *
 * @throws PatternRefused for what is no regular grammar (look-around, back-references), or not known
 */
export function patternGrammar(pattern: string, anyCharacter: string): string {
  try {
    new RegExp(pattern, 'u');
  } catch {
    throw new PatternRefused('no regular expression');
  }
  return new PatternReader(pattern, anyCharacter).read();
}

type Range = readonly [number, number];

const digits: readonly Range[] = [[0x30, 0x39]];
const word: readonly Range[] = [...digits, [0x41, 0x5a], [0x5f, 0x5f], [0x61, 0x7a]];
const space: readonly Range[] = [
  [0x09, 0x0d],
  [0x20, 0x20],
];
const lastChar = 0x10ffff;
const mostTimes = 2000;

class PatternReader {
  readonly #chars: readonly string[];
  #at = 0;

  constructor(
    pattern: string,
    private readonly anyCharacter: string,
  ) {
    this.#chars = [...pattern];
  }

  read(): string {
    const alternatives = this.#alternatives(0);
    if (this.#at < this.#chars.length) this.#refuse('`)`');
    return alternatives;
  }

  #alternatives(depth: number): string {
    if (depth > 32) this.#refuse('groups that deep');
    const parts = [this.#sequence(depth)];
    while (this.#peek() === '|') {
      this.#at++;
      parts.push(this.#sequence(depth));
    }
    return parts.length === 1 ? parts[0]! : `(${parts.map(part => part || '""').join(' | ')})`;
  }

  #sequence(depth: number): string {
    const parts: string[] = [];
    let begins = false;
    let ends = false;
    for (;;) {
      const char = this.#peek();
      if (char === undefined || char === '|' || char === ')') break;
      if (ends) this.#refuse('`$` before the end');
      if (char === '^') {
        if (depth > 0 || parts.length > 0) this.#refuse('`^` behind the beginning');
        begins = true;
        this.#at++;
      } else if (char === '$') {
        if (depth > 0) this.#refuse('`$` in a group');
        ends = true;
        this.#at++;
      } else parts.push(this.#repeated(this.#atom(depth)));
    }
    if (depth > 0) return inOrder(...parts);
    const free = `${this.anyCharacter}*`;
    return inOrder(begins ? '' : free, ...parts, ends ? '' : free) || '""';
  }

  #atom(depth: number): string {
    const char = this.#next();
    if (char === '(') {
      if (this.#peek() === '?') {
        this.#at++;
        if (this.#next() !== ':') this.#refuse('`(?` that is not `(?:`');
      }
      const inner = this.#alternatives(depth + 1);
      if (this.#next() !== ')') this.#refuse('an open group');
      return `(${inner || '""'})`;
    }
    if (char === '[') return this.#class();
    if (char === '.')
      return spelt(
        without([
          [0x0a, 0x0a],
          [0x0d, 0x0d],
          [0x2028, 0x2029],
        ]),
      );
    if (char === '\\') return spelt(this.#escape());
    return spelt([single(char!)]);
  }

  #class(): string {
    const negated = this.#peek() === '^';
    if (negated) this.#at++;
    const ranges: Range[] = [];
    while (this.#peek() !== ']') {
      const from = this.#member();
      if (
        this.#peek() === '-' &&
        this.#chars[this.#at + 1] !== ']' &&
        from.length === 1 &&
        from[0]![0] === from[0]![1]
      ) {
        this.#at++;
        const to = this.#member();
        ranges.push([from[0]![0], to[0]![1]]);
      } else ranges.push(...from);
    }
    this.#at++;
    return spelt(negated ? without(ranges) : ranges);
  }

  #member(): readonly Range[] {
    const char = this.#next();
    if (char === undefined) this.#refuse('an open class');
    return char === '\\' ? this.#escape() : [single(char!)];
  }

  #escape(): readonly Range[] {
    const char = this.#next();
    switch (char) {
      case 'd':
        return digits;
      case 'D':
        return without(digits);
      case 'w':
        return word;
      case 'W':
        return without(word);
      case 's':
        return space;
      case 'n':
        return [single('\n')];
      case 't':
        return [single('\t')];
      case 'r':
        return [single('\r')];
      case 'x':
        return [this.#code(2)];
      case 'u':
        return [this.#code(4)];
      default:
        if (char === undefined || /[\p{L}\p{N}]/u.test(char)) this.#refuse(`\`\\${char ?? ''}\``);
        return [single(char!)];
    }
  }

  #code(length: number): Range {
    const text = this.#chars.slice(this.#at, this.#at + length).join('');
    if (!new RegExp(`^[0-9a-fA-F]{${length}}$`).test(text)) this.#refuse('an escape of another length');
    this.#at += length;
    return [Number.parseInt(text, 16), Number.parseInt(text, 16)];
  }

  #repeated(atom: string): string {
    const char = this.#peek();
    let bounds: string;
    if (char === '*' || char === '+' || char === '?') {
      this.#at++;
      bounds = char;
    } else if (char === '{') {
      const end = this.#chars.indexOf('}', this.#at);
      bounds = this.#chars.slice(this.#at, end + 1).join('');
      this.#at = end + 1;
      if ([...bounds.matchAll(/\d+/g)].some(([count]) => Number(count) > mostTimes))
        this.#refuse(`more than ${mostTimes} repetitions`);
    } else return atom;
    if (this.#peek() === '?') this.#at++; // which of the ways a text is matched makes no difference to what matches
    return `(${atom})${bounds}`;
  }

  #peek(): string | undefined {
    return this.#chars[this.#at];
  }

  #next(): string | undefined {
    return this.#chars[this.#at++];
  }

  #refuse(what: string): never {
    throw new PatternRefused(what);
  }
}

function single(char: string): Range {
  const code = char.codePointAt(0)!;
  return [code, code];
}

/** All other characters. */
function without(ranges: readonly Range[]): Range[] {
  const sorted = [...ranges].sort(([a], [b]) => a - b);
  const out: Range[] = [];
  let from = 0;
  for (const [low, high] of sorted) {
    if (low > from) out.push([from, low - 1]);
    from = Math.max(from, high + 1);
  }
  if (from <= lastChar) out.push([from, lastChar]);
  return out;
}

const escapes: readonly (readonly [code: number, spelling: string])[] = [
  [0x22, '"\\\\\\""'],
  [0x5c, '"\\\\\\\\"'],
  [0x0a, '"\\\\n"'],
  [0x0d, '"\\\\r"'],
  [0x09, '"\\\\t"'],
];

/** Characters as JSON spells them within quotes. Control characters that have no short escape are left out. */
function spelt(ranges: readonly Range[]): string {
  const taken = without([
    [0, 0x1f],
    [0x22, 0x22],
    [0x5c, 0x5c],
    [0x7f, 0x7f],
    [0xd800, 0xdfff],
  ]);
  const plain = ranges.flatMap(([low, high]) =>
    taken.flatMap(([from, to]) =>
      Math.max(low, from) <= Math.min(high, to) ? [[Math.max(low, from), Math.min(high, to)] as const] : [],
    ),
  );
  const spell = (code: number) => escaped(String.fromCodePoint(code)).replace(/^\^$/, '\\x5e');
  const alternatives = [
    ...(plain.length > 0
      ? [`[${plain.map(([low, high]) => (low === high ? spell(low) : `${spell(low)}-${spell(high)}`)).join('')}]`]
      : []),
    ...escapes
      .filter(([code]) => ranges.some(([low, high]) => low <= code && code <= high))
      .map(([, spelling]) => spelling),
  ];
  if (alternatives.length === 0) throw new PatternRefused('characters that no text here has');
  return alternatives.length === 1 ? alternatives[0]! : `(${alternatives.join(' | ')})`;
}
