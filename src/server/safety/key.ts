import { createHash, timingSafeEqual } from 'node:crypto';
import type { Context, MiddlewareHandler } from 'hono';
import { RequestError } from '../error.js';

/** Lets through what carries one of these keys as `Authorization: Bearer KEY`. */
export function requireKey(keys: readonly string[], why: string): MiddlewareHandler {
  const has = carries(keys);
  return async (c, next) => {
    if (has(c)) return next();
    const what = c.req.header('Authorization') === undefined ? 'none was given' : 'another was given';
    throw new RequestError(401, `${why}: send \`Authorization: Bearer KEY\`; ${what}`, null, {
      'WWW-Authenticate': 'Bearer',
    });
  };
}

/** Whether a request carries one of these keys, compared in constant time. */
export function carries(keys: readonly string[]): (c: Context) => boolean {
  const wanted = keys.map(digest);
  return c => {
    const given = digest(/^Bearer +(\S+) *$/i.exec(c.req.header('Authorization') ?? '')?.[1] ?? '');
    let found = false;
    for (const each of wanted) found = timingSafeEqual(given, each) || found;
    return found;
  };
}

/** Equal lengths, so that a comparison tells nothing of the length either. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
