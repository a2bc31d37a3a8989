import type { Kind, ValueOf } from './kinds.js';
import { checkKeys, object } from './options.js';

/**
 * One option, in the one place where it is described. From a table of them come the type and the checks of a function's options,
 * the flags of the commands and their help, and the fields that are stored.
 */
export interface Option {
  readonly kind: Kind<unknown>;
  /** Filled in where the option is left out. Without it the default depends on other options, and whoever knows them fills it in. */
  readonly default?: unknown;
  readonly flag: Flag;
  /** For the command's help: what it does, its unit and its default. */
  readonly help: string;
  /** Whether it is part of what is kept with an answer. */
  readonly stored: boolean;
}

/** As commander spells it, `-n, --samples <n>`; with values of another kind than the option's; or why nobody can type it. */
export type Flag = string | FlagOfOtherKind | { readonly none: string };

export interface FlagOfOtherKind {
  readonly spelling: string;
  readonly kind: Kind<unknown>;
  /** The option's value of a flag's. */
  readonly to: (value: never) => unknown;
}

export type Table = Readonly<Record<string, Option>>;

/** What a caller gives: everything may be left out. */
export type Given<T extends Table> = { readonly [K in keyof T]?: ValueOf<T[K]['kind']> | undefined };

/** What is left after the check: options that have a default are set. */
export type Checked<T extends Table> = {
  readonly [K in keyof T]: T[K] extends { readonly default: unknown }
    ? ValueOf<T[K]['kind']>
    : ValueOf<T[K]['kind']> | undefined;
};

/** What is kept of it, as JSON has it: null is what was left out. */
export type Stored<T extends Table> = {
  readonly [K in keyof T as T[K]['stored'] extends true ? K : never]: T[K] extends { readonly default: unknown }
    ? ValueOf<T[K]['kind']>
    : ValueOf<T[K]['kind']> | null;
};

/**
 * Checks every option and fills in the defaults that stand in the table. `where` is the function in error messages, `nameOf` an
 * option in them.
 *
 * @throws MeditronError `ERR_OPTION` for a key that no option has, or what the option's kind throws
 */
export function checkOptions<T extends Table>(
  where: string,
  table: T,
  given: unknown,
  nameOf: (option: string) => string = option => option,
): Checked<T> {
  const options = object('options', given);
  checkKeys(where, options, Object.keys(table));
  const checked = Object.entries(table).map(([name, option]) => {
    const value = options[name];
    return [name, value === undefined ? option.default : option.kind.check(nameOf(name), value)];
  });
  return Object.fromEntries(checked) as Checked<T>;
}

/** The fields to store of checked options, and of nothing else that stands beside them. */
export function storedOf<T extends Table>(table: T, checked: Given<T>): Stored<T> {
  const names = Object.keys(table).filter(name => table[name]!.stored);
  return Object.fromEntries(names.map(name => [name, checked[name] ?? null])) as Stored<T>;
}

/** Stored fields as options again, every one checked; what was null is left out. */
export function givenFrom<T extends Table>(
  where: string,
  table: T,
  stored: Readonly<Record<string, unknown>>,
): Given<T> {
  const names = Object.keys(table).filter(name => table[name]!.stored && (stored[name] ?? null) !== null);
  return Object.fromEntries(
    names.map(name => [name, table[name]!.kind.check(`${where}.${name}`, stored[name])]),
  ) as Given<T>;
}

/** Some of a table's options. */
export function pick<T extends Table, K extends keyof T>(table: T, names: readonly K[]): Pick<T, K> {
  return Object.fromEntries(names.map(name => [name, table[name]])) as Pick<T, K>;
}
