import { optionError } from './errors.js';
import { array, boolean, integer, number, oneOf, string } from './options.js';

/** The values an option can have. */
export interface Kind<T> {
  /** @throws MeditronError that names the option, says what was expected and what came */
  check(name: string, value: unknown): T;
  /** What was typed after a flag, as a value to check. A kind without it takes no text: a switch. */
  readonly read?: (text: string) => unknown;
}

export type ValueOf<K> = K extends Kind<infer T> ? T : never;

/** A whole number within [min, max]. */
export function whole(min: number, max: number): Kind<number> {
  return { check: (name, value) => integer(name, value, min, max), read: asNumber };
}

/** A finite number within [min, max]. */
export function decimal(min: number, max: number): Kind<number> {
  return { check: (name, value) => number(name, value, min, max), read: asNumber };
}

export function choice<const T extends string>(choices: readonly T[]): Kind<T> {
  return { check: (name, value) => oneOf(name, value, choices), read: asIs };
}

export const text: Kind<string> = { check: string, read: asIs };

/** True or false; as a flag, a switch. */
export const yesNo: Kind<boolean> = { check: boolean };

export const abortSignal: Kind<AbortSignal> = {
  check(name, value) {
    if (value instanceof AbortSignal) return value;
    throw optionError(name, 'an AbortSignal', value);
  },
};

/** Between `min` and `max` values of a kind; typed with commas, or by repeating the flag. */
export function listOf<T>(kind: Kind<T>, min: number, max: number): Kind<readonly T[]> {
  return {
    check: (name, value) => array(name, value, min, max).map((each, i) => kind.check(`${name}[${i}]`, each)),
    read: typed => typed.split(',').map(each => kind.read!(each.trim())),
  };
}

/** `NaN`, `1e99`, `0x10` and an empty text are no numbers, and stay text for the check to refuse. */
export function asNumber(typed: string): unknown {
  return /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(typed) ? Number(typed) : typed;
}

function asIs(typed: string): string {
  return typed;
}
