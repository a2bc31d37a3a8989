import { Hono } from 'hono';

/** Whether the server answers, and no more: it needs no key. */
export function healthRoutes(): Hono {
  return new Hono().get('/health', c => c.json({ status: 'ok' }));
}
