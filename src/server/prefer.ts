import type { Context } from 'hono';
import type { UseOptions } from './pool/pool.js';

/** How long a request waits for its model: `Prefer: wait=SECONDS` (RFC 7240); as long as it takes without it. */
export function preferenceOf(c: Context): UseOptions {
  const seconds = /(?:^|[,;])\s*wait\s*=\s*"?(\d{1,6})"?\s*(?:$|[,;])/i.exec(c.req.header('Prefer') ?? '')?.[1];
  return seconds === undefined ? {} : { waitMs: Number(seconds) * 1000 };
}
