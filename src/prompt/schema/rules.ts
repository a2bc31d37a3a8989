import { MeditronError } from '../../check/errors.js';

/** Beyond this the engine refuses a grammar (native/core/grammar.cpp). */
const maxBytes = 64 * 1024;

/** The rules of a GBNF grammar that is being written. Equal bodies are one rule. */
export class Rules {
  readonly #names = new Map<string, string>(); // by body
  readonly #bodies = new Map<string, string>(); // by name
  #bytes = 0;

  /** The name of the rule with this body. */
  rule(hint: string, body: string): string {
    const known = this.#names.get(body);
    if (known !== undefined) return known;
    const name = this.reserve(hint);
    this.#names.set(body, name);
    this.define(name, body);
    return name;
  }

  /** A name for a rule that is defined later, because its body names it. */
  reserve(hint: string): string {
    let name = hint;
    for (let i = 2; this.#bodies.has(name); i++) name = `${hint}-${i}`;
    this.#bodies.set(name, '');
    return name;
  }

  define(name: string, body: string): void {
    this.#bodies.set(name, body);
    this.#bytes += name.length + Buffer.byteLength(body) + 6;
    if (this.#bytes > maxBytes)
      throw new MeditronError(
        'ERR_GRAMMAR',
        `Expected a JSON schema whose grammar has at most ${maxBytes} bytes: it is too large, or alternatives within alternatives multiply`,
      );
  }

  text(root: string): string {
    const rules = [...this.#bodies].map(([name, body]) => `${name} ::= ${body}`);
    return [`root ::= ${root}`, ...rules, ''].join('\n');
  }
}

/** A text as a GBNF literal. */
export function literal(text: string): string {
  return `"${[...text].map(escaped).join('')}"`;
}

/** One of them; an expression that may stand in a sequence. */
export function either(alternatives: readonly string[]): string {
  const different = [...new Set(alternatives)];
  return different.length === 1 ? different[0]! : `(${different.join(' | ')})`;
}

/** Between `low` and `high` times. */
export function times(expression: string, low: number, high: number | undefined): string {
  if (high === 0) return '';
  if (low === 1 && high === 1) return expression;
  if (low === 0 && high === 1) return `(${expression})?`;
  return `(${expression}){${low},${high ?? ''}}`;
}

/** A sequence; empty expressions are left out. */
export function inOrder(...expressions: readonly string[]): string {
  return expressions.filter(expression => expression !== '').join(' ');
}

/** A character as literals and classes of GBNF spell it. */
export function escaped(char: string): string {
  const code = char.codePointAt(0)!;
  if (char === '"' || char === '\\' || char === ']' || char === '[' || char === '-') return `\\${char}`;
  if (code >= 0x20 && code < 0x7f) return char;
  return code <= 0xff ? `\\x${hex(code, 2)}` : code <= 0xffff ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0');
}
