import { createHash } from 'node:crypto';
import type { FileHash } from '../../models/identity.js';

/** SHA-256 of token ids as 32-bit little-endian integers. */
export function tokenHash(tokens: ArrayLike<number>): string {
  const bytes = Buffer.alloc(tokens.length * 4);
  for (let i = 0; i < tokens.length; i++) bytes.writeInt32LE(tokens[i]! | 0, i * 4);
  return createHash('sha256').update(bytes).digest('hex');
}

/** SHA-256 of a text in UTF-8. */
export function textHash(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

/** SHA-256 of plain data as JSON, the keys of its objects in alphabetical order. */
export function jsonHash(value: unknown): string {
  return textHash(JSON.stringify(value, sorted));
}

/** Of a model in one file its hash; in several the hash of their hashes, one a line. */
export function hashOfFiles(files: readonly FileHash[]): string {
  return files.length === 1 ? files[0]!.sha256 : textHash(files.map(file => `${file.sha256}\n`).join(''));
}

function sorted(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
