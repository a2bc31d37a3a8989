import type { MiddlewareHandler } from 'hono';

/** On every answer: nothing is kept by the browser, read by another site, or taken for something else. Never a header of CORS. */
export const safeHeaders: MiddlewareHandler = async (c, next) => {
  await next();
  const { headers } = c.res;
  headers.set('X-Content-Type-Options', 'nosniff');
  headers.set('Referrer-Policy', 'no-referrer');
  headers.set('Cross-Origin-Resource-Policy', 'same-origin');
  headers.set('Cross-Origin-Opener-Policy', 'same-origin');
  if (!headers.has('Content-Security-Policy'))
    headers.set('Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'");
  if (!headers.has('Cache-Control') || headers.get('Cache-Control') === 'no-cache') {
    if (!headers.has('ETag')) headers.set('Cache-Control', 'no-store');
  }
};
