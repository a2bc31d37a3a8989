import { MeditronError } from '../../check/errors.js';

/** What decides the rows of a file: plain JSON. Two runs with equal configurations may continue each other. */
export type Config = Readonly<Record<string, unknown>>;

/** As it will be read back, with keys in order; a value that JSON cannot hold is a mistake of the caller. */
export function plain(value: unknown, at = 'config'): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (Array.isArray(value)) return value.map((element, i) => plain(element, `${at}[${i}]`));
  if (typeof value === 'object') {
    const entries = Object.entries(value).filter(([, element]) => element !== undefined);
    entries.sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(entries.map(([key, element]) => [key, plain(element, `${at}.${key}`)]));
  }
  throw new MeditronError('ERR_OPTION', `Expected \`${at}\` to be plain JSON, got ${String(value)} (${typeof value})`);
}

/** `sampling.temperature: 0.8 there, 0.7 now` for each field that differs. */
export function differences(there: unknown, now: unknown, at = ''): string[] {
  if (JSON.stringify(there) === JSON.stringify(now)) return [];
  const nested = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  if (nested(there) && nested(now)) {
    const keys = [...new Set([...Object.keys(there), ...Object.keys(now)])].sort();
    const own = (value: object, key: string): unknown => Object.getOwnPropertyDescriptor(value, key)?.value;
    return keys.flatMap(key => differences(own(there, key), own(now, key), at ? `${at}.${key}` : key));
  }
  return [`${at}: ${shown(there)} there, ${shown(now)} now`];
}

function shown(value: unknown): string {
  if (value === undefined) return 'absent';
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
