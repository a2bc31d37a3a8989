import { distance } from 'fastest-levenshtein';
import { MeditronError, named, optionError, wordError } from './errors.js';

/** Refuses keys that no option has, naming the nearest known one: a misspelt option must never be ignored. */
export function checkKeys(where: string, value: object, known: readonly string[]): void {
  for (const key of Object.keys(value)) {
    if (known.includes(key)) continue;
    const near = nearest(key, known);
    const hint = near ? `did you mean \`${near}\`?` : `known options: ${known.join(', ')}`;
    throw new MeditronError('ERR_OPTION', `Unknown option ${named(key)} in ${where}; ${hint}`);
  }
}

/** A finite number within [min, max]. */
export function number(option: string, value: unknown, min: number, max: number): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < min || value > max) {
    throw wordError(option, `a number ${range(min, max)}`, value);
  }
  return value;
}

/** A whole number within [min, max]. */
export function integer(option: string, value: unknown, min: number, max: number): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max) {
    throw wordError(option, `an integer ${range(min, max)}`, value);
  }
  return value;
}

export function boolean(option: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw optionError(option, 'true or false', value);
  return value;
}

export function string(option: string, value: unknown): string {
  if (typeof value !== 'string') throw optionError(option, 'a string', value);
  return value;
}

export function oneOf<const T extends string>(option: string, value: unknown, choices: readonly T[]): T {
  if (typeof value === 'string' && (choices as readonly string[]).includes(value)) return value as T;
  const near = typeof value === 'string' ? nearest(value, choices) : undefined;
  throw wordError(option, `one of ${choices.join(', ')}${near ? ` (did you mean ${near}?)` : ''}`, value);
}

export function object(option: string, value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw optionError(option, 'an object', value);
  return value as Record<string, unknown>;
}

export function array(option: string, value: unknown, min: number, max: number): readonly unknown[] {
  if (!Array.isArray(value) || value.length < min || value.length > max) {
    throw optionError(option, `an array of ${min} to ${max} elements`, value);
  }
  return value;
}

/** The known word closest to what was typed, if it is close enough to be a slip of the finger. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const candidate of known) {
    const d = distance(word.toLowerCase(), candidate.toLowerCase());
    if (d < bestDistance) [best, bestDistance] = [candidate, d];
  }
  return best;
}

function range(min: number, max: number): string {
  if (max === Infinity || max === Number.MAX_SAFE_INTEGER) return `>= ${min}`;
  if (min === -Infinity) return `<= ${max}`;
  return `from ${min} to ${max}`;
}
