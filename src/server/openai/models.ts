import { Hono } from 'hono';
import type { Pool, ServedModel } from '../pool/pool.js';

/** `GET /v1/models`, and one of them. */
export function modelRoutes(pool: Pool): Hono {
  return new Hono()
    .get('/v1/models', c => c.json({ object: 'list', data: pool.models.map(shown) }))
    .get('/v1/models/:id{.+}', c => c.json(shown(pool.find(c.req.param('id')))));
}

function shown({ name, created }: ServedModel) {
  return { id: name, object: 'model', created, owned_by: 'meditron' };
}
