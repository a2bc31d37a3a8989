import { describe, MeditronError } from '../../check/errors.js';
import { parseLiteral } from './literal.js';

/** One record of a data file that knows where it stands. Field names are compared without regard to case. */
export class Row {
  readonly #fields: ReadonlyMap<string, unknown>;

  constructor(
    readonly file: string,
    /** `line 12` or `row 12`, counted from 1. */
    readonly where: string,
    readonly fields: Readonly<Record<string, unknown>>,
    /** The name under which an object of records holds this one: PubMed's id in PubMedQA. */
    readonly key?: string,
  ) {
    const found = new Map<string, unknown>();
    for (const [name, value] of Object.entries(fields)) {
      const plain = name.trim().toLowerCase();
      if (found.has(plain))
        throw new MeditronError('ERR_INPUT', `${file}, ${where}: the field \`${name}\` is there twice`);
      found.set(plain, value);
    }
    this.#fields = found;
  }

  get names(): readonly string[] {
    return [...this.#fields.keys()];
  }

  has(...names: readonly string[]): boolean {
    return names.some(name => this.#find(name) !== undefined);
  }

  /** The first of these fields that is there; null counts as absent. */
  value(...names: readonly string[]): unknown {
    return names.map(name => this.#find(name)).find(value => value !== undefined);
  }

  /** A field that must hold text. */
  text(...names: readonly string[]): string {
    const value = this.value(...names);
    if (typeof value === 'number') return String(value); // "0.01" in a JSON export of a CSV
    if (typeof value !== 'string' || value.trim() === '') throw this.fail(names[0]!, 'text', value);
    return value;
  }

  optionalText(...names: readonly string[]): string | undefined {
    const value = this.value(...names);
    if (typeof value === 'number') return String(value);
    if (value === undefined || value === '') return undefined;
    if (typeof value !== 'string') throw this.fail(names[0]!, 'text', value);
    return value;
  }

  /** A field that must hold a list of texts, as JSON or as Python prints it. */
  texts(...names: readonly string[]): string[] {
    const value = this.nested(...names);
    if (!Array.isArray(value) || value.some(element => typeof element !== 'string' && typeof element !== 'number')) {
      throw this.fail(names[0]!, 'a list of texts', value);
    }
    return value.map(String);
  }

  /** A field that holds a list or an object, which a CSV export turned into text. */
  nested(...names: readonly string[]): unknown {
    const value = this.value(...names);
    if (typeof value !== 'string' || !/^\s*(?:[[{]|array\()/.test(value)) return value;
    try {
      return JSON.parse(value);
    } catch {
      return parseLiteral(value) ?? value;
    }
  }

  /** The error for a field of this row: file, row, field, what was expected, what came. */
  fail(field: string, expected: string, actual: unknown = this.value(field)): MeditronError {
    const got = actual === undefined ? 'nothing' : describe(actual);
    return new MeditronError(
      'ERR_INPUT',
      `${this.file}, ${this.where}: expected \`${field}\` to be ${expected}, got ${got}`,
    );
  }

  #find(name: string): unknown {
    return this.#fields.get(name.toLowerCase()) ?? undefined;
  }
}
