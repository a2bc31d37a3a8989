import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto';
import * as v from 'valibot';

/** AES-256-GCM; the key is made of a passphrase by scrypt. */
const algorithm = 'aes-256-gcm';

/** What a key is made with, besides the passphrase: N, r and p as OWASP's cheat sheet on storing passwords has them, 128 MB for half a second. */
export interface KeyRecipe {
  readonly salt: string;
  readonly n: number;
  readonly r: number;
  readonly p: number;
}

const base64 = v.pipe(v.string(), v.regex(/^[\w+/]+={0,2}$/));
const whole = (most: number) => v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(most));

export const recipeSchema = v.object({ salt: base64, n: whole(2 ** 20), r: whole(32), p: whole(16) });

/** Encrypted text, all of it in base64. */
export const boxSchema = v.object({ iv: base64, tag: base64, data: base64 });
export type Box = v.InferOutput<typeof boxSchema>;

export function newRecipe(): KeyRecipe {
  return { salt: randomBytes(16).toString('base64'), n: 2 ** 17, r: 8, p: 1 };
}

/** The same passphrase gives the same key however its signs are composed. */
export function keyOf(passphrase: string, { salt, n, r, p }: KeyRecipe): Promise<Buffer> {
  const options = { N: n, r, p, maxmem: 256 * n * r };
  return new Promise((resolve, reject) =>
    scrypt(passphrase.normalize('NFKC'), Buffer.from(salt, 'base64'), 32, options, (error, key) =>
      error ? reject(error) : resolve(key),
    ),
  );
}

/** `about` is authenticated with it: what was encrypted about one thing cannot be read as about another. */
export function encrypt(text: string, key: Buffer, about: string): Box {
  const iv = randomBytes(12);
  const cipher = createCipheriv(algorithm, key, iv).setAAD(Buffer.from(about));
  const data = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return { iv: iv.toString('base64'), tag: cipher.getAuthTag().toString('base64'), data: data.toString('base64') };
}

/** Undefined if it was encrypted with another key, about something else, or was changed. */
export function decrypt({ iv, tag, data }: Box, key: Buffer, about: string): string | undefined {
  try {
    const options = { authTagLength: 16 };
    const decipher = createDecipheriv(algorithm, key, Buffer.from(iv, 'base64'), options)
      .setAAD(Buffer.from(about))
      .setAuthTag(Buffer.from(tag, 'base64'));
    return Buffer.concat([decipher.update(Buffer.from(data, 'base64')), decipher.final()]).toString('utf8');
  } catch {
    return undefined;
  }
}
