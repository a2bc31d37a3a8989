import { setImmediate } from 'node:timers/promises';
import type { Context } from 'hono';
import { Hono } from 'hono';
import type { Pool } from '../pool/pool.js';
import { preferenceOf } from '../prefer.js';
import type { Asks } from './asks.js';
import { jsonOf } from './body.js';
import { eventStream, lastEventOf, wantsEvents } from './events.js';
import type { LiveAsk } from './live.js';
import type { AskState, AsksState, Stopped } from './protocol.js';
import { workOf } from './work.js';

/** Asks a question, and watches and stops what was asked. */
export function askRoutes(pool: Pool, asks: Asks): Hono {
  return new Hono()
    .post('/v1/meditron/ask', async c => {
      const ask = asks.begin(workOf(await jsonOf(c), pool), preferenceOf(c));
      if (wantsEvents(c)) return watched(c, ask, 0);
      return c.json(await ask.answered(c.req.raw.signal));
    })
    .get('/v1/meditron/asks', c => c.json<AsksState>(asks.state))
    .get('/v1/meditron/asks/:id', async c => {
      const ask = asks.find(c.req.param('id'));
      return wantsEvents(c) ? await watched(c, ask, lastEventOf(c)) : c.json<AskState>(ask.state);
    })
    .delete('/v1/meditron/asks/:id', c => c.json<Stopped>(asks.stop(c.req.param('id'))));
}

/** Without a place in the queue the answer is 429, not a stream. */
async function watched(c: Context, ask: LiveAsk, after: number): Promise<Response> {
  await setImmediate();
  if (ask.refusal) throw ask.refusal;
  return eventStream(c, signal => ask.log.watch(after, signal));
}
