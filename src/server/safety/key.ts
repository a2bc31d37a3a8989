import { createHash, timingSafeEqual } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';
import { RequestError } from '../error.js';

/** Lets through what carries this key as `Authorization: Bearer KEY`, compared in constant time. */
export function requireKey(key: string, why: string): MiddlewareHandler {
  const wanted = digest(key);
  return async (c, next) => {
    const given = /^Bearer +(\S+) *$/i.exec(c.req.header('Authorization') ?? '')?.[1];
    if (given !== undefined && timingSafeEqual(digest(given), wanted)) return next();
    const what = given === undefined ? 'none was given' : 'another was given';
    throw new RequestError(401, `${why}: send \`Authorization: Bearer KEY\`; ${what}`, null, {
      'WWW-Authenticate': 'Bearer',
    });
  };
}

/** Equal lengths, so that a comparison tells nothing of the length either. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
