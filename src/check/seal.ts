import { createHash } from 'node:crypto';

/** SHA-256 of a text in UTF-8. */
export function textHash(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

/** SHA-256 of plain data as JSON, the keys of its objects in alphabetical order. */
export function jsonHash(value: unknown): string {
  return textHash(JSON.stringify(value, sorted));
}

/** Plain data with the {@link jsonHash} of all of it as `sha256`, so that a change of it is found when it is read back. */
export function sealed<T extends object>(value: T): Omit<T, 'sha256'> & { readonly sha256: string } {
  const { sha256: _, ...rest } = value as T & { readonly sha256?: unknown };
  return { ...rest, sha256: jsonHash(rest) };
}

/** Whether data that was read back is as {@link sealed} gave it. */
export function isSealed(value: { readonly sha256?: unknown }): boolean {
  try {
    return value.sha256 === sealed(value).sha256;
  } catch {
    return false; // nested more deeply than anything that is written here
  }
}

function sorted(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
