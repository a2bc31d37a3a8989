import { createHash } from 'node:crypto';
import { textHash } from '../../check/seal.js';
import type { FileHash } from '../../models/identity.js';

/** SHA-256 of token ids as 32-bit little-endian integers. */
export function tokenHash(tokens: ArrayLike<number>): string {
  const bytes = Buffer.alloc(tokens.length * 4);
  for (let i = 0; i < tokens.length; i++) bytes.writeInt32LE(tokens[i]! | 0, i * 4);
  return createHash('sha256').update(bytes).digest('hex');
}

/** Of a model in one file its hash; in several the hash of their hashes, one a line. */
export function hashOfFiles(files: readonly FileHash[]): string {
  return files.length === 1 ? files[0]!.sha256 : textHash(files.map(file => `${file.sha256}\n`).join(''));
}
